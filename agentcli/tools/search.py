"""What Grep and Glob share: the engine, its limits, and how paths are shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from agentcli.lib.process import run
from agentcli.lib.value import value
from agentcli.tools.base import ToolContext, ToolError

DEADLINE = 30.0
"""Seconds."""
MOST = 50_000
"""Lines of a search kept in memory."""


@value
class Found:
    """Output lines of a search, and whether the engine stopped early."""

    lines: tuple[str, ...]
    partial: bool = False


@cache
def ripgrep(search_path: str) -> str | None:
    """The rg program, if it is there: on PATH, or beside our Python (it comes as a wheel)."""
    import shutil
    import sys

    beside = str(Path(sys.executable).parent)
    return shutil.which("rg", path=f"{search_path}{os.pathsep}{beside}")


def engine(env: Mapping[str, str]) -> str | None:
    """rg's path; AGENT_NO_RIPGREP chooses the Python engine."""
    return None if env.get("AGENT_NO_RIPGREP") else ripgrep(env.get("PATH", os.defpath))


async def call(
    ctx: ToolContext, program: str, args: list[str], where: Path, *, glob: str = ""
) -> Found:
    """Run rg on the files a glob names. Raises ToolError with its reason.

    rg's own --glob would find ignored files as well; a type of our own does not.
    """
    fixed = ["--no-config", "--no-messages", "--color=never", "--sort=path"]
    name = glob.removeprefix("**/").removeprefix("./")
    lines = _Lines(_anything)
    if glob and "/" in name:
        from agentcli.tools.search_python import matcher  # door: pathspec

        lines = _Lines(matcher(name))
    elif glob:
        fixed += ["--type-add", f"wanted:{name}", "--type", "wanted"]
    argv = [program, *fixed, *args]
    done = await run(argv, cwd=where, env=ctx.env, timeout=DEADLINE, on_text=lines.feed)
    if done.exit == 2 and "regex parse error" in done.output:
        raise ToolError("The pattern is no valid regular expression:\n" + done.output[-300:])
    return Found(tuple(lines.kept), done.timed_out or done.exit == 2 or lines.left_out)


class _Lines:
    """Lines as they come, those of unwanted files dropped, so that a flood costs no memory."""

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self._wanted = wanted
        self._rest = ""
        self.kept: list[str] = []
        self.left_out = False

    def feed(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if not self._wanted(line.partition("\0")[0].removeprefix("./")):
                continue
            if len(self.kept) >= MOST:
                self.left_out = True
                return
            self.kept.append(line)


def _anything(_: str) -> bool:
    return True


def folder_of(path: Path, named: str) -> Path:
    """The folder to search in. Raises ToolError when there is nothing."""
    if not path.exists():
        raise ToolError(f"There is no {named}.")
    return path if path.is_dir() else path.parent


def short(line: str, limit: int) -> str:
    left = len(line) - limit
    return line if left <= 0 else f"{line[:limit]} [… {left:,} characters more]"
