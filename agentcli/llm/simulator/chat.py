"""Speaks Chat Completions, as OpenAI and as the vendors that copied it (wire.md 2.5, 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from agentcli.llm.simulator.chat_cache import ChatCache, rule_of
from agentcli.llm.simulator.chat_strict import check_fields, check_messages, check_tools
from agentcli.llm.simulator.dialect import Call, Heard, Manner, make_id
from agentcli.llm.simulator.frames import Frame, pieces_of, plain
from agentcli.llm.simulator.gpt_cache import BILLS_WRITES
from agentcli.llm.simulator.gpt_prompt import chat_prompt, message_pieces
from agentcli.llm.simulator.gpt_strict import FAULTS, check_window, failure
from agentcli.llm.simulator.prefix import extend
from agentcli.llm.simulator.refusal import Refused, as_object, openai_error
from agentcli.llm.simulator.script import Asked, Fault, Say, Think, Turn, Use
from agentcli.llm.simulator.speech import Speech, arguments, speech
from agentcli.llm.simulator.tokens import compact, content_text, objects
from agentcli.llm.simulator.vendors import Vendor, gpt_version, vendor_of
from agentcli.llm.types import JsonObject

STOPS = {
    "end_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "refusal": "content_filter",
}
DONE = Frame(b"data: [DONE]\n\n")


class Chat:
    """One account's Chat endpoint, with its cache. Without a vendor, each model's maker is it."""

    wire = "openai-chat"
    manner = Manner()

    def __init__(self, vendor: Vendor | None = None) -> None:
        self._vendor = vendor
        self._cache = ChatCache()

    def hear(self, call: Call) -> Heard:
        vendor = self._of(str(call.body.get("model", "")))
        check_fields(call.body, vendor)
        check_tools(call.body, vendor)
        check_messages(call.body, vendor)
        prompt = chat_prompt(call.body)
        check_window(prompt.model, prompt.tokens)
        cache = ChatCache() if call.cold else self._cache
        charge = cache.look(vendor, prompt, call.now)
        return Heard(
            asked=_asked(call),
            usage=charge.usage,
            publish=charge.begin,
            ended=lambda message: charge.end(tuple(message_pieces(message))),
            digest=extend("", compact([call.body.get("tools"), call.body["messages"]])),
            at=call.now,
        )

    def count(self, call: Call) -> JsonObject:
        raise Refused("Chat Completions has no endpoint that counts tokens.", status=404)

    def speak(self, heard: Heard, turn: Turn, delta: int) -> Iterator[Frame]:
        vendor = self._of(heard.asked.model)
        said = _said(heard, turn)
        yield _chunk(heard, {"role": "assistant", "content": ""})
        number = 0
        for index, part in enumerate(said.parts):
            match part:
                case Say(text):
                    yield from _texts(heard, "content", text, delta)
                case Think(text) if vendor.reasoning_field:
                    yield from _thoughts(heard, vendor.reasoning_field, text, delta)
                case Use():
                    yield from _call_chunks(heard, part, (number, index), delta)
                    number += 1
                case _:
                    continue
        yield _chunk(heard, {}, _stop(turn, said))
        options = as_object(heard.asked.body.get("stream_options"))
        if turn.reports_usage and (vendor.always_usage or options.get("include_usage")):
            usage = _usage(heard, said, vendor) | (turn.usage or {})
            yield plain(_head(heard, "chat.completion.chunk") | {"choices": [], "usage": usage})
        heard.ended(_message(heard, said, vendor))
        yield DONE

    def whole(self, heard: Heard, turn: Turn) -> JsonObject:
        vendor = self._of(heard.asked.model)
        said = _said(heard, turn)
        message = _message(heard, said, vendor)
        heard.ended(message)
        choice: JsonObject = {"index": 0, "message": message}
        choice["finish_reason"] = _stop(turn, said)
        answer = _head(heard, "chat.completion") | {"choices": [choice]}
        if turn.reports_usage:
            answer["usage"] = _usage(heard, said, vendor) | (turn.usage or {})
        return answer

    def error(self, refused: Refused, request_id: str) -> JsonObject:
        return openai_error(refused)

    def error_event(self, kind: str) -> Frame:
        messages = {str(code): text for _, _, code, text in FAULTS.values()}
        message = messages.get(kind, "The server had an error.")
        return plain({"error": {"message": message, "type": kind, "param": None, "code": kind}})

    def failure(self, fault: Fault, model: str) -> Refused:
        return failure(fault.name, model)

    def _of(self, model: str) -> Vendor:
        return self._vendor or vendor_of(model)


def _asked(call: Call) -> Asked:
    messages = objects(call.body["messages"])

    def texts(*roles: str) -> list[str]:
        return [content_text(m.get("content")) for m in messages if m["role"] in roles]

    results: list[str] = []
    for message in reversed(messages):
        if message["role"] != "tool":
            break
        results.insert(0, content_text(message.get("content")))
    return Asked(
        wire=Chat.wire,
        model=str(call.body["model"]),
        body=call.body,
        number=call.number,
        system="\n\n".join(texts("system", "developer")),
        texts=tuple(texts("user")),
        results=tuple(results),
    )


def _said(heard: Heard, turn: Turn) -> Speech:
    body = heard.asked.body
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    off = as_object(body.get("thinking")).get("type") == "disabled"
    thinks = not off and body.get("reasoning_effort") != "none"
    return speech(turn.parts, limit=limit, thinks=thinks)


def _head(heard: Heard, kind: str) -> JsonObject:
    return {
        "id": make_id("chatcmpl-", heard.digest, heard.asked.number),
        "object": kind,
        "created": int(heard.at),
        "model": heard.asked.model,
    }


def _chunk(heard: Heard, delta: JsonObject, finish: str | None = None) -> Frame:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return plain(_head(heard, "chat.completion.chunk") | {"choices": [choice]})


def _texts(heard: Heard, field: str, text: str, size: int) -> Iterator[Frame]:
    for piece in pieces_of(text, size):
        yield Frame(_chunk(heard, {field: piece}).data, "delta")


def _thoughts(heard: Heard, field: str, text: str, size: int) -> Iterator[Frame]:
    """In a field of its own, signed beside it (wire.md 5.5, 5.14), or in the content (5.3)."""
    if field not in ("reasoning_details", "thinking_blocks", "parts"):
        yield from _texts(heard, field, text, size)
        return
    for piece in pieces_of(text, size):
        match field:
            case "reasoning_details":
                item: JsonObject = {"type": "reasoning.text", "text": piece, "index": 0}
                shown: JsonObject = {"reasoning": piece, field: [item]}
            case "thinking_blocks":
                item = {"type": "thinking", "thinking": piece, "signature": None}
                shown = {"reasoning_content": piece, field: [item]}
            case _:
                inner = [{"type": "text", "text": piece}]
                shown = {"content": [{"type": "thinking", "thinking": inner}]}
        yield Frame(_chunk(heard, shown).data, "delta")
    signed: JsonObject = {"signature": extend("", text)}
    if field == "reasoning_details":
        yield _chunk(heard, {field: [{"type": "reasoning.text", "index": 0} | signed]})
    if field == "thinking_blocks":
        yield _chunk(heard, {field: [{"type": "thinking", "thinking": ""} | signed]})


def _call_chunks(heard: Heard, call: Use, place: tuple[int, int], size: int) -> Iterator[Frame]:
    """Id and name first, then the arguments piece by piece. `place`: number of the call, part."""
    number, index = place
    first = _call(heard, call, index, "") | {"index": number}
    yield _chunk(heard, {"tool_calls": [first]})
    for piece in pieces_of(arguments(call), size):
        fragment = {"index": number, "function": {"arguments": piece}}
        yield Frame(_chunk(heard, {"tool_calls": [fragment]}).data, "arguments")


def _call(heard: Heard, call: Use, index: int, text: str) -> JsonObject:
    function = {"name": call.name, "arguments": text}
    name = call.id or make_id("call_", heard.digest, index)
    return {"id": name, "type": "function", "function": function}


def _message(heard: Heard, said: Speech, vendor: Vendor) -> JsonObject:
    calls: list[JsonObject] = []
    for index, part in enumerate(said.parts):
        if isinstance(part, Use):
            calls.append(_call(heard, part, index, arguments(part)))
    text = "".join(part.text for part in said.parts if isinstance(part, Say))
    thought = "".join(part.text for part in said.parts if isinstance(part, Think))
    message: JsonObject = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = cast("list[Any]", calls)
    if thought and vendor.reasoning_field:
        message[vendor.reasoning_field] = thought
    return message


def _stop(turn: Turn, said: Speech) -> str:
    calls = any(isinstance(part, Use) for part in said.parts)
    word = turn.stop or ("max_tokens" if said.cut else "tool_use" if calls else "end_turn")
    return STOPS.get(word, word)


def _usage(heard: Heard, said: Speech, vendor: Vendor) -> JsonObject:
    """wire.md 2.6, 5.1: what is cached is part of `prompt_tokens`."""
    usage = heard.usage
    details: JsonObject = {"cached_tokens": usage.cache_read} | _writes(heard, vendor)
    answer: JsonObject = {
        "prompt_tokens": usage.prompt,
        "completion_tokens": said.output,
        "total_tokens": usage.prompt + said.output,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": said.reasoning},
    }
    if vendor.hit_fields:
        answer["prompt_cache_hit_tokens"] = usage.cache_read
        answer["prompt_cache_miss_tokens"] = usage.prompt - usage.cache_read
    return answer


def _writes(heard: Heard, vendor: Vendor) -> JsonObject:
    """What was written, in each vendor's words (wire.md 2.6, 5.5, 5.8)."""
    short, long = heard.usage.cache_write_5m, heard.usage.cache_write_1h
    if vendor.name == "dashscope":
        split = {"ephemeral_5m_input_tokens": short + long}
        return {"cache_creation_input_tokens": short + long, "cache_creation": split}
    model = heard.asked.model
    rule = rule_of(vendor, model)
    is_new = rule.kind == "openai" and gpt_version(model) >= BILLS_WRITES
    if is_new or rule.heeds(model) or rule.bills_writes(model):
        return {"cache_write_tokens": short + long}
    return {}
