"""Turns agent events into rows above the input area, in the order things finish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from agentcli.agent.events import (
    AgentEvent,
    Compacted,
    Decided,
    Discarded,
    HookFailed,
    Notice,
    OfSubagent,
    Queued,
    Replied,
    Retrying,
    Spent,
    Streamed,
    ToolEnd,
    ToolProgress,
    ToolStart,
    TurnEnd,
    TurnStart,
)
from agentcli.lib.text import visible
from agentcli.llm.types import (
    BlockEnd,
    Delta,
    Finished,
    TextDelta,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
)
from agentcli.tools.base import Action
from agentcli.ui.repl.delegates import Delegate, worth_telling
from agentcli.ui.repl.displays import lines, output_rows, prose
from agentcli.ui.repl.results import Told, result_rows, title_of, told
from agentcli.ui.repl.status import Activity
from agentcli.ui.repl.stream import TextStream
from agentcli.ui.repl.theme import Row, Style
from agentcli.ui.repl.wrap import clip
from agentcli.ui.status_line import ContextFacts, context_facts, turn_line

PROGRESS_KEPT = 4000
PROGRESS_ROWS = 3
REASONS = {
    "interrupted": "Interrupted. What was said is kept; say how to go on.",
    "limit": "Stopped: the step limit is reached.",
    "budget": "Stopped: the budget is spent.",
    "deadline": "Stopped: the deadline has passed.",
    "stopped": "Stopped.",
}


@dataclass(slots=True)
class Running:
    """A tool call under way and the end of its output so far."""

    call: ToolCall
    action: Action
    output: str = ""
    delegate: Delegate | None = None
    """The subagent that works for it."""


class Draw:
    """Events in, rows out. `show(finished, tail)` puts them on the screen."""

    def __init__(
        self,
        show: Callable[[Sequence[Row], Sequence[Row]], None],
        width: Callable[[], int],
        *,
        root: Path,
        clock: Callable[[], float],
    ) -> None:
        self._show = show
        self._width = width
        self._root = str(root)
        self._clock = clock
        self._text = TextStream()
        self._running: dict[str, Running] = {}
        self._asked: set[str] = set()
        self._context: ContextFacts | None = None
        self.activity: Activity | None = None

    def event(self, event: AgentEvent) -> bool:
        """Take an event in; True when only the tail changed, so that drawing may wait a little."""
        match event:
            case TurnStart():
                self._work("waiting for the model")
            case Streamed(delta):
                self._delta(delta)
                return True
            case Replied():
                self.settle()
            case ToolStart(call, action):
                self._running[call.id] = Running(call, action)
                self._work(title_of(call, action, self._root))
            case ToolProgress(call_id, text):
                self._progress(call_id, text)
                return True
            case ToolEnd():
                self._tool_end(event)
            case Queued(text):
                self.user(text)
            case Spent():
                self._spent(event)
            case TurnEnd():
                self._turn_end(event)
            case OfSubagent():
                self._of_subagent(event)
                return True
            case Decided() | Discarded() | HookFailed() | Retrying() | Compacted() | Notice():
                self._tell(event)
            case _:
                assert_never(event)
        return False

    def refresh(self) -> None:
        """Draw what has come since the last time."""
        width = self._width()
        finished, tail = self._text.take(width)
        if not tail:
            tail = self._running_rows(width)
        self._show(finished, tail)

    def user(self, text: str) -> None:
        """The person's words, as they went to the model."""
        width = self._width()
        rows = lines(text, max(1, width - 2), "user")
        self._print([*((("user", "  " if n else "> "), *r) for n, r in enumerate(rows)), ()])

    def say(self, text: str) -> None:
        """What a command answers."""
        self._print([*prose(text.rstrip("\n"), self._width()), ()])

    def asked(self, rows: Sequence[Row], call_id: str) -> None:
        """A question's body; what it showed is not shown again when the call is done."""
        self._print(rows)
        self._asked.add(call_id)

    def note(self, text: str, style: Style = "dim") -> None:
        """A line or two from us."""
        self._print(prose(text, self._width(), style))

    def alert(self, text: str) -> None:
        """What went wrong."""
        self.note(text, "error")

    def idle(self) -> None:
        """Nothing runs any more, however it ended."""
        self.activity = None
        self._running.clear()
        self._asked.clear()
        self.settle()

    def settle(self) -> None:
        """The text so far is all there is: draw its last block for good."""
        self._text.close()
        self.refresh()

    def _delta(self, delta: Delta) -> None:
        match delta:
            case TextDelta(text):
                self._text.feed(text)
                self._work("writing")
            case ThinkingDelta():
                self._work("thinking")
            case ToolCallDelta(_, name, _):
                self._work(f"preparing {visible(name)}" if name else "preparing a call")
            case BlockEnd() | Finished():
                pass
            case _:
                assert_never(delta)

    def _tell(self, event: Told) -> None:
        text, style = told(event)
        if text:
            self.note(text, style)

    def _work(self, what: str) -> None:
        if self.activity is None or self.activity.what != what:
            self.activity = Activity(what, self._clock())

    def _print(self, rows: Sequence[Row]) -> None:
        width = self._width()
        self._text.close()
        finished, _ = self._text.take(width)
        self._show([*finished, *rows], self._running_rows(width))

    def _progress(self, call_id: str, text: str) -> None:
        running = self._running.get(call_id)
        if running is not None:
            running.output = (running.output + text)[-PROGRESS_KEPT:]

    def _spent(self, event: Spent) -> None:
        self._context = context_facts(event)
        if event.miss:
            self._tell(Notice("info", event.miss))

    def _of_subagent(self, event: OfSubagent) -> None:
        running = self._running.get(event.call_id)
        if running is not None:
            running.delegate = running.delegate or Delegate(self._root)
            running.delegate.note(event.event)
        inner = event.event
        if worth_telling(inner) and isinstance(inner, Notice | HookFailed):
            text, style = told(inner)
            self.note(f"{event.agent}: {text}", style)

    def _running_rows(self, width: int) -> list[Row]:
        rows: list[Row] = []
        for running in self._running.values():
            title = title_of(running.call, running.action, self._root)
            if running.delegate is not None:
                rows.append(clip((("dim", f"○ {title} · {running.delegate.now}"),), width))
                continue
            rows.append(clip((("dim", f"○ {title}"),), width))
            rows += [_under(row) for row in _ends(running.output, max(1, width - 2))]
        return rows

    def _tool_end(self, event: ToolEnd) -> None:
        running = self._running.pop(event.call.id, None)
        title = title_of(event.call, running.action if running else None, self._root)
        rows = result_rows(event, title, self._width(), brief=event.call.id in self._asked)
        if running is not None and running.delegate is not None and running.delegate.bill:
            rows += prose(f"  {running.delegate.bill}", self._width(), "dim")
        self._print([*rows, ()])
        self._work("waiting for the model")

    def _turn_end(self, end: TurnEnd) -> None:
        self.idle()
        rows: list[Row] = []
        if end.reason in REASONS:
            rows += prose(REASONS[end.reason], self._width(), "warning")
        line = turn_line(end, self._context, now=self._clock())
        if line:
            rows += prose(line, self._width(), "dim")
        self._print([*rows, ()])


def _ends(output: str, width: int) -> list[Row]:
    """The last lines of what a running tool has printed."""
    shown = [line for line in output.split("\n") if line.strip()][-PROGRESS_ROWS:]
    return [row for line in shown for row in output_rows(line, width, 1, 0)]


def _under(row: Row) -> Row:
    return (("plain", "  "), *row)
