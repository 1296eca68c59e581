"""The frozen head of every request: the prompt, and what is known of the machine and repository."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from agentcli.context.memory import MemoryFile
from agentcli.context.repo import RepoFacts

PROMPTS = Path(__file__).parent / "prompts"
SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


def prompt(name: str) -> str:
    """One of the prose prompts beside this file."""
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()


def system_parts(
    root: Path,
    repo: RepoFacts | None,
    memory: tuple[MemoryFile, ...],
    *,
    replace: str | None = None,
    append: str | None = None,
) -> tuple[str, ...]:
    """(prompt, context). Nothing in it changes during a session; volatile facts go elsewhere."""
    first = replace if replace is not None else prompt("system")
    if append:
        first = f"{first}\n\n{append}"
    parts = [environment(root), repo.text() if repo else "Not a git repository."]
    parts += [f"Instructions from {file.path}:\n{file.text}" for file in memory]
    return (first, "\n\n".join(parts))


def environment(root: Path) -> str:
    shell = os.path.basename(os.environ.get("SHELL", "sh"))
    return (
        f"Project folder: {root}\nSystem: {SYSTEMS.get(sys.platform, sys.platform)}, shell {shell}"
    )
