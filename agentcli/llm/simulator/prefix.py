"""An Anthropic request flattened into blocks in prefix order: tools, system, messages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Literal

from agentcli.lib.value import replace, value
from agentcli.llm.simulator.tokens import compact, objects
from agentcli.llm.types import JsonObject

Part = Literal["tools", "system", "messages"]
THOUGHTS = ("thinking", "redacted_thinking", "reasoning")
SERVER_TOOLS = ("web_search_", "web_fetch_")
"""They stand before the system, so that switching them keeps the tools (wire.md 1.12.10)."""


@value
class Block:
    """One position of the prefix; a string content is one text block."""

    path: str
    part: Part
    role: str
    value: JsonObject
    message: int = -1
    """Index of its message; -1 for tools and system."""

    @property
    def kind(self) -> str:
        return str(self.value.get("type", ""))

    @property
    def is_thought(self) -> bool:
        return self.kind in THOUGHTS

    @property
    def signature(self) -> str:
        """What a thought is signed with: a signature, or what is encrypted or hidden itself."""
        value = self.value
        found = value.get("signature") or value.get("data") or value.get("encrypted_content")
        return str(found or "")


def content_blocks(content: Any) -> list[JsonObject]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else objects(content)


def flatten(body: JsonObject) -> list[Block]:
    """All blocks in prefix order, without deferred tools, which stand elsewhere (wire.md 1.7)."""
    return [*_tools(body), *_system(body), *_messages(body)]


def _tools(body: JsonObject) -> Iterator[Block]:
    listed = [Block(f"tools.{i}", "tools", "", t) for i, t in enumerate(objects(body.get("tools")))]
    here = [block for block in listed if not block.value.get("defer_loading")]
    yield from (block for block in here if not is_server_tool(block.value))
    for block in here:
        if is_server_tool(block.value):
            yield replace(block, part="system")


def is_server_tool(tool: JsonObject) -> bool:
    return str(tool.get("type", "")).startswith(SERVER_TOOLS)


def _system(body: JsonObject) -> Iterator[Block]:
    for index, block in enumerate(content_blocks(body.get("system"))):
        yield Block(f"system.{index}", "system", "", block)


def _messages(body: JsonObject) -> Iterator[Block]:
    for number, message in enumerate(objects(body.get("messages"))):
        for index, block in enumerate(content_blocks(message.get("content"))):
            path = f"messages.{number}.content.{index}"
            yield Block(path, "messages", str(message.get("role", "")), block, number)


def canonical(block: Block) -> str:
    """The bytes that must match: marks and absent fields aside, inner key order included."""
    value = block.value
    kept = {k: value[k] for k in sorted(value) if k != "cache_control" and value[k] is not None}
    return compact([block.part, block.role, kept])


def extend(digest: str, text: str) -> str:
    """The digest of a prefix made longer by `text`."""
    return hashlib.sha256(f"{digest}\n{text}".encode("utf-8", "replace")).hexdigest()
