"""A subagent at work in one line: what it does now, and what that took so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from agentcli.agent.events import (
    AgentEvent,
    HookFailed,
    Notice,
    Replied,
    Retrying,
    Spent,
    Streamed,
    ToolEnd,
    ToolStart,
)
from agentcli.lib.text import visible
from agentcli.llm.cost import Cost
from agentcli.llm.types import TextDelta, Usage
from agentcli.ui.repl.results import title_of
from agentcli.ui.status_line import cost_part, input_part, tokens


@dataclass(slots=True)
class Delegate:
    """Counts one subagent."""

    root: str
    doing: str = "begins"
    steps: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: Cost | None = field(default_factory=Cost)

    def note(self, event: AgentEvent) -> None:
        match event:
            case Replied(message) if message.tool_calls:
                self.doing = visible(message.tool_calls[0].name)
            case ToolStart(call, action):
                self.doing = title_of(call, action, self.root)
            case ToolEnd():
                self.doing = "waiting for the model"
            case Streamed(TextDelta()):
                self.doing = "writing"
            case Retrying(_, _, why):
                self.doing = why
            case Spent(_, _, usage, cost):
                self.steps += 1
                self.usage += usage or Usage()
                whole = self.cost
                self.cost = whole + cost if whole is not None and cost is not None else None
            case _:
                pass

    @property
    def now(self) -> str:
        """`Grep foo · 3 steps`."""
        return f"{self.doing} · {self._count}" if self.steps else self.doing

    @property
    def bill(self) -> str:
        """`4 steps · 41.2k in (96 % cached) · 1.2k out · $0.03`; "" before anything was asked."""
        if not self.steps:
            return ""
        sizes = (input_part(self.usage), f"{tokens(self.usage.output)} out")
        return " · ".join((self._count, *sizes, cost_part(self.cost)))

    @property
    def _count(self) -> str:
        return "1 step" if self.steps == 1 else f"{self.steps} steps"


def worth_telling(event: AgentEvent) -> bool:
    """Trouble that the person is told at once, and not only by how it ends."""
    return isinstance(event, HookFailed) or (isinstance(event, Notice) and event.level != "info")
