"""The OpenAI Chat Completions wire, the lingua franca of compatible servers (wire.md 2.5, 5)."""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

from agentcli.llm.cache import CachePlan, Mark
from agentcli.llm.estimate import tokens_of_request
from agentcli.llm.providers import Quirks, Route
from agentcli.llm.types import (
    AssistantMessage,
    Image,
    JsonObject,
    Message,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolOutput,
)
from agentcli.llm.wire.openai_chat_decode import ARGUMENTS, ChatDecoder
from agentcli.llm.wire.openai_chat_effort import effort_fields

NAME = "openai-chat"
DEFAULT_MAX_OUTPUT = 32_000
LEAST_OUTPUT = 1024
BRIDGE = "(I have read the results.)"
NOT_PLAIN = ("$schema", "$id", "additionalProperties")
IMAGES_BELOW = "(the images are in the next message)"


class ChatWire:
    name = NAME

    def path(self, route: Route) -> str:
        return "/chat/completions"

    def headers(self, route: Route) -> dict[str, str]:
        return {"accept": "text/event-stream"}

    def encode(self, request: Request, route: Route, plan: CachePlan) -> JsonObject:
        """The body, with the departures that the provider's quirks name."""
        quirks = route.provider.quirks
        body: JsonObject = {
            "model": route.model.id,
            "stream": True,
            "messages": _messages(request, route, plan),
        }
        if request.tools and quirks.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": _schema(tool.input_schema, quirks),
                    },
                }
                for tool in request.tools
            ]
        if quirks.stream_options:
            body["stream_options"] = {"include_usage": True}
        body |= _options(request, route, plan)
        return body

    def decoder(self, route: Route) -> ChatDecoder:
        return ChatDecoder(route)


def _options(request: Request, route: Route, plan: CachePlan) -> JsonObject:
    quirks = route.provider.quirks
    options: JsonObject = {}
    limit = _limit(request, route)
    if limit and quirks.max_tokens_field:
        options[quirks.max_tokens_field] = limit
    options |= effort_fields(request.effort, route) | quirks.fields
    key = plan.key or request.key
    if key and quirks.prompt_cache_key:
        options["prompt_cache_key"] = key
    if key and quirks.session_id:
        options["session_id"] = key
    if request.output_schema is not None:
        schema = {"name": "answer", "schema": request.output_schema}
        options["response_format"] = {"type": "json_schema", "json_schema": schema}
    return options


def _limit(request: Request, route: Route) -> int | None:
    """The longest reply: prompt and reply together must fit the window (wire.md 5.13)."""
    most = route.model.max_output or request.max_output
    if not most:
        return None
    wanted = min(most, request.max_output or DEFAULT_MAX_OUTPUT)
    if not route.model.context:
        return wanted
    room = route.model.context - tokens_of_request(request) * 5 // 4
    return min(wanted, max(room, LEAST_OUTPUT))


def _schema(schema: JsonObject, quirks: Quirks) -> JsonObject:
    return cast("JsonObject", _plain(schema)) if quirks.plain_schemas else schema


def _plain(part: Any) -> Any:
    if isinstance(part, list):
        return [_plain(each) for each in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    fields = cast("JsonObject", part)
    return {name: _plain(inner) for name, inner in fields.items() if name not in NOT_PLAIN}


def _messages(request: Request, route: Route, plan: CachePlan) -> list[JsonObject]:
    """System first; each message of ours becomes one or more of theirs, always the same."""
    quirks = route.provider.quirks
    placed = {(mark.message, mark.block): mark for mark in plan.marks if mark.message >= 0}
    encoded: list[JsonObject] = []
    system = [part for part in request.system if part.strip()]
    if system:
        encoded.append({"role": "system", "content": _system(system, plan, quirks)})
    for index, message in enumerate(request.messages):
        if isinstance(message, AssistantMessage):
            encoded.append(_assistant(message, route))
            continue
        marked = [placed.get((index, n)) for n in range(len(message.content))]
        encoded += _user(message, marked if quirks.cache_control else [], route)
    return encoded


def _system(parts: list[str], plan: CachePlan, quirks: Quirks) -> str | list[JsonObject]:
    marks = [m for m in plan.marks if m.segment in ("system", "memory")]
    if not (quirks.cache_control and marks):
        return "\n\n".join(parts)
    blocks: list[JsonObject] = [{"type": "text", "text": part} for part in parts]
    for mark in marks:
        _mark(blocks[0] if mark.segment == "system" else blocks[-1], mark)
    return blocks


def _user(message: Message, marks: list[Mark | None], route: Route) -> list[JsonObject]:
    """Tool messages first, then one user message; pictures in results move into the latter."""
    found: list[JsonObject] = []
    parts: list[JsonObject] = []
    for number, block in enumerate(message.content):
        mark = marks[number] if number < len(marks) else None
        match block:
            case ToolOutput():
                found.append(_tool_message(block, mark, route))
                parts += [_part(p) for p in block.content if isinstance(p, Image)]
            case Text() | Image():
                parts.append(_part(block))
                if mark is not None:
                    _mark(parts[-1], mark)
            case _:
                continue
    if parts:
        if found and route.provider.quirks.bridged:
            found.append({"role": "assistant", "content": BRIDGE})
        found.append({"role": "user", "content": _flat(parts)})
    return found


def _flat(parts: list[JsonObject]) -> str | list[JsonObject]:
    """Plain text as a string, which every server takes."""
    if all(part.keys() == {"type", "text"} for part in parts):
        return "\n\n".join(str(part["text"]) for part in parts)
    return parts


def _tool_message(output: ToolOutput, mark: Mark | None, route: Route) -> JsonObject:
    text = "\n".join(part.text for part in output.content if isinstance(part, Text))
    if any(isinstance(part, Image) for part in output.content):
        text = f"{text}\n{IMAGES_BELOW}".strip()
    content: str | list[JsonObject] = text or "(empty)"
    if mark is not None:
        content = [{"type": "text", "text": content}]
        _mark(content[0], mark)
    return {"role": "tool", "tool_call_id": _id(output.call_id, route), "content": content}


def _part(block: Text | Image) -> JsonObject:
    if isinstance(block, Text):
        return {"type": "text", "text": block.text}
    url = f"data:{block.media_type};base64,{block.data}"
    return {"type": "image_url", "image_url": {"url": url}}


def _assistant(message: AssistantMessage, route: Route) -> JsonObject:
    native = message.native
    own = native is not None and (native.wire, native.model) == (NAME, route.model.id)
    kept: JsonObject = {}
    for block in native.blocks if native is not None and own else ():
        kept |= block
    written = kept.pop(ARGUMENTS, {})
    calls = [_call(call, route, written.get(call.id)) for call in message.tool_calls]
    text = message.text
    found: JsonObject = {"role": "assistant"}
    found["content"] = text if text.strip() else None if calls else "(interrupted)"
    if calls:
        found["tool_calls"] = calls
    return found | _reasoning(message, route, own=own) | kept


def _reasoning(message: AssistantMessage, route: Route, *, own: bool) -> JsonObject:
    """Earlier reasoning, where this provider wants back what it said itself."""
    how = route.provider.quirks.reasoning_replay
    said = "".join(b.text for b in message.content if isinstance(b, Thinking)) if own else ""
    extras: JsonObject = {}
    if how == "reasoning_content" and (said or message.tool_calls):
        extras[how] = said
    if how == "parts" and said:
        extras["content"] = _with_thinking(said, message.text)
    return extras


def _with_thinking(said: str, text: str) -> list[JsonObject]:
    thinking: JsonObject = {"type": "thinking", "thinking": [{"type": "text", "text": said}]}
    return [thinking, {"type": "text", "text": text}] if text.strip() else [thinking]


def _call(call: ToolCall, route: Route, written: str | None) -> JsonObject:
    """With its arguments as the model `written` them: they stand in its cache byte for byte."""
    raw = written if call.raw is None else call.raw
    raw = json.dumps(call.input, ensure_ascii=False) if raw is None else raw
    function = {"name": call.name, "arguments": raw}
    return {"id": _id(call.id, route), "type": "function", "function": function}


def _id(call_id: str, route: Route) -> str:
    """Mistral takes ids of nine letters and digits only (wire.md 5.3)."""
    if not route.provider.quirks.short_ids or (len(call_id) == 9 and call_id.isalnum()):
        return call_id
    return hashlib.sha256(call_id.encode()).hexdigest()[:9]


def _mark(block: JsonObject, mark: Mark) -> None:
    control = {"type": "ephemeral"}
    block["cache_control"] = control | {"ttl": "1h"} if mark.ttl == "1h" else control


WIRE = ChatWire()
