"""Standard streams that may go away."""

from __future__ import annotations

import os
import sys


def silence_stdout() -> None:
    """Standard output is gone: whatever is still written to it, at exit too, goes nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
