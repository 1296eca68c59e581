"""What happens in a turn, as values; and what a front-end is: `emit` and `ask`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from agentcli.llm.cost import Cost
from agentcli.llm.types import AssistantMessage, Delta, ToolCall, Usage
from agentcli.policy.permissions import Decision
from agentcli.tools.base import Action, ToolResult

Level = Literal["info", "warning", "error"]
TurnReason = Literal["done", "interrupted", "limit", "budget", "deadline", "stopped", "error"]


@dataclass(frozen=True, slots=True)
class TurnStart:
    turn: int
    model: str


@dataclass(frozen=True, slots=True)
class Streamed:
    delta: Delta


@dataclass(frozen=True, slots=True)
class Discarded:
    """What was streamed of this reply is void: it is asked again (wire.md 0.3)."""

    why: str


@dataclass(frozen=True, slots=True)
class Replied:
    message: AssistantMessage


@dataclass(frozen=True, slots=True)
class ToolStart:
    call: ToolCall
    action: Action


@dataclass(frozen=True, slots=True)
class ToolProgress:
    call_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolEnd:
    call: ToolCall
    result: ToolResult
    seconds: float


@dataclass(frozen=True, slots=True)
class Decided:
    call: ToolCall
    decision: Decision


@dataclass(frozen=True, slots=True)
class HookFailed:
    event: str
    command: str
    why: str
    blocked: bool


@dataclass(frozen=True, slots=True)
class Retrying:
    attempt: int
    delay: float
    why: str


@dataclass(frozen=True, slots=True)
class Compacted:
    before: int
    after: int
    summary: str


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Queued:
    """Words typed while the agent worked were delivered to the model."""

    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class TurnEnd:
    reason: TurnReason
    steps: int
    usage: Usage
    cost: Cost | None
    """The turn's whole cost; None when any part of it has no known price."""
    error: str = ""


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
)


@dataclass(frozen=True, slots=True)
class PermissionQuestion:
    """May this call run? `rules` are the exact rules "always" would store."""

    call: ToolCall
    action: Action
    why: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserQuestion:
    text: str
    options: tuple[str, ...] = ()


Question: TypeAlias = PermissionQuestion | UserQuestion


@dataclass(frozen=True, slots=True)
class Answer:
    """`always` stores the question's rules; `text` is a comment to the model, or the answer."""

    verdict: Literal["yes", "always", "no"]
    text: str = ""


class Frontend(Protocol):
    def emit(self, event: AgentEvent) -> None: ...

    async def ask(self, question: Question) -> Answer: ...
