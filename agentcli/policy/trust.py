"""Which repositories a person has trusted, bound to what their configuration could execute."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import cast

EXECUTABLE = (
    ".agent/config.toml",
    ".agent/config.local.toml",
    ".agent/hooks.toml",
    ".mcp.json",
)
"""Project files that can start a process, change an endpoint or widen permissions."""
AGENTS = (".agent/agents", ".agents/agents", ".claude/agents")
"""Folders of a project whose `*.md` files say what subagents do, and with which model."""


def executable(root: Path) -> list[str]:
    """The files of a project that nothing is taken from before it is trusted, as they are now."""
    agents = (path for name in AGENTS for path in sorted((root / name).glob("*.md")))
    return [*EXECUTABLE, *(path.relative_to(root).as_posix() for path in agents)]


def fingerprint(root: Path) -> str:
    """SHA-256 over the executable configuration; "" when the project has none."""
    digest = hashlib.sha256()
    found = False
    for name in executable(root):
        try:
            data = (root / name).read_bytes()
        except OSError:
            continue
        found = True
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest() if found else ""


def is_trusted(store: Path, root: Path) -> bool:
    """Whether nothing needs trust, or exactly this configuration was trusted before."""
    mark = fingerprint(root)
    return not mark or _load(store).get(str(root.resolve())) == mark


def trust(store: Path, root: Path) -> None:
    """Trust the project's configuration as it is now. The store lies outside every repository."""
    known = _load(store)
    known[str(root.resolve())] = fingerprint(root)
    store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = store.with_suffix(".new")
    fresh.write_text(json.dumps(known, indent=1), encoding="utf-8")
    fresh.replace(store)


def _load(store: Path) -> dict[str, str]:
    try:
        data = json.loads(store.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, str]", data) if isinstance(data, dict) else {}
