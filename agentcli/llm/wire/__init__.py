"""Wires: codecs between our values and one API shape each. No I/O; loaded when one is used."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from agentcli.llm.cache import CachePlan
    from agentcli.llm.providers import Route
    from agentcli.llm.types import Delta, JsonObject, Request, Usage

WIRES = {
    "anthropic": "anthropic",
    "openai-responses": "openai_responses",
    "openai-chat": "openai_chat",
    "bedrock": "bedrock",
    "anthropic-bedrock": "anthropic_bedrock",
    "anthropic-vertex": "anthropic_vertex",
    "gemini": "gemini",
}


class Decoder(Protocol):
    """Folds the bytes of one response body into deltas; any split of the bytes gives the same."""

    usage: Usage | None
    """What was reported so far; kept when the stream breaks."""

    def feed(self, data: bytes) -> Iterator[Delta]:
        """Yield what these bytes complete; raises LLMError for an error event in the stream."""
        ...

    def close(self) -> Iterator[Delta]:
        """The body has ended: yield the rest, or raise StreamCut without a terminal event."""
        ...


class Wire(Protocol):
    name: str

    def path(self, route: Route) -> str:
        """What follows the base URL, e.g. `/v1/messages`."""
        ...

    def headers(self, route: Route) -> dict[str, str]:
        """Headers of the protocol itself (versions, betas); the key is added by `llm/auth.py`."""
        ...

    def encode(self, request: Request, route: Route, plan: CachePlan) -> JsonObject:
        """The body. Equal requests give equal bytes; a longer history extends a shorter one."""
        ...

    def decoder(self, route: Route) -> Decoder: ...


def load(name: str) -> Wire:
    """Import one wire; raises KeyError for a name not in WIRES."""
    return cast("Wire", import_module(f"{__name__}.{WIRES[name]}").WIRE)
