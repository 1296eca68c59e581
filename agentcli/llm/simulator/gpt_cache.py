"""OpenAI's prompt caches, before and since GPT-5.6 (wire.md 2.8)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agentcli.lib.value import value
from agentcli.llm.simulator.gpt_prompt import GptPrompt, Piece
from agentcli.llm.simulator.prefix import extend
from agentcli.llm.simulator.tokens import BYTES_PER_TOKEN
from agentcli.llm.simulator.vendors import gpt_version
from agentcli.llm.types import Usage

BILLS_WRITES = (5, 6)
"""wire.md 2.8: from here on writes are billed and breakpoints exist."""
LEAST = 1_024
"""Tokens of the shortest prefix that is cached."""
STEP = 128
STEPS = {(5, 5): 2_048}
"""Tokens between implicit breakpoints, by version; 128 for the others before 5.6."""
RETENTIONS = {"in_memory": 300.0, "24h": 86_400.0}
"""Seconds an unused prefix surely lives, before 5.6."""
DEFAULT_RETENTION = "24h"
LIVES = {"30m": 1_800.0, "12h": 43_200.0}
MAX_WRITES = 4
EARLIER_ENDS = 20
FIRST_MARKS, LAST_MARKS = 2, 50
"""wire.md 2.8.4: explicit breakpoints that are looked up."""


@value
class GptCharge:
    usage: Usage
    """Without output."""
    publish: Callable[[], None]


@dataclass(slots=True)
class _Entry:
    life: float
    used: float

    def lives(self, now: float) -> bool:
        return now - self.used < self.life


class GptCache:
    """One organisation's cache, both kinds; the model's version decides."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def look(self, prompt: GptPrompt, now: float) -> GptCharge:
        """What a request reads and writes now; its writes are readable after `publish`."""
        if gpt_version(prompt.model) >= BILLS_WRITES:
            return self._by_boundary(prompt, now)
        return self._by_step(prompt, now)

    def _by_step(self, prompt: GptPrompt, now: float) -> GptCharge:
        """Automatic, in steps of 128 tokens from 1,024 on, free of charge for writes."""
        step = STEPS.get(gpt_version(prompt.model), STEP)
        life = RETENTIONS.get(prompt.retention, RETENTIONS[DEFAULT_RETENTION])
        return self.look_steps(prompt, now, step, LEAST, life)

    def look_steps(
        self, prompt: GptPrompt, now: float, step: int, least: int, life: float
    ) -> GptCharge:
        """Whole steps of any prefix seen before, from `least` tokens on; writing is free."""
        digests = _step_digests(prompt, step)
        count = 0
        while count < len(digests) and self.use(digests[count], now):
            count += 1
        read = count * step if count * step >= least else 0
        fresh = {digest: _Entry(life, now) for digest in digests[count:]}
        return GptCharge(
            Usage(input=prompt.tokens - read, cache_read=read),
            lambda: self._entries.update(fresh),
        )

    def keep(self, digest: str, life: float, now: float) -> None:
        self._entries[digest] = _Entry(life, now)

    def _by_boundary(self, prompt: GptPrompt, now: float) -> GptCharge:
        """Exact boundaries; writes are charged instead of input (2.8, rules 1 to 8)."""
        places = places_of(prompt)
        hit = 0
        for index in sorted(lookups(prompt), reverse=True):
            digest, tokens = places[index]
            if tokens >= LEAST and self.use(digest, now):
                hit = tokens
                break
        fresh: dict[str, _Entry] = {}
        short = long = 0
        end = hit
        for index, ttl in writes(prompt):
            digest, tokens = places[index]
            if tokens < LEAST or tokens <= hit:
                continue
            fresh[digest] = _Entry(LIVES[ttl], now)
            long += tokens - end if ttl == "12h" else 0
            short += tokens - end if ttl != "12h" else 0
            end = tokens
        usage = Usage(prompt.tokens - end, 0, hit, short, long)
        return GptCharge(usage, lambda: self._entries.update(fresh))

    def use(self, digest: str, now: float) -> bool:
        """Whether an entry lives; being used, it lives on for another full life."""
        entry = self._entries.get(digest)
        if entry is None or not entry.lives(now):
            return False
        entry.used = max(entry.used, now)
        return True


def places_of(prompt: GptPrompt) -> list[tuple[str, int]]:
    """The digest and the tokens of the prefix that ends with each piece."""
    return extended([(extend("", prompt.seed), 0)], prompt.pieces)[1:]


def extended(places: list[tuple[str, int]], pieces: Sequence[Piece]) -> list[tuple[str, int]]:
    """The same places, and those after further pieces."""
    found = list(places)
    for piece in pieces:
        digest, total = found[-1]
        found.append((extend(digest, piece.head + "\n" + piece.text), total + piece.tokens))
    return found


def lookups(prompt: GptPrompt) -> set[int]:
    """The pieces after which an entry is looked for (wire.md 2.8.4)."""
    marked = _marked(prompt.pieces)
    found = {*marked[:FIRST_MARKS], *marked[-LAST_MARKS:]}
    if prompt.options.get("mode") != "explicit":
        ends = [index for index, piece in enumerate(prompt.pieces) if piece.ends]
        found |= {*ends[-EARLIER_ENDS - 1 :]}
        found |= {index for index, piece in enumerate(prompt.pieces) if piece.opens}
    return found


def writes(prompt: GptPrompt) -> list[tuple[int, str]]:
    """The pieces after which an entry is written, with its life, in order (wire.md 2.8.3)."""
    marked = [(index, prompt.pieces[index].mark) for index in _marked(prompt.pieces)]
    if prompt.options.get("mode") == "explicit":
        return marked[-MAX_WRITES:]
    ends = [index for index, piece in enumerate(prompt.pieces) if piece.ends]
    life = str(prompt.options.get("ttl") or "30m")
    implicit = {ends[-1]: life} if ends else {}
    return sorted((dict(marked[-(MAX_WRITES - 1) :]) | implicit).items())


def _marked(pieces: Sequence[Piece]) -> list[int]:
    return [index for index, piece in enumerate(pieces) if piece.mark]


def _step_digests(prompt: GptPrompt, step: int) -> list[str]:
    """The digest of the prompt up to each multiple of `step` tokens."""
    size = step * BYTES_PER_TOKEN
    running = hashlib.sha256(prompt.seed.encode())
    room = size
    found: list[str] = []
    for piece in prompt.pieces:
        running.update(piece.head.encode("utf-8", "replace"))
        data = _padded(piece)
        while len(data) >= room:
            running.update(data[:room])
            found.append(running.hexdigest())
            data, room = data[room:], size
        running.update(data)
        room -= len(data)
    return found


def _padded(piece: Piece) -> bytes:
    """The piece in as many bytes as it has tokens, times four."""
    data = piece.text.encode("utf-8", "replace")
    size = piece.tokens * BYTES_PER_TOKEN
    if len(data) > size:
        return (hashlib.sha256(data).digest() * (size // 32 + 1))[:size]
    return data.ljust(size, b"\0")
