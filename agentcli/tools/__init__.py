"""What can be done: read, edit, run, search."""
