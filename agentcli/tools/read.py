"""Read: a file's text with line numbers, a picture, or what is in a folder."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Annotated, Any

from agentcli.lib.files import decode, is_binary
from agentcli.lib.paths import absolute, similar
from agentcli.lib.text import counted
from agentcli.llm.types import Image
from agentcli.tools.base import (
    Action,
    Listing,
    Plain,
    ToolContext,
    ToolError,
    ToolResult,
    text_result,
)
from agentcli.tools.caps import Caps
from agentcli.tools.images import MAX_BYTES, media_type
from agentcli.tools.schema import tool
from agentcli.tools.seen import remember

MAX_FILE = 50_000_000


def intent(ctx: ToolContext, path: str, **_: Any) -> Action:
    return Action("read", str(absolute(ctx.root, path)))


@tool(intent, read_only=True)
async def read(
    ctx: ToolContext,
    path: Annotated[str, "absolute, or relative to the project folder"],
    start: Annotated[int, "first line, from 1"] = 1,
    lines: int | None = None,
) -> ToolResult:
    """Read a text file with line numbers, or look at an image."""
    target = absolute(ctx.root, path)
    data = _bytes(target, path)
    if isinstance(data, list):
        return _folder(path, data, ctx.caps.folder_names)
    kind = media_type(data)
    if kind:
        return _picture(path, kind, data)
    if is_binary(data):
        raise ToolError(f"{path} is a binary file of {len(data):,} bytes; look at it with Bash.")
    lines = lines or ctx.caps.read_lines
    part = f"{start}:{lines}"
    before = ctx.workspace.seen.get(target.resolve())
    remember(ctx, target, data, shown=part)
    if before == ctx.workspace.seen[target.resolve()]:
        return text_result(f"{path} is unchanged since you read these lines; see above.")
    return _numbered(path, decode(data).text, start, lines, ctx.caps)


def _bytes(target: Path, path: str) -> bytes | list[str]:
    """A file's bytes, or a folder's names."""
    try:
        if target.is_dir():
            names = (e.name + ("/" if e.is_dir() else "") for e in os.scandir(target))
            return sorted(names) or ["(empty)"]
        if not target.is_file() and target.exists():
            raise ToolError(f"{path} is no regular file.")
        if target.stat().st_size > MAX_FILE:
            raise ToolError(f"{path} is larger than 50 MB; search it with Grep.")
        return target.read_bytes()
    except FileNotFoundError:
        near = similar(target)
        hint = f" There is {', '.join(near)}." if near else " Look for it with Glob."
        raise ToolError(f"No file at {path}.{hint}") from None
    except OSError as error:
        raise ToolError(f"Cannot read {path}: {error.strerror}.") from None


def _folder(path: str, names: list[str], most: int) -> ToolResult:
    rest = len(names) - most
    told = names[:most] + ([f"[{rest:,} more; look for them with Glob]"] if rest > 0 else [])
    return text_result(f"{path} is a folder:\n" + "\n".join(told), Listing(path, tuple(told)))


def _picture(path: str, kind: str, data: bytes) -> ToolResult:
    if len(data) > MAX_BYTES:
        raise ToolError(f"{path} is an image of {len(data):,} bytes; at most 5 MB can be shown.")
    return ToolResult((Image(kind, base64.b64encode(data).decode()),), Plain(f"{path} ({kind})"))


def _numbered(path: str, text: str, start: int, count: int, caps: Caps) -> ToolResult:
    whole = text.replace("\r\n", "\n").split("\n")
    if whole and not whole[-1]:
        whole.pop()
    if not whole:
        return text_result(f"{path} is empty.", Plain("empty"))
    first = max(1, start)
    if first > len(whole):
        raise ToolError(f"{path} has only {len(whole)} lines.")
    rows: list[str] = []
    size = longest = 0
    for number, line in enumerate(whole[first - 1 : first - 1 + max(1, count)], first):
        row = f"{number:6}\t{_short(line, caps.read_line)}"
        size += len(row) + 1
        if size > caps.read_chars and rows:
            break
        rows.append(row)
        longest = max(longest, len(line))
    last = first + len(rows) - 1
    shown = counted(len(whole), "line")
    if last < len(whole):
        shown = f"lines {first} to {last} of {len(whole)}"
        rows.append(f"[lines {first} to {last} of {len(whole)}; go on with start={last + 1}]")
    if longest > caps.read_line:
        rows.append(f"[for the rest of long lines: cut -c{caps.read_line + 1}- with Bash]")
    return text_result(_sendable("\n".join(rows)), Plain(shown))


def _short(line: str, limit: int) -> str:
    left = len(line) - limit
    return line if left <= 0 else f"{line[:limit]} [… {left:,} characters more]"


def _sendable(text: str) -> str:
    """Bytes that are no UTF-8 cannot be sent; they are shown as the replacement sign."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
