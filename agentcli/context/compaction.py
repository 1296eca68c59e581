"""When the conversation grows too long: a summary takes its place, and a new epoch begins."""

from __future__ import annotations

from collections.abc import Sequence

from agentcli.context.system_prompt import prompt
from agentcli.lib.value import replace
from agentcli.llm.types import AssistantMessage, Message, Request, Text, UserMessage
from agentcli.tools.base import TodoItem

THRESHOLD = 0.85
"""The share of the window, less room for the reply, past which a summary is due."""
SUMMARY_TOKENS = 8_000


def due(used: int, window: int | None, max_output: int | None) -> bool:
    """Whether the next request may not fit. All in tokens; an unknown window is never due."""
    if not window:
        return False
    room = min(max_output or 0, window // 4)
    return used > THRESHOLD * (window - room)


def summary_request(request: Request, instructions: str) -> Request:
    """The live request with one message more, so that all before it reads from the cache.

    What is not in the cache is not written to it: nothing of it is read again.
    """
    words = prompt("compaction")
    if instructions:
        words = f"{words}\n\nThe person adds: {instructions}"
    asked = UserMessage((Text(words),), "reminder")
    messages = (*request.messages, asked)
    return replace(request, messages=messages, max_output=SUMMARY_TOKENS, final=True)


def new_epoch(
    summary: str, todos: tuple[TodoItem, ...], waiting: tuple[Message, ...] = ()
) -> tuple[Message, ...]:
    """The messages the next epoch starts with; todo list and `waiting` survive word for word."""
    text = f"This is what happened so far:\n\n{summary.strip()}"
    if todos:
        listed = "\n".join(f"- [{item.state}] {item.text}" for item in todos)
        text = f"{text}\n\nTodo list:\n{listed}"
    return (UserMessage((Text(text),), "summary"), *waiting)


def shorter(messages: Sequence[Message], end: int) -> int:
    """Where a beginning about half as long as the first `end` messages stops: before a reply.

    0 when it can't be cut.
    """
    cuts = (n for n in range(end // 2, 0, -1) if isinstance(messages[n], AssistantMessage))
    return next(cuts, 0)


def unanswered(messages: Sequence[Message]) -> tuple[Message, ...]:
    """What was said to the model since its last reply; outputs of its calls belong to the past."""
    since = 0
    for number, message in enumerate(messages, 1):
        if isinstance(message, AssistantMessage):
            since = number
    past = ("tool", "summary")
    return tuple(m for m in messages[since:] if isinstance(m, UserMessage) and m.origin not in past)
