"""The interactive front-end; the door to prompt_toolkit and rich."""
