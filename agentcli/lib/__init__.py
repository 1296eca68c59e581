"""Nouns of the standard library: processes, files, text, paths."""
