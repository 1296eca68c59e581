"""The terminal that standard output is."""

from __future__ import annotations

import shutil
import sys


def columns() -> int | None:
    """Its width; None where the output goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
