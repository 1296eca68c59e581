"""Usage and cost of Chat servers, wherever they put them (wire.md 0.1, 2.6, 5)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from agentcli.llm.types import JsonObject, Usage
from agentcli.llm.wire.counts import count, is_told
from agentcli.llm.wire.fields import object_at

TICK = Decimal("1e-10")
"""USD in one of xAI's ticks."""
MOST_MONEY = 10**20
"""In any unit; what says more is no amount of money."""


def usage_from(usage: JsonObject) -> Usage | None:
    """Counts of any Chat dialect; the prompt includes what was cached and written.

    xAI counts reasoning beside the completion, which only the total shows (wire.md 5.2). None
    where no count is told.
    """
    if not is_told(usage, "prompt_tokens", "prompt_cache_miss_tokens"):
        return None
    details = object_at(usage, "prompt_tokens_details") or object_at(usage, "prompt_token_details")
    hit, miss = count(usage, "prompt_cache_hit_tokens"), count(usage, "prompt_cache_miss_tokens")
    prompt = max(count(usage, "prompt_tokens"), hit + miss)
    read = max(
        count(details, "cached_tokens"),
        hit,
        count(usage, "cached_tokens"),
        count(usage, "num_cached_tokens"),
        count(usage, "cache_read_input_tokens"),
    )
    split = object_at(details, "cache_write_tokens_details")
    written = max(
        count(details, "cache_write_tokens"),
        count(details, "cache_creation_input_tokens"),
        count(details, "cache_creation_tokens"),
        count(usage, "cache_creation_input_tokens"),
    )
    lives = object_at(details, "cache_creation_token_details")
    long = count(split, "ttl_12h_tokens") or count(lives, "ephemeral_1h_input_tokens")
    reasoning = count(object_at(usage, "completion_tokens_details"), "reasoning_tokens")
    output = count(usage, "completion_tokens")
    if prompt + output + reasoning == count(usage, "total_tokens"):
        output += reasoning
    return Usage(
        input=max(0, prompt - read - written),
        output=output,
        cache_read=read,
        cache_write_5m=max(0, written - long),
        cache_write_1h=long,
        reasoning=reasoning,
    )


def reported_cost(usage: JsonObject) -> str | None:
    """What the provider says it billed, in USD (wire.md 5.2, 5.5).

    With a key of one's own at OpenRouter that is its fee and the bill of whoever answered; the
    fee alone is no answer (cost facts 5).
    """
    ticks = _amount(usage.get("cost_in_usd_ticks"))
    if ticks is not None:
        return f"{ticks * TICK:f}"
    told = usage.get("cost")
    cost = _amount(object_at(usage, "cost").get("total_cost") if isinstance(told, dict) else told)
    if cost is not None and usage.get("is_byok"):
        upstream = _amount(object_at(usage, "cost_details").get("upstream_inference_cost"))
        cost = None if upstream is None else cost + upstream
    return None if cost is None else f"{cost:f}"


def _amount(told: object) -> Decimal | None:
    """A number as it was written, also in a string: money is never counted in binary."""
    if isinstance(told, bool) or not isinstance(told, int | float | str):
        return None
    try:
        amount = Decimal(str(told))
    except (InvalidOperation, ValueError):
        return None
    return amount if amount.is_finite() and abs(amount) < MOST_MONEY else None
