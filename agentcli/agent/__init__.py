"""The loop: ask the model, do what it asks."""
