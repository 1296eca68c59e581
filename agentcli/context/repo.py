"""What a newcomer sees of a repository at first: branch, short status, top-level files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from agentcli.lib.value import value

MAX_STATUS = 30
MAX_TREE = 60


@value
class RepoFacts:
    """As it was when the session began."""

    branch: str
    changes: tuple[str, ...]
    """Short status lines, at most MAX_STATUS and one saying how many more."""
    tree: tuple[str, ...]

    def text(self) -> str:
        status = "\n".join(self.changes) or "clean"
        return (
            f"Git branch: {self.branch}\nStatus when the session began:\n{status}\n"
            f"Top level: {' '.join(self.tree)}"
        )


class RepoLook:
    """A look at the repository under way: started early, collected when its answer is needed."""

    def __init__(self, root: Path, env: Mapping[str, str]) -> None:
        self._root = root
        argv = ["git", "--no-optional-locks", "status", "--porcelain=v1", "--branch"]
        try:
            self._process = subprocess.Popen(
                argv,
                cwd=root,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            self._process = None

    def result(self, timeout: float = 3.0) -> RepoFacts | None:
        """None outside a repository, without git, or when git takes too long (seconds)."""
        if self._process is None:
            return None
        try:
            output, _ = self._process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return None
        if self._process.returncode != 0:
            return None
        lines = output.decode("utf-8", "replace").splitlines()
        return RepoFacts(_branch(lines[:1]), _shortened(lines[1:]), top_level(self._root))


def top_level(root: Path) -> tuple[str, ...]:
    """Names in the project folder, folders with a slash; hidden ones left out."""
    try:
        with os.scandir(root) as found:
            names = sorted(
                entry.name + ("/" if entry.is_dir() else "")
                for entry in found
                if not entry.name.startswith(".")
            )
    except OSError:
        return ()
    rest = len(names) - MAX_TREE
    return tuple(names[:MAX_TREE]) + ((f"(+{rest} more)",) if rest > 0 else ())


def _branch(head: list[str]) -> str:
    line = head[0] if head else ""
    name = line.removeprefix("## ").removeprefix("No commits yet on ")
    return name.split("...")[0] or "unknown"


def _shortened(lines: list[str]) -> tuple[str, ...]:
    rest = len(lines) - MAX_STATUS
    return tuple(lines[:MAX_STATUS]) + ((f"(+{rest} more)",) if rest > 0 else ())
