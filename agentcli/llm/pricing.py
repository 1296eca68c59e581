"""One usage, priced and shown part by part: what `agent debug price` prints."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from typing import cast

from agentcli.lib.errors import UserError
from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.cost import MILLION, factor_for, price, rates_for
from agentcli.llm.hosted import hosted
from agentcli.llm.models import FREE, ModelSpec, Prices
from agentcli.llm.providers import PROVIDERS
from agentcli.llm.types import JsonObject, Usage
from agentcli.llm.wire.openai_chat_usage import reported_cost

CLASSES = {
    "uncached_input": "input",
    "cache_write_5m": "cache_write_5m",
    "cache_write_1h": "cache_write_1h",
    "cache_read": "cache_read",
    "output": "output",
    "reasoning": "reasoning",
}
"""The words of wire.md 0.1, and our fields."""
DECODERS = {
    "anthropic": "anthropic_decode",
    "openai-responses": "openai_responses_decode",
    "openai-chat": "openai_chat_usage",
    "gemini": "gemini_decode",
    "bedrock": "bedrock_decode",
    "anthropic-bedrock": "anthropic_decode",
    "anthropic-vertex": "anthropic_decode",
}
"""Wire → the module that reads its usage."""
SIGNS = {
    "promptTokenCount": "gemini",
    "candidatesTokenCount": "gemini",
    "inputTokens": "bedrock",
    "prompt_tokens": "openai-chat",
    "input_tokens_details": "openai-responses",
    "output_tokens_details": "openai-responses",
    "input_tokens": "anthropic",
}
"""A field that only one wire's usage has → the wire; the first that is there counts."""


def find(name: str, env: Mapping[str, str]) -> ModelSpec:
    """A model by `provider/name`, alias or name, whether its key is here or not.

    `env` tells where a cloud's endpoint is, which may have a price of its own.
    """
    provider, slash, rest = name.partition("/")
    if slash and provider in PROVIDERS:
        row = PROVIDERS[provider]
        spec = models.find(rest, provider) if not row.service else None
        spec = spec or hosted(row, rest, env) or models.unknown(rest, provider)
        return replace(spec, prices=FREE) if row.local else spec
    short = models.alias(name)
    home, full = short if short else ("", name)
    homes = [home] if home else [*models.providers_of(full), "anthropic", "openai", "gemini"]
    found = (models.find(full, one) for one in homes)
    return next((spec for spec in found if spec), models.unknown(full, homes[0]))


def usage_of(data: JsonObject, wire: str = "") -> Usage:
    """Usage in our words, or as a provider reports it. Raises UserError for anything else."""
    if not wire and data.keys() & {"uncached_input", "cache_write_5m", "cache_read", "output"}:
        return _ours(data)
    sign = next((known for field, known in SIGNS.items() if field in data), "")
    wire = wire or sign
    if not wire:
        raise UserError(f"This is no usage: none of {', '.join([*CLASSES, *SIGNS])} is in it.")
    if wire not in DECODERS:
        raise UserError(f"There is no wire {wire!r}; known: {', '.join(DECODERS)}.")
    module = import_module(f"agentcli.llm.wire.{DECODERS[wire]}")
    return module.usage_from(data)


def _ours(data: JsonObject) -> Usage:
    counts: dict[str, int] = {}
    for name, count in data.items():
        if name not in CLASSES:
            raise UserError(f"{name!r} is no class of usage; known: {', '.join(CLASSES)}.")
        if not isinstance(count, int) or isinstance(count, bool):
            raise UserError(f"{name}: a number of tokens is wanted.")
        counts[CLASSES[name]] = max(0, count)
    return Usage(**counts)


def priced(
    model: ModelSpec, data: JsonObject | None, *, at: datetime, tier: str = "", wire: str = ""
) -> JsonObject:
    """Classes, rates, multipliers and total as JSON; dollars are decimal strings. Raises UserError.

    A usage that was not reported is None, and so is what cannot be known.
    """
    usage = usage_of(data, wire) if data is not None else None
    words = _tier_and_region(data or {}, tier)
    row = rates_for(usage, model, at) if usage else None
    tier_word, geo = words
    reported = reported_cost(data) if data else None
    cost = price(usage, model, at=at, reported=reported, tier=tier_word, geo=geo)
    factors = {word: factor_for(model, word) for word in words if word}
    applied = {word: plain(factor) for word, factor in factors.items() if factor != 1}
    return {
        "model": model.id,
        "provider": model.provider,
        "at": at.isoformat(),
        "usage": _words(usage) if usage else None,
        "prompt_tokens": usage.prompt if usage else None,
        "rates_per_million": _rates(row) if row else None,
        "multipliers": _multipliers(row, applied),
        "cost": _parts(usage, row, factors) if usage and row else None,
        "total": plain(cost.total) if cost else None,
        "saved_by_cache": plain(cost.saved) if cost and row else None,
        "basis": "unknown" if cost is None else "exact" if cost.exact else "computed",
    }


def _tier_and_region(data: JsonObject, tier: str) -> tuple[str, str]:
    """What was asked for, else what the provider says it used (cost facts 3.7)."""
    speed = "fast" if data.get("speed") == "fast" else ""
    said = speed or data.get("service_tier") or data.get("trafficType") or ""
    return tier or str(said), str(data.get("inference_geo") or "")


def _words(usage: Usage) -> JsonObject:
    return {word: getattr(usage, field) for word, field in CLASSES.items()}


def _rates(row: Prices) -> JsonObject:
    """As they are applied: a missing read or write price is the input price (wire.md 6.5)."""
    written = row.cache_write_5m or row.input
    return {
        "uncached_input": row.input,
        "cache_write_5m": written,
        "cache_write_1h": row.cache_write_1h or written,
        "cache_read": row.cache_read or row.input,
        "output": row.output,
    }


def _multipliers(row: Prices | None, applied: JsonObject) -> JsonObject:
    """Tiers and regions multiply; size, date and hour choose the row of rates."""
    chosen: JsonObject = {}
    if row and row.above:
        chosen["prompt_above"] = row.above
    if row and row.since:
        chosen["since"] = row.since
    if row and row.hours:
        chosen["peak_hours_utc"] = [list(span) for span in row.hours]
    return applied | ({"row": chosen} if chosen else {})


def _parts(usage: Usage, row: Prices, factors: Mapping[str, Decimal]) -> JsonObject:
    scale = Decimal(1)
    for factor in factors.values():
        scale *= factor
    rates = cast("dict[str, str]", _rates(row))
    return {
        word: plain(getattr(usage, CLASSES[word]) * Decimal(rate) * scale / MILLION)
        for word, rate in rates.items()
    }


def plain(amount: Decimal) -> str:
    """0.0031, 12, 0: never an exponent."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
