"""The Amazon Bedrock Converse wire: encoding (wire.md 4.1, 4.2, 4.5)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import quote

from agentcli.llm.cache import CachePlan, Mark
from agentcli.llm.efforts import asked
from agentcli.llm.providers import Route
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
    UserMessage,
)
from agentcli.llm.wire.anthropic import CUT, DEFAULT_MAX_OUTPUT, budgeted
from agentcli.llm.wire.bedrock_decode import BedrockDecoder

NAME = "bedrock"
EVENTS = "application/vnd.amazon.eventstream"
_OWN_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
"""Ids that Converse takes; Claude takes fewer, so only the model that made one sees it again."""
_BAD_LETTER = re.compile(r"[^a-zA-Z0-9_-]")
_Ids = frozenset[str]


class BedrockWire:
    name = NAME

    def path(self, route: Route) -> str:
        return f"/model/{quote(route.model.id, safe='')}/converse-stream"

    def headers(self, route: Route) -> dict[str, str]:
        return {"accept": EVENTS}

    def encode(self, request: Request, route: Route, plan: CachePlan) -> JsonObject:
        """The body. Field order is fixed, so equal requests give equal bytes."""
        body: JsonObject = {}
        limit = _max_tokens(request, route)
        if limit is not None:
            body["inferenceConfig"] = {"maxTokens": limit}
        system = _system(request.system, plan.marks)
        if system:
            body["system"] = system
        tools = _tools(request, route, plan.marks)
        if tools:
            body["toolConfig"] = {"tools": tools}
        body |= _thinking(request, route, limit or DEFAULT_MAX_OUTPUT)
        body |= _output(request, route)
        body["messages"] = _messages(request.messages, route, plan.marks)
        return body

    def decoder(self, route: Route) -> BedrockDecoder:
        return BedrockDecoder(route)


def _max_tokens(request: Request, route: Route) -> int | None:
    """None leaves it to Bedrock, which then takes the model's own limit."""
    limit = route.model.max_output
    if limit is None:
        return request.max_output
    return min(request.max_output or DEFAULT_MAX_OUTPUT, limit)


def _system(parts: tuple[str, ...], marks: tuple[Mark, ...]) -> list[JsonObject]:
    texts = [part for part in parts if part.strip()]
    points = {mark.segment: mark for mark in marks if mark.message < 0}
    blocks: list[JsonObject] = []
    for number, text in enumerate(texts, 1):
        blocks.append({"text": text})
        mark = points.get("system") if number == 1 else None
        if number == len(texts):
            mark = points.get("memory") or mark
        if mark is not None:
            blocks.append(_cache_point(mark))
    return blocks


def _tools(request: Request, route: Route, marks: tuple[Mark, ...]) -> list[JsonObject]:
    tools = [_tool(t.name, t.description, t.input_schema) for t in request.tools]
    if not tools:
        return [_tool(name, "", {"type": "object"}) for name in _called(request.messages)]
    # Nova takes cache points in the system and in messages, and refuses a request with one here.
    taken = () if "amazon.nova" in route.model.id else marks
    return tools + [_cache_point(mark) for mark in taken if mark.segment == "tools"]


def _tool(name: str, description: str, schema: JsonObject) -> JsonObject:
    told = {"description": description} if description.strip() else {}
    return {"toolSpec": {"name": name, **told, "inputSchema": {"json": schema}}}


def _called(messages: tuple[Message, ...]) -> list[str]:
    """A history with calls in it is refused without a toolConfig, so its own names stand in."""
    calls = (c for m in messages if isinstance(m, AssistantMessage) for c in m.tool_calls)
    return list(dict.fromkeys(_safe(call.name) for call in calls))


def _thinking(request: Request, route: Route, limit: int) -> JsonObject:
    """Reasoning in the model's own fields, which Converse passes on (wire.md 1.6)."""
    kind, effort = route.model.thinking, asked(request.effort, route)
    own: JsonObject = {}
    if kind == "adaptive" and effort == "none":
        own["thinking"] = {"type": "disabled"}
    elif kind == "adaptive":
        own["thinking"] = {"type": "adaptive", "display": "summarized"}
    elif kind == "effort" and effort:
        own["reasoning_effort"] = effort
    elif kind == "budget" and effort and effort != "none":
        own |= budgeted(effort, limit)
    return {"additionalModelRequestFields": own} if own else {}


def _output(request: Request, route: Route) -> JsonObject:
    config: JsonObject = {}
    effort = asked(request.effort, route) if route.model.thinking == "adaptive" else None
    if effort and effort != "none":
        config["effort"] = effort
    if request.output_schema is not None:
        schema = json.dumps(request.output_schema, ensure_ascii=False, separators=(",", ":"))
        config["textFormat"] = {
            "type": "json_schema",
            "structure": {"jsonSchema": {"schema": schema, "name": "output"}},
        }
    return {"outputConfig": config} if config else {}


def _messages(
    messages: tuple[Message, ...], route: Route, marks: tuple[Mark, ...]
) -> list[JsonObject]:
    """Roles must alternate, so neighbours of one role become one message."""
    placed = {(mark.message, mark.block): mark for mark in marks if mark.message >= 0}
    own = _own_ids(messages, route)
    merged: list[JsonObject] = []
    for index, message in enumerate(messages):
        if isinstance(message, UserMessage):
            points = {block: mark for (at, block), mark in placed.items() if at == index}
            role, content = "user", _user_content(message, points, own)
        else:
            role, content = "assistant", _assistant_content(message, route, own)
        if merged and merged[-1]["role"] == role:
            merged[-1]["content"] += content
        else:
            merged.append({"role": role, "content": content})
    return merged


def _own_ids(messages: tuple[Message, ...], route: Route) -> _Ids:
    """Ids of calls that go back as the model made them: their results must name them so."""
    return frozenset(
        call.id
        for message in messages
        if isinstance(message, AssistantMessage) and _is_own(message, route)
        for call in message.tool_calls
        if _OWN_ID.fullmatch(call.id)
    )


def _is_own(message: AssistantMessage, route: Route) -> bool:
    native = message.native
    return native is not None and (native.wire, native.model) == (NAME, route.model.id)


def _user_content(message: UserMessage, points: Mapping[int, Mark], own: _Ids) -> list[JsonObject]:
    blocks: list[JsonObject] = []
    for index, block in enumerate(message.content):
        blocks.append(_user_block(block, own))
        if index in points:
            blocks.append(_cache_point(points[index]))
    return blocks or [_text("(nothing)")]


def _user_block(block: Text | Image | ToolOutput, own: _Ids) -> JsonObject:
    match block:
        case Text(text):
            return _text(text)
        case Image():
            return _image(block)
        case ToolOutput(call_id, content, is_error):
            sent = [part for part in content if isinstance(part, Image) or part.text]
            parts = [_user_block(part, own) for part in sent] or [_text("")]
            result: JsonObject = {"toolUseId": _id(call_id, own), "content": parts}
            if is_error:
                result["status"] = "error"
            return {"toolResult": result}


def _assistant_content(message: AssistantMessage, route: Route, own: _Ids) -> list[JsonObject]:
    if message.native is not None and _is_own(message, route):
        kept = [_replayed(block, own) for block in message.native.blocks if _is_legal(block)]
        return kept or [_text(CUT)]
    rebuilt = [_assistant_block(b, own) for b in message.content if _may_return(b, message)]
    return rebuilt or [_text(CUT)]


def _is_legal(block: JsonObject) -> bool:
    """No text is blank; Claude and DeepSeek refuse reasoning that is not signed."""
    match block:
        case {"text": text}:
            return bool(str(text).strip())
        case {"reasoningContent": {"redactedContent": _}}:
            return True
        case {"reasoningContent": {"reasoningText": {"signature": str(signed)}}}:
            return bool(signed)
        case _:
            return "reasoningContent" not in block


def _replayed(block: JsonObject, own: _Ids) -> JsonObject:
    """A block as it came; some models write names of tools that Converse will not have back."""
    if "toolUse" not in block:
        return dict(block)
    use: JsonObject = block["toolUse"]
    call_id, name = str(use.get("toolUseId", "")), str(use.get("name", ""))
    return {"toolUse": use | {"toolUseId": _id(call_id, own), "name": _safe(name)}}


def _may_return(block: Text | Thinking | ToolCall, message: AssistantMessage) -> bool:
    """Thinking without its signature and calls that were never run do not go back."""
    if isinstance(block, Text):
        return bool(block.text.strip())
    return isinstance(block, ToolCall) and message.stop == "tool_use"


def _assistant_block(block: Text | Thinking | ToolCall, own: _Ids) -> JsonObject:
    if isinstance(block, ToolCall):
        arguments: JsonObject = block.input if block.raw is None else {"INVALID_JSON": block.raw}
        names = {"toolUseId": _id(block.id, own), "name": _safe(block.name)}
        return {"toolUse": names | {"input": arguments}}
    return _text(block.text)


def _text(text: str) -> JsonObject:
    return {"text": text if text.strip() else "(empty)"}


def _image(image: Image) -> JsonObject:
    kind = image.media_type.rpartition("/")[2].replace("jpg", "jpeg")
    return {"image": {"format": kind, "source": {"bytes": image.data}}}


def _cache_point(mark: Mark) -> JsonObject:
    kind = {"type": "default"}
    return {"cachePoint": kind | {"ttl": "1h"} if mark.ttl == "1h" else kind}


def _id(call_id: str, own: _Ids) -> str:
    return call_id if call_id in own else _safe(call_id)


def _safe(name: str) -> str:
    """Ids and names in the letters that every model here takes."""
    return _BAD_LETTER.sub("_", name)[:64] or "call"


WIRE = BedrockWire()
