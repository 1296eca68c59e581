"""What a scripted model answers: replies in order, and the faults of real life between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from agentcli.lib.value import made, value
from agentcli.llm.types import JsonObject


@value
class Say:
    """One reply: text, thinking and calls of (tool, input)."""

    text: str = ""
    calls: tuple[tuple[str, JsonObject], ...] = ()
    thinking: str = ""
    stop: str = ""
    """Overrules the stop reason that follows from the content."""
    cut_after: int | None = None
    """Breaks the stream off after so many bytes."""
    piece: int = 12
    """Characters of text in a delta."""


@value
class Fail:
    """An HTTP answer that is no reply."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = made(default_factory=dict[str, str])


Step: TypeAlias = "Say | Fail | Callable[[JsonObject], Say | Fail]"


def last_results(body: JsonObject) -> str:
    """The text of the newest tool results, for steps that answer to them."""
    content: Any = body["messages"][-1].get("content", "")
    if isinstance(content, str):
        return content
    return "\n".join(_text(block) for block in content)


def _text(block: Any) -> str:
    inner = block.get("content", block.get("text", ""))
    return inner if isinstance(inner, str) else "\n".join(_text(part) for part in inner)
