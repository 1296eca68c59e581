"""Messages and usage to and from the JSON of a session line.

Written by hand rather than through pydantic: resuming and recording lie on the way to the first
request, where opening that door would cost a third of the start-up budget.
"""

from __future__ import annotations

from typing import Any, cast

from agentcli.llm.types import (
    AssistantMessage,
    Image,
    JsonObject,
    Message,
    Native,
    Text,
    Thinking,
    ToolCall,
    ToolOutput,
    Usage,
    UserMessage,
)

Block = Text | Image | Thinking | ToolCall | ToolOutput


def message_to_json(message: Message) -> JsonObject:
    content = [_block_to_json(block) for block in message.content]
    if isinstance(message, UserMessage):
        return {"role": "user", "origin": message.origin, "content": content}
    data: JsonObject = {
        "role": "assistant",
        "model": message.model,
        "stop": message.stop,
        "content": content,
    }
    if message.usage is not None:
        data["usage"] = usage_to_json(message.usage)
    if message.cost_usd is not None:
        data["cost_usd"] = message.cost_usd
    for name in ("provider", "tier", "geo"):
        if getattr(message, name):
            data[name] = getattr(message, name)
    if message.native is not None:
        native = message.native
        data["native"] = {"wire": native.wire, "model": native.model, "blocks": native.blocks}
    return data


def message_from_json(data: JsonObject) -> Message:
    """Raises KeyError, TypeError or ValueError for anything we did not write."""
    blocks = tuple(_block_from_json(block) for block in data["content"])
    if data["role"] == "user":
        return UserMessage(cast("Any", blocks), data["origin"])
    if data["role"] != "assistant":
        raise ValueError(f"unknown role {data['role']!r}")
    usage = data.get("usage")
    native = data.get("native")
    return AssistantMessage(
        content=cast("Any", blocks),
        model=data["model"],
        stop=data["stop"],
        usage=usage_from_json(usage) if usage is not None else None,
        native=Native(native["wire"], native["model"], tuple(native["blocks"])) if native else None,
        cost_usd=data.get("cost_usd"),
        **{name: data[name] for name in ("provider", "tier", "geo") if name in data},
    )


def usage_to_json(usage: Usage) -> JsonObject:
    return {
        "input": usage.input,
        "output": usage.output,
        "cache_read": usage.cache_read,
        "cache_write_5m": usage.cache_write_5m,
        "cache_write_1h": usage.cache_write_1h,
        "reasoning": usage.reasoning,
    }


def usage_from_json(data: JsonObject) -> Usage:
    return Usage(**{name: int(value) for name, value in data.items()})


def _block_to_json(block: Block) -> JsonObject:
    match block:
        case Text(text):
            return {"type": "text", "text": text}
        case Image(media_type, data):
            return {"type": "image", "media_type": media_type, "data": data}
        case Thinking(text):
            return {"type": "thinking", "text": text}
        case ToolCall(id, name, arguments, raw):
            call: JsonObject = {"type": "call", "id": id, "name": name, "input": arguments}
            return call if raw is None else call | {"raw": raw}
        case ToolOutput(call_id, content, is_error):
            inner = [_block_to_json(part) for part in content]
            return {"type": "output", "call": call_id, "error": is_error, "content": inner}


def _block_from_json(data: JsonObject) -> Block:
    match data["type"]:
        case "text":
            return Text(data["text"])
        case "image":
            return Image(data["media_type"], data["data"])
        case "thinking":
            return Thinking(data["text"])
        case "call":
            return ToolCall(data["id"], data["name"], data["input"], data.get("raw"))
        case "output":
            content = tuple(_block_from_json(part) for part in data["content"])
            return ToolOutput(data["call"], cast("Any", content), data["error"])
        case other:
            raise ValueError(f"unknown block {other!r}")
