"""Paths as people and models write them."""

from __future__ import annotations

import os
from pathlib import Path


def absolute(root: Path, path: str) -> Path:
    """`~` and relative paths made absolute, `..` folded; links are not followed."""
    return Path(os.path.normpath(root / os.path.expanduser(path)))


def shown(path: Path, root: Path) -> str:
    """Relative to the project where it lies inside, else whole."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def similar(path: Path, limit: int = 3) -> list[str]:
    """Names in the same folder near a wrong one."""
    from difflib import get_close_matches

    try:
        names = os.listdir(path.parent)
    except OSError:
        return []
    return get_close_matches(path.name, names, n=limit, cutoff=0.6)
