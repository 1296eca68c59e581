"""What a finished call and the rarer events look like: a headline, and rows below it."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from agentcli.agent.events import (
    Compacted,
    Decided,
    Discarded,
    HookFailed,
    Level,
    Notice,
    Retrying,
    ToolEnd,
)
from agentcli.context.compaction import outcome
from agentcli.lib.text import visible
from agentcli.llm.types import Text, ToolCall
from agentcli.tools.base import Action, Changes, Command, Diff
from agentcli.ui.repl.displays import display_rows, output_rows, plain_rows
from agentcli.ui.repl.theme import Row, Span, Style
from agentcli.ui.repl.wrap import clip, width_of

Told: TypeAlias = Decided | Discarded | HookFailed | Retrying | Compacted | Notice
LEVELS: dict[Level, Style] = {"info": "dim", "warning": "warning", "error": "error"}
OUTPUT_HEAD = 3
OUTPUT_TAIL = 7
COMMAND_LINES = 6
ERROR_LINES = 6


def told(event: Told) -> tuple[str, Style]:
    """An event in one sentence; an empty one where the call's own headline will say it."""
    match event:
        case Decided():
            return "", "plain"
        case Discarded(why):
            return f"The reply broke off: {why}", "warning"
        case HookFailed(name, command, why, blocked):
            what = "failed, and blocks" if blocked else "failed"
            return f"Hook {name} ({command}) {what}: {why}", "error"
        case Retrying(_, 0.0, why):
            return why, "warning"
        case Retrying(attempt, delay, why):
            return f"{why} (retry {attempt} in {delay:.1f} s)", "warning"
        case Compacted(before, after):
            words = outcome(before, after, event.cost, event.pays_after)
            return "" if event.by_hand else words, "dim"
        case Notice(level, text):
            return text, LEVELS[level]
        case _:
            assert_never(event)


def title_of(call: ToolCall, action: Action | None, root: str) -> str:
    """The tool and what it works on, in one line that is safe to show."""
    target = action.target if action is not None else _first_argument(call)
    inside = root.rstrip("/")
    target = target.removeprefix(f"{inside}/")
    if isinstance(pattern := call.input.get("pattern"), str):
        target = pattern if target == inside else f"{pattern} in {target}"
    if isinstance(what := call.input.get("description"), str):
        target = f"{target}: {what}"
    return visible(f"{call.name} {target}".strip().replace("\n", " ⏎ ").replace("\t", " "))


def _first_argument(call: ToolCall) -> str:
    """Of a call that never came to state its action."""
    return next((value for value in call.input.values() if isinstance(value, str)), "")


def result_rows(event: ToolEnd, title: str, width: int, *, brief: bool) -> list[Row]:
    """A headline and the display; `brief` leaves out a difference the person has just seen."""
    display = event.result.display
    failed = event.result.is_error or (isinstance(display, Command) and bool(display.exit))
    mark: Span = ("error", "✗ ") if failed else ("good", "● ")
    took = f"  {event.seconds:.1f} s" if event.seconds >= 1 else ""
    inner = max(1, width - 2)
    body: list[Row] = []
    if display is None or event.result.is_error:
        body = plain_rows(_text(event), inner, ERROR_LINES) if event.result.is_error else []
    elif isinstance(display, Command):
        body = _command(display, f"{event.call.name} {display.line}", inner)
    elif not (brief and isinstance(display, Diff | Changes)):
        body = display_rows(display, inner)
    head: Row = (mark, ("bold", title), ("dim", took))
    return [clip(head, width), *(_indented(row) for row in body)]


def _indented(row: Row) -> Row:
    return (("plain", "  "), *row)


def _text(event: ToolEnd) -> str:
    return "\n".join(block.text for block in event.result.content if isinstance(block, Text))


def _command(command: Command, title: str, width: int) -> list[Row]:
    """Output below the headline; the command again only where the headline could not hold it."""
    rows: list[Row] = []
    if "\n" in command.line or width_of(visible(title)) > width:
        rows += plain_rows(command.line, width, COMMAND_LINES, "bold")
    rows += output_rows(command.output, width, OUTPUT_HEAD, OUTPUT_TAIL)
    if command.exit:
        rows.append((("error", f"exit {command.exit}"),))
    return rows
