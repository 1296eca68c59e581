"""A provider that lives in the process: speaks the Messages wire, keeps its cache rules, plays a
script. The offline demo and the tests stand on it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from agentcli.llm.models import find
from agentcli.llm.sim0.cache_rules import AnthropicCache, Counted, tokens
from agentcli.llm.sim0.script import Fail, Say, Step
from agentcli.llm.sim0.strict import Refused, check, sign
from agentcli.llm.types import JsonObject

OVER = "The script of this simulated model is at its end."


class SimulatedProvider:
    """Answers requests from a script; `handle` is all a transport needs."""

    def __init__(
        self, script: Sequence[Step], *, clock: Callable[[], float] = time.time, key: str = ""
    ) -> None:
        self._steps = list(script)
        self._cache = AnthropicCache(clock)
        self._key = key
        self._count = 0
        self.requests: list[JsonObject] = []

    def handle(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], Iterator[bytes]]:
        """Status, headers and the pieces of the body."""
        if self._key and self._key not in (headers.get("x-api-key"), _bearer(headers)):
            return _error(401, "authentication_error", "invalid x-api-key")
        request: JsonObject = json.loads(body)
        try:
            check(request)
        except Refused as refusal:
            return _error(400, "invalid_request_error", str(refusal))
        self.requests.append(request)
        step = self._next(request)
        if isinstance(step, Fail):
            kind = {"content-type": "application/json"} | dict(step.headers)
            return step.status, kind, iter((step.body.encode(),))
        spec = find(str(request["model"]), "anthropic")
        minimum = spec.cache.min_tokens if spec else 1024
        counted = self._cache.request(request, minimum)
        self._count += 1
        events = speak(step, request, counted, self._count)
        return 200, {"content-type": "text/event-stream"}, _cut(events, step.cut_after)

    def _next(self, request: JsonObject) -> Say | Fail:
        step = self._steps.pop(0) if self._steps else Say(OVER)
        return step(request) if callable(step) else step


def _bearer(headers: Mapping[str, str]) -> str:
    return headers.get("authorization", "").removeprefix("Bearer ")


def _error(status: int, kind: str, message: str) -> tuple[int, dict[str, str], Iterator[bytes]]:
    body = {"type": "error", "error": {"type": kind, "message": message}}
    return status, {"content-type": "application/json"}, iter((json.dumps(body).encode(),))


def _cut(events: Iterator[bytes], after: int | None) -> Iterator[bytes]:
    left = after
    for event in events:
        if left is not None and len(event) >= left:
            yield event[:left]
            return
        left = None if left is None else left - len(event)
        yield event


def speak(step: Say, request: JsonObject, counted: Counted, number: int) -> Iterator[bytes]:
    """A reply as the events of a stream (wire.md 1.3)."""
    blocks = _blocks(step, request, number)
    usage = {
        "input_tokens": counted.input,
        "cache_creation_input_tokens": counted.write_5m + counted.write_1h,
        "cache_read_input_tokens": counted.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": counted.write_5m,
            "ephemeral_1h_input_tokens": counted.write_1h,
        },
        "output_tokens": 1,
    }
    message: JsonObject = {"id": f"msg_{number:04}", "type": "message", "role": "assistant"}
    message |= {"content": [], "model": request["model"], "stop_reason": None, "usage": usage}
    yield _event("message_start", message=message)
    for index, block in enumerate(blocks):
        yield from _block_events(index, block, step.piece)
    stop = step.stop or ("tool_use" if step.calls else "end_turn")
    done = {"output_tokens": max(1, sum(tokens(block) for block in blocks))}
    yield _event("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage=done)
    yield _event("message_stop")


def _blocks(step: Say, request: JsonObject, number: int) -> list[JsonObject]:
    blocks: list[JsonObject] = []
    if step.thinking:
        signature = sign(request, step.thinking)
        blocks.append({"type": "thinking", "thinking": step.thinking, "signature": signature})
    if step.text:
        blocks.append({"type": "text", "text": step.text})
    for index, (name, arguments) in enumerate(step.calls):
        call_id = f"toolu_{number:04}_{index}"
        blocks.append({"type": "tool_use", "id": call_id, "name": name, "input": arguments})
    return blocks


def _block_events(index: int, block: JsonObject, piece: int) -> Iterator[bytes]:
    kind = block["type"]
    empty: dict[str, JsonObject] = {
        "text": {"text": ""},
        "thinking": {"thinking": "", "signature": ""},
    }
    start: JsonObject = block | empty.get(kind, {"input": {}})
    yield _event("content_block_start", index=index, content_block=start)
    for delta in _deltas(block, piece):
        yield _event("content_block_delta", index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def _deltas(block: JsonObject, piece: int) -> Iterator[JsonObject]:
    match block["type"]:
        case "text":
            for part in _pieces(block["text"], piece):
                yield {"type": "text_delta", "text": part}
        case "thinking":
            for part in _pieces(block["thinking"], piece):
                yield {"type": "thinking_delta", "thinking": part}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case _:
            yield {"type": "input_json_delta", "partial_json": ""}
            for part in _pieces(json.dumps(block["input"], ensure_ascii=False), piece):
                yield {"type": "input_json_delta", "partial_json": part}


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[n : n + size] for n in range(0, len(text), size))


def _event(kind: str, **fields: Any) -> bytes:
    data = json.dumps({"type": kind, **fields}, ensure_ascii=False, separators=(",", ":"))
    return f"event: {kind}\ndata: {data}\n\n".encode("utf-8", "replace")
