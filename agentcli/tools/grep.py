"""Grep: lines that match a regular expression, in files git would not ignore."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any, Literal

from agentcli.lib.paths import absolute
from agentcli.lib.text import counted
from agentcli.tools.base import Action, Listing, ToolContext, ToolResult, text_result
from agentcli.tools.schema import tool
from agentcli.tools.search import Found, call, engine, folder_of, short


def intent(ctx: ToolContext, pattern: str, path: str = ".", **_: Any) -> Action:
    return Action("read", str(absolute(ctx.root, path)))


@tool(intent, read_only=True)
async def grep(
    ctx: ToolContext,
    pattern: Annotated[str, "regular expression"],
    path: str = ".",
    glob: Annotated[str, "only files like *.py"] = "",
    mode: Literal["lines", "files", "count"] = "lines",
    ignore_case: bool = False,
    context: Annotated[int, "lines around each match"] = 0,
) -> ToolResult:
    """Search file contents."""
    target = absolute(ctx.root, path)
    top = folder_of(target, path)
    only = target if target.is_file() else None
    around = min(max(0, context), 20)
    program = engine(ctx.env)
    if program:
        args = _args(pattern, ignore_case, around, only)
        found = await call(ctx, program, args, top, glob=glob)
    else:
        from agentcli.tools import search_python  # door: pathspec

        found = await asyncio.to_thread(
            search_python.grep, top, only, pattern, glob=glob, fold=ignore_case, around=around
        )
    return _result(ctx, top, mode, found)


def _args(pattern: str, fold: bool, around: int, only: Path | None) -> list[str]:
    args = ["--line-number", "--with-filename", "--no-heading", "--null", "--crlf"]
    args += [f"--context={around}"] if around else []
    args += ["--ignore-case"] if fold else []
    return [*args, "--regexp", pattern, "--", f"./{only.name}" if only else "."]


def _result(ctx: ToolContext, top: Path, mode: str, found: Found) -> ToolResult:
    prefix = "" if top == ctx.root else f"{_name(top, ctx.root)}/"
    lines = [_line(line, prefix) for line in found.lines]
    hits = [line for line in lines if line != "--"]
    if mode != "lines":
        lines = _by_file(hits, mode)
    if not hits:
        note = " (the search was cut short)" if found.partial else ""
        return text_result(f"No match.{note}", Listing("no match", ()))
    noun = "match" if mode == "lines" else "file"
    caps = ctx.caps
    rest = len(lines) - caps.grep_lines
    told = [short(line, caps.grep_line) for line in lines[: caps.grep_lines]]
    if any(len(line) > caps.grep_line for line in lines[: caps.grep_lines]):
        told.append("[Read shows more of long lines]")
    if rest > 0 or found.partial:
        told.append(f"[{max(rest, 0)} lines more; narrow the pattern, path or glob]")
    return text_result("\n".join(told), Listing(counted(len(lines), noun), tuple(told)))


def _line(line: str, prefix: str) -> str:
    """rg ends the path with a NUL, so that no file name can pass for something else."""
    name, null, rest = line.partition("\0")
    if null:
        sign = ":" if rest.lstrip("0123456789")[:1] == ":" else "-"
        line = f"{name.removeprefix('./')}{sign}{rest}"
    return line if line == "--" else prefix + line


def _by_file(hits: list[str], mode: str) -> list[str]:
    counts: dict[str, int] = {}
    for line in hits:
        name, _, rest = line.partition(":")
        if rest[:1].isdigit():
            counts[name] = counts.get(name, 0) + 1
    return [name if mode == "files" else f"{name}:{count}" for name, count in counts.items()]


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
