"""What may happen: permissions, shell analysis, hooks."""
