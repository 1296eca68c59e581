"""What the tools remember during one session."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agentcli.lib.value import value
from agentcli.tools.base import TodoItem

if TYPE_CHECKING:
    from agentcli.tools.jobs import Job


@value
class Seen:
    """A file as the model last saw it."""

    digest: str
    """SHA-256 of its bytes."""
    shown: str = ""
    """Which part was read last, as `start:lines`; "" when it was written rather than read."""


@dataclass(slots=True)
class Workspace:
    """Mutable, one for a session; the only state tools share."""

    cwd: Path
    """Where the shell is; persists between commands."""
    seen: dict[Path, Seen] = field(default_factory=dict[Path, Seen])
    jobs: dict[str, Job] = field(default_factory=dict[str, "Job"])
    todos: tuple[TodoItem, ...] = ()
