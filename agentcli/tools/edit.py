"""Edit: exact replacement in one file, found in its text as it is on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from agentcli.lib.diff import stat
from agentcli.lib.files import decode, is_binary
from agentcli.lib.files import write as write_file
from agentcli.lib.paths import absolute, shown, similar
from agentcli.lib.value import value
from agentcli.tools.base import Action, Diff, ToolContext, ToolError, ToolResult, text_result
from agentcli.tools.matching import replace
from agentcli.tools.schema import tool
from agentcli.tools.seen import is_current, remember


@value
class Planned:
    """An edit worked out but not yet done."""

    path: Path
    before: str
    after: str
    data: bytes
    notes: tuple[str, ...]


def intent(ctx: ToolContext, path: str, old: str, new: str, all: bool = False) -> Action:
    planned = plan(ctx, path, old, new, every=all)
    preview = Diff(shown(planned.path, ctx.root), planned.before, planned.after)
    return Action("edit", str(planned.path), preview, (str(planned.path),))


@tool(intent)
async def edit(
    ctx: ToolContext,
    path: Annotated[str, "absolute, or relative to the project folder"],
    old: Annotated[str, "the text to replace, as in the file without line numbers; unique"],
    new: str,
    all: Annotated[bool, "replace every occurrence"] = False,
) -> ToolResult:
    """Replace text in a file."""
    planned = plan(ctx, path, old, new, every=all)
    try:
        write_file(planned.path, planned.data)
    except OSError as error:
        raise ToolError(f"Cannot write {path}: {error.strerror or error}.") from None
    remember(ctx, planned.path, planned.data)
    name = shown(planned.path, ctx.root)
    added, removed = stat(planned.before, planned.after)
    told = " ".join((f"Edited {name}: +{added} −{removed} lines.", *planned.notes))
    return text_result(told, Diff(name, planned.before, planned.after))


def plan(ctx: ToolContext, path: str, old: str, new: str, *, every: bool) -> Planned:
    """The edit against the file as it is now. Raises ToolError, saying what to do instead."""
    target = absolute(ctx.root, path)
    try:
        data = target.read_bytes()
    except FileNotFoundError:
        near = similar(target)
        hint = f" There is {', '.join(near)}." if near else " Use Write to create it."
        raise ToolError(f"No file at {path}.{hint}") from None
    except OSError as error:
        raise ToolError(f"Cannot read {path}: {error.strerror}.") from None
    if is_binary(data):
        raise ToolError(f"{path} is a binary file.")
    source = decode(data)
    change = replace(source.text, old, new, every=every)
    stale = is_current(ctx, target, data) is False
    notes = (*change.notes, *(("It had changed on disk since you read it.",) if stale else ()))
    if change.count > 1:
        notes = (f"{change.count} places.", *notes)
    try:
        encoded = source.encode(change.text)
    except UnicodeEncodeError:
        raise ToolError(
            f"{path} is {source.encoding} and cannot hold some letters of it."
        ) from None
    return Planned(target, source.text, change.text, encoded, notes)
