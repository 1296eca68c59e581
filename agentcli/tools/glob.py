"""Glob: files by name, newest first."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

from agentcli.lib.paths import absolute, shown
from agentcli.lib.text import counted
from agentcli.tools.base import Action, Listing, ToolContext, ToolResult, text_result
from agentcli.tools.schema import tool
from agentcli.tools.search import call, engine, folder_of


def intent(ctx: ToolContext, path: str = ".", **_: Any) -> Action:
    return Action("read", str(absolute(ctx.root, path)))


@tool(intent, read_only=True)
async def glob(
    ctx: ToolContext, pattern: Annotated[str, "such as src/**/*.py"], path: str = "."
) -> ToolResult:
    """Find files by name, newest first."""
    top = folder_of(absolute(ctx.root, path), path)
    program = engine(ctx.env)
    if program:
        found = await call(ctx, program, ["--files", "--", "."], top, glob=pattern)
        paths = [top / line.removeprefix("./") for line in found.lines]
    else:
        from agentcli.tools import search_python  # door: pathspec

        paths = await asyncio.to_thread(lambda: list(search_python.files(top, pattern)))
    names = [shown(path, ctx.root) for path in sorted(paths, key=_age)]
    if not names:
        return text_result(f"No file matches {pattern}.", Listing("no file", ()))
    most = ctx.caps.glob_files
    rest = len(names) - most
    told = names[:most] + ([f"[{rest} more; narrow the pattern]"] if rest > 0 else [])
    return text_result("\n".join(told), Listing(counted(len(names), "file"), tuple(told)))


def _age(path: Path) -> tuple[float, str]:
    try:
        return -path.stat().st_mtime, str(path)
    except OSError:
        return 0.0, str(path)
