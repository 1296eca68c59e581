"""The Anthropic Messages wire: decoding a stream (wire.md 1.3, 1.4, 1.10)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from agentcli.llm.errors import LLMError, StreamCut, StreamMalformed
from agentcli.llm.frames import Frame, SseParser, parse_body, parse_data
from agentcli.llm.providers import Route
from agentcli.llm.status import error_from_event
from agentcli.llm.stream import parse_arguments
from agentcli.llm.types import (
    BlockEnd,
    Delta,
    Finished,
    JsonObject,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    Usage,
)
from agentcli.llm.wire.counts import count, is_told, merged
from agentcli.llm.wire.fields import index_at, object_at, objects_at, text_at
from agentcli.llm.wire.foreign import refuse_foreign
from agentcli.llm.wire.openai_chat_usage import reported_cost

STOPS: dict[str, Stop] = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "pause_turn": "pause",
    "model_context_window_exceeded": "context_full",
}
_TEXT_SLOT = {"text": "text", "thinking": "thinking"}


class AnthropicDecoder:
    """Folds Messages events into deltas; keeps each block as the provider made it."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._parser = SseParser()
        self._blocks: dict[int, JsonObject] = {}
        self._server_input: dict[int, list[str]] = {}
        self._usage: JsonObject = {}
        self._stop: Stop | None = None
        self._id = ""
        self._done = False

    @property
    def usage(self) -> Usage | None:
        return usage_from(self._usage) if self._usage else None

    def feed(self, data: bytes) -> Iterator[Delta]:
        for frame in self._parser.feed(data):
            yield from self._event(frame)

    def close(self) -> Iterator[Delta]:
        for frame in self._parser.close():
            yield from self._event(frame)
        body = self._parser.body
        if body is not None:
            yield from self._whole(parse_body(body))
        if not self._done:
            raise StreamCut(
                "the stream ended before the answer did",
                provider=self._route.provider.name,
                model=self._route.model.id,
            )

    def _event(self, frame: Frame) -> Iterator[Delta]:
        event = None if self._done else parse_data(frame)
        if event is None:
            return
        match frame.event or event.get("type") or ("error" if event.get("error") else ""):
            case "message_start":
                self._start(object_at(event, "message"))
            case "content_block_start":
                yield from self._open(index_at(event, "index"), object_at(event, "content_block"))
            case "content_block_delta":
                yield from self._delta(index_at(event, "index"), object_at(event, "delta"))
            case "content_block_stop":
                yield from self._close_block(index_at(event, "index"))
            case "message_delta":
                self._merge(object_at(event, "usage"))
                self._stopped(object_at(event, "delta"))
            case "message_stop":
                yield self._finish()
            case "error":
                raise self._error(event)
            case _:
                refuse_foreign(event, "anthropic", self._route)

    def _start(self, message: JsonObject) -> None:
        self._id = str(message.get("id", ""))
        self._merge(object_at(message, "usage"))

    def _open(self, index: int, block: JsonObject) -> Iterator[Delta]:
        self._blocks[index] = block
        match block.get("type"):
            case "tool_use":
                block["id"] = text_at(block, "id") or f"call_{index}"
                yield ToolCallDelta(block["id"], text_at(block, "name"), "")
            case "text" if block.get("text"):
                yield TextDelta(_taken(block, "text"))
            case "thinking" if block.get("thinking"):
                yield ThinkingDelta(_taken(block, "thinking"))
            case _:
                return

    def _delta(self, index: int, delta: JsonObject) -> Iterator[Delta]:
        block = self._blocks.setdefault(index, {"type": "text", "text": ""})
        match delta.get("type"):
            case "text_delta":
                yield TextDelta(text_at(delta, "text"))
            case "thinking_delta":
                yield ThinkingDelta(text_at(delta, "thinking"))
            case "input_json_delta" if block.get("type") == "tool_use":
                piece = text_at(delta, "partial_json")
                yield ToolCallDelta(block["id"], text_at(block, "name"), piece)
            case "input_json_delta":
                pieces = self._server_input.setdefault(index, [])
                pieces.append(text_at(delta, "partial_json"))
            case "signature_delta":
                block["signature"] = text_at(block, "signature") + text_at(delta, "signature")
            case "citations_delta":
                block["citations"] = [*objects_at(block, "citations"), delta.get("citation")]
            case _:
                return

    def _close_block(self, index: int) -> Iterator[Delta]:
        block = self._blocks.pop(index, None)
        if block is None:
            return
        kind = str(block.get("type", ""))
        if kind == "tool_use":
            yield from self._arguments(block)
        elif kind in _TEXT_SLOT:
            yield BlockEnd(block, (block, _TEXT_SLOT[kind]))
        else:
            pieces = self._server_input.pop(index, None)
            if pieces is not None:
                block["input"] = parse_arguments("".join(pieces)) or {}
            yield BlockEnd(block)

    def _arguments(self, block: JsonObject) -> Iterator[Delta]:
        """Some servers send the whole input at the start of the block instead of in pieces."""
        call_id, given = block["id"], block.get("input")
        if given:
            yield ToolCallDelta(call_id, text_at(block, "name"), json.dumps(given))
        yield BlockEnd(block, (block, "input"), call_id)

    def _stopped(self, delta: JsonObject) -> None:
        reason = delta.get("stop_reason")
        if reason is not None:
            self._stop = STOPS.get(str(reason), "end_turn")

    def _merge(self, usage: JsonObject) -> None:
        self._usage = merged(self._usage, usage)

    def _finish(self) -> Finished:
        self._done = True
        usage = self._usage
        fast = "fast" if usage.get("speed") == "fast" else ""
        return Finished(
            self._stop or "end_turn",
            self.usage,
            self._id,
            reported_cost(usage),
            tier=fast or str(usage.get("service_tier") or ""),
            geo=str(usage.get("inference_geo") or ""),
        )

    def _whole(self, body: JsonObject) -> Iterator[Delta]:
        """A server that ignored `stream` and sent the message in one piece, or an error."""
        if body.get("error") or "content" not in body:
            raise self._error(body)
        self._start(body)
        for index, block in enumerate(objects_at(body, "content")):
            yield from self._open(index, block)
            yield from self._close_block(index)
        self._stopped(body)
        yield self._finish()

    def _error(self, event: JsonObject) -> LLMError:
        who: dict[str, Any] = {"provider": self._route.provider.name, "model": self._route.model.id}
        if not (event.get("error") or event.get("message") or event.get("detail")):
            return StreamMalformed("the answer is not one of the Messages API", **who)
        return error_from_event(event, **who)


def usage_from(usage: JsonObject) -> Usage | None:
    """Usage of the Messages API in our classes (wire.md 1.10); None where none is told.

    Where the service went over a request several times, the bill is for all (wire.md 1.8).
    """
    told = (_usage_of(part) for part in objects_at(usage, "iterations"))
    found = [one for one in told if one is not None]
    return sum(found[1:], found[0]) if found else _usage_of(usage)


def _usage_of(usage: JsonObject) -> Usage | None:
    if not is_told(usage, "input_tokens", "cache_read_input_tokens"):
        return None
    written = count(usage, "cache_creation_input_tokens")
    split = object_at(usage, "cache_creation")
    one_hour = count(split, "ephemeral_1h_input_tokens")
    written = max(written, one_hour + count(split, "ephemeral_5m_input_tokens"))
    return Usage(
        input=count(usage, "input_tokens"),
        output=count(usage, "output_tokens"),
        cache_read=count(usage, "cache_read_input_tokens"),
        cache_write_5m=max(0, written - one_hour),
        cache_write_1h=one_hour,
        reasoning=count(object_at(usage, "output_tokens_details"), "thinking_tokens"),
    )


def _taken(block: JsonObject, slot: str) -> str:
    """The text with which a block began; the slot waits for the whole."""
    text = str(block[slot])
    block[slot] = ""
    return text
