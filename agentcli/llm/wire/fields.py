"""Reading JSON that a server sent: what has another type than promised counts as not there."""

from __future__ import annotations

from typing import Any, cast

from agentcli.llm.types import JsonObject


def object_at(holder: JsonObject, key: str) -> JsonObject:
    """The object at `key`; empty where there is none."""
    value = holder.get(key)
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def objects_at(holder: JsonObject, key: str) -> list[JsonObject]:
    """The objects in the list at `key`; what else is in it is left out."""
    value: Any = holder.get(key)
    found = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("JsonObject", each) for each in found if isinstance(each, dict)]


def text_at(holder: JsonObject, key: str) -> str:
    """The text at `key`; "" where there is none."""
    value = holder.get(key)
    return value if isinstance(value, str) else ""


def index_at(holder: JsonObject, key: str) -> int:
    """The place at `key`; 0 where there is none."""
    value = holder.get(key)
    return value if isinstance(value, int) else 0
