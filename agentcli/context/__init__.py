"""What the model sees besides the talk."""
