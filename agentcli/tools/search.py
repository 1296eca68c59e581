"""What Grep and Glob share: the engine, its limits, and how paths are shown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from agentcli.lib.process import run
from agentcli.lib.value import value
from agentcli.tools.base import ToolContext, ToolError

MAX_LINE = 400
"""Characters of a found line that are shown."""
DEADLINE = 30.0


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


async def call(ctx: ToolContext, program: str, args: list[str], where: Path) -> Found:
    """Run rg. Raises ToolError with its reason."""
    fixed = ["--no-config", "--no-messages", "--color=never", "--sort=path"]
    done = await run([program, *fixed, *args], cwd=where, env=ctx.env, timeout=DEADLINE)
    if done.exit == 2 and not done.output.strip():
        return Found((), partial=True)
    if done.exit == 2 and "regex parse error" in done.output:
        raise ToolError("The pattern is no valid regular expression:\n" + done.output[-300:])
    return Found(tuple(done.output.splitlines()), done.timed_out or bool(done.dropped))


def folder_of(path: Path, named: str) -> Path:
    """The folder to search in. Raises ToolError when there is nothing."""
    if not path.exists():
        raise ToolError(f"There is no {named}.")
    return path if path.is_dir() else path.parent


def short(line: str) -> str:
    left = len(line) - MAX_LINE
    return line if left <= 0 else f"{line[:MAX_LINE]} [… {left:,} characters more]"
