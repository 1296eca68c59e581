"""What happens in a turn, as values; and what a front-end is: `emit` and `ask`."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

from agentcli.lib.value import value
from agentcli.llm.cost import Cost
from agentcli.llm.types import AssistantMessage, Delta, ToolCall, Usage
from agentcli.policy.permissions import Decision
from agentcli.tools.base import Action, ToolResult

Level = Literal["info", "warning", "error"]
TurnReason = Literal["done", "interrupted", "limit", "budget", "deadline", "stopped", "error"]


@value
class TurnStart:
    turn: int
    model: str


@value
class Streamed:
    delta: Delta


@value
class Discarded:
    """What was streamed of this reply is void: it is asked again (wire.md 0.3)."""

    why: str


@value
class Replied:
    message: AssistantMessage


@value
class ToolStart:
    call: ToolCall
    action: Action


@value
class ToolProgress:
    call_id: str
    text: str


@value
class ToolEnd:
    call: ToolCall
    result: ToolResult
    seconds: float


@value
class Decided:
    call: ToolCall
    decision: Decision


@value
class HookFailed:
    event: str
    command: str
    why: str
    blocked: bool


@value
class Retrying:
    attempt: int
    delay: float
    why: str


@value
class Compacted:
    """A summary took the conversation's place. Sizes are tokens of a prompt."""

    before: int
    after: int
    summary: str
    cost: Cost | None = None
    """Of the summary; None when it is unknown."""
    pays_after: int | None = None
    """Steps from here on, after which it was cheaper; None for never, or unknown."""
    by_hand: bool = False


@value
class Spent:
    """One request was billed. `cost` is None when the model's price is unknown."""

    model: str
    role: str
    usage: Usage | None
    cost: Cost | None
    context_used: int
    """Tokens of the prompt and the reply together."""
    context: int | None
    cache_expires: float | None
    """Unix time at which the cached prefix lapses; None when nothing is cached."""
    miss: str = ""
    """Why tokens that were cached had to be sent anew, when that cost money worth saying."""


@value
class Queued:
    """Words typed while the agent worked were delivered to the model."""

    text: str


@value
class Notice:
    level: Level
    text: str


@value
class TurnEnd:
    reason: TurnReason
    steps: int
    usage: Usage
    cost: Cost | None
    """The turn's whole cost; None when any part of it has no known price."""
    error: str = ""


@value
class OfSubagent:
    """Something happened in the conversation of a subagent."""

    call_id: str
    """Of the Task call that it works for."""
    agent: str
    """Its kind."""
    event: AgentEvent


AgentEvent: TypeAlias = (
    TurnStart
    | Streamed
    | Discarded
    | Replied
    | ToolStart
    | ToolProgress
    | ToolEnd
    | Decided
    | HookFailed
    | Retrying
    | Compacted
    | Spent
    | Queued
    | Notice
    | TurnEnd
    | OfSubagent
)


@value
class PermissionQuestion:
    """May this call run? `rules` are the exact rules "always" would store."""

    call: ToolCall
    action: Action
    why: str
    rules: tuple[str, ...] = ()
    agent: str = ""
    """Which subagent wants it; "" for the one the person talks with."""


@value
class UserQuestion:
    text: str
    options: tuple[str, ...] = ()


Question: TypeAlias = PermissionQuestion | UserQuestion


@value
class Answer:
    """`always` stores the question's rules; `text` is a comment to the model, or the answer."""

    verdict: Literal["yes", "always", "no"]
    text: str = ""


class Frontend(Protocol):
    def emit(self, event: AgentEvent) -> None: ...

    async def ask(self, question: Question) -> Answer: ...
