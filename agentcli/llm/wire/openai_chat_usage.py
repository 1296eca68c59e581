"""Usage and cost of Chat servers, wherever they put them (wire.md 0.1, 2.6, 5)."""

from __future__ import annotations

from math import isfinite
from typing import cast

from agentcli.llm.types import JsonObject, Usage
from agentcli.llm.wire.counts import count


def usage_from(usage: JsonObject) -> Usage:
    """Counts of any Chat dialect; the prompt includes what was cached and written.

    xAI counts reasoning beside the completion, which only the total shows (wire.md 5.2).
    """
    details = _object(usage, "prompt_tokens_details") or _object(usage, "prompt_token_details")
    prompt = count(usage, "prompt_tokens")
    read = max(
        count(details, "cached_tokens"),
        count(usage, "prompt_cache_hit_tokens"),
        count(usage, "cached_tokens"),
        count(usage, "num_cached_tokens"),
        count(usage, "cache_read_input_tokens"),
    )
    split = _object(details, "cache_write_tokens_details")
    written = max(
        count(details, "cache_write_tokens"),
        count(details, "cache_creation_input_tokens"),
        count(details, "cache_creation_tokens"),
        count(usage, "cache_creation_input_tokens"),
    )
    lives = _object(details, "cache_creation_token_details")
    long = count(split, "ttl_12h_tokens") or count(lives, "ephemeral_1h_input_tokens")
    reasoning = count(_object(usage, "completion_tokens_details"), "reasoning_tokens")
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
    """What the provider says it billed, in USD (wire.md 5.2, 5.5)."""
    ticks = _amount(usage.get("cost_in_usd_ticks"))
    if ticks is not None:
        return f"{int(ticks)}e-10"
    cost = usage.get("cost")
    if isinstance(cost, dict):
        cost = cast("JsonObject", cost).get("total_cost")
    amount = _amount(cost)
    if amount is None:
        return None
    if usage.get("is_byok"):
        amount += _amount(_object(usage, "cost_details").get("upstream_inference_cost")) or 0
    return f"{amount:.12f}"


def _amount(value: object) -> float | None:
    """A number that can be money; some proxies put it in a string."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = float(value)
    except (ValueError, OverflowError):
        return None
    return amount if isfinite(amount) else None


def _object(holder: JsonObject, key: str) -> JsonObject:
    value = holder.get(key)
    return cast("JsonObject", value) if isinstance(value, dict) else {}
