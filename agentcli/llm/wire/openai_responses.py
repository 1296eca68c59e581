"""The OpenAI Responses wire: encoding (wire.md 2.2, 2.4)."""

from __future__ import annotations

import json
import re

from agentcli.llm.cache import CachePlan
from agentcli.llm.efforts import asked
from agentcli.llm.providers import Route
from agentcli.llm.types import (
    AssistantMessage,
    Image,
    JsonObject,
    Message,
    Request,
    Text,
    ToolCall,
    ToolOutput,
    ToolSpec,
    UserMessage,
)
from agentcli.llm.wire.openai_responses_decode import ResponsesDecoder

NAME = "openai-responses"
DEFAULT_MAX_OUTPUT = 32_000
GRAMMARS = re.compile(r"gpt-(?:[5-9]|\d\d)")
"""Models that write a tool's input freely, within a grammar."""
KEPT = {
    "reasoning": ("type", "summary", "encrypted_content", "content"),
    "message": ("type", "role", "content", "phase"),
    "function_call": ("type", "call_id", "name", "arguments"),
    "custom_tool_call": ("type", "call_id", "name", "input"),
}
"""Fields of an item that go back; ids and states cannot be resolved when nothing is stored."""


class ResponsesWire:
    name = NAME

    def path(self, route: Route) -> str:
        return "/responses"

    def headers(self, route: Route) -> dict[str, str]:
        return {"accept": "text/event-stream"}

    def encode(self, request: Request, route: Route, plan: CachePlan) -> JsonObject:
        """The body: stateless, with encrypted reasoning asked for and sent back."""
        system = [part for part in request.system if part.strip()]
        body: JsonObject = {
            "model": route.model.id,
            "stream": True,
            "store": False,
            "instructions": system[0] if system else "",
            "input": [*_context(system[1:], plan), *_input(request, route)],
        }
        if request.tools:
            body["tools"] = [_tool(tool, route) for tool in request.tools]
            body["tool_choice"] = "auto"
            body["parallel_tool_calls"] = True
        effort = asked(request.effort, route)
        if effort or route.model.thinking == "effort" or route.model.efforts:
            body["reasoning"] = ({"effort": effort} if effort else {}) | {"summary": "auto"}
            body["include"] = ["reasoning.encrypted_content"]
        if request.output_schema is not None:
            form = {"type": "json_schema", "name": "answer", "schema": request.output_schema}
            body["text"] = {"format": form | {"strict": False}}
        key = plan.key or request.key
        # A gateway passes on what its model's own maker takes.
        if key and (route.provider.quirks.prompt_cache_key or route.model.wire == NAME):
            body["prompt_cache_key"] = key
        if plan.only_marked:
            body["prompt_cache_options"] = {"mode": "explicit"}
        body["max_output_tokens"] = _max_output(request, route)
        if route.provider.quirks.obfuscation:
            body["stream_options"] = {"include_obfuscation": False}
        return body

    def decoder(self, route: Route) -> ResponsesDecoder:
        return ResponsesDecoder(route)


def _max_output(request: Request, route: Route) -> int:
    wanted = request.max_output or DEFAULT_MAX_OUTPUT
    return min(wanted, route.model.max_output) if route.model.max_output else wanted


def _context(texts: list[str], plan: CachePlan) -> list[JsonObject]:
    """A message for each part of the system but the first; the last may be marked (2.8.2)."""
    parts: list[JsonObject] = [{"type": "input_text", "text": text} for text in texts]
    if parts and any(mark.segment == "memory" for mark in plan.marks):
        parts[-1]["prompt_cache_breakpoint"] = {"mode": "explicit"}
    return [{"type": "message", "role": "developer", "content": [part]} for part in parts]


def _is_freeform(tool: ToolSpec, route: Route) -> bool:
    """Grammars came with GPT-5; older models and open weights are given the function."""
    return tool.grammar is not None and GRAMMARS.search(route.model.id.lower()) is not None


def _tool(tool: ToolSpec, route: Route) -> JsonObject:
    if _is_freeform(tool, route):
        form = {"type": "grammar", "syntax": "lark", "definition": tool.grammar}
        head = {"type": "custom", "name": tool.name, "description": tool.description}
        return head | {"format": form}
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.input_schema,
        "strict": False,
    }


def _input(request: Request, route: Route) -> list[JsonObject]:
    """Items in order; a call's output carries the kind its call had."""
    freeform = {tool.name for tool in request.tools if _is_freeform(tool, route)}
    custom: set[str] = set()
    items: list[JsonObject] = []
    for message in request.messages:
        if isinstance(message, UserMessage):
            items += _user_items(message, custom)
            continue
        made = _assistant_items(message, route, freeform)
        custom |= {str(item["call_id"]) for item in made if item["type"] == "custom_tool_call"}
        items += made
    return items


def _user_items(message: Message, custom: set[str]) -> list[JsonObject]:
    items: list[JsonObject] = []
    parts: list[JsonObject] = []
    for block in message.content:
        match block:
            case ToolOutput(call_id, content):
                kind = "custom_tool_call_output" if call_id in custom else "function_call_output"
                items.append({"type": kind, "call_id": call_id, "output": _output(content)})
            case Text() | Image():
                parts.append(_part(block))
            case _:
                continue
    if parts:
        items.append({"type": "message", "role": "user", "content": parts})
    return items


def _output(content: tuple[Text | Image, ...]) -> str | list[JsonObject]:
    if any(isinstance(part, Image) for part in content):
        return [_part(part) for part in content]
    return "\n".join(part.text for part in content if isinstance(part, Text))


def _part(block: Text | Image) -> JsonObject:
    if isinstance(block, Text):
        return {"type": "input_text", "text": block.text}
    return {"type": "input_image", "image_url": f"data:{block.media_type};base64,{block.data}"}


def _assistant_items(
    message: AssistantMessage, route: Route, freeform: set[str]
) -> list[JsonObject]:
    native = message.native
    if native is not None and (native.wire, native.model) == (NAME, route.model.id):
        return _without_loose_reasoning([_kept(item) for item in native.blocks])
    return list(_rebuilt(message, freeform))


def _kept(item: JsonObject) -> JsonObject:
    fields = KEPT.get(str(item.get("type")))
    return item if fields is None else {key: item[key] for key in fields if key in item}


def _without_loose_reasoning(items: list[JsonObject]) -> list[JsonObject]:
    """Reasoning is refused unless something follows it (wire.md 2.4)."""
    while items and items[-1].get("type") == "reasoning":
        items = items[:-1]
    return items


def _rebuilt(message: AssistantMessage, freeform: set[str]) -> list[JsonObject]:
    items: list[JsonObject] = []
    if message.text.strip():
        part: JsonObject = {"type": "output_text", "text": message.text, "annotations": []}
        items.append({"type": "message", "role": "assistant", "content": [part]})
    for call in message.tool_calls:
        items.append(_call(call, freeform))
    return items


def _call(call: ToolCall, freeform: set[str]) -> JsonObject:
    head = {"call_id": call.id, "name": call.name}
    if call.name in freeform:
        text = str(call.input.get("input", call.raw or ""))
        return {"type": "custom_tool_call"} | head | {"input": text}
    raw = call.raw if call.raw is not None else json.dumps(call.input, ensure_ascii=False)
    return {"type": "function_call"} | head | {"arguments": raw}


WIRE = ResponsesWire()
