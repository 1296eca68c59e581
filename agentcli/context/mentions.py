"""`@path` in what a person typed: the files they mean."""

from __future__ import annotations

import re
from pathlib import Path

_MENTION = re.compile(r"(?<!\S)@(\"[^\"]+\"|[^\s\"]+)")
MAX_FILES = 10


def mentioned(text: str, root: Path) -> tuple[Path, ...]:
    """Existing files and folders named with @ in `text`, once each, at most MAX_FILES."""
    found: dict[Path, None] = {}
    for match in _MENTION.finditer(text):
        name = match.group(1).strip('"').rstrip(".,;:!?)")
        path = (root / Path(name).expanduser()).resolve()
        if name and path.exists():
            found[path] = None
    return tuple(found)[:MAX_FILES]
