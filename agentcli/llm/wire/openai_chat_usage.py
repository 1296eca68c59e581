"""Usage and cost of Chat servers, wherever they put them (wire.md 0.1, 2.6, 5)."""

from __future__ import annotations

from typing import cast

from agentcli.llm.types import JsonObject, Usage


def usage_from(usage: JsonObject) -> Usage:
    """Counts of any Chat dialect; the prompt includes what was cached and written.

    xAI counts reasoning beside the completion, which only the total shows (wire.md 5.2).
    """
    details = _object(usage, "prompt_tokens_details") or _object(usage, "prompt_token_details")
    prompt = _count(usage, "prompt_tokens")
    read = max(
        _count(details, "cached_tokens"),
        _count(usage, "prompt_cache_hit_tokens"),
        _count(usage, "cached_tokens"),
        _count(usage, "num_cached_tokens"),
        _count(usage, "cache_read_input_tokens"),
    )
    split = _object(details, "cache_write_tokens_details")
    written = max(
        _count(details, "cache_write_tokens"),
        _count(details, "cache_creation_input_tokens"),
        _count(details, "cache_creation_tokens"),
        _count(usage, "cache_creation_input_tokens"),
    )
    lives = _object(details, "cache_creation_token_details")
    long = _count(split, "ttl_12h_tokens") or _count(lives, "ephemeral_1h_input_tokens")
    reasoning = _count(_object(usage, "completion_tokens_details"), "reasoning_tokens")
    output = _count(usage, "completion_tokens")
    if prompt + output + reasoning == _count(usage, "total_tokens"):
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
    ticks = usage.get("cost_in_usd_ticks")
    if isinstance(ticks, int | float):
        return f"{int(ticks)}e-10"
    cost = usage.get("cost")
    if isinstance(cost, dict):
        cost = cast("JsonObject", cost).get("total_cost")
    if not isinstance(cost, int | float) or isinstance(cost, bool):
        return None
    if usage.get("is_byok"):
        upstream = _object(usage, "cost_details").get("upstream_inference_cost")
        cost += upstream if isinstance(upstream, int | float) else 0
    return f"{cost:.12f}"


def _object(holder: JsonObject, key: str) -> JsonObject:
    value = holder.get(key)
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def _count(holder: JsonObject, key: str) -> int:
    value = holder.get(key)
    return max(0, int(value)) if isinstance(value, int | float) else 0
