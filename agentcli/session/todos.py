"""The model's todo list as it last wrote it, in whatever epoch of a session's file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import get_args, get_type_hints

from agentcli.llm.types import JsonObject
from agentcli.session.entries import Entry
from agentcli.tools.base import TodoItem

STATES = get_args(get_type_hints(TodoItem)["state"])


def todo_list(newest_first: Iterable[Entry]) -> tuple[TodoItem, ...]:
    """Empty where there is none."""
    for message in _messages(newest_first):
        if message.get("stop") != "tool_use":
            continue
        for block in reversed(message["content"]):
            if block["type"] == "call" and block["name"] == "Todo":
                items = _items(block["input"])
                if items is not None:
                    return items
    return ()


def _messages(newest_first: Iterable[Entry]) -> Iterator[JsonObject]:
    for entry in newest_first:
        if entry.kind == "message":
            yield entry.data
        elif entry.kind == "epoch":
            yield from reversed(entry.data.get("messages", ()))


def _items(arguments: JsonObject) -> tuple[TodoItem, ...] | None:
    """None for arguments that the tool has refused."""
    try:
        items = tuple(TodoItem(item["text"], item["state"]) for item in arguments["items"])
    except (KeyError, TypeError):
        return None
    return items if all(item.state in STATES for item in items) else None
