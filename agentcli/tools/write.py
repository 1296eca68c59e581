"""Write: a whole file, new or known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from agentcli.lib.diff import stat
from agentcli.lib.files import Source, decode, is_binary
from agentcli.lib.files import write as write_file
from agentcli.lib.paths import absolute, shown
from agentcli.tools.base import Action, Diff, ToolContext, ToolError, ToolResult, text_result
from agentcli.tools.schema import tool
from agentcli.tools.seen import is_current, remember


def intent(ctx: ToolContext, path: str, content: str) -> Action:
    target, before, _ = _plan(ctx, path, content)
    preview = Diff(shown(target, ctx.root), before, content)
    return Action("edit", str(target), preview, (str(target),))


@tool(intent)
async def write(
    ctx: ToolContext,
    path: Annotated[str, "absolute, or relative to the project folder"],
    content: str,
) -> ToolResult:
    """Create a file or replace all of it. Read an existing file first; prefer editing."""
    target, before, data = _plan(ctx, path, content)
    try:
        write_file(target, data)
    except OSError as error:
        raise ToolError(f"Cannot write {path}: {error.strerror or error}.") from None
    remember(ctx, target, data)
    name = shown(target, ctx.root)
    added, removed = stat(before or "", content)
    did = f"Created {name}" if before is None else f"Wrote {name}: +{added} −{removed} lines"
    return text_result(f"{did}.", Diff(name, before, content))


def _plan(ctx: ToolContext, path: str, content: str) -> tuple[Path, str | None, bytes]:
    """Where, what was there, and the bytes to write. Raises ToolError when it must not be."""
    target = absolute(ctx.root, path)
    if target.is_dir():
        raise ToolError(f"{path} is a folder.")
    try:
        old = target.read_bytes()
    except FileNotFoundError:
        return target, None, _encoded(Source(""), content, path)
    except OSError as error:
        raise ToolError(f"Cannot read {path}: {error.strerror}.") from None
    current = is_current(ctx, target, old)
    if current is None:
        raise ToolError(f"{path} exists and you have not read it; read it first.")
    if not current:
        raise ToolError(f"{path} has changed on disk since you read it; read it again.")
    if is_binary(old):
        return target, "(binary)", content.encode()
    source = decode(old)
    text = content.replace("\r\n", "\n").replace("\n", source.newline)
    return target, source.text, _encoded(source, text, path)


def _encoded(source: Source, text: str, path: str) -> bytes:
    try:
        return source.encode(text)
    except UnicodeEncodeError:
        raise ToolError(
            f"{path} is {source.encoding} and cannot hold some letters of it."
        ) from None
