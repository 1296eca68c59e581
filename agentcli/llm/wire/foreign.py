"""A server that answers in another API's words: told apart from a broken stream."""

from __future__ import annotations

from agentcli.llm.errors import WrongEndpoint
from agentcli.llm.route import Route
from agentcli.llm.types import JsonObject

NAMES = {
    "anthropic": "Anthropic Messages",
    "openai-responses": "OpenAI Responses",
    "openai-chat": "Chat Completions",
    "gemini": "Gemini",
}


def spoken(event: JsonObject) -> str:
    """The wire an event belongs to; "" when it could be anything."""
    kind = str(event.get("type") or "")
    if kind.startswith("response."):
        return "openai-responses"
    if kind in ("message_start", "content_block_start", "content_block_delta"):
        return "anthropic"
    if "candidates" in event:
        return "gemini"
    if str(event.get("object") or "").startswith("chat.completion"):
        return "openai-chat"
    return ""


def refuse_foreign(event: JsonObject, wire: str, route: Route) -> None:
    """Raises WrongEndpoint for an event of another API than was asked."""
    other = spoken(event)
    if other and other != wire:
        raise WrongEndpoint(
            f"the server answers in {NAMES[other]}, but was asked in {NAMES.get(wire, wire)}: "
            f'set wire = "{other}" for it, or correct its address',
            provider=route.provider.name,
            model=route.model.id,
        )
