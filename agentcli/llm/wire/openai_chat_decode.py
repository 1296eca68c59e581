"""The Chat Completions wire: decoding, with what compatible servers do to it (wire.md 2.5, 5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from agentcli.llm.errors import LLMError, StreamCut, StreamMalformed
from agentcli.llm.frames import DONE, Frame, SseParser, parse_body, parse_data
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
from agentcli.llm.wire.counts import merged
from agentcli.llm.wire.fields import object_at, objects_at, text_at
from agentcli.llm.wire.foreign import refuse_foreign
from agentcli.llm.wire.openai_chat_usage import reported_cost, usage_from
from agentcli.llm.wire.think_tags import ThinkTags

STOPS: dict[str, Stop] = {
    "stop": "end_turn",
    "eos": "end_turn",
    "length": "max_tokens",
    "model_length": "max_tokens",
    "tool_calls": "tool_use",
    "tool_use": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
    "sensitive": "refusal",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_full",
    "error": "error",
    "abort": "error",
    "network_error": "error",
    "insufficient_system_resource": "error",
}
ARGUMENTS = "arguments"
"""Under which a message keeps those of its calls as the model wrote them, by the call's id."""
THINKING = ("reasoning_content", "reasoning")


@dataclass(slots=True)
class _Call:
    given: str
    """The id as the server says it, which it may say twice; `id` is ours and unique."""
    id: str
    name: str
    pieces: list[str] = field(default_factory=list[str])

    @property
    def written(self) -> str:
        """Its arguments, where they are not what we would write: other spaces, other numbers."""
        raw = "".join(self.pieces)
        try:
            return "" if raw == json.dumps(json.loads(raw), ensure_ascii=False) else raw
        except ValueError:
            return ""


class ChatDecoder:
    """Folds chunks into deltas; a call is keyed by its index, and a new id opens a new one."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._parser = SseParser()
        self._calls: dict[int, _Call] = {}
        self._made: list[_Call] = []
        self._ids: set[str] = set()
        self._count = 0
        self._details: list[JsonObject] = []
        self._blocks: list[JsonObject] = []
        self._tags = ThinkTags()
        self._stop: Stop | None = None
        self._refused = False
        self._id = ""
        self._tier = ""
        self._done = False
        self._usage: JsonObject = {}

    @property
    def usage(self) -> Usage | None:
        return usage_from(self._usage) if self._usage else None

    def feed(self, data: bytes) -> Iterator[Delta]:
        for frame in self._parser.feed(data):
            yield from self._frame(frame)

    def close(self) -> Iterator[Delta]:
        for frame in self._parser.close():
            yield from self._frame(frame)
        body = self._parser.body
        if body is not None:
            yield from self._whole(parse_body(body))
        if not self._done:
            if self._stop is None:
                raise StreamCut("the stream ended before the answer did", **self._who())
            yield from self._finish()

    def _frame(self, frame: Frame) -> Iterator[Delta]:
        if self._done:
            return
        if frame.data.strip() == DONE:
            if self._stop is None and not self._calls and not self._id:
                return
            yield from self._finish()
            return
        chunk = parse_data(frame)
        if chunk is not None:
            yield from self._chunk(chunk)

    def _chunk(self, chunk: JsonObject) -> Iterator[Delta]:
        if chunk.get("error") or frame_error(chunk):
            raise self._error(chunk)
        refuse_foreign(chunk, "openai-chat", self._route)
        self._id = self._id or str(chunk.get("id") or "")
        self._tier = str(chunk.get("service_tier") or self._tier)
        choices = objects_at(chunk, "choices")
        choice = choices[0] if choices else {}
        for holder in (chunk, choice, object_at(chunk, "x_groq")):
            usage = object_at(holder, "usage")
            self._usage = merged(self._usage, usage)
            self._tier = str(usage.get("service_tier") or self._tier)
        if object_at(chunk, "x_groq").get("error"):
            raise self._error({"error": chunk["x_groq"]["error"]})
        yield from self._delta(object_at(choice, "delta") or object_at(choice, "message"))
        reason = choice.get("finish_reason")
        if reason:
            self._stop = STOPS.get(str(reason), "end_turn")
        if self._stop == "error":
            what = {"message": f"the model stopped: {reason}", "type": reason}
            raise self._error({"error": what})

    def _delta(self, delta: JsonObject) -> Iterator[Delta]:
        thought = next((delta[key] for key in THINKING if isinstance(delta.get(key), str)), "")
        if thought:
            yield ThinkingDelta(str(thought))
        self._details += objects_at(delta, "reasoning_details")
        self._blocks += objects_at(delta, "thinking_blocks")
        if delta.get("refusal"):
            self._refused = True
            yield TextDelta(str(delta["refusal"]))
        content = delta.get("content")
        if isinstance(content, str) and content:
            yield from self._tags.feed(content)
        elif isinstance(content, list):
            yield from _parts(objects_at(delta, "content"))
        for number, fragment in enumerate(objects_at(delta, "tool_calls")):
            yield from self._fragment(number, fragment)

    def _fragment(self, number: int, fragment: JsonObject) -> Iterator[Delta]:
        function = object_at(fragment, "function")
        index = fragment.get("index")
        slot = index if isinstance(index, int) else -1 - number
        call_id = str(fragment.get("id") or "")
        call_id = "" if call_id == "null" else call_id
        call = self._calls.get(slot)
        if call is None or (call_id and call.given != call_id):
            self._count += 1
            unique = call_id or f"call_{self._count}"
            if unique in self._ids:
                unique = f"{unique}_{self._count}"
            self._ids.add(unique)
            call = self._calls[slot] = _Call(call_id, unique, str(function.get("name") or ""))
            self._made.append(call)
        call.name = call.name or str(function.get("name") or "")
        piece = _arguments(function.get("arguments"))
        call.pieces.append(piece)
        yield ToolCallDelta(call.id, call.name, piece)

    def _finish(self) -> Iterator[Delta]:
        self._done = True
        yield from self._tags.close()
        stop = self._stop or "end_turn"
        if self._refused:
            stop = "refusal"
        elif self._calls and stop in ("end_turn", "stop_sequence"):
            stop = "tool_use"
        kept = {
            "reasoning_details": _merged(self._details),
            "thinking_blocks": _joined(self._blocks),
            ARGUMENTS: {call.id: call.written for call in self._made if call.written},
        }
        yield BlockEnd({name: items for name, items in kept.items() if items} or None)
        yield Finished(stop, self.usage, self._id, reported_cost(self._usage), tier=self._tier)

    def _whole(self, body: JsonObject) -> Iterator[Delta]:
        """A server that ignored `stream`, or an error with status 200."""
        if not body.get("choices"):
            raise self._error(body)
        yield from self._chunk(body)
        if self._stop is None:
            self._stop = "end_turn"
        yield from self._finish()

    def _error(self, chunk: JsonObject) -> LLMError:
        if not (chunk.get("error") or chunk.get("message") or chunk.get("detail")):
            return StreamMalformed("the answer is not one of the Chat API", **self._who())
        if isinstance(chunk.get("error"), str):
            chunk = {"error": {"message": chunk["error"]}}
        return error_from_event(chunk, **self._who())

    def _who(self) -> dict[str, Any]:
        return {"provider": self._route.provider.name, "model": self._route.model.id}


def frame_error(chunk: JsonObject) -> bool:
    """Errors without a wrapper: {"object": "error", "message": …}."""
    return chunk.get("object") == "error" or chunk.get("type") == "error"


def _arguments(value: Any) -> str:
    """Some servers send the arguments as an object."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parts(parts: list[JsonObject]) -> Iterator[Delta]:
    """Mistral's content: a list of text and thinking parts."""
    for part in parts:
        if part.get("type") == "text":
            yield TextDelta(text_at(part, "text"))
        elif part.get("type") == "thinking":
            texts = objects_at(part, "thinking") or [{"text": part.get("thinking")}]
            yield ThinkingDelta("".join(text_at(text, "text") for text in texts))


def _merged(details: list[JsonObject]) -> list[JsonObject]:
    """Pieces of one index and type are one item (wire.md 5.5)."""
    merged: dict[tuple[str, str], JsonObject] = {}
    for number, piece in enumerate(details):
        key = (str(piece.get("index", number)), str(piece.get("type")))
        known = merged.get(key)
        if known is None:
            merged[key] = dict(piece)
            continue
        for name, value in piece.items():
            if name in ("text", "summary", "data") and isinstance(value, str):
                known[name] = str(known.get(name) or "") + value
            elif value is not None:
                known[name] = value
    return list(merged.values())


def _joined(pieces: list[JsonObject]) -> list[JsonObject]:
    """Claude's thinking as LiteLLM passes it on: a block ends with its signature (wire.md 5.14)."""
    blocks: list[JsonObject] = []
    for piece in pieces:
        last = blocks[-1] if blocks else {}
        if last.get("type") != "thinking" or piece.get("type") != "thinking" or "signature" in last:
            blocks.append({name: value for name, value in piece.items() if value is not None})
            continue
        last["thinking"] = str(last.get("thinking") or "") + str(piece.get("thinking") or "")
        if piece.get("signature"):
            last["signature"] = piece["signature"]
    return blocks
