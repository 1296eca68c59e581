"""What the Messages API refuses, refused in its own words (wire.md 1.2, 1.5, 1.6, 1.12)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, cast

from agentcli.llm.sim0.cache_rules import canonical
from agentcli.llm.types import JsonObject

FIELDS = frozenset(
    {"model", "max_tokens", "messages", "system", "tools", "tool_choice", "stream", "thinking"}
    | {"output_config", "metadata", "stop_sequences", "service_tier", "cache_control", "speed"}
    | {"container", "diagnostics", "inference_geo", "temperature", "top_p", "top_k"}
)
MARKABLE = frozenset({"text", "image", "document", "tool_use", "tool_result", "search_result"})
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


class Refused(Exception):
    """A 400 with its message."""


def check(body: JsonObject) -> None:
    """Raise Refused for the first thing the real API would not take."""
    unknown = set(body) - FIELDS
    if unknown:
        raise Refused(f"{sorted(unknown)[0]}: Extra inputs are not permitted")
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise Refused(f"{name}: Field required")
    _check_tools(body.get("tools") or [])
    _check_messages(body["messages"])
    _check_marks(body)
    _check_thinking(body)


def _check_tools(tools: list[JsonObject]) -> None:
    names: set[str] = set()
    for index, tool in enumerate(tools):
        name = str(tool.get("name", ""))
        if not _TOOL_NAME.fullmatch(name):
            raise Refused(f"tools.{index}.name: String should match pattern")
        if name in names:
            raise Refused("tools: Tool names must be unique.")
        names.add(name)
        if tool.get("input_schema", {}).get("type") != "object":
            raise Refused(f"tools.{index}.input_schema.type: Input should be 'object'")


def _check_messages(messages: list[JsonObject]) -> None:
    if not messages:
        raise Refused("messages: at least one message is required")
    if messages[0].get("role") != "user":
        raise Refused('messages: first message must use the "user" role')
    if messages[-1].get("role") == "assistant":
        raise Refused("This model does not support assistant message prefill.")
    for index, message in enumerate(messages):
        if message.get("role") not in ("user", "assistant"):
            raise Refused(f"messages.{index}.role: Input should be 'user' or 'assistant'")
        if not message.get("content"):
            raise Refused(f"messages.{index}: messages must have non-empty content")
        for block in _blocks(message):
            if block.get("type") == "text" and not str(block.get("text", "")).strip():
                raise Refused("messages: text content blocks must be non-empty")
    _check_calls(_turns(messages))


def _turns(messages: list[JsonObject]) -> list[tuple[str, list[JsonObject]]]:
    """Neighbours of one role are one turn, as the server merges them."""
    turns: list[tuple[str, list[JsonObject]]] = []
    for message in messages:
        role = str(message["role"])
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(_blocks(message))
        else:
            turns.append((role, list(_blocks(message))))
    return turns


def _check_calls(turns: list[tuple[str, list[JsonObject]]]) -> None:
    """Every tool_use is answered at the head of the next user turn, and nothing else is."""
    owed: list[str] = []
    for number, (role, blocks) in enumerate(turns):
        if role == "assistant":
            owed = [str(b["id"]) for b in blocks if b.get("type") == "tool_use"]
            if len(set(owed)) != len(owed):
                raise Refused(f"messages.{number}: `tool_use` ids must be unique")
            continue
        results = [str(b["tool_use_id"]) for b in blocks if b.get("type") == "tool_result"]
        missing = [call for call in owed if call not in results]
        if missing:
            raise Refused(
                f"messages.{number}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(missing)}."
            )
        extra = [call for call in results if call not in owed]
        if extra:
            raise Refused(
                f"messages.{number}: unexpected `tool_use_id` in `tool_result`: {extra[0]}"
            )
        if len(results) != len(owed):
            raise Refused(f"messages.{number}: each tool_use must have a single result")
        head = [block.get("type") for block in blocks[: len(owed)]]
        if any(kind != "tool_result" for kind in head):
            raise Refused(f"messages.{number}: tool_result blocks must come first")
        owed = []


def _check_marks(body: JsonObject) -> None:
    marks = list(_marks(body))
    if len(marks) > 4:
        raise Refused(
            f"A maximum of 4 blocks with cache_control may be provided. Found {len(marks)}."
        )
    seen_5m = False
    for block in marks:
        kind = block.get("type", "tool")
        if "input_schema" not in block and kind not in MARKABLE:
            raise Refused(f"cache_control cannot be set on {kind} blocks")
        ttl = block["cache_control"].get("ttl", "5m")
        if ttl not in ("5m", "1h") or block["cache_control"].get("type") != "ephemeral":
            raise Refused("cache_control: unknown type or ttl")
        if ttl == "1h" and seen_5m:
            raise Refused("a ttl='1h' cache_control block must not come after a ttl='5m' one")
        seen_5m = seen_5m or ttl == "5m"


def _marks(body: JsonObject) -> Iterator[JsonObject]:
    system = body.get("system")
    parts: list[Any] = [*(body.get("tools") or ()), *(system if isinstance(system, list) else ())]
    for message in body["messages"]:
        parts += _blocks(message)
    return (part for part in parts if "cache_control" in part)


def sign(body: JsonObject, thinking: str) -> str:
    """A signature binds thinking to its words and to everything before it."""
    parts = [*_list(body.get("system")), *_list(body.get("tools"))]
    head = [json.loads(canonical(part)) for part in parts]
    before = canonical([head, _stripped(body["messages"])])
    return f"sig-{_hash(before)}-{_hash(thinking.encode())}"


def _check_thinking(body: JsonObject) -> None:
    """Thinking comes back unaltered, under the prefix it was made for (wire.md 1.6)."""
    for index, message in enumerate(body["messages"]):
        if message.get("role") != "assistant":
            continue
        for number, block in enumerate(_blocks(message)):
            if block.get("type") != "thinking":
                continue
            where = f"messages.{index}.content.{number}"
            earlier = {**body, "messages": body["messages"][:index]}
            good = sign(earlier, str(block.get("thinking", "")))
            given = str(block.get("signature", ""))
            if given.rpartition("-")[2] != good.rpartition("-")[2]:
                raise Refused(f"{where}: Invalid `signature` in `thinking` block")
            if given != good:
                raise Refused(
                    f"{where}: Invalid `signature` in `thinking` block. "
                    "The block is bound to a different conversation."
                )


def _stripped(messages: list[JsonObject]) -> list[Any]:
    """Marks come and go; they are not part of what is signed."""
    return [
        [message["role"], [json.loads(canonical(block)) for block in _blocks(message)]]
        for message in messages
    ]


def _blocks(message: JsonObject) -> list[JsonObject]:
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())


def _list(value: Any) -> list[Any]:
    return list(cast("list[Any]", value)) if isinstance(value, list) else [value] if value else []


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
