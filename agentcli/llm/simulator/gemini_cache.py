"""Gemini's caches: the one that happens by itself, and those a person makes (wire.md 3.6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agentcli.lib.value import value
from agentcli.llm.simulator.gemini_prompt import Position, positions
from agentcli.llm.simulator.gemini_rules import (
    CACHES,
    EXPLICIT_LIFE,
    IMPLICIT_LIFE,
    minimum,
    need,
    version,
)
from agentcli.llm.simulator.prefix import extend
from agentcli.llm.simulator.refusal import Refused
from agentcli.llm.simulator.tokens import compact
from agentcli.llm.types import JsonObject, Usage


@value
class GeminiCharge:
    usage: Usage
    """Without output; no write is ever billed."""
    publish: Callable[[], None]


class GeminiCache:
    """Implicit: the longest prefix of whole parts seen before, where the minimum is reached."""

    def __init__(self) -> None:
        self._used: dict[str, float] = {}

    def look(
        self, model: str, places: Sequence[Position], now: float, held: int = 0
    ) -> GeminiCharge:
        """`held` are the tokens that an explicit cache gives, which are read in any case."""
        total = places[-1].tokens if places else 0
        known = [place for place in places if self._lives(place, now)]
        read = known[-1].tokens if known else 0
        enough = read >= minimum(model) and version(model) >= CACHES
        read = max(held, read if enough else 0)
        fresh = {place.digest: now for place in places}
        usage = Usage(input=total - read, cache_read=read)
        return GeminiCharge(usage, lambda: self._used.update(fresh))

    def _lives(self, place: Position, now: float) -> bool:
        used = self._used.get(place.digest)
        return used is not None and now - used < IMPLICIT_LIFE


@dataclass(slots=True)
class Kept:
    """One explicit cache."""

    name: str
    model: str
    body: JsonObject
    """systemInstruction, tools, toolConfig and contents, put before those of a request."""
    tokens: int
    made: float
    expires: float

    def stored(self, now: float) -> float:
        """Token-hours paid for so far: from its making to its end (wire.md 3.6)."""
        return self.tokens * (min(now, self.expires) - self.made) / 3_600


@dataclass(slots=True)
class CachedContents:
    """`/v1beta/cachedContents`: POST makes one, PATCH moves its end, DELETE removes it."""

    _kept: dict[str, Kept] = field(default_factory=dict[str, Kept])
    _removed: float = 0.0
    """Token-hours of those that were deleted."""

    def stored(self, now: float) -> float:
        """Token-hours of storage to be paid until now; expired ones count to their end."""
        return self._removed + sum(kept.stored(now) for kept in self._kept.values())

    def find(self, name: str, now: float) -> Kept:
        """Raises Refused for one that is not there, or not any more."""
        kept = self._kept.get(name)
        if kept is None or kept.expires <= now:
            message = "CachedContent not found (or permission denied)"
            raise Refused(message, status=403, kind="PERMISSION_DENIED")
        return kept

    def make(self, body: JsonObject, digest: str, now: float) -> JsonObject:
        model = str(body.get("model") or "").rpartition("/")[2]
        need(bool(model), "* CreateCachedContentRequest.model: model is required")
        places = positions(body, model)
        tokens, least = places[-1].tokens if places else 0, minimum(model)
        need(
            tokens >= least,
            f"Cached content is too small. total_token_count={tokens}, "
            f"min_total_token_count={least}",
        )
        name = "cachedContents/" + extend(digest, compact(body))[:16]
        self._kept[name] = Kept(name, model, body, tokens, now, _end(body, now))
        return self._shown(self._kept[name])

    def change(self, name: str, body: JsonObject, now: float) -> JsonObject:
        need(set(body) <= {"ttl", "expireTime"}, "Only ttl and expireTime can be updated.")
        kept = self.find(name, now)
        kept.expires = _end(body, now)
        return self._shown(kept)

    def show(self, name: str, now: float) -> JsonObject:
        return self._shown(self.find(name, now))

    def remove(self, name: str, now: float) -> JsonObject:
        self._removed += self.find(name, now).stored(now)
        del self._kept[name]
        return {}

    def _shown(self, kept: Kept) -> JsonObject:
        return {
            "name": kept.name,
            "model": f"models/{kept.model}",
            "expireTime": datetime.fromtimestamp(kept.expires, UTC).isoformat(),
            "usageMetadata": {"totalTokenCount": kept.tokens},
        }


def _end(body: JsonObject, now: float) -> float:
    """When a cache ends: after its `ttl` ("3600s"), or at its `expireTime`."""
    need("ttl" not in body or "expireTime" not in body, "Only one of ttl and expireTime may be set")
    ttl = str(body.get("ttl") or f"{EXPLICIT_LIFE:g}s")
    try:
        if "expireTime" in body:
            end = datetime.fromisoformat(str(body["expireTime"])).timestamp()
        else:
            end = now + float(ttl.removesuffix("s")) * ttl.endswith("s")
    except ValueError:
        end = now
    need(end > now, "Invalid value at 'cached_content': ttl or expireTime is not in the future")
    return end
