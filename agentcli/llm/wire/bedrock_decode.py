"""The Amazon Bedrock Converse wire: decoding an event stream (wire.md 4.3, 4.4, 4.6)."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import cast

from agentcli.llm.errors import LLMError, StreamCut, StreamMalformed
from agentcli.llm.event_stream import EventFrame, EventStreamParser
from agentcli.llm.frames import parse_body
from agentcli.llm.providers import Route
from agentcli.llm.status import error_from_event
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

STOPS: dict[str, Stop] = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "guardrail_intervened": "refusal",
    "content_filtered": "refusal",
    "model_context_window_exceeded": "context_full",
}
FAILURES = {
    "malformed_model_output": "the model wrote something that is no answer",
    "malformed_tool_use": "the model made a tool call that cannot be read",
}
"""Reasons to stop that are errors, worth asking again."""
_PASSING = (408, 424, 425, 429)


class BedrockDecoder:
    """Folds Converse events into deltas; keeps each block as it goes back.

    Usage comes after the reason to stop; a stream cut between the two is whole, its usage unknown.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._parser = EventStreamParser()
        self._blocks: dict[int, JsonObject] = {}
        self._usage: JsonObject = {}
        self._tier = ""
        self._reason: str | None = None
        self._done = False

    @property
    def usage(self) -> Usage | None:
        return usage_from(self._usage) if self._usage else None

    def feed(self, data: bytes) -> Iterator[Delta]:
        for frame in self._parser.feed(data):
            yield from self._frame(frame)

    def close(self) -> Iterator[Delta]:
        body = self._parser.body
        if body is not None:
            yield from self._whole(parse_body(body))
        elif self._reason is None:
            raise StreamCut(
                "the stream ended before the answer did",
                provider=self._route.provider.name,
                model=self._route.model.id,
            )
        if not self._done:
            yield self._finish()

    def _frame(self, frame: EventFrame) -> Iterator[Delta]:
        if self._done:
            return
        if frame.headers.get(":message-type", "event") != "event":
            raise error_from_frame(frame, self._route)
        yield from self._event(frame.headers.get(":event-type", ""), payload_of(frame))

    def _event(self, name: str, event: JsonObject) -> Iterator[Delta]:
        index = index_at(event, "contentBlockIndex")
        match name:
            case "contentBlockStart":
                yield from self._start(index, object_at(event, "start"))
            case "contentBlockDelta":
                yield from self._delta(index, object_at(event, "delta"))
            case "contentBlockStop":
                yield from self._close_block(index)
            case "messageStop":
                self._reason = str(event.get("stopReason", ""))
                for open_index in sorted(self._blocks):
                    yield from self._close_block(open_index)
            case "metadata":
                self._usage = merged(self._usage, object_at(event, "usage"))
                self._tier = str(object_at(event, "serviceTier").get("type") or "")
            case _:
                return
        if self._reason is not None and self._usage:
            yield self._finish()

    def _start(self, index: int, start: JsonObject) -> Iterator[Delta]:
        if "toolUse" in start:
            use: JsonObject = {**object_at(start, "toolUse"), "input": {}}
            use["toolUseId"] = text_at(use, "toolUseId") or f"call_{index}"
            yield from self._begin(index, {"toolUse": use})
            yield ToolCallDelta(use["toolUseId"], text_at(use, "name"), "")

    def _begin(self, index: int, block: JsonObject) -> Iterator[Delta]:
        """One text at a time: the fold gives a block the text since the last one's end."""
        for other, before in sorted(self._blocks.items()):
            if "toolUse" not in before:
                yield from self._close_block(other)
        self._blocks[index] = block

    def _delta(self, index: int, delta: JsonObject) -> Iterator[Delta]:
        match delta:
            case {"text": str(text)}:
                if index not in self._blocks:
                    yield from self._begin(index, {"text": ""})
                if text:
                    yield TextDelta(text)
            case {"toolUse": {"input": str(piece)}}:
                use = object_at(self._blocks.get(index, {}), "toolUse")
                if use:
                    yield ToolCallDelta(use["toolUseId"], text_at(use, "name"), piece)
            case {"reasoningContent": {}}:
                yield from self._reasoning(index, object_at(delta, "reasoningContent"))
            case _:
                return

    def _reasoning(self, index: int, delta: JsonObject) -> Iterator[Delta]:
        if index not in self._blocks:
            yield from self._begin(index, {"reasoningContent": {}})
        content = object_at(self._blocks[index], "reasoningContent")
        match delta:
            case {"redactedContent": str(piece)}:
                content["redactedContent"] = _joined(content.get("redactedContent", ""), piece)
            case {"signature": str(piece)}:
                reasoning = content.setdefault("reasoningText", {"text": ""})
                reasoning["signature"] = reasoning.get("signature", "") + piece
            case {"text": str(text)}:
                content.setdefault("reasoningText", {"text": ""})
                if text:
                    yield ThinkingDelta(text)
            case _:
                return

    def _close_block(self, index: int) -> Iterator[Delta]:
        block = self._blocks.pop(index, None)
        match block:
            case None:
                return
            case {"toolUse": use}:
                yield BlockEnd(block, (use, "input"), use["toolUseId"])
            case {"text": _}:
                yield BlockEnd(block, (block, "text"))
            case {"reasoningContent": {"reasoningText": reasoning}}:
                yield BlockEnd(block, (reasoning, "text"))
            case _:
                yield BlockEnd(block)

    def _finish(self) -> Finished:
        self._done = True
        reason = self._reason or ""
        if reason in FAILURES:
            failure = {"type": reason, "message": FAILURES[reason]}
            raise _error(failure, self._route)
        return Finished(STOPS.get(reason, "end_turn"), self.usage, tier=self._tier)

    def _whole(self, body: JsonObject) -> Iterator[Delta]:
        """A server that sent the answer in one piece, or an error."""
        message = object_at(object_at(body, "output"), "message")
        if not message:
            raise _error(body, self._route)
        for block in objects_at(message, "content"):
            yield from _whole_block(block)
        self._reason = str(body.get("stopReason", ""))
        self._usage = object_at(body, "usage")
        self._tier = str(object_at(body, "serviceTier").get("type") or "")


def _whole_block(block: JsonObject) -> Iterator[Delta]:
    match block:
        case {"toolUse": {"toolUseId": str(call_id), "name": str(name), "input": given}}:
            yield ToolCallDelta(call_id, name, json.dumps(given))
            yield BlockEnd(block, None, call_id)
            return
        case {"text": str(text)}:
            yield TextDelta(text)
        case {"reasoningContent": {"reasoningText": {"text": str(text)}}}:
            yield ThinkingDelta(text)
        case _:
            pass
    yield BlockEnd(block)


def error_from_frame(frame: EventFrame, route: Route) -> LLMError:
    """What an exception or error frame means; `originalStatusCode` is the model's own status."""
    headers = frame.headers
    payload = payload_of(frame)
    kind = headers.get(":exception-type") or headers.get(":error-code", "")
    message = headers.get(":error-message") or payload.get("originalMessage", "")
    told = {"message": message, "type": kind}
    error = _error(told | payload, route)
    status = payload.get("originalStatusCode")
    if isinstance(status, int) and 400 <= status < 500 and status not in _PASSING:
        error.retryable = False
    return error


def usage_from(usage: JsonObject) -> Usage | None:
    """Usage of Converse in our classes; `inputTokens` excludes what was cached (wire.md 4.4)."""
    if not is_told(usage, "inputTokens"):
        return None
    lives: dict[str, int] = {"5m": 0, "1h": 0}
    for detail in objects_at(usage, "cacheDetails"):
        life = str(detail.get("ttl", "5m"))
        lives[life] = lives.get(life, 0) + count(detail, "inputTokens")
    written = max(count(usage, "cacheWriteInputTokens"), sum(lives.values()))
    return Usage(
        input=count(usage, "inputTokens"),
        output=count(usage, "outputTokens"),
        cache_read=count(usage, "cacheReadInputTokens"),
        cache_write_5m=written - lives["1h"],
        cache_write_1h=lives["1h"],
    )


def _error(error: JsonObject, route: Route) -> LLMError:
    return error_from_event({"error": error}, provider=route.provider.name, model=route.model.id)


def payload_of(frame: EventFrame) -> JsonObject:
    """A frame's payload as an object; raises StreamMalformed where it is no JSON."""
    if not frame.payload.strip():
        return {}
    try:
        value = json.loads(frame.payload)
    except (ValueError, RecursionError):
        shown = frame.payload[:120].decode("utf-8", "replace")
        raise StreamMalformed(f"broken JSON in the stream: {shown!r}") from None
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def _joined(before: str, piece: str) -> str:
    """Pieces of a blob are encoded each for itself; one piece stays as it came."""
    if not before:
        return piece
    try:
        return b64encode(b64decode(before) + b64decode(piece)).decode()
    except ValueError:
        raise StreamMalformed("redacted reasoning that is no base64 came") from None
