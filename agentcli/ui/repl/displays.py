"""Draws what tools did or would do, by kind of display; readable without colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from agentcli.lib.diff import Hunk, Line, hunks
from agentcli.lib.text import visible, without_ansi
from agentcli.tools.base import Changes, Command, Diff, Display, Listing, Plain, Todo
from agentcli.ui.repl.inline import plain
from agentcli.ui.repl.theme import Row, Span, Style
from agentcli.ui.repl.wrap import clip, hard_wrap, wrap

DIFF_LINES = 60
OUTPUT_HEAD = 3
OUTPUT_TAIL = 7
LIST_ITEMS = 8
PLAIN_LINES = 8
DIFF_COST = 4_000_000
"""Lines before times lines after; a comparison of more would keep the person waiting."""


def display_rows(display: Display, width: int, *, whole: bool = False) -> list[Row]:
    """Rows for a display; `whole` leaves nothing out, as a question must."""
    match display:
        case Diff():
            return _diff(display, width, whole)
        case Changes(diffs):
            return [row for diff in diffs for row in _diff(diff, width, whole)]
        case Command():
            return _command(display, width, whole)
        case Listing(title, items):
            shown = items if whole else items[:LIST_ITEMS]
            rows = [*lines(title, width), *(r for i in shown for r in lines(f"  {i}", width))]
            return rows + _left_out(len(items) - len(shown), "more")
        case Todo(items):
            signs = {"pending": "[ ]", "active": "[>]", "done": "[x]"}
            styles: dict[str, Style] = {"pending": "plain", "active": "bold", "done": "dim"}
            return [
                row
                for item in items
                for row in lines(f"{signs[item.state]} {item.text}", width, styles[item.state])
            ]
        case Plain(text):
            return plain_rows(text, width, None if whole else PLAIN_LINES)
        case _:
            assert_never(display)


def lines(text: str, width: int, style: Style = "plain") -> list[Row]:
    """Every line of a text, wrapped hard so that nothing is lost; safe to show."""
    safe = visible(text.replace("\r\n", "\n")).expandtabs(4)
    return [w.row for line in safe.split("\n") for w in hard_wrap(line, width, style)]


def prose(text: str, width: int, style: Style = "plain") -> list[Row]:
    """Every line of a text, wrapped between words under its own indentation; safe to show."""
    rows: list[Row] = []
    for line in visible(text).expandtabs(4).split("\n"):
        body = line.lstrip(" ")
        lead = line[: len(line) - len(body)]
        rows += [wrapped.row for wrapped in wrap(plain(body, style), width, lead)]
    return rows


def plain_rows(text: str, width: int, limit: int | None, style: Style = "plain") -> list[Row]:
    """The first `limit` lines of a text, and how many more there are; nothing dropped if None."""
    parts = (text if limit is None else without_ansi(text)).rstrip("\n").split("\n")
    shown = parts if limit is None else parts[:limit]
    return lines("\n".join(shown), width, style) + _left_out(len(parts) - len(shown), "more lines")


def output_rows(text: str, width: int, head: int, tail: int) -> list[Row]:
    """First and last lines of a program's output, one row each."""
    parts = without_ansi(text).rstrip("\n").split("\n")
    if len(parts) <= head + tail + 1:
        return [row for part in parts for row in _short(part, width)] if text.strip() else []
    first = [row for part in parts[:head] for row in _short(part, width)]
    last = [row for part in parts[-tail:] for row in _short(part, width)] if tail else []
    return first + _left_out(len(parts) - head - tail, "lines") + last


def _short(line: str, width: int) -> list[Row]:
    safe = visible(line.rstrip("\r").rpartition("\r")[2]).expandtabs(4)
    return [clip((("plain", safe),), width)]


def _left_out(count: int, what: str) -> list[Row]:
    return [(("dim", f"… {count:,} {what}"),)] if count > 0 else []


def _command(command: Command, width: int, whole: bool) -> list[Row]:
    first, *more = visible(command.line).expandtabs(4).split("\n")
    rows = [w.row for w in hard_wrap(f"$ {first}", width, "bold")]
    rows += [row for line in more for row in lines(f"  {line}", width, "bold")]
    if whole:
        rows += plain_rows(command.output, width, None) if command.output else []
    else:
        rows += output_rows(command.output, width, OUTPUT_HEAD, OUTPUT_TAIL)
    if command.exit:
        rows.append((("error", f"exit {command.exit}"),))
    return rows


def _diff(diff: Diff, width: int, whole: bool) -> list[Row]:
    before, after = diff.before or "", diff.after or ""
    if len(before.split("\n")) * len(after.split("\n")) > DIFF_COST:
        found = _outer_hunks(before, after)
    else:
        found = hunks(before, after)
    all_lines = [line for hunk in found for line in hunk.lines]
    added = sum(line.kind == "added" for line in all_lines)
    removed = sum(line.kind == "removed" for line in all_lines)
    what = "new file " if diff.before is None else "deleted " if diff.after is None else ""
    title: Row = (
        ("bold", visible(diff.path).replace("\n", "\\n")),
        ("dim", f"  {what}+{added} −{removed}"),
    )
    rows = [clip(title, width)]
    digits = len(str(max((line.new or line.old or 0 for line in all_lines), default=0)))
    room = None if whole else DIFF_LINES
    for number, hunk in enumerate(found):
        part = hunk.lines if room is None else hunk.lines[:room]
        if part and number:
            rows.append((("dim", " " * digits + " ⋮"),))
        rows += [row for line in part for row in _diff_line(line, digits, width)]
        room = None if room is None else room - len(part)
    shown = len(all_lines) if whole else min(DIFF_LINES, len(all_lines))
    return rows + _left_out(len(all_lines) - shown, "more lines")


def _outer_hunks(before: str, after: str) -> Sequence[Hunk]:
    """One hunk between the common head and tail: linear, for texts too large to compare well."""
    old, new = before.splitlines(), after.splitlines()
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    gone = [Line("removed", n + 1, None, old[n]) for n in range(head, len(old) - tail)]
    come = [Line("added", None, n + 1, new[n]) for n in range(head, len(new) - tail)]
    return (Hunk(tuple(gone + come)),) if gone or come else ()


def _diff_line(line: Line, digits: int, width: int) -> list[Row]:
    signs = {"same": " ", "added": "+", "removed": "-"}
    styles: dict[str, Style] = {"same": "plain", "added": "added", "removed": "removed"}
    number = line.old if line.kind == "removed" else line.new
    lead = f"{number:>{digits}} "
    style = styles[line.kind]
    text = visible(line.text).expandtabs(4)
    wrapped = hard_wrap(text, max(1, width - digits - 3), style)
    rows: list[Row] = []
    for n, part in enumerate(wrapped):
        margin: Span = ("dim", " " * len(lead) if n else lead)
        rows.append((margin, (style, signs[line.kind] + " "), *part.row))
    return rows
