"""Anthropic's prompt cache, exactly as documented, on whatever clock it is given (wire.md 1.12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import cast

from agentcli.lib.value import replace, value
from agentcli.llm.simulator.claude_rules import (
    LIVES,
    LOOK_BACK,
    MARKABLE,
    minimum,
    resets,
    strips_thoughts,
)
from agentcli.llm.simulator.prefix import Block, Part, canonical, extend, flatten
from agentcli.llm.simulator.tokens import block_tokens, objects
from agentcli.llm.types import JsonObject, Usage

PARTS_UP_TO: dict[Part, tuple[Part, ...]] = {
    "tools": (),
    "system": ("system",),
    "messages": ("system", "messages"),
}


@value
class Position:
    """One place of the prefix: everything up to and including a block."""

    path: str
    digest: str
    tokens: int
    """Of the whole prefix up to here."""
    ttl: str = ""
    """The life its mark asks for; "" without a mark."""


@value
class Prompt:
    """A request as the cache sees it."""

    positions: tuple[Position, ...]
    least: int
    """Tokens below which nothing is written."""

    @property
    def tokens(self) -> int:
        return self.positions[-1].tokens if self.positions else 0


@dataclass(slots=True)
class Entry:
    ttl: str
    used: float
    """When the last request that wrote or read it started."""

    @property
    def end(self) -> float:
        return self.used + LIVES[self.ttl]

    def lives(self, now: float) -> bool:
        return now < self.end


@value
class Charge:
    """What one request reads and writes; its writes are readable after `publish`."""

    usage: Usage
    """Without output."""
    hit: Position | None
    writes: tuple[tuple[str, Entry], ...] = ()


def prompt(body: JsonObject, *, beta: str = "", blocks: Sequence[Block] | None = None) -> Prompt:
    """The positions of a request. `blocks` are its blocks, less what the API drops."""
    model = str(body.get("model", ""))
    kept = _kept(flatten(body) if blocks is None else blocks, body, model)
    rules = resets(body, beta)
    stage: dict[Part, str] = {"system": rules.system, "messages": rules.messages}
    digest, total = extend("", rules.tools), 0
    found: list[Position] = []
    for block in kept:
        for part in PARTS_UP_TO[block.part]:
            digest = extend(digest, stage.pop(part)) if part in stage else digest
        digest = extend(digest, canonical(block))
        total += block_tokens(block.value)
        found.append(Position(block.path, digest, total, mark_of(block.value)))
    return Prompt(_with_server_marks(_with_automatic(found, kept, body), kept), minimum(model))


def mark_of(value: JsonObject) -> str:
    """The life a block's mark asks for: "5m", "1h" or "" without a mark."""
    control = value.get("cache_control")
    if not isinstance(control, dict):
        return ""
    return str(cast("JsonObject", control).get("ttl") or "5m")


def automatic_spot(blocks: Sequence[Block]) -> int | None:
    """Where the top-level mark falls: the last block that may carry one (wire.md 1.12.3)."""
    for index in reversed(range(len(blocks))):
        if may_carry_mark(blocks[index]):
            return index
    return None


def may_carry_mark(block: Block) -> bool:
    """Any tool that is not deferred, and the kinds of blocks in the table; no empty text."""
    if block.kind == "text":
        return bool(block.value.get("text"))
    return block.part != "messages" or block.kind in MARKABLE


def _kept(blocks: Sequence[Block], body: JsonObject, model: str) -> list[Block]:
    """Older models lose their thinking as soon as a person speaks again (wire.md 1.12.10)."""
    if not strips_thoughts(model):
        return list(blocks)
    last = _last_word(objects(body.get("messages")))
    return [block for block in blocks if not (block.is_thought and block.message < last)]


def _last_word(messages: Sequence[JsonObject]) -> int:
    """Where the last user's turn without results begins; neighbouring messages are one turn."""
    last = -1
    for role, turn in groupby(enumerate(messages), lambda pair: pair[1].get("role")):
        numbered = list(turn)
        blocks = [block for _, message in numbered for block in objects(message.get("content"))]
        if role == "user" and not any(block.get("type") == "tool_result" for block in blocks):
            last = numbered[0][0]
    return last


def _with_automatic(
    positions: list[Position], blocks: Sequence[Block], body: JsonObject
) -> list[Position]:
    control = body.get("cache_control")
    spot = automatic_spot(blocks) if isinstance(control, dict) else None
    if spot is not None:
        positions[spot] = replace(positions[spot], ttl=mark_of(body))
    return positions


def _with_server_marks(positions: list[Position], blocks: Sequence[Block]) -> tuple[Position, ...]:
    """With caching on, results of server tools get a mark of their own (wire.md 1.12.11)."""
    if not any(position.ttl for position in positions):
        return tuple(positions)
    return tuple(
        replace(position, ttl="5m") if block.kind.endswith("_tool_result") else position
        for position, block in zip(positions, blocks, strict=True)
    )


class ClaudeCache:
    """Entries by prefix. `look` is what a request costs now; `publish` when its answer begins."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def look(self, request: Prompt, now: float) -> Charge:
        """Read the longest prefix found, and account what will be written (1.12.4 to 1.12.9)."""
        marks = [i for i, p in enumerate(request.positions) if p.ttl and p.tokens >= request.least]
        hit = self._hit(request.positions, marks, now)
        read = request.positions[hit].tokens if hit is not None else 0
        if hit is not None:
            self._refresh(request.positions[: hit + 1], now)
        beyond = [request.positions[i] for i in marks if hit is None or i > hit]
        long = [position.tokens for position in beyond if position.ttl == "1h"]
        one_hour = long[-1] if long else read
        end = beyond[-1].tokens if beyond else read
        usage = Usage(
            input=request.tokens - end,
            cache_read=read,
            cache_write_5m=end - one_hour,
            cache_write_1h=one_hour - read,
        )
        at = request.positions[hit] if hit is not None else None
        return Charge(usage, at, tuple(self._writes(request.positions, marks, at, now)))

    def publish(self, charge: Charge) -> None:
        """The answer has begun: what it wrote can be read from now on (wire.md 1.12.4)."""
        for digest, entry in charge.writes:
            old = self._entries.get(digest)
            if old is None or old.end < entry.end:
                self._entries[digest] = entry

    def _hit(self, positions: Sequence[Position], marks: list[int], now: float) -> int | None:
        for mark in reversed(marks):
            for index in reversed(range(max(0, mark - LOOK_BACK + 1), mark + 1)):
                entry = self._entries.get(positions[index].digest)
                if entry is not None and entry.lives(now):
                    return index
        return None

    def _refresh(self, read: Sequence[Position], now: float) -> None:
        """What was read, and the marked prefixes inside it, live on for another full life."""
        for position in read:
            entry = self._entries.get(position.digest)
            used = position.ttl or position is read[-1]
            if entry is not None and used and entry.lives(now):
                entry.used = max(entry.used, now)

    def _writes(
        self, positions: Sequence[Position], marks: list[int], hit: Position | None, now: float
    ) -> list[tuple[str, Entry]]:
        """One entry a mark; inside what was read none may outlive the entry it was read from."""
        source = self._entries[hit.digest] if hit else None
        found: list[tuple[str, Entry]] = []
        for index in marks:
            position = positions[index]
            old = self._entries.get(position.digest)
            if old is not None and old.lives(now):
                continue
            inside = hit is not None and position.tokens < hit.tokens
            short = inside and source is not None and source.ttl == "5m"
            found.append((position.digest, Entry("5m" if short else position.ttl, now)))
        return found
