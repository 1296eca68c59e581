"""What the Anthropic Messages wire becomes in other clouds: the same body, less its envelope."""

from __future__ import annotations

from agentcli.lib.value import replace
from agentcli.llm.cache import CachePlan
from agentcli.llm.providers import Route
from agentcli.llm.types import AssistantMessage, JsonObject, Message, Request
from agentcli.llm.wire.anthropic import NAME, AnthropicWire

ENCODER = AnthropicWire()


def hosted_body(
    request: Request, route: Route, plan: CachePlan, *, wire: str, version: str
) -> JsonObject:
    """The Messages body with its version in it; the model is in the address (wire.md 1.11)."""
    messages = tuple(_as_anthropic(message, wire) for message in request.messages)
    body = ENCODER.encode(replace(request, messages=messages), route, plan)
    del body["model"]
    return {"anthropic_version": version} | body


def _as_anthropic(message: Message, wire: str) -> Message:
    """Blocks kept under the host's name are Anthropic's own, and go back as such."""
    if not isinstance(message, AssistantMessage):
        return message
    native = message.native
    if native is None or native.wire != wire:
        return message
    return replace(message, native=replace(native, wire=NAME))
