"""Anthropic models on Bedrock, asked in their own words: InvokeModel (wire.md 1.11, 4.3)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from urllib.parse import quote

from agentcli.llm.cache import CachePlan
from agentcli.llm.errors import StreamMalformed
from agentcli.llm.event_stream import EventFrame, EventStreamParser
from agentcli.llm.frames import parse_body
from agentcli.llm.providers import Route
from agentcli.llm.status import error_from_event
from agentcli.llm.types import Delta, JsonObject, Request, Usage
from agentcli.llm.wire.anthropic_decode import AnthropicDecoder
from agentcli.llm.wire.anthropic_hosted import hosted_body
from agentcli.llm.wire.bedrock_decode import error_from_frame, payload_of

NAME = "anthropic-bedrock"
VERSION = "bedrock-2023-05-31"


class AnthropicBedrockWire:
    name = NAME

    def path(self, route: Route) -> str:
        return f"/model/{quote(route.model.id, safe='')}/invoke-with-response-stream"

    def headers(self, route: Route) -> dict[str, str]:
        return {
            "accept": "application/vnd.amazon.eventstream",
            "x-amzn-bedrock-accept": "application/json",
        }

    def encode(self, request: Request, route: Route, plan: CachePlan) -> JsonObject:
        body = hosted_body(request, route, plan, wire=NAME, version=VERSION)
        del body["stream"]
        return body

    def decoder(self, route: Route) -> AnthropicBedrockDecoder:
        return AnthropicBedrockDecoder(route)


class AnthropicBedrockDecoder:
    """Unwraps each frame's event and hands it to the decoder of the Messages wire."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._parser = EventStreamParser()
        self._inner = AnthropicDecoder(route)

    @property
    def usage(self) -> Usage | None:
        return self._inner.usage

    def feed(self, data: bytes) -> Iterator[Delta]:
        for frame in self._parser.feed(data):
            yield from self._frame(frame)

    def close(self) -> Iterator[Delta]:
        body = self._parser.body or b""
        if body.lstrip().startswith(b"{"):
            self._raise_error(parse_body(body))
        yield from self._inner.feed(body)
        yield from self._inner.close()

    def _raise_error(self, body: JsonObject) -> None:
        """Amazon's own errors are bare: a `message` beside nothing an answer has."""
        if "content" not in body:
            route = self._route
            raise error_from_event(body, provider=route.provider.name, model=route.model.id)

    def _frame(self, frame: EventFrame) -> Iterator[Delta]:
        if frame.headers.get(":message-type", "event") != "event":
            raise error_from_frame(frame, self._route)
        event = _chunk(payload_of(frame))
        if event:
            yield from self._inner.feed(b"data: " + event + b"\n\n")


def _chunk(payload: JsonObject) -> bytes:
    """The event on one line: a line break in JSON is never part of a string."""
    try:
        event = b64decode(str(payload.get("bytes", "")))
    except ValueError:
        raise StreamMalformed("a chunk of the stream is no base64") from None
    return event.replace(b"\n", b" ").replace(b"\r", b" ")


WIRE = AnthropicBedrockWire()
