"""Anthropic models on Google Cloud: `:streamRawPredict`, answered by the same events (1.11)."""

from __future__ import annotations

from urllib.parse import quote

from agentcli.llm.cache import CachePlan
from agentcli.llm.providers import Route
from agentcli.llm.types import JsonObject, Request
from agentcli.llm.wire.anthropic_decode import AnthropicDecoder
from agentcli.llm.wire.anthropic_hosted import hosted_body

NAME = "anthropic-vertex"
VERSION = "vertex-2023-10-16"
PUBLISHER = "/publishers/anthropic/models"


class AnthropicVertexWire:
    """The base URL ends with the location: `…/v1/projects/PROJECT/locations/global`."""

    name = NAME

    def path(self, route: Route) -> str:
        return f"{PUBLISHER}/{quote(route.model.id, safe='@')}:streamRawPredict"

    def headers(self, route: Route) -> dict[str, str]:
        return {"accept": "text/event-stream"}

    def encode(self, request: Request, route: Route, plan: CachePlan) -> JsonObject:
        return hosted_body(request, route, plan, wire=NAME, version=VERSION)

    def decoder(self, route: Route) -> AnthropicDecoder:
        return AnthropicDecoder(route)


WIRE = AnthropicVertexWire()
