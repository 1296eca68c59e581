"""Where in a request's messages a cache mark may stand, and where marks should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from agentcli.llm.types import AssistantMessage, Message, Request, Text, UserMessage

Place: TypeAlias = tuple[int, int]
"""A message and a block of it."""
REACH = 15
"""Blocks between two marks: under the 20 positions a look-up goes back (wire.md 1.12.5)."""


def places(messages: tuple[Message, ...]) -> Iterator[Place]:
    """Every place a mark may stand, the last first (an empty text may not be marked)."""
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if isinstance(message, UserMessage):
            for block in range(len(message.content) - 1, -1, -1):
                content = message.content[block]
                if not isinstance(content, Text) or content.text.strip():
                    yield index, block


def last_answered(request: Request, model: str = "") -> int:
    """How many messages the last request to this model held (to any, if none is named).

    The conversation itself says so, also after a resume, a fork or a rewind: those before the
    model's last reply. 0 without a reply.
    """
    for index in range(len(request.messages) - 1, -1, -1):
        message = request.messages[index]
        if isinstance(message, AssistantMessage) and model in ("", message.model):
            return index
    return 0


def bridge(request: Request, last: Place, old: Place | None) -> Place | None:
    """A place between, when more than REACH blocks came at once; look-ups end after 20."""
    first = old[0] if old else 0
    starts: dict[int, int] = {}
    count = 0
    for index in range(first, last[0] + 1):
        starts[index] = count
        count += max(1, len(request.messages[index].content))
    begin = old[1] if old else -1
    end = starts[last[0]] + last[1]
    if end - begin <= REACH:
        return None
    found = None
    for place in places(request.messages[: last[0] + 1]):
        if place <= (old or (-1, -1)) or end - (starts[place[0]] + place[1]) > REACH:
            break
        found = place if place < last else None
    return found
