"""Front-ends: draw events, answer questions."""
