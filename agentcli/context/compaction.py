"""When the conversation grows too long: a summary takes its place, and a new epoch begins."""

from __future__ import annotations

from collections.abc import Sequence

from agentcli.context.system_prompt import prompt
from agentcli.context.triggers import THRESHOLD
from agentcli.lib.value import replace
from agentcli.llm.cost import Cost, format_usd
from agentcli.llm.types import AssistantMessage, Message, Request, Text, UserMessage
from agentcli.tools.base import TodoItem

SUMMARY_TOKENS = 8_000
PINNED = "The person pinned this: "


def due(used: int, window: int | None, max_output: int | None, at: float = THRESHOLD) -> bool:
    """Whether the next request may not fit. All in tokens; an unknown window is never due."""
    if not window:
        return False
    room = min(max_output or 0, window // 4)
    return used > at * (window - room)


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
    summary: str,
    todos: tuple[TodoItem, ...],
    waiting: tuple[Message, ...] = (),
    pins: tuple[str, ...] = (),
) -> tuple[Message, ...]:
    """The messages the next epoch starts with.

    Todo list, pinned notes and `waiting` survive word for word, each once.
    """
    text = f"This is what happened so far:\n\n{summary.strip()}"
    if todos:
        listed = "\n".join(f"- [{item.state}] {item.text}" for item in todos)
        text = f"{text}\n\nTodo list:\n{listed}"
    begun = UserMessage((Text(text),), "summary")
    pinned = tuple(pinned_note(note) for note in pins)
    return (begun, *pinned, *(message for message in waiting if message not in pinned))


def pinned_note(note: str) -> UserMessage:
    """How the model hears of what the person pinned."""
    return UserMessage((Text(f"{PINNED}{note}"),), "reminder")


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


def steps_a_turn(messages: Sequence[Message]) -> float:
    """How many replies a word of the person took on average; at least one."""
    replies = turns = open_turns = 0
    for message in messages:
        if isinstance(message, AssistantMessage):
            replies, turns, open_turns = replies + 1, turns + open_turns, 0
        elif message.origin == "human":
            open_turns = 1
    return max(1.0, replies / max(1, turns))


def outcome(before: int, after: int, cost: Cost | None, steps: int | None) -> str:
    """`Compacted: 182k → 6k tokens for $0.41; pays after 3 steps.`"""
    priced = "" if cost is None else f" for {format_usd(cost.total)}"
    return f"Compacted: {short(before)} → {short(after)} tokens{priced}{pays_text(steps)}."


def pays_text(steps: int | None) -> str:
    """`; pays after 3 steps`, and nothing where it never does or nobody knows."""
    return "" if steps is None else f"; pays after {steps} step{'' if steps == 1 else 's'}"


def short(tokens: int) -> str:
    """`182k`, `6.4k`, `380`."""
    if tokens < 1_000:
        return str(tokens)
    return f"{tokens / 1_000:.1f}k" if tokens < 9_950 else f"{round(tokens / 1_000)}k"
