"""Anthropic's prompt cache, rule by rule, on a given clock (wire.md 1.12)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from agentcli.lib.value import value
from agentcli.llm.types import JsonObject

LOOK_BACK = 20
"""Positions checked from a mark backwards, the mark's own included (rule 5)."""
LIVES = {"5m": 300.0, "1h": 3600.0}
"""Seconds, counted from the start of the request that wrote or read (rule 7)."""


def tokens(block: Any) -> int:
    """The simulator's tokenizer: a token for every four bytes of a block's JSON."""
    return -(-len(canonical(block)) // 4)


def canonical(block: Any) -> bytes:
    """A block as it is hashed: marks themselves are not part of it (rule 1)."""
    if isinstance(block, dict):
        whole = cast("JsonObject", block)
        block = {key: value for key, value in whole.items() if key != "cache_control"}
    return json.dumps(block, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


@value
class Block:
    """One cacheable position: its place in the prefix and the mark it carries."""

    digest: bytes
    """Hash of everything up to and including this block."""
    end: int
    """Tokens up to and including this block."""
    ttl: str | None


@value
class Counted:
    """What a request read, wrote and sent fresh, in tokens."""

    input: int
    read: int
    write_5m: int
    write_1h: int


@dataclass(slots=True)
class _Entry:
    ttl: str
    used: float


@dataclass(slots=True)
class AnthropicCache:
    """Entries by prefix; one cache serves one organisation."""

    clock: Callable[[], float]
    entries: dict[bytes, _Entry] = field(default_factory=dict[bytes, _Entry])

    def request(self, body: JsonObject, minimum: int) -> Counted:
        """Look the prefix up, write what is marked, and count."""
        now = self.clock()
        blocks = flatten(body)
        total = blocks[-1].end if blocks else 0
        marks = [index for index, block in enumerate(blocks) if block.ttl is not None]
        hit = self._longest_hit(blocks, marks, now)
        read = blocks[hit].end if hit is not None else 0
        if hit is not None:
            self.entries[blocks[hit].digest].used = now
        last_1h = max((i for i in marks if blocks[i].ttl == "1h"), default=None)
        written = [i for i in marks if blocks[i].end >= minimum]
        for index in written:
            self._write(blocks[index], now)
        top = max((blocks[i].end for i in written), default=read)
        top = max(top, read)
        middle = blocks[last_1h].end if last_1h is not None and last_1h in written else read
        middle = max(read, middle)
        return Counted(total - top, read, top - middle, middle - read)

    def _longest_hit(self, blocks: list[Block], marks: list[int], now: float) -> int | None:
        """From the last mark to the first, each looking back LOOK_BACK positions (rule 5)."""
        for mark in reversed(marks):
            for index in range(mark, max(-1, mark - LOOK_BACK), -1):
                if self._live(blocks[index].digest, now):
                    return index
        return None

    def _live(self, digest: bytes, now: float) -> bool:
        entry = self.entries.get(digest)
        return entry is not None and now < entry.used + LIVES[entry.ttl]

    def _write(self, block: Block, now: float) -> None:
        known = self.entries.get(block.digest)
        ttl = block.ttl or "5m"
        if known is not None and self._live(block.digest, now) and known.ttl == "1h":
            ttl = "1h"
        self.entries[block.digest] = _Entry(ttl, now)


def flatten(body: JsonObject) -> list[Block]:
    """Tools, system, messages as blocks, each with the hash of its whole prefix (rule 1).

    The model, tool choice and thinking are part of where they matter (rule 10).
    """
    digest = hashlib.sha256(str(body.get("model")).encode())
    found: list[Block] = []
    size = 0

    def add(block: JsonObject, role: str) -> None:
        nonlocal size
        digest.update(role.encode() + b"\0" + canonical(block) + b"\0")
        size += tokens(block)
        control: JsonObject | None = block.get("cache_control")
        ttl = str(control.get("ttl", "5m")) if control else None
        found.append(Block(digest.digest(), size, ttl))

    for tool in body.get("tools") or ():
        add(tool, "tool")
    for part in _parts(body.get("system")):
        add(part, "system")
    keys = ("tool_choice", "thinking", "output_config")
    digest.update(canonical({key: body.get(key) for key in keys}))
    for message in body.get("messages") or ():
        for part in _parts(message.get("content")):
            add(part, str(message.get("role")))
    return found


def _parts(content: Any) -> list[Any]:
    if content is None:
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
