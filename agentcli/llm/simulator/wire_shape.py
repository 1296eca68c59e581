"""A request body of any wire as the ledger sees requests: hashes of its segments, and marks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, cast

from agentcli.lib.value import value
from agentcli.llm.shape import SIZE, Shape
from agentcli.llm.simulator.gpt_prompt import CALLS
from agentcli.llm.simulator.refusal import as_object
from agentcli.llm.simulator.tokens import content_text, objects
from agentcli.llm.types import JsonObject

MARKS = ("cache_control", "prompt_cache_breakpoint", "cachePoint")
OPTIONS = (
    "output_config",
    "outputConfig",
    "thinking",
    "reasoning",
    "reasoning_effort",
    "enable_thinking",
    "text",
    "verbosity",
    "response_format",
    "tool_choice",
    "toolConfig",
    "speed",
    "service_tier",
    "context_management",
    "additionalModelRequestFields",
)
"""What besides the segments parts a cache at one vendor or other (wire.md 1.12.10, 2.8)."""
SUMMARY = "This is what happened so far:"
"""How a conversation begins that was compacted."""


@value
class WireShape:
    shape: Shape
    links: tuple[str, ...]
    """The chain of its messages' hashes."""
    marks: tuple[str, ...]
    """The life each mark asks for, in prefix order; "" for the usual one."""
    heads: int = 0
    """Messages of the body that are its system prompt."""
    answered: bool = False
    """A model spoke in it already: it is no conversation's first request."""


def wire_shape(body: JsonObject, model: str, beta: str = "") -> WireShape:
    """The shape of a body; `model` is the one it was sent to."""
    head, messages = _split(body)
    links: list[str] = []
    for message in messages:
        links.append(_hash([links[-1] if links else "", _plain(message)]))
    options = [_plain(body.get(name)) for name in OPTIONS]
    if isinstance(body.get("toolConfig"), dict):
        config = as_object(body["toolConfig"])
        options.append(_plain({k: v for k, v in config.items() if k != "tools"}))
        options[OPTIONS.index("toolConfig")] = None
    shape = Shape(
        model=model,
        tools=tuple((_name(tool), _hash(_plain(tool))) for tool in _tools(body)),
        system=_hash(_plain(head[:1])),
        memory=_hash(_plain(head[1:])),
        options=_hash([*options, beta]),
        messages=links[-1] if links else "",
        count=len(links),
        begins=links[0] if links else "",
        summary=bool(messages) and content_text(_content(messages[0])).startswith(SUMMARY),
    )
    talk = body.get("messages")
    heads = len(objects(talk)) - len(messages) if talk else 0
    answered = any(message.get("role") in ("assistant", "model") for message in messages)
    answered = answered or any(message.get("type") in CALLS for message in messages)
    return WireShape(shape, tuple(links), tuple(_marks(body)), heads, answered)


def _split(body: JsonObject) -> tuple[list[Any], list[JsonObject]]:
    """The parts of the system prompt, and the messages, wherever a wire has them."""
    system = body.get("system") or body.get("instructions")
    found = body.get("systemInstruction")
    head: list[Any] = objects(as_object(found).get("parts")) if found else objects(system)
    if isinstance(system, str):
        head = [system]
    talk: Any = body.get("messages") or body.get("input") or body.get("contents") or []
    messages = objects([{"content": talk}] if isinstance(talk, str) else talk)
    while messages and not system and messages[0].get("role") in ("system", "developer"):
        head.append(messages.pop(0))
    return [part for part in head if "cachePoint" not in part], messages


def _tools(body: JsonObject) -> Iterator[JsonObject]:
    listed = body.get("tools") or as_object(body.get("toolConfig")).get("tools")
    for tool in objects(listed):
        if "functionDeclarations" in tool:
            yield from objects(tool["functionDeclarations"])
        elif "cachePoint" not in tool:
            yield tool


def _name(tool: JsonObject) -> str:
    inner = as_object(tool.get("function")) or as_object(tool.get("toolSpec"))
    return str(tool.get("name") or inner.get("name") or tool.get("type") or "tool")


def _content(message: JsonObject) -> Any:
    """What a message says, in the field its wire has for it."""
    return message.get("content") or message.get("parts")


def _plain(part: Any) -> Any:
    """A part without its marks."""
    if isinstance(part, list):
        listed = cast("list[Any]", part)
        return [_plain(inner) for inner in listed if not _is_point(inner)]
    if not isinstance(part, dict):
        return part
    fields = cast("JsonObject", part).items()
    return {name: _plain(inner) for name, inner in fields if name not in MARKS}


def _is_point(part: Any) -> bool:
    return isinstance(part, dict) and set(cast("JsonObject", part)) == {"cachePoint"}


def _marks(body: JsonObject) -> Iterator[str]:
    """Of the tools, the system, the messages, and at last of the whole."""
    inside = ("tools", "toolConfig", "system", "messages", "input", "contents")
    yield from _marks_in(body.get(name) for name in inside)
    if "cache_control" in body:
        yield _life(body["cache_control"])


def _marks_in(parts: Iterable[Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, list):
            yield from _marks_in(cast("list[Any]", part))
        elif isinstance(part, dict):
            block = cast("JsonObject", part)
            yield from _marks_in(block[name] for name in ("tools", "content") if name in block)
            yield from (_life(block[name]) for name in MARKS if block.get(name))


def _life(mark: Any) -> str:
    return str(as_object(mark).get("ttl") or "")


def _hash(data: Any) -> str:
    text = json.dumps(data, ensure_ascii=False)
    return blake2b(text.encode("utf-8", "replace"), digest_size=SIZE).hexdigest()
