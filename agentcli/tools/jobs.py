"""Commands that go on running in the background."""

from __future__ import annotations


class Job:
    """One background command: its output so far and how to end it."""
