"""Why a request read less from the cache than the one before had left there; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from agentcli.lib.value import value
from agentcli.llm.cache import CachePlan
from agentcli.llm.models import CacheKind
from agentcli.llm.shape import Shape
from agentcli.llm.types import Message, Usage

Kind = Literal[
    "first",
    "model",
    "compaction",
    "tools",
    "system",
    "memory",
    "options",
    "messages",
    "expired",
    "minimum",
    "key",
    "routed",
    "marks",
    "unknown",
]
IDLE = 300
"""Seconds after which a vendor that promises no life may have let go (wire.md 2.8)."""
SLACK = 0.03
"""The share of a prompt by which vendors' own roundings and estimates may differ."""
STEP = 256
"""Tokens: reads of some vendors come in steps of 128 (wire.md 2.8)."""


@value
class Sent:
    """One request that was answered, as the next one's explanation needs it."""

    shape: Shape
    provider: str
    at: float
    """When it was sent, in seconds of the caller's clock."""
    usage: Usage | None
    plan: CachePlan
    kind: CacheKind
    links: tuple[str, ...] = ()
    """The chain of its messages' hashes; empty for one that was read back from disk."""
    last: Message | None = None
    """Its last message, likewise."""
    key: str = ""
    """The partition of the cache it asked for, where its vendor has any (wire.md 2.8)."""

    @property
    def held(self) -> int:
        """Tokens it left in the cache, as far as was reported."""
        usage = self.usage
        if usage is None or self.kind.mode == "none":
            return 0
        cached = usage.cache_read + usage.cache_write_5m + usage.cache_write_1h
        told = self.kind.mode == "explicit" or cached > usage.cache_read
        return cached if told or usage.prompt < self.kind.min_tokens else usage.prompt


@value
class Miss:
    """A reason, in words for a person, and how many tokens had to be sent anew for it."""

    kind: Kind
    text: str
    lost: int = 0


def explain(now: Sent, before: Sent | None, latest: Sent | None = None) -> Miss | None:
    """Why `now` read so little; None where it read what there was.

    `before` is the session's previous request to the same model, `latest` the newest to any.
    """
    usage, kind = now.usage, now.kind
    if usage is None:
        return Miss("unknown", "the provider reported no usage")
    if kind.mode == "none":
        return None
    if _marks_lost(now):
        return Miss("marks", "nothing was read and nothing written: the marks got lost on the way")
    if before is None:
        return _first(now, latest)
    shrunk = before.held - usage.cache_read
    if shrunk > max(STEP, before.held * SLACK):
        lost = max(0, min(before.held, usage.prompt) - usage.cache_read)
        return _reason(now, before, lost)
    if not usage.cache_read and 0 < _prompt(before) < kind.min_tokens:
        return Miss("minimum", f"the prompt was below the minimum of {kind.min_tokens:,} tokens")
    return None


def shortened(usage: Usage | None, plan: CachePlan) -> bool:
    """Whether an hour was asked for and writes of five minutes are reported (wire.md 1.12.7)."""
    hours = [mark.ttl == "1h" for mark in plan.marks]
    if usage is None or not any(hours) or usage.cache_write_1h or not usage.cache_write_5m:
        return False
    return all(hours) or not usage.cache_read


def _prompt(sent: Sent) -> int:
    return sent.usage.prompt if sent.usage else 0


def _marks_lost(now: Sent) -> bool:
    """Marked long enough, yet neither read nor written: something between took the marks away."""
    usage = now.usage or Usage()
    placed = now.kind.mode == "explicit" and bool(now.plan.marks)
    cached = usage.prompt - usage.input
    return placed and not cached and usage.input >= 2 * now.kind.min_tokens


def _first(now: Sent, latest: Sent | None) -> Miss | None:
    """A subagent's first one should read the head of the talk that it works for."""
    read = now.usage.cache_read if now.usage else 0
    if latest is None:
        wanted = now.plan.expected_read
        if not wanted:
            return Miss("first", "first request")
        if wanted - read <= max(STEP, wanted * SLACK):
            return None
        words = "first request; its head was expected in the cache"
        return Miss("first", words, max(0, min(wanted, _prompt(now)) - read))
    lost = max(0, min(_prompt(now), _prompt(latest)) - read)
    return Miss("model", f"model switched: {latest.shape.model} → {now.shape.model}", lost)


def _reason(now: Sent, before: Sent, lost: int) -> Miss:
    """The first difference in the order of the prefix; the clock where there is none."""
    mine, old = now.shape, before.shape
    if mine.tools != old.tools:
        return Miss("tools", tools_changed(old.tools, mine.tools), lost)
    if mine.system != old.system:
        return Miss("system", "system changed", lost)
    if mine.memory != old.memory:
        return Miss("memory", "instructions or repository facts changed", lost)
    if mine.summary and mine.begins != old.begins:
        return Miss("compaction", "compaction", lost)
    if mine.options != old.options:
        return Miss("options", "effort or output format changed", lost)
    changed = _changed(now, before)
    if changed:
        return Miss("messages", changed, lost)
    return _by_time(now, before, lost)


def _changed(now: Sent, before: Sent) -> str:
    """What became of the messages that were sent before; "" when they begin this request."""
    old, mine = before.shape, now.shape
    pairs = enumerate(zip(before.links, now.links, strict=False), 1)
    number = next((n for n, (was, is_now) in pairs if was != is_now), 0)
    if number:
        return f"message {number} edited"
    if old.count > mine.count:
        return f"{old.count - mine.count} messages were taken back"
    if old.count and now.links and now.links[old.count - 1] != old.messages:
        return "earlier messages were edited"
    return ""


def _by_time(now: Sent, before: Sent, lost: int) -> Miss:
    if now.key != before.key:
        return Miss("key", "another cache key, as a fork has", lost)
    if now.provider != before.provider:
        return Miss("routed", f"another provider: {before.provider} → {now.provider}", lost)
    idle = max(0.0, now.at - before.at)
    life = before.plan.life
    if life is not None and idle >= life:
        late = duration(idle - life)
        return Miss("expired", f"expired {late} ago (kept for {duration(life)})", lost)
    if life is None and idle >= IDLE:
        return Miss("expired", f"let go after {duration(idle)} (no life is promised)", lost)
    read = now.usage.cache_read if now.usage else 0
    if not read:
        words = f"routed elsewhere by the provider: {before.held:,} tokens expected, none read"
        return Miss("routed", words, lost)
    return Miss("unknown", f"unknown: {read:,} of {before.held:,} tokens were read", lost)


def tools_changed(old: Iterable[tuple[str, str]], new: Iterable[tuple[str, str]]) -> str:
    """`tools changed: MCP github connected, Bash edited`."""
    was, now = dict(old), dict(new)
    came = [name for name in now if name not in was]
    went = [name for name in was if name not in now]
    edited = [name for name in now if name in was and was[name] != now[name]]
    parts = [
        *_named(came, "MCP {} connected", "{} added"),
        *_named(went, "MCP {} gone", "{} removed"),
        *_named(edited, "MCP {} edited", "{} edited"),
    ]
    return "tools changed: " + (", ".join(parts) or "their order")


def _named(names: Iterable[str], server: str, tool: str) -> list[str]:
    """Tools of one MCP server as one."""
    servers = [name.split("__")[1] for name in names if name.startswith("mcp__")]
    own = [name for name in names if not name.startswith("mcp__")]
    return [server.format(s) for s in dict.fromkeys(servers)] + [tool.format(n) for n in own]


def duration(seconds: float) -> str:
    """12 s, 7 min, 3 h."""
    if seconds < 90:
        return f"{round(seconds)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h"
