"""Speaks the Anthropic Messages API: its checks, its cache, its stream (wire.md 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from agentcli.lib.value import replace
from agentcli.llm.models import find
from agentcli.llm.simulator.chat_cache import ChatCache, ChatCharge
from agentcli.llm.simulator.claude_cache import ClaudeCache, prompt
from agentcli.llm.simulator.claude_reply import reply_blocks, spoken, stop_of
from agentcli.llm.simulator.claude_strict import (
    check_fields,
    check_headers,
    check_marks,
    check_tools,
)
from agentcli.llm.simulator.claude_talk import check_messages, readable
from agentcli.llm.simulator.dialect import Call, Heard, Manner, make_id
from agentcli.llm.simulator.frames import Frame, Role, named, pieces_of
from agentcli.llm.simulator.gpt_prompt import block_pieces, blocks_prompt
from agentcli.llm.simulator.prefix import Block, content_blocks, flatten
from agentcli.llm.simulator.refusal import Refused, anthropic_error
from agentcli.llm.simulator.script import Asked, Fault, Turn
from agentcli.llm.simulator.seal import conversation_digest, last_mac
from agentcli.llm.simulator.speech import Speech
from agentcli.llm.simulator.tokens import content_text, objects
from agentcli.llm.simulator.vendors import vendor_of
from agentcli.llm.types import JsonObject, Usage

FAULTS: dict[str, tuple[int, str, str]] = {
    "rate_limited": (429, "rate_limit_error", "This request would exceed your rate limit."),
    "quota": (402, "billing_error", "Your credit balance is too low."),
    "overloaded": (529, "overloaded_error", "Overloaded"),
    "context_overflow": (
        400,
        "invalid_request_error",
        "prompt is too long: 1000001 tokens > 1000000 maximum",
    ),
    "unauthorized": (401, "authentication_error", "invalid x-api-key"),
    "no_key": (401, "authentication_error", "x-api-key header is required"),
    "server_error": (500, "api_error", "Internal server error"),
}
"""wire.md 1.9."""


AUTOMATIC = ("deepseek", "moonshot")
"""wire.md 5.1, 5.6: whose models cache by themselves here too; marks are nothing to them."""


class Claude:
    """One account's Messages endpoint, with its cache."""

    wire = "anthropic"
    manner = Manner()

    def __init__(self) -> None:
        self._cache = ClaudeCache()
        self._automatic = ChatCache()

    def hear(self, call: Call) -> Heard:
        blocks, kept, dropped = checked(call, counting=False)
        beta = call.headers.get("anthropic-beta", "")
        seen = prompt(call.body, beta=beta, blocks=kept)
        _check_window(str(call.body["model"]), seen.tokens)
        heard = Heard(
            asked=_asked(call),
            usage=Usage(),
            publish=lambda: None,
            digest=conversation_digest(blocks),
            last_thought=last_mac(blocks),
            transformations=tuple(dropped),
        )
        vendor = vendor_of(str(call.body["model"]))
        if vendor.name in AUTOMATIC:
            cache = ChatCache() if call.cold else self._automatic
            paid = cache.look(vendor, blocks_prompt(call.body, kept), call.now)
            return replace(heard, usage=paid.usage, publish=paid.begin, ended=_ended(paid))
        marked = ClaudeCache() if call.cold else self._cache
        charge = marked.look(seen, call.now)
        return replace(heard, usage=charge.usage, publish=lambda: marked.publish(charge))

    def count(self, call: Call) -> JsonObject:
        _, kept, _ = checked(call, counting=True)
        return {"input_tokens": prompt(call.body, blocks=kept).tokens}

    def speak(self, heard: Heard, turn: Turn, delta: int) -> Iterator[Frame]:
        said = spoken(heard, turn)
        reply = reply_blocks(heard, said)
        start = _message(heard)
        if turn.reports_usage:
            start["usage"] = _usage(heard.usage, 1, 0) | (turn.usage or {})
        yield named({"type": "message_start", "message": start})
        for index, (block, raw) in enumerate(reply):
            yield from _block_frames(index, block, raw, delta)
        heard.ended({"content": [block for block, _ in reply]})
        yield named(_end(turn, said, heard.usage))
        yield named({"type": "message_stop"})

    def whole(self, heard: Heard, turn: Turn) -> JsonObject:
        said = spoken(heard, turn)
        message = _message(heard) | {"content": [block for block, _ in reply_blocks(heard, said)]}
        heard.ended(message)
        message |= stop_of(turn, said)
        if turn.reports_usage:
            usage = _usage(heard.usage, said.output, said.reasoning)
            message["usage"] = usage | (turn.usage or {})
        return message

    def error(self, refused: Refused, request_id: str) -> JsonObject:
        return anthropic_error(refused.kind, refused.message, request_id)

    def error_event(self, kind: str) -> Frame:
        messages = {name: text for _, name, text in FAULTS.values()}
        return named(anthropic_error(kind, messages.get(kind, kind), "req_stream"))

    def failure(self, fault: Fault, model: str) -> Refused:
        if fault.name == "model_not_found":
            return Refused(f"model: {model}", status=404, kind="not_found_error")
        status, kind, message = FAULTS[fault.name]
        return Refused(message, status=status, kind=kind)


def checked(call: Call, *, counting: bool) -> tuple[list[Block], list[Block], list[JsonObject]]:
    """All blocks, those the model reads, and a note of each that was dropped."""
    check_headers(call.headers)
    check_fields(call.body, call.headers, counting=counting)
    check_tools(call.body)
    check_messages(call.body, call.headers.get("anthropic-version", ""))
    blocks = flatten(call.body)
    check_marks(call.body, blocks)
    return blocks, *readable(call.body, blocks, call.headers.get("anthropic-beta", ""))


def _ended(charge: ChatCharge) -> Callable[[JsonObject], None]:
    """What is kept of a reply is that it follows the request."""

    def end(message: JsonObject) -> None:
        blocks = [
            Block("", "messages", "assistant", block) for block in objects(message["content"])
        ]
        charge.end(block_pieces(blocks))

    return end


def _check_window(model: str, tokens: int) -> None:
    spec = find(model, "anthropic")
    if spec and spec.context and tokens > spec.context:
        raise Refused(f"prompt is too long: {tokens} tokens > {spec.context} maximum")


def _asked(call: Call) -> Asked:
    messages = objects(call.body["messages"])
    users = [content_blocks(m["content"]) for m in messages if m["role"] == "user"]
    latest = users[-1] if users else []
    results = [content_text(b.get("content")) for b in latest if b["type"] == "tool_result"]
    return Asked(
        wire=Claude.wire,
        model=str(call.body["model"]),
        body=call.body,
        number=call.number,
        system=content_text(call.body.get("system")),
        texts=tuple(str(b["text"]) for blocks in users for b in blocks if b["type"] == "text"),
        results=tuple(results),
    )


def _message(heard: Heard) -> JsonObject:
    message: JsonObject = {
        "id": make_id("msg_", heard.digest, heard.asked.number),
        "type": "message",
        "role": "assistant",
        "model": heard.asked.model,
        "content": cast("list[Any]", []),
        "stop_reason": None,
        "stop_sequence": None,
    }
    if heard.transformations:
        message["input_transformations"] = list(heard.transformations)
    return message


def _block_frames(index: int, block: JsonObject, raw: str, delta: int) -> Iterator[Frame]:
    """One block; `raw` are a call's arguments as text."""
    start = block | _EMPTY.get(str(block["type"]), {})
    yield named({"type": "content_block_start", "index": index, "content_block": start})
    if index == 0:
        yield named({"type": "ping"})
    for change, role in _deltas(block, raw, delta):
        yield named({"type": "content_block_delta", "index": index, "delta": change}, role)
    yield named({"type": "content_block_stop", "index": index})


_EMPTY: dict[str, JsonObject] = {
    "text": {"text": ""},
    "thinking": {"thinking": "", "signature": ""},
    "tool_use": {"input": {}},
}


def _deltas(block: JsonObject, raw: str, size: int) -> Iterator[tuple[JsonObject, Role]]:
    match block["type"]:
        case "text":
            for piece in pieces_of(str(block["text"]), size):
                yield {"type": "text_delta", "text": piece}, "delta"
        case "thinking":
            for piece in pieces_of(str(block["thinking"]), size):
                yield {"type": "thinking_delta", "thinking": piece}, "delta"
            yield {"type": "signature_delta", "signature": block["signature"]}, "frame"
        case "tool_use":
            yield {"type": "input_json_delta", "partial_json": ""}, "frame"
            for piece in pieces_of("" if raw == "{}" else raw, size):
                yield {"type": "input_json_delta", "partial_json": piece}, "arguments"
        case _:
            return


def _end(turn: Turn, said: Speech, prompt_usage: Usage) -> JsonObject:
    event: JsonObject = {"type": "message_delta", "delta": stop_of(turn, said)}
    if turn.reports_usage:
        usage = _usage(prompt_usage, said.output, said.reasoning) | (turn.usage or {})
        usage.pop("cache_creation", None)
        event["usage"] = usage
    return event


def _usage(prompt_usage: Usage, output: int, reasoning: int) -> JsonObject:
    """wire.md 1.10: what is cached is not part of `input_tokens`."""
    short, long = prompt_usage.cache_write_5m, prompt_usage.cache_write_1h
    usage: JsonObject = {
        "input_tokens": prompt_usage.input,
        "cache_creation_input_tokens": short + long,
        "cache_read_input_tokens": prompt_usage.cache_read,
        "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
        "output_tokens": output,
    }
    if reasoning:
        usage["output_tokens_details"] = {"thinking_tokens": reasoning}
    return usage
