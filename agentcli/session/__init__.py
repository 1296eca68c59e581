"""What is kept: entries, store, checkpoints, ledger."""
