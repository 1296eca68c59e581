"""Speaks the OpenAI Responses API: its checks, its cache, its stream (wire.md 2.2 to 2.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from agentcli.lib.value import made, value
from agentcli.llm.simulator.dialect import Call, Heard, Manner, make_id
from agentcli.llm.simulator.frames import Frame, Role, named, pieces_of
from agentcli.llm.simulator.gpt_cache import BILLS_WRITES, GptCache
from agentcli.llm.simulator.gpt_diagnostics import KEPT, Compared, compared, diagnosis
from agentcli.llm.simulator.gpt_prompt import (
    OUTPUTS,
    items_of,
    responses_blocks,
    responses_prompt,
)
from agentcli.llm.simulator.gpt_strict import FAULTS, check_window, failure
from agentcli.llm.simulator.prefix import Block, canonical, extend
from agentcli.llm.simulator.refusal import Refused, as_object, openai_error
from agentcli.llm.simulator.responses_strict import (
    check_fields,
    check_items,
    check_tools,
    readable,
)
from agentcli.llm.simulator.script import Asked, Fault, Say, Think, Turn, Use
from agentcli.llm.simulator.seal import conversation_digest, last_mac, seal, unseal
from agentcli.llm.simulator.speech import Speech, arguments, speech
from agentcli.llm.simulator.tokens import content_text, objects
from agentcli.llm.simulator.vendors import gpt_version, reasons
from agentcli.llm.types import JsonObject, Usage

INCOMPLETE = {
    "max_tokens": "max_output_tokens",
    "max_output_tokens": "max_output_tokens",
    "refusal": "content_filter",
    "content_filter": "content_filter",
}
"""Why a response is incomplete, by the stop reason a script asks for."""


class Responses:
    """One account's Responses endpoint, with its cache."""

    wire = "openai-responses"
    manner = Manner()

    def __init__(self) -> None:
        self._cache = GptCache()
        self._answered: dict[str, Compared] = {}

    def hear(self, call: Call) -> Heard:
        blocks, kept, removed = _checked(call)
        prompt = responses_prompt(call.body, kept)
        check_window(prompt.model, prompt.tokens)
        cache = GptCache() if call.cold else self._cache
        charge = cache.look(prompt, call.now)
        digest = conversation_digest(blocks)
        told = self._diagnosis(call, make_id("resp_", digest, call.number), charge.usage)
        return Heard(
            asked=_asked(call),
            usage=charge.usage,
            publish=charge.publish,
            digest=digest,
            diagnosis=told,
            last_thought=last_mac(blocks),
            transformations=tuple(removed),
            at=call.now,
        )

    def _diagnosis(self, call: Call, name: str, usage: Usage) -> JsonObject | None:
        """What is said where a comparison is asked for; the response can be compared with, too."""
        now = compared(call.body, usage.prompt)
        self._answered[name] = now
        for old in list(self._answered)[:-KEPT]:
            del self._answered[old]
        options = as_object(call.body.get("prompt_cache_options"))
        asked = options.get("comparison_response_id")
        return diagnosis(now, self._answered.get(str(asked)), usage.cache_read) if asked else None

    def count(self, call: Call) -> JsonObject:
        _, kept, _ = _checked(call)
        tokens = responses_prompt(call.body, kept).tokens
        return {"object": "response.input_tokens", "input_tokens": tokens}

    def speak(self, heard: Heard, turn: Turn, delta: int) -> Iterator[Frame]:
        for number, (event, role) in enumerate(_events(heard, turn, delta)):
            numbered = {"type": event["type"], "sequence_number": number, **event}
            yield named(numbered, role)

    def whole(self, heard: Heard, turn: Turn) -> JsonObject:
        said = _said(heard, turn)
        return _finished(heard, turn, said, [item.value for item in _items(heard, said)])

    def error(self, refused: Refused, request_id: str) -> JsonObject:
        return openai_error(refused)

    def error_event(self, kind: str) -> Frame:
        code = {"overloaded_error": "server_error"}.get(kind, kind)
        messages = {str(code): text for _, _, code, text in FAULTS.values()}
        message = messages.get(code, "The server had an error.")
        return named({"type": "error", "code": code, "message": message, "param": None})

    def failure(self, fault: Fault, model: str) -> Refused:
        return failure(fault.name, model)


def _checked(call: Call) -> tuple[list[Block], list[Block], list[JsonObject]]:
    """All blocks, those the model reads, and a note of each that was removed."""
    check_fields(call.body)
    check_tools(call.body)
    check_items(call.body)
    blocks = responses_blocks(call.body)
    return blocks, *readable(call.body, blocks)


def _asked(call: Call) -> Asked:
    items = items_of(call.body.get("input"))
    users = [content_text(item.get("content")) for item in items if item.get("role") == "user"]
    results: list[str] = []
    for item in reversed(items):
        if item["type"] not in OUTPUTS:
            break
        results.insert(0, content_text(item.get("output")))
    return Asked(
        wire=Responses.wire,
        model=str(call.body["model"]),
        body=call.body,
        number=call.number,
        system=str(call.body.get("instructions") or ""),
        texts=tuple(users),
        results=tuple(results),
    )


@value
class _Item:
    """One output item as it will come back, and how it is streamed."""

    value: JsonObject
    kind: str
    text: str = ""
    hollow: JsonObject = made(default_factory=dict[str, Any])
    """The fields that are empty while it begins."""


def _said(heard: Heard, turn: Turn) -> Speech:
    body = heard.asked.body
    effort = as_object(body.get("reasoning")).get("effort")
    thinks = reasons(heard.asked.model) and effort != "none"
    return speech(turn.parts, limit=body.get("max_output_tokens"), thinks=thinks)


def _items(heard: Heard, said: Speech) -> list[_Item]:
    digest, last = heard.digest, heard.last_thought
    custom = {str(t.get("name")) for t in objects(heard.asked.body.get("tools")) if _is_custom(t)}
    found: list[_Item] = []
    for index, part in enumerate(said.parts):
        cut = said.cut and index == len(said.parts) - 1
        name = make_id("", heard.digest, index)
        match part:
            case Say(text):
                item = _message(name, text, cut=cut)
            case Think(text, redacted):
                secret = seal(heard.asked.model, digest, last, "")
                signed = unseal(secret)
                last = signed.mac if signed else last
                shown = not redacted and _shows_summary(heard.asked.body)
                item = _reasoning(name, text if shown else "", secret)
            case Use():
                item = _call(name, part, custom=part.name in custom, cut=cut)
        found.append(item)
        if not isinstance(part, Think):
            digest = extend(digest, canonical(_as_block(item.value)))
    return found


def _is_custom(tool: JsonObject) -> bool:
    return tool.get("type") == "custom"


def _as_block(value: JsonObject) -> Block:
    """The item as the next request will hold it."""
    return responses_blocks({"input": [value]})[0]


def _shows_summary(body: JsonObject) -> bool:
    return bool(as_object(body.get("reasoning")).get("summary"))


def _message(name: str, text: str, *, cut: bool) -> _Item:
    value: JsonObject = {
        "id": f"msg_{name}",
        "type": "message",
        "status": "incomplete" if cut else "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }
    return _Item(value, "message", text, {"content": [], "status": "in_progress"})


def _reasoning(name: str, text: str, secret: str) -> _Item:
    summary = [{"type": "summary_text", "text": text}] if text else []
    value: JsonObject = {"id": f"rs_{name}", "type": "reasoning", "summary": summary}
    value["encrypted_content"] = secret
    return _Item(value, "reasoning", text, {"summary": []})


def _call(name: str, part: Use, *, custom: bool, cut: bool) -> _Item:
    kind, slot = ("custom_tool_call", "input") if custom else ("function_call", "arguments")
    given = part.input.get("input")
    text = given if custom and part.raw is None and isinstance(given, str) else arguments(part)
    value: JsonObject = {
        "id": f"{'ctc' if custom else 'fc'}_{name}",
        "type": kind,
        "status": "incomplete" if cut else "completed",
        "call_id": part.id or f"call_{name}",
        "name": part.name,
        slot: text,
    }
    return _Item(value, kind, text, {slot: "", "status": "in_progress"})


def _events(heard: Heard, turn: Turn, delta: int) -> Iterator[tuple[JsonObject, Role]]:
    said = _said(heard, turn)
    items = _items(heard, said)
    begun = _response(heard, "in_progress", [])
    yield {"type": "response.created", "response": begun}, "frame"
    yield {"type": "response.in_progress", "response": begun}, "frame"
    for index, item in enumerate(items):
        place = {"output_index": index}
        added = {**item.value, **item.hollow}
        yield {"type": "response.output_item.added", **place, "item": added}, "frame"
        where = {"item_id": item.value["id"], **place}
        for event, role in _inside(item, delta):
            yield {"type": event["type"], **where, **event}, role
        yield {"type": "response.output_item.done", **place, "item": item.value}, "frame"
    response = _finished(heard, turn, said, [item.value for item in items])
    yield {"type": f"response.{response['status']}", "response": response}, "frame"


def _inside(item: _Item, delta: int) -> Iterator[tuple[JsonObject, Role]]:
    """What happens between an item's beginning and its end."""
    match item.kind:
        case "message":
            part: JsonObject = {"type": "output_text", "text": "", "annotations": []}
            place: JsonObject = {"content_index": 0}
            yield {"type": "response.content_part.added", **place, "part": part}, "frame"
            yield from _deltas("response.output_text", "text", item.text, delta, place)
            part = item.value["content"][0]
            yield {"type": "response.content_part.done", **place, "part": part}, "frame"
        case "reasoning" if item.text:
            part = {"type": "summary_text", "text": ""}
            place = {"summary_index": 0}
            name = "response.reasoning_summary"
            yield {"type": f"{name}_part.added", **place, "part": part}, "frame"
            yield from _deltas(f"{name}_text", "text", item.text, delta, place)
            part = item.value["summary"][0]
            yield {"type": f"{name}_part.done", **place, "part": part}, "frame"
        case "function_call":
            name = "response.function_call_arguments"
            yield from _deltas(name, "arguments", item.text, delta, {})
        case "custom_tool_call":
            yield from _deltas("response.custom_tool_call_input", "input", item.text, delta, {})
        case _:
            return


def _deltas(
    name: str, slot: str, text: str, size: int, place: JsonObject
) -> Iterator[tuple[JsonObject, Role]]:
    role: Role = "delta" if slot == "text" else "arguments"
    for piece in pieces_of(text, size):
        yield {"type": f"{name}.delta", **place, "delta": piece}, role
    yield {"type": f"{name}.done", **place, slot: text}, "frame"


def _response(heard: Heard, status: str, output: list[JsonObject]) -> JsonObject:
    body = heard.asked.body
    response: JsonObject = {
        "id": make_id("resp_", heard.digest, heard.asked.number),
        "object": "response",
        "created_at": int(heard.at),
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": heard.asked.model,
        "output": output,
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "service_tier": "default",
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": cast("list[Any]", []),
        "usage": None,
    }
    if heard.transformations:
        response["input_transformations"] = list(heard.transformations)
    if heard.diagnosis:
        response["prompt_cache_diagnostics"] = heard.diagnosis
    return response


def _finished(heard: Heard, turn: Turn, said: Speech, output: list[JsonObject]) -> JsonObject:
    stop = turn.stop or ("max_tokens" if said.cut else "")
    status = "incomplete" if stop in INCOMPLETE else "completed"
    if stop in ("error", "failed"):
        status = "failed"
    response = _response(heard, status, output)
    if status == "incomplete":
        response["incomplete_details"] = {"reason": INCOMPLETE[stop]}
    if status == "failed":
        response["error"] = {"code": "server_error", "message": "The server had an error."}
    if turn.reports_usage:
        response["usage"] = _usage(heard, said) | (turn.usage or {})
    return response


def _usage(heard: Heard, said: Speech) -> JsonObject:
    """wire.md 2.6: what is cached and written is part of `input_tokens`."""
    usage: Usage = heard.usage
    details: JsonObject = {"cached_tokens": usage.cache_read}
    if gpt_version(heard.asked.model) >= BILLS_WRITES:
        details["cache_write_tokens"] = usage.cache_write_5m + usage.cache_write_1h
        details["cache_write_tokens_details"] = {
            "ttl_30m_tokens": usage.cache_write_5m,
            "ttl_12h_tokens": usage.cache_write_1h,
        }
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": details,
        "output_tokens": said.output,
        "output_tokens_details": {"reasoning_tokens": said.reasoning},
        "total_tokens": usage.prompt + said.output,
    }
