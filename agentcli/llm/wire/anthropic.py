"""The Anthropic Messages wire: encoding (wire.md 1.2–1.7)."""

from __future__ import annotations

import re
from typing import Any

from agentcli.llm.cache import CachePlan, Mark
from agentcli.llm.efforts import BUDGETS, asked, is_new_claude
from agentcli.llm.providers import Route
from agentcli.llm.types import (
    AssistantMessage,
    Effort,
    Image,
    JsonObject,
    Message,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolOutput,
    UserMessage,
)
from agentcli.llm.wire.anthropic_decode import AnthropicDecoder

NAME = "anthropic"
DEFAULT_MAX_OUTPUT = 32_000
MOST = 32_000
LEAST = 1024
"""The smallest thinking budget there is (wire.md 1.6)."""
CUT = "(interrupted)"
_BAD_ID = re.compile(r"[^a-zA-Z0-9_-]")


class AnthropicWire:
    name = NAME

    def path(self, route: Route) -> str:
        return "/messages" if route.url.endswith("/v1") else "/v1/messages"

    def headers(self, route: Route) -> dict[str, str]:
        return {"anthropic-version": "2023-06-01", "accept": "text/event-stream"}

    def encode(self, request: Request, route: Route, plan: CachePlan) -> JsonObject:
        """The body. Field order is fixed, so equal requests give equal bytes."""
        marks = plan.marks
        body: JsonObject = {
            "model": route.model.id,
            "max_tokens": _max_tokens(request, route),
            "stream": True,
        }
        system = _system(request.system, marks)
        if system:
            body["system"] = system
        body |= _thinking(request, route)
        if request.tools:
            body["tools"] = _tools(request, marks)
        body["messages"] = _messages(request.messages, route, marks)
        return body

    def decoder(self, route: Route) -> AnthropicDecoder:
        return AnthropicDecoder(route)


def _max_tokens(request: Request, route: Route) -> int:
    limit = route.model.max_output
    wanted = request.max_output or min(DEFAULT_MAX_OUTPUT, limit or DEFAULT_MAX_OUTPUT)
    return min(wanted, limit) if limit else wanted


def _system(parts: tuple[str, ...], marks: tuple[Mark, ...]) -> list[JsonObject]:
    blocks: list[JsonObject] = [{"type": "text", "text": part} for part in parts if part.strip()]
    for mark in marks:
        if mark.segment == "system" and blocks:
            _mark(blocks[0], mark)
        elif mark.segment == "memory" and blocks:
            _mark(blocks[-1], mark)
    return blocks


def _thinking(request: Request, route: Route) -> JsonObject:
    """Reasoning as the model's generation wants it asked for (wire.md 1.6).

    A model that takes an effort elsewhere takes a budget on its vendor's Messages surface.
    """
    fields: JsonObject = {}
    config: JsonObject = {}
    effort, kind = asked(request.effort, route), route.model.thinking
    if effort == "none":
        fields |= {} if kind == "budget" else {"thinking": {"type": "disabled"}}
    elif kind == "adaptive" or (effort and is_new_claude(route.model)):
        fields["thinking"] = {"type": "adaptive", "display": "summarized"}
        config |= {"effort": effort} if effort else {}
    elif effort:
        fields |= budgeted(effort, _max_tokens(request, route))
        config |= {"effort": effort} if route.provider.quirks.efforts else {}
    if request.output_schema is not None:
        config["format"] = {"type": "json_schema", "schema": request.output_schema}
    return fields | ({"output_config": config} if config else {})


def budgeted(effort: Effort, limit: int) -> JsonObject:
    """Thinking by budget, below the limit of the reply, which holds both; none without room."""
    budget = min(BUDGETS.get(effort, MOST), limit - LEAST)
    return {"thinking": {"type": "enabled", "budget_tokens": budget}} if budget >= LEAST else {}


def _tools(request: Request, marks: tuple[Mark, ...]) -> list[JsonObject]:
    tools: list[JsonObject] = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema}
        for tool in request.tools
    ]
    for mark in marks:
        if mark.segment == "tools":
            _mark(tools[-1], mark)
    return tools


def _messages(
    messages: tuple[Message, ...], route: Route, marks: tuple[Mark, ...]
) -> list[JsonObject]:
    """Neighbours of one role stay apart, as they were sent: the API merges them itself."""
    placed = {(mark.message, mark.block): mark for mark in marks if mark.message >= 0}
    encoded: list[JsonObject] = []
    for index, message in enumerate(messages):
        if isinstance(message, UserMessage):
            content = _user_content(message)
            for block, wire_block in enumerate(content):
                mark = placed.get((index, block))
                if mark is not None:
                    _mark(wire_block, mark)
            encoded.append({"role": "user", "content": content})
        else:
            encoded.append({"role": "assistant", "content": _assistant_content(message, route)})
    return encoded


def _user_content(message: UserMessage) -> list[JsonObject]:
    return [_user_block(block) for block in message.content] or [_text("(nothing)")]


def _user_block(block: Text | Image | ToolOutput) -> JsonObject:
    match block:
        case Text(text):
            return _text(text)
        case Image():
            return _image(block)
        case ToolOutput(call_id, content, is_error):
            result: JsonObject = {"type": "tool_result", "tool_use_id": _safe_id(call_id)}
            parts = [_user_block(part) for part in content if _is_sent(part)]
            if parts:
                result["content"] = parts
            if is_error:
                result["is_error"] = True
            return result


def _is_sent(part: Text | Image) -> bool:
    return isinstance(part, Image) or bool(part.text)


def _assistant_content(message: AssistantMessage, route: Route) -> list[JsonObject]:
    native = message.native
    if native is not None and (native.wire, native.model) == (NAME, route.model.id):
        kept = [dict(block) for block in native.blocks if _is_legal(block)]
        return kept or [_text(CUT)]
    rebuilt = [_assistant_block(b) for b in message.content if _may_return(b, message)]
    return rebuilt or [_text(CUT)]


def _is_legal(block: JsonObject) -> bool:
    return block.get("type") != "text" or bool(str(block.get("text", "")).strip())


def _may_return(block: Text | Thinking | ToolCall, message: AssistantMessage) -> bool:
    """Thinking without its signature and calls that were never run do not go back."""
    if isinstance(block, Text):
        return bool(block.text.strip())
    return isinstance(block, ToolCall) and message.stop == "tool_use"


def _assistant_block(block: Text | Thinking | ToolCall) -> JsonObject:
    if isinstance(block, ToolCall):
        arguments: Any = block.input if block.raw is None else {"INVALID_JSON": block.raw}
        call_id = _safe_id(block.id)
        return {"type": "tool_use", "id": call_id, "name": block.name, "input": arguments}
    return _text(block.text)


def _text(text: str) -> JsonObject:
    return {"type": "text", "text": text if text.strip() else "(empty)"}


def _image(image: Image) -> JsonObject:
    source = {"type": "base64", "media_type": image.media_type, "data": image.data}
    return {"type": "image", "source": source}


def _mark(block: JsonObject, mark: Mark) -> None:
    control = {"type": "ephemeral"}
    block["cache_control"] = control | {"ttl": "1h"} if mark.ttl == "1h" else control


def _safe_id(call_id: str) -> str:
    """Ids of other vendors, in the letters this one takes; ours stay as they are."""
    return _BAD_ID.sub("_", call_id)[:64] or "call"


WIRE = AnthropicWire()
