"""One usage, priced and shown part by part: what `agent debug price` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from typing import cast

from agentcli.lib.errors import UserError
from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.cost import MILLION, Cost, factor_for, price, rates_for
from agentcli.llm.hosted import bedrock_name
from agentcli.llm.models import FREE, ModelSpec, Prices
from agentcli.llm.providers import served
from agentcli.llm.route import Provider
from agentcli.llm.types import JsonObject, Usage
from agentcli.llm.wire.counts import MOST, is_told
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
    "outputTokens": "bedrock",
    "prompt_tokens": "openai-chat",
    "completion_tokens": "openai-chat",
    "prompt_cache_miss_tokens": "openai-chat",
    "cache_read_input_tokens": "anthropic",
    "cache_creation_input_tokens": "anthropic",
    "cache_creation": "anthropic",
    "iterations": "anthropic",
    "input_tokens_details": "openai-responses",
    "input_tokens": "anthropic",
    "output_tokens": "anthropic",
}
"""A field of one wire's usage → the wire; the first that is there counts."""
COUNTS = [name for name in SIGNS if name.endswith(("tokens", "Tokens", "TokenCount"))]
TIERS = ("default", "standard", "auto", "flex", "batch", "priority", "fast", "ultrafast")


def find(name: str, env: Mapping[str, str], known: Mapping[str, Provider]) -> ModelSpec:
    """A model by `provider/name`, alias or name, whether its key is here or not.

    `known` are the providers; `env` tells where a cloud's endpoint is, which may have a price of
    its own. A name in AWS's form is Bedrock's.
    """
    provider, slash, rest = name.partition("/")
    if not slash and bedrock_name(name)[0] != name:
        provider, rest = "bedrock", name
    if name.startswith("arn:"):
        provider, rest = "bedrock", name
    if provider in known and rest:
        row = known[provider]
        spec = served(row, rest, env) or models.unknown(rest, provider)
        return replace(spec, prices=FREE) if row.local else spec
    spec = models.at_home(name)
    if spec is None or spec.provider not in known:
        return models.unknown(name, "")
    return served(known[spec.provider], spec.id, env) or spec


def usage_of(data: JsonObject, wire: str = "") -> Usage | None:
    """Usage in our words, or as a provider reports it; None where its counts are null.

    Raises UserError for anything else.
    """
    if not wire and data.keys() & {"uncached_input", "cache_write_5m", "cache_read", "output"}:
        return _ours(data)
    wire = wire or next((known for field, known in SIGNS.items() if field in data), "")
    if not wire:
        raise UserError(f"This is no usage: none of {', '.join([*CLASSES, *SIGNS])} is in it.")
    if wire not in DECODERS:
        raise UserError(f"There is no wire {wire!r}; known: {', '.join(DECODERS)}.")
    for name in COUNTS:
        if data.get(name) is not None and not is_told(data, name):
            raise UserError(f"{name}: a number of tokens is wanted.")
    usage = import_module(f"agentcli.llm.wire.{DECODERS[wire]}").usage_from(data)
    if usage is None and not any(data.get(name, 0) is None for name in COUNTS):
        raise UserError(f"This is no usage of {wire}: it does not count the prompt.")
    return usage


def _ours(data: JsonObject) -> Usage:
    counts: dict[str, int] = {}
    for name, count in data.items():
        if name not in CLASSES:
            raise UserError(f"{name!r} is no class of usage; known: {', '.join(CLASSES)}.")
        if not isinstance(count, int) or isinstance(count, bool) or count > MOST:
            raise UserError(f"{name}: a number of tokens is wanted.")
        counts[CLASSES[name]] = max(0, count)
    return Usage(**counts)


def priced(
    model: ModelSpec, data: JsonObject | None, *, at: datetime, tier: str = "", wire: str = ""
) -> JsonObject:
    """Classes, rates, multipliers and total as JSON; dollars are decimal strings. Raises UserError.

    A usage that was not reported is None, and so is what cannot be known. The parts of the cost
    add up to the total.
    """
    if tier and tier.lower() not in TIERS:
        raise UserError(f"There is no tier {tier!r}; known: {', '.join(TIERS)}.")
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
        "provider": model.provider or None,
        "priced_as": model.listed_as or None,
        "at": at.isoformat(),
        "usage": _words(usage) if usage else None,
        "prompt_tokens": usage.prompt if usage else None,
        "rates_per_million": _rates(row) if row else None,
        "multipliers": _multipliers(row, applied),
        "cost": dict(_parts(usage, row, factors, cost)) if usage and row and cost else None,
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


def _parts(
    usage: Usage, row: Prices, factors: Mapping[str, Decimal], cost: Cost
) -> Iterator[tuple[str, str]]:
    """Each class by the list, and what the provider's own total is more or less."""
    scale = Decimal(1)
    for factor in factors.values():
        scale *= factor
    rest = cost.total
    for word, rate in cast("dict[str, str]", _rates(row)).items():
        part = getattr(usage, CLASSES[word]) * Decimal(rate) * scale / MILLION
        rest -= part
        yield word, plain(part)
    if cost.exact:
        yield "as_stated", plain(rest)


def plain(amount: Decimal) -> str:
    """0.0031, 12, 0: never an exponent."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
