"""ApplyPatch: the patch format the GPT family was taught; several files, all or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agentcli.lib.diff import stat
from agentcli.lib.files import decode, is_binary, write_all
from agentcli.lib.paths import absolute, shown, similar
from agentcli.lib.value import value
from agentcli.tools.base import (
    Action,
    Changes,
    Diff,
    ToolContext,
    ToolError,
    ToolResult,
    text_result,
)
from agentcli.tools.matching import replace
from agentcli.tools.schema import tool
from agentcli.tools.seen import is_current, remember

GRAMMAR = r"""start: "*** Begin Patch" LF file+ "*** End Patch" LF?
file: add | delete | update
add: "*** Add File: " NAME LF ("+" REST? LF)*
delete: "*** Delete File: " NAME LF
update: "*** Update File: " NAME LF (move changes? | changes)
move: "*** Move to: " NAME LF
changes: lines hunk* | hunk+
hunk: ("@@" REST? LF)+ lines
lines: (("+" | "-" | " ") REST? LF)+ ("*** End of File" LF)?
NAME: /[^ \t\r\n][^\n]*/
REST: /[^\n]+/
LF: /\n/
"""
"""Lark, which constrains what a model writes; every patch of it is one that `parse` takes."""


@dataclass(slots=True)
class Hunk:
    anchors: list[str] = field(default_factory=list[str])
    old: list[str] = field(default_factory=list[str])
    new: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Section:
    kind: Literal["add", "delete", "update"]
    path: str
    move: str = ""
    hunks: list[Hunk] = field(default_factory=list[Hunk])


@value
class Planned:
    """All changes of a patch, worked out and not yet written."""

    files: dict[Path, bytes | None]
    diffs: tuple[Diff, ...]
    notes: tuple[str, ...]


def intent(ctx: ToolContext, input: str) -> Action:
    planned = plan(ctx, input)
    paths = tuple(str(path) for path in planned.files)
    return Action("edit", paths[0], Changes(planned.diffs), paths)


@tool(intent, name="ApplyPatch", grammar=GRAMMAR)
async def apply_patch(ctx: ToolContext, input: str) -> ToolResult:
    """Change files with one patch, all or nothing:
    *** Begin Patch / *** Update File: PATH (or Add File, Delete File) / @@ CONTEXT /
    lines led by space, - or + / *** End Patch
    """
    planned = plan(ctx, input)
    try:
        write_all(planned.files)
    except OSError as error:
        raise ToolError(f"Nothing was written: {error}.") from None
    for path, data in planned.files.items():
        if data is not None:
            remember(ctx, path, data)
    told = [_told(diff) for diff in planned.diffs]
    return text_result("\n".join([*told, *planned.notes]), Changes(planned.diffs))


def _told(diff: Diff) -> str:
    added, removed = stat(diff.before or "", diff.after or "")
    verb = "Created" if diff.before is None else "Deleted" if diff.after is None else "Edited"
    return f"{verb} {diff.path}: +{added} −{removed} lines."


def plan(ctx: ToolContext, text: str) -> Planned:
    """Every file of the patch against the disk. Raises ToolError naming file and hunk."""
    files: dict[Path, bytes | None] = {}
    diffs: list[Diff] = []
    notes: list[str] = []
    for section in parse(text):
        path = absolute(ctx.root, section.path)
        if path in files:
            raise ToolError(f"The patch names {section.path} twice; put its hunks together.")
        match section.kind:
            case "add":
                _add(ctx, section, path, files, diffs)
            case "delete":
                diffs.append(Diff(shown(path, ctx.root), _text(path, section.path), None))
                files[path] = None
            case "update":
                _update(ctx, section, path, files, diffs, notes)
    return Planned(files, tuple(diffs), tuple(notes))


def _add(
    ctx: ToolContext,
    section: Section,
    path: Path,
    files: dict[Path, bytes | None],
    diffs: list[Diff],
) -> None:
    if path.exists():
        raise ToolError(f"{section.path} exists already; use Update File.")
    content = "\n".join(section.hunks[0].new) + "\n" if section.hunks else ""
    files[path] = content.encode()
    diffs.append(Diff(shown(path, ctx.root), None, content))


def _update(
    ctx: ToolContext,
    section: Section,
    path: Path,
    files: dict[Path, bytes | None],
    diffs: list[Diff],
    notes: list[str],
) -> None:
    data = _bytes(path, section.path)
    source = decode(data)
    after = source.text
    for number, hunk in enumerate(section.hunks, 1):
        try:
            after = _applied(after, hunk)
        except ToolError as error:
            raise ToolError(
                f"{section.path}, hunk {number}: {error} Nothing was written."
            ) from None
    if is_current(ctx, path, data) is False:
        notes.append(f"{section.path} had changed on disk since you read it.")
    target = absolute(ctx.root, section.move) if section.move else path
    if section.move:
        if target.exists():
            raise ToolError(f"{section.move} exists already; nothing was written.")
        files[path] = None
    try:
        files[target] = source.encode(after)
    except UnicodeEncodeError:
        raise ToolError(f"{section.path} is {source.encoding}; it cannot hold this.") from None
    diffs.append(Diff(shown(target, ctx.root), source.text, after))


def _applied(text: str, hunk: Hunk) -> str:
    """One hunk; its anchors say after which lines to look."""
    start = 0
    for anchor in hunk.anchors:
        found = text.find(anchor, start)
        if found < 0:
            raise ToolError(f"There is no line {anchor!r}.")
        start = text.find("\n", found) + 1 or len(text)
    if not hunk.old:
        return _inserted(text, start if hunk.anchors else len(text), hunk.new)
    old, new = "\n".join(hunk.old) + "\n", "".join(line + "\n" for line in hunk.new)
    if old == new:
        return text
    head, rest = text[:start], text[start:]
    if not hunk.anchors:
        return replace(text, old, new).text
    return head + _first(rest, old, new)


def _first(text: str, old: str, new: str) -> str:
    """After an anchor the nearest match is meant."""
    plain = text.replace("\r\n", "\n")
    at = plain.find(old)
    if at < 0 or text != plain:
        return replace(text, old, new).text
    return text[:at] + new + text[at + len(old) :]


def _inserted(text: str, at: int, new: list[str]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = newline if at and not text[:at].endswith("\n") else ""
    return text[:at] + gap + "".join(line + newline for line in new) + text[at:]


def _bytes(path: Path, name: str) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        near = similar(path)
        raise ToolError(f"No file {name}." + (f" There is {near[0]}." if near else "")) from None
    except OSError as error:
        raise ToolError(f"Cannot read {name}: {error.strerror}.") from None
    if is_binary(data):
        raise ToolError(f"{name} is a binary file.")
    return data


def _text(path: Path, name: str) -> str:
    return decode(_bytes(path, name)).text


def parse(text: str) -> list[Section]:
    """The sections of a patch. Raises ToolError for anything that is not one."""
    lines = text.replace("\r\n", "\n").strip("\n").split("\n")
    if lines[0].strip() != "*** Begin Patch":
        raise ToolError("A patch begins with the line `*** Begin Patch`.")
    if lines[-1].strip() != "*** End Patch":
        raise ToolError("A patch ends with the line `*** End Patch`.")
    sections: list[Section] = []
    for line in lines[1:-1]:
        _take(line, sections)
    if not sections:
        raise ToolError("The patch names no file.")
    for section in sections:
        _check(section)
    return sections


def _take(line: str, sections: list[Section]) -> None:
    for kind, head in _heads():
        if line.startswith(head):
            sections.append(Section(kind, line[len(head) :].strip()))
            return
    if not sections:
        raise ToolError(f"Name a file before {line[:60]!r}, as in `*** Update File: PATH`.")
    section = sections[-1]
    if line.startswith("*** Move to: ") and section.kind == "update":
        section.move = line[13:].strip()
    elif line.startswith("@@") and section.kind == "update":
        _anchor(section, line[2:].strip())
    elif line.rstrip() != "*** End of File":
        _body(section, line)


def _heads() -> Iterator[tuple[Literal["add", "delete", "update"], str]]:
    yield "add", "*** Add File: "
    yield "delete", "*** Delete File: "
    yield "update", "*** Update File: "


def _anchor(section: Section, words: str) -> None:
    """`@@` opens a hunk; several in a row narrow the place down."""
    if not section.hunks or section.hunks[-1].old or section.hunks[-1].new:
        section.hunks.append(Hunk())
    if words and not words.startswith("-") and not words.endswith("@@"):
        section.hunks[-1].anchors.append(words)


def _body(section: Section, line: str) -> None:
    if not section.hunks:
        section.hunks.append(Hunk())
    hunk = section.hunks[-1]
    mark, rest = line[:1], line[1:]
    if section.kind == "delete" and line.strip():
        raise ToolError(f"{section.path} is deleted as a whole, without {line[:60]!r}.")
    if mark == "+":
        hunk.new.append(rest)
    elif section.kind == "add":
        raise ToolError(f"Every line of a new file begins with +: {line[:60]!r}.")
    elif mark == "-":
        hunk.old.append(rest)
    elif mark in (" ", ""):
        hunk.old.append(rest)
        hunk.new.append(rest)
    else:
        raise ToolError(f"A line begins with a space, - or +: {line[:60]!r}.")


def _check(section: Section) -> None:
    if section.kind == "update" and not section.hunks and not section.move:
        raise ToolError(f"{section.path}: the patch changes nothing.")
