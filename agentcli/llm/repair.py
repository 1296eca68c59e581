"""A history made legal before it is sent: calls answered once, no orphans, nothing empty."""

from __future__ import annotations

from dataclasses import replace

from agentcli.llm.types import (
    AssistantMessage,
    Message,
    Request,
    Text,
    ToolOutput,
    UserMessage,
)

NOT_RUN = "Interrupted: this call was not run."


def repair(request: Request) -> Request:
    """The same request when nothing is wrong with its messages; else one that can be sent."""
    if is_legal(request.messages):
        return request
    return replace(request, messages=repaired(request.messages))


def is_legal(messages: tuple[Message, ...]) -> bool:
    """Whether calls and outputs match and nothing is empty."""
    owed: tuple[str, ...] = ()
    for message in messages:
        if isinstance(message, AssistantMessage):
            if owed or not (message.content or message.native):
                return False
            owed = tuple(call.id for call in message.tool_calls)
            if len(set(owed)) != len(owed):
                return False
            continue
        answered = tuple(b.call_id for b in message.content if isinstance(b, ToolOutput))
        if not message.content or len(answered) != len(owed) or set(answered) != set(owed):
            return False
        owed = ()
    return not owed and not (messages and isinstance(messages[0], AssistantMessage))


def repaired(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Missing outputs are added, orphans dropped, empty messages left out; order is kept."""
    fixed: list[Message] = []
    owed: list[str] = []
    for message in messages:
        if isinstance(message, AssistantMessage):
            if owed:
                fixed.append(_answers(owed))
            owed = list(dict.fromkeys(call.id for call in message.tool_calls))
            if message.content or message.native:
                fixed.append(message)
            continue
        user = _matched(message, owed)
        if user.content:
            fixed.append(user)
        owed = []
    if owed:
        fixed.append(_answers(owed))
    if fixed and isinstance(fixed[0], AssistantMessage):
        fixed.insert(0, UserMessage((Text("(the beginning is lost)"),), "reminder"))
    return tuple(fixed)


def _matched(message: UserMessage, owed: list[str]) -> UserMessage:
    """Exactly one output for each owed call, first; then everything else."""
    outputs = {b.call_id: b for b in message.content if isinstance(b, ToolOutput)}
    rest = tuple(block for block in message.content if not isinstance(block, ToolOutput))
    answers = tuple(outputs.get(call) or _not_run(call) for call in owed)
    return replace(message, content=answers + rest)


def _answers(owed: list[str]) -> UserMessage:
    return UserMessage(tuple(_not_run(call) for call in owed), "tool")


def _not_run(call_id: str) -> ToolOutput:
    return ToolOutput(call_id, (Text(NOT_RUN),), is_error=True)
