"""What the model has seen of files, so that it never overwrites what it does not know."""

from __future__ import annotations

import hashlib
from pathlib import Path

from agentcli.tools.base import ToolContext
from agentcli.tools.workspace import Seen


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def remember(ctx: ToolContext, path: Path, data: bytes, *, shown: str = "") -> None:
    """Note that the model knows this file as it is now; `shown` names the part it read."""
    real = path.resolve()
    ctx.workspace.seen[real] = Seen(digest(data), shown)


def is_current(ctx: ToolContext, path: Path, data: bytes) -> bool | None:
    """Whether the model knows these bytes; None when it never saw the file."""
    seen = ctx.workspace.seen.get(path.resolve())
    return None if seen is None else seen.digest == digest(data)
