"""The cost line after a turn, as plain text, the same for every front-end."""

from __future__ import annotations

from agentcli.agent.events import Spent, TurnEnd
from agentcli.lib.value import value
from agentcli.llm.cost import Cost, format_usd
from agentcli.llm.types import Usage


@value
class ContextFacts:
    """How full the context is and how long its cached prefix lives."""

    used: int
    size: int | None
    cache_expires: float | None
    """Unix time; None when nothing is cached."""


def context_facts(spent: Spent) -> ContextFacts:
    return ContextFacts(spent.context_used, spent.context, spent.cache_expires)


def turn_line(end: TurnEnd, facts: ContextFacts | None = None, *, now: float = 0.0) -> str:
    """Steps, tokens with the cached share, dollars, savings, context, seconds of cache left."""
    if not end.steps:
        return ""
    parts = [
        "1 step" if end.steps == 1 else f"{end.steps} steps",
        input_part(end.usage),
        f"{tokens(end.usage.output)} out",
        cost_part(end.cost),
    ]
    if facts is not None:
        parts += [context_part(facts.used, facts.size), cache_part(facts.cache_expires, now)]
    return " · ".join(part for part in parts if part)


def tokens(count: int) -> str:
    """12, 1.2k, 41.2k, 1.3M."""
    if count < 1000:
        return str(count)
    if count < 999_950:
        return f"{count / 1000:.1f}k"
    return f"{count / 1_000_000:.1f}M"


def input_part(usage: Usage) -> str:
    """Tokens sent and how many of them, in percent, were read from cache."""
    if not usage.prompt:
        return "0 in"
    share = round(100 * usage.cache_read / usage.prompt)
    share = min(share, 99) if usage.cache_read < usage.prompt else share
    return f"{tokens(usage.prompt)} in ({share} % cached)"


def cost_part(cost: Cost | None) -> str:
    """Dollars, and what the cache saved; a negative saving is a surcharge and said to be one."""
    if cost is None:
        return "cost unknown"
    total = format_usd(cost.total)
    if cost.saved > 0:
        return f"{total} (saved {format_usd(cost.saved)})"
    if cost.saved < 0:
        return f"{total} (cache cost {format_usd(-cost.saved)} more)"
    return total


def context_part(used: int, size: int | None) -> str:
    """Share of the window in use; tokens where that is under one percent or has no known size."""
    if size and used * 100 >= size:
        return f"context {round(100 * used / size)} %"
    return f"context {tokens(used)}"


def cache_part(expires: float | None, now: float) -> str:
    """Minutes and seconds until the cached prefix lapses; nothing when nothing is cached."""
    if expires is None:
        return ""
    left = int(expires - now)
    if left <= 0:
        return "cache expired"
    minutes, seconds = divmod(left, 60)
    if minutes < 60:
        return f"cache {minutes}:{seconds:02}"
    return f"cache {minutes // 60}:{minutes % 60:02}:{seconds:02}"
