"""What makes an agent a subagent: who hears it, what its kind forbids, what becomes of its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agentcli.agent.events import (
    AgentEvent,
    Answer,
    Notice,
    OfSubagent,
    PermissionQuestion,
    Replied,
    TurnEnd,
)
from agentcli.agent.execute import Gate
from agentcli.context.agents import Kind
from agentcli.lib.value import replace, value
from agentcli.llm.types import ToolCall
from agentcli.policy.permissions import Decision, Verdict
from agentcli.tools.base import Action, Assignment, Tool, ToolError, ToolResult, text_result


@dataclass(slots=True)
class Ear:
    """Hears a subagent: passes on what happens to it, and keeps its newest words.

    `heard` gets the words as they come, so that they are kept when it is interrupted.
    """

    assignment: Assignment
    emit: Callable[[AgentEvent], None]
    heard: Callable[[str], None]
    said: str = ""
    told: str = ""
    """The last thing that we had to say about it."""

    def __call__(self, event: AgentEvent) -> None:
        match event:
            case Replied(message) if message.text.strip():
                self.said = message.text.strip()
                self.heard(f"{self.said}\n")
            case Notice(_, text):
                self.told = text
            case _:
                pass
        self.emit(OfSubagent(self.assignment.call_id, self.assignment.agent, event))


@value
class KindGate:
    """The session's gate, and what the kind of subagent forbids besides; satisfies `Gate`."""

    gate: Gate
    kind: Kind
    changes: Callable[[ToolCall, Action], bool]
    """Whether a call is more than reading."""
    label: str
    """Who asks, for the person."""

    def decide(self, call: ToolCall, action: Action, hook: Verdict | None) -> Decision:
        found = self.gate.decide(call, action, hook)
        if self.kind.read_only and found.verdict != "deny" and self.changes(call, action):
            return Decision("deny", f"the {self.kind.name} agent may only read", "mode")
        return found

    async def ask(self, question: PermissionQuestion) -> Answer:
        return await self.gate.ask(replace(question, agent=self.label))

    def remember(self, rules: tuple[str, ...]) -> None:
        self.gate.remember(rules)


def allowed(kind: Kind, find: Callable[[str], Tool]) -> Callable[[str], Tool]:
    """Finds the tools that a kind may use; the request shows all, so that the prefix is shared."""

    def found(name: str) -> Tool:
        tool = find(name)
        if not kind.may_use(name):
            usable = ", ".join(sorted(kind.tools or ())) or "none"
            raise ToolError(f"The {kind.name} agent may not use {name}. Its tools: {usable}.")
        return tool

    return found


def outcome(kind: Kind, end: TurnEnd, ear: Ear, most: int) -> ToolResult:
    """What the one that started it is told. Raises ToolError for a subagent that failed."""
    if end.reason == "done" and ear.said:
        return text_result(ear.said)
    why = {
        "done": "it ended without a word",
        "limit": f"it reached its limit of {most} steps",
        "budget": ear.told or "the budget is spent",
        "deadline": "the deadline has passed",
        "error": end.error or ear.told,
    }.get(end.reason, "a call of it was refused, or a hook stopped it")
    words = f"The {kind.name} agent did not finish: {why.rstrip('.')}."
    if ear.said:
        words += f" The last it said:\n{ear.said}"
    if end.reason == "stopped":
        return replace(text_result(words, is_error=True), stop_turn=True)
    raise ToolError(words)
