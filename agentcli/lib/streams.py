"""Standard streams that may go away."""

from __future__ import annotations

import os
import sys

from agentcli.lib.errors import UserError


def silence_stdout() -> None:
    """Standard output is gone: whatever is still written to it, at exit too, goes nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())


def put(text: str) -> None:
    """Write to standard output at once.

    Raises BrokenPipeError when its reader has left, UserError when it takes nothing more.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence_stdout()
        raise UserError(f"Standard output can't be written: {error.strerror}.") from None


def open_missing() -> None:
    """Closed at start: open them on nothing, or the next file would get their number."""
    for name, flags, mode in (("stdin", os.O_RDONLY, "r"), ("stderr", os.O_WRONLY, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode))
