"""The OpenAI Responses wire: decoding a stream (wire.md 2.3, 2.6)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from agentcli.llm.errors import LLMError, StreamCut, StreamMalformed
from agentcli.llm.frames import Frame, SseParser, parse_body, parse_data
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
from agentcli.llm.wire.foreign import refuse_foreign
from agentcli.llm.wire.openai_chat_usage import reported_cost

CALLS = frozenset({"function_call", "custom_tool_call"})
INPUT_HEAD, INPUT_TAIL = '{"input": "', '"}'


class ResponsesDecoder:
    """Folds Responses events into deltas; an item counts as its `output_item.done` has it."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._parser = SseParser()
        self._items: dict[int, JsonObject] = {}
        self._streamed: set[int] = set()
        self._calls = False
        self._refused = False
        self._done = False
        self._usage: JsonObject = {}

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
            raise StreamCut("the stream ended before the answer did", **self._who())

    def _event(self, frame: Frame) -> Iterator[Delta]:
        event = None if self._done else parse_data(frame)
        if event is None:
            return
        index = index_at(event, "output_index")
        match event.get("type") or frame.event or ("error" if event.get("error") else ""):
            case "response.output_item.added":
                yield from self._open(index, object_at(event, "item"))
            case "response.output_text.delta" | "response.refusal.delta":
                self._streamed.add(index)
                yield TextDelta(text_at(event, "delta"))
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                self._streamed.add(index)
                yield ThinkingDelta(text_at(event, "delta"))
            case "response.reasoning_summary_part.added" if event.get("summary_index"):
                yield ThinkingDelta("\n\n")
            case "response.function_call_arguments.delta":
                yield from self._piece(index, text_at(event, "delta"))
            case "response.custom_tool_call_input.delta":
                yield from self._input(index, text_at(event, "delta"))
            case "response.output_item.done":
                yield from self._close_item(index, object_at(event, "item"))
            case "response.completed" | "response.incomplete":
                yield self._finish(object_at(event, "response"))
            case "response.failed" | "error":
                self._note_usage(object_at(event, "response"))
                raise self._error(event)
            case _:
                refuse_foreign(event, "openai-responses", self._route)

    def _open(self, index: int, item: JsonObject) -> Iterator[Delta]:
        self._items[index] = item
        if _is_call(item):
            item["call_id"] = _call_id(item) or f"call_{index}"
            yield _call_delta(item, "")

    def _piece(self, index: int, text: str) -> Iterator[Delta]:
        item = self._items.get(index)
        if item is not None and item.get("type") == "function_call":
            self._streamed.add(index)
            yield _call_delta(item, text)

    def _input(self, index: int, text: str) -> Iterator[Delta]:
        """A grammar tool's text, as pieces of `{"input": text}`."""
        item = self._items.get(index)
        if item is not None and item.get("type") == "custom_tool_call":
            head = "" if index in self._streamed else INPUT_HEAD
            self._streamed.add(index)
            yield _call_delta(item, head + _escaped(text))

    def _close_item(self, index: int, item: JsonObject) -> Iterator[Delta]:
        """The authoritative item; what was not streamed before is delivered from it."""
        begun = self._items.pop(index, {})
        if _is_call(item):
            yield from self._close_call(index, item, begun if _is_call(begun) else {})
            return
        match item.get("type"):
            case "message":
                yield from self._message(index, item)
            case "reasoning":
                if index not in self._streamed:
                    yield from _thoughts(item)
                yield BlockEnd(item)
            case _:
                yield BlockEnd(item)

    def _close_call(self, index: int, item: JsonObject, begun: JsonObject) -> Iterator[Delta]:
        """A call keeps the id under which it was begun: by that one it is answered."""
        self._calls = True
        item["call_id"] = _call_id(begun or item) or f"call_{index}"
        is_whole = not begun or index not in self._streamed
        if item["type"] == "function_call":
            yield _call_delta(item, text_at(item, "arguments") if is_whole else "")
        else:
            given = INPUT_HEAD + _escaped(text_at(item, "input")) if is_whole else ""
            yield _call_delta(item, given + INPUT_TAIL)
        yield BlockEnd(item, None, _call_id(item))

    def _message(self, index: int, item: JsonObject) -> Iterator[Delta]:
        parts = objects_at(item, "content")
        self._refused = self._refused or any(part.get("type") == "refusal" for part in parts)
        if index not in self._streamed:
            for part in parts:
                yield TextDelta(str(part.get("text") or part.get("refusal") or ""))
        only = parts[0] if len(parts) == 1 and parts[0].get("type") == "output_text" else None
        yield BlockEnd(item, (only, "text") if only is not None else None)

    def _finish(self, response: JsonObject) -> Finished:
        self._done = True
        self._note_usage(response)
        usage = object_at(response, "usage")
        return Finished(
            self._stop(response),
            self.usage,
            str(response.get("id", "")),
            reported_cost(usage),
            tier=str(response.get("service_tier") or usage.get("service_tier") or ""),
        )

    def _note_usage(self, response: JsonObject) -> None:
        self._usage = merged(self._usage, object_at(response, "usage"))

    def _stop(self, response: JsonObject) -> Stop:
        if response.get("status") in ("failed", "cancelled"):
            return "error"
        if response.get("status") == "incomplete":
            reason = object_at(response, "incomplete_details").get("reason")
            return "refusal" if reason == "content_filter" else "max_tokens"
        if self._refused:
            return "refusal"
        return "tool_use" if self._calls else "end_turn"

    def _whole(self, body: JsonObject) -> Iterator[Delta]:
        """A server that ignored `stream`, or an error with status 200."""
        if body.get("error") or "output" not in body:
            raise self._error(body)
        for index, item in enumerate(objects_at(body, "output")):
            yield from self._open(index, item)
            yield from self._close_item(index, item)
        yield self._finish(body)

    def _error(self, event: JsonObject) -> LLMError:
        inner = object_at(event, "response").get("error")
        if isinstance(inner, dict):
            event = {"error": inner}
        if not event.get("error") and "message" not in event:
            return StreamMalformed("the answer is not one of the Responses API", **self._who())
        return error_from_event(event, **self._who())

    def _who(self) -> dict[str, Any]:
        return {"provider": self._route.provider.name, "model": self._route.model.id}


def usage_from(usage: JsonObject) -> Usage | None:
    """Input counts include what was cached and written (wire.md 2.6); None where none is told."""
    if not is_told(usage, "input_tokens"):
        return None
    details = object_at(usage, "input_tokens_details")
    split = object_at(details, "cache_write_tokens_details")
    read, written = count(details, "cached_tokens"), count(details, "cache_write_tokens")
    long = count(split, "ttl_12h_tokens")
    return Usage(
        input=max(0, count(usage, "input_tokens") - read - written),
        output=count(usage, "output_tokens"),
        cache_read=read,
        cache_write_5m=max(0, written - long),
        cache_write_1h=long,
        reasoning=count(object_at(usage, "output_tokens_details"), "reasoning_tokens"),
    )


def _thoughts(item: JsonObject) -> Iterator[Delta]:
    """The summary; open models send the reasoning itself instead."""
    parts = objects_at(item, "summary") or objects_at(item, "content")
    text = "\n\n".join(text_at(part, "text") for part in parts)
    if text:
        yield ThinkingDelta(text)


def _is_call(item: JsonObject) -> bool:
    return text_at(item, "type") in CALLS


def _call_delta(item: JsonObject, piece: str) -> ToolCallDelta:
    return ToolCallDelta(_call_id(item), str(item.get("name", "")), piece)


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _call_id(item: JsonObject) -> str:
    return text_at(item, "call_id") or text_at(item, "id")
