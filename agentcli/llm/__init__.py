"""Talking to models: wires, providers, models, cache, cost."""
