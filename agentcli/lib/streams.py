"""Standard streams that may go away."""

from __future__ import annotations

import os
import sys


def silence_stdout() -> None:
    """Standard output is gone: whatever is still written to it, at exit too, goes nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())


def open_missing() -> None:
    """Closed at start: open them on nothing, or the next file would get their number."""
    for name, flags, mode in (("stdin", os.O_RDONLY, "r"), ("stderr", os.O_WRONLY, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode))
