"""A tool of an MCP server as the model sees it: named, described and shaped for every vendor."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from hashlib import sha256
from typing import Any, cast

from agentcli.lib.text import visible
from agentcli.lib.value import value
from agentcli.llm.types import JsonObject, ToolSpec
from agentcli.tools.arguments import unsendable
from agentcli.tools.base import Action, Plain, ToolContext, ToolError, ToolResult

NAME = 64
"""Characters of a tool's name that every vendor takes."""
DESCRIPTION = 1_024
"""Characters of a description that every vendor takes (OpenAI's limit is the least)."""
SCHEMA = 20_000
"""Characters of a schema; a tool with more is left out."""
MOST = 100
"""Tools of all servers together: OpenAI takes 128 in a request, some of which are ours."""
DEPTH = 5
"""Alternatives within alternatives that are looked into."""
_ODD = re.compile(r"[^a-zA-Z0-9_-]")
_UNIONS = ("anyOf", "oneOf", "allOf")


@value
class Offer:
    """One tool as its server lists it."""

    server: str
    tool: str
    description: str
    schema: JsonObject
    read_only: bool = False
    """The server's own word, which widens no permission."""

    @property
    def mark(self) -> str:
        """A fingerprint of all that the model would be told."""
        text = json.dumps([self.tool, self.description, self.schema], sort_keys=True)
        return sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


@value
class Definition:
    """One tool as it is sent; `name` is what the model calls it by."""

    name: str
    server: str
    tool: str
    description: str
    schema: JsonObject
    read_only: bool = False

    def to_json(self) -> JsonObject:
        return {name: getattr(self, name) for name in self.__match_args__}


Call = Callable[[Definition, ToolContext, JsonObject], Awaitable[ToolResult]]


class RemoteTool:
    """Satisfies `tools.base.Tool`; whoever holds the connections does the call."""

    def __init__(self, definition: Definition, call: Call) -> None:
        self._told = definition
        self._call = call

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(self._told.name, self._told.description, self._told.schema)

    @property
    def read_only(self) -> bool:
        return self._told.read_only

    def action(self, ctx: ToolContext, input: JsonObject) -> Action:
        if broken := unsendable(input):
            raise ToolError(f"{self._told.name}: wrong arguments.\n" + "\n".join(broken))
        whole = json.dumps(input, ensure_ascii=False, indent=2)
        about = f"{self._told.tool} of the MCP server {self._told.server}, with\n{whole}"
        return Action("mcp", json.dumps(input, ensure_ascii=False), Plain(about))

    async def run(self, ctx: ToolContext, input: JsonObject) -> ToolResult:
        return await self._call(self._told, ctx, input)


def define(offers: Iterable[Offer]) -> tuple[Definition, ...]:
    """Tools as they are sent, sorted by name; those with too large a schema are left out, and of
    those that a server lists twice all but the first."""
    kept = {(o.server, o.tool): o for o in reversed([*offers]) if not too_large(o)}
    names = _names(kept)
    defined = [
        Definition(
            name=names[offer.server, offer.tool],
            server=offer.server,
            tool=offer.tool,
            description=_words(offer.description, DESCRIPTION) or offer.tool,
            schema=fitted(offer.schema),
            read_only=offer.read_only,
        )
        for offer in kept.values()
    ]
    return tuple(sorted(defined, key=lambda told: told.name))


def too_large(offer: Offer) -> bool:
    return len(json.dumps(offer.schema)) > SCHEMA


def server_word(name: str) -> str:
    """A server's name within the names of its tools and in rules."""
    return re.sub("__+", "_", _ODD.sub("_", name)).strip("_") or "server"


def _names(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Each tool's name; where two would be alike all but the plainest carry a mark of their own."""
    found: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for pair in sorted(pairs, key=lambda pair: (_plain(*pair) != _exact(*pair), pair)):
        name = _plain(*pair)
        if len(name) > NAME or name in taken:
            mark = sha256("\0".join(pair).encode("utf-8", "replace")).hexdigest()[:8]
            name = f"{name[: NAME - 9]}_{mark}"
        taken.add(name)
        found[pair] = name
    return found


def _plain(server: str, tool: str) -> str:
    return f"mcp__{server_word(server)}__{_ODD.sub('_', tool)}"


def _exact(server: str, tool: str) -> str:
    return f"mcp__{server}__{tool}"


def _words(text: str, limit: int) -> str:
    """A text of a stranger as a model may read it: nothing hidden in it, not too long."""
    shown = visible(text).strip()
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def fitted(schema: JsonObject) -> JsonObject:
    """A schema every vendor takes: an object, its properties named, no alternatives at the top."""
    root = _flat(schema, schema)
    inner = {name: _readable(part, name) for name, part in root.items() if name != "type"}
    shaped: JsonObject = {"type": "object", "properties": {}}
    return shaped | inner


def _flat(part: JsonObject, whole: JsonObject, depth: int = 0) -> JsonObject:
    """The top level without references and alternatives, whose properties become its own."""
    found = {name: rest for name, rest in part.items() if name not in (*_UNIONS, "$ref", "not")}
    found |= {"properties": _properties(part), "required": _required(part)}
    for union in ("$ref", *_UNIONS):
        given: Any = part.get(union, ())
        options = cast("list[Any]", given if isinstance(given, list) else [given] if given else [])
        flat = [_flat(_resolved(o, whole), whole, depth + 1) for o in options if depth < DEPTH]
        if flat:
            _take_in(found, flat, every=union in ("$ref", "allOf"))
    if not found["required"]:
        del found["required"]
    return found


def _take_in(found: JsonObject, options: list[JsonObject], *, every: bool) -> None:
    """All their properties; what each of them needs, or where all of them hold, any of them."""
    for option in options:
        found["properties"] = _properties(option) | found["properties"]
    needed = [set(_required(option)) for option in options]
    both = set[str].union(*needed) if every else set[str].intersection(*needed)
    found["required"] = sorted(both | set(found["required"]))


def _properties(part: JsonObject) -> JsonObject:
    """A stranger's schema may hold anything in any place."""
    found: Any = part.get("properties")
    return cast("JsonObject", found) if isinstance(found, dict) else {}


def _required(part: JsonObject) -> list[str]:
    found: Any = part.get("required")
    names = cast("list[Any]", found) if isinstance(found, list) else []
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def _resolved(option: Any, whole: JsonObject) -> JsonObject:
    """A reference within the schema followed once; what can't be followed is an empty object."""
    if isinstance(option, str):
        at: Any = whole
        for step in option.removeprefix("#").strip("/").split("/"):
            at = cast("JsonObject", at).get(step) if isinstance(at, dict) else None
        option = at
    return cast("JsonObject", option) if isinstance(option, dict) else {}


def _readable(part: Any, key: str = "") -> Any:
    """Nothing hidden in what a schema says in words; names and values stay as they are."""
    if isinstance(part, dict):
        inner = cast("JsonObject", part)
        return {name: _readable(value, name) for name, value in inner.items()}
    if isinstance(part, list):
        return [_readable(item) for item in cast("list[Any]", part)]
    if isinstance(part, str) and key in ("description", "title"):
        return _words(part, SCHEMA)
    return part
