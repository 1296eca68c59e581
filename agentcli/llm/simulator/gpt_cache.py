"""OpenAI's prompt caches, before and since GPT-5.6 (wire.md 2.8)."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

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
RETENTIONS = {"in_memory": (300.0, 3_600.0), "24h": (86_400.0, inf)}
"""Seconds a prefix surely lives unused, and at most in all, before 5.6."""
DEFAULT_RETENTION = "24h"
ONLY_LONG = (5, 5)
"""The version that keeps prefixes for 24 hours only."""
RPM = 15
"""wire.md 2.8: requests a minute for one prefix and key that one machine answers."""
ROUTED_BY = 256
"""Tokens at the beginning of a prompt that, with the key, choose its machine."""
LIVES = {"30m": 1_800.0, "12h": 43_200.0}
MAX_WRITES = 4
EARLIER_ENDS = 20
FIRST_MARKS, LAST_MARKS = 2, 50
"""wire.md 2.8.4: explicit breakpoints that are looked up."""


@value
class Steps:
    """Automatic caching in whole steps (wire.md 2.8, 5)."""

    step: int = STEP
    least: int = LEAST
    """Tokens of the shortest prefix that is read."""
    life: float = inf
    """Seconds an unused prefix is kept."""
    most: float = inf
    """Seconds it is kept at most."""


@value
class GptCharge:
    usage: Usage
    """Without output."""
    publish: Callable[[], None]


@dataclass(slots=True)
class _Entry:
    life: float
    used: float
    end: float = inf
    """When it is let go even if it was used."""

    def lives(self, now: float) -> bool:
        return now - self.used < self.life and now < self.end


class Entries:
    """What one machine has cached: the digests of prefixes, and how long they live."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def use(self, digest: str, now: float) -> bool:
        """Whether an entry lives; being used, it lives on for another full life."""
        entry = self._entries.get(digest)
        if entry is None or not entry.lives(now):
            return False
        entry.used = max(entry.used, now)
        return True

    def keep(self, digests: Iterable[str], life: float, now: float, most: float = inf) -> None:
        self._entries.update((digest, _Entry(life, now, now + most)) for digest in digests)

    def look_steps(self, prompt: GptPrompt, now: float, rule: Steps) -> GptCharge:
        """Whole steps of any prefix seen before; writing is free."""
        digests = list(_step_digests(prompt, rule.step))
        count = 0
        while count < len(digests) and self.use(digests[count], now):
            count += 1
        read = count * rule.step if count * rule.step >= rule.least else 0
        return GptCharge(
            Usage(input=prompt.tokens - read, cache_read=read),
            lambda: self.keep(digests[count:], rule.life, now, rule.most),
        )

    def look_boundaries(self, prompt: GptPrompt, now: float) -> GptCharge:
        """Exact boundaries; writes are charged instead of input (2.8, rules 1 to 8)."""
        places = places_of(prompt)
        hit = 0
        for index in sorted(lookups(prompt), reverse=True):
            digest, tokens = places[index]
            if self.use(digest, now):
                hit = tokens
                break
        short = long = 0
        end = hit
        fresh: list[tuple[str, float]] = []
        for index, ttl in writes(prompt):
            digest, tokens = places[index]
            if tokens < LEAST or tokens <= hit:
                continue
            fresh.append((digest, LIVES[ttl]))
            long += tokens - end if ttl == "12h" else 0
            short += tokens - end if ttl != "12h" else 0
            end = tokens

        def publish() -> None:
            for digest, life in fresh:
                self.keep((digest,), life, now)

        return GptCharge(Usage(prompt.tokens - end, 0, hit, short, long), publish)


class GptCache:
    """One organisation's cache, both kinds; the model's version decides."""

    def __init__(self) -> None:
        self._machines: defaultdict[int, Entries] = defaultdict(Entries)
        self._recent: dict[str, list[float]] = {}

    def look(self, prompt: GptPrompt, now: float) -> GptCharge:
        """What a request reads and writes now; its writes are readable after `publish`."""
        machine = self._machines[self._load(prompt, now) // RPM]
        version = gpt_version(prompt.model)
        if version >= BILLS_WRITES:
            return machine.look_boundaries(prompt, now)
        life, most = RETENTIONS.get(prompt.retention, RETENTIONS[DEFAULT_RETENTION])
        rule = Steps(STEPS.get(version, STEP), LEAST, life, most)
        return machine.look_steps(prompt, now, rule)

    def _load(self, prompt: GptPrompt, now: float) -> int:
        """Requests of the last minute that began alike; those over the limit go elsewhere."""
        route = beginning(prompt)
        recent = [at for at in self._recent.get(route, ()) if now - at < 60]
        self._recent[route] = [*recent, now]
        return len(recent)


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
    """The pieces after which an entry is written, with its life, in order (wire.md 2.8.3).

    A breakpoint where the implicit one stands decides its life; it is undocumented which does.
    """
    marked = [(index, prompt.pieces[index].mark) for index in _marked(prompt.pieces)]
    if prompt.options.get("mode") == "explicit":
        return marked[-MAX_WRITES:]
    ends = [index for index, piece in enumerate(prompt.pieces) if piece.ends]
    life = str(prompt.options.get("ttl") or "30m")
    implicit = {ends[-1]: life} if ends else {}
    return sorted((implicit | dict(marked[-(MAX_WRITES - 1) :])).items())


def _marked(pieces: Sequence[Piece]) -> list[int]:
    return [index for index, piece in enumerate(pieces) if piece.mark]


def beginning(prompt: GptPrompt) -> str:
    """What a request is routed by: its settings and its first tokens."""
    return next(_step_digests(prompt, ROUTED_BY), prompt.seed)


def _step_digests(prompt: GptPrompt, step: int) -> Iterator[str]:
    """The digest of the prompt up to each multiple of `step` tokens."""
    size = step * BYTES_PER_TOKEN
    running = hashlib.sha256(prompt.seed.encode())
    room = size
    for piece in prompt.pieces:
        running.update(piece.head.encode("utf-8", "replace"))
        data = _padded(piece)
        while len(data) >= room:
            running.update(data[:room])
            yield running.hexdigest()
            data, room = data[room:], size
        running.update(data)
        room -= len(data)


def _padded(piece: Piece) -> bytes:
    """The piece in as many bytes as it has tokens, times four."""
    data = piece.text.encode("utf-8", "replace")
    size = piece.tokens * BYTES_PER_TOKEN
    if len(data) > size:
        return (hashlib.sha256(data).digest() * (size // 32 + 1))[:size]
    return data.ljust(size, b"\0")
