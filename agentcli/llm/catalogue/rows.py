"""A row of models.json from what a price list says of a model."""

from __future__ import annotations

import re
from decimal import Decimal

from agentcli.llm.catalogue.factors import own_factors
from agentcli.llm.catalogue.genai import Listed, plain
from agentcli.llm.catalogue.tables import BUDGET_THINKING, CACHE_MIN, EFFORTS, LIMITS
from agentcli.llm.models import edit_of
from agentcli.llm.types import JsonObject


def row_of(provider: str, name: str, row: JsonObject) -> JsonObject:
    thinking = _thinking(provider, name, row)
    found: JsonObject = {
        "context": _context(provider, row),
        "max_output": _max_output(row),
        "prices": _prices(row),
        "cache": _cache(provider, name, row),
    }
    if thinking:
        found |= {"thinking": thinking, "efforts": _efforts(provider, name, row)}
    listed = row.get("supports_function_calling")  # a row that lists what a model can do
    if not row.get("supports_vision", not listed):
        found["images"] = False
    if provider == "openai" and row.get("mode") == "responses":
        found["wire"] = "openai-responses"
    return {key: value for key, value in found.items() if value not in (None, [], {})}


def fresh_row(provider: str, name: str) -> JsonObject:
    """A model that only the tables above know."""
    reasons = provider in ("anthropic", "openai")
    like = {"supports_reasoning": reasons, "supports_xhigh_reasoning_effort": reasons}
    limits = {"anthropic": (1_000_000, 128_000), "openai": (1_050_000, 128_000)}
    context, output = limits.get(provider, (None, None))
    return row_of(provider, name, like | {"input_cost_per_token": 0}) | {
        "context": context,
        **({"max_output": output} if output else {}),
    }


def like(item: Listed) -> JsonObject:
    """What litellm would say of a model it lacks; reasoning is not asked for where unknown."""
    rates = {
        "input_cost_per_token": "input",
        "cache_creation_input_token_cost": "cache_write_5m",
        "cache_read_input_token_cost": "cache_read",
    }
    last = item.prices[-1]
    costs = {key: float(last[ours]) / 1e6 for key, ours in rates.items() if ours in last}
    return costs | {"max_input_tokens": item.context}


def finish(provider: str, name: str, row: JsonObject) -> None:
    """What follows from the name; tiers past the window can never be reached."""
    row.pop("edit", None)
    row |= LIMITS.get(provider, {}).get(name, {})
    if edit_of(name) == "patch":
        row["edit"] = "patch"
    if factors := own_factors(provider, name):
        row["factors"] = factors
    context = row.get("context")
    if context is None:
        row.pop("context", None)
    row["prices"] = [p for p in row["prices"] if not context or p.get("above", 0) < context]
    if "claude" not in name and not any("cache_read" in line for line in row["prices"]):
        row.pop("cache", None)  # whatever is cached, nothing is saved
    for line in row["prices"]:
        _mend(name, line)
        if re.match(r"(x-ai/)?grok-", name) and line.get("above") == 200_000:
            line["above"] = 199_999  # its tiers begin at their size (wire.md 6.4)


def _mend(name: str, line: JsonObject) -> None:
    """Classes that the lists have wrong, by the checks of cost facts 8.7.

    A Claude's write for an hour is twice the input wherever it is served (wire.md 6.1). A write
    below the input price is the storage alone (Gemini at OpenRouter), or that of a cheaper sister;
    the input price is nearer.
    """
    if "claude" in name:
        line.setdefault("cache_write_1h", plain(Decimal(line["input"]) * 2))
    if Decimal(line.get("cache_write_5m", line["input"])) < Decimal(line["input"]):
        del line["cache_write_5m"]


def _context(provider: str, row: JsonObject) -> int | None:
    """OpenAI's rows hold the input part of the window only (wire.md 6.2)."""
    inputs: int | None = row.get("max_input_tokens")
    if provider == "openai" and inputs in (922_000, 272_000):
        return inputs + int(row["max_output_tokens"])
    return inputs


def _max_output(row: JsonObject) -> int | None:
    """Rows that repeat the window as output limit say nothing."""
    output = row.get("max_output_tokens")
    return None if output == row.get("max_input_tokens") else output


def _thinking(provider: str, name: str, row: JsonObject) -> str:
    if not row.get("supports_reasoning"):
        return ""
    if provider in ("anthropic", "minimax"):
        return "budget" if any(part in name for part in BUDGET_THINKING) else "adaptive"
    return "effort"


def _efforts(provider: str, name: str, row: JsonObject) -> list[str]:
    own = EFFORTS.get(provider, {}).get(name)
    listed = own.split() if own else row.get("reasoning_effort_levels")
    if listed:
        return list(listed)
    extra = ("none", "minimal", "xhigh", "max")
    on = {effort for effort in extra if row.get(f"supports_{effort}_reasoning_effort")}
    order = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
    return [effort for effort in order if effort in on or effort in ("low", "medium", "high")]


def _cache(provider: str, name: str, row: JsonObject) -> JsonObject:
    minimum = int(row.get("prompt_cache_min_tokens") or 1024)
    if provider == "gemini":
        minimum = 1024 if GEMINI_EARLY.search(name) else 4096
    marks: JsonObject = {"mode": "explicit", "max_marks": 4}
    written = bool(row.get("cache_creation_input_token_cost"))
    if provider == "anthropic" or "claude" in name:
        least = _anthropic_minimum(name.replace(".", "-"), minimum)
        return marks | {"min_tokens": least, "ttls": ["5m", "1h"]}
    if provider == "minimax" or (written and (provider == "dashscope" or "qwen" in name)):
        return marks | {"min_tokens": minimum, "ttls": ["5m"]}
    if provider in NO_CACHE and not row.get("cache_read_input_token_cost"):
        return {}
    kind: JsonObject = {"mode": "automatic", "min_tokens": minimum}
    if re.search(r"\bgpt-(5\.6|6)", name):
        kind["ttls"] = ["30m"]
    keyed = provider in ("openai", "xai", "moonshot", "mistral", "openrouter", "fireworks")
    return kind | ({"key": True} if keyed else {})


GEMINI_EARLY = re.compile(r"gemini-(2\.5|3)-flash(?!-lite)")
"""Those that cache from 1,024 tokens; all others from 4,096 (wire.md 3.6)."""
NO_CACHE = ("groq", "cerebras", "together", "fireworks")
"""Hosts that cache some models only: those with a read price."""


def _anthropic_minimum(name: str, default: int) -> int:
    matches = [
        (len(part), tokens)
        for tokens, parts in CACHE_MIN.items()
        for part in parts.split()
        if part in name
    ]
    return max(matches)[1] if matches else default


def _prices(row: JsonObject) -> list[JsonObject]:
    base = _price(row, "")
    limits = sorted(
        {
            int(k)
            for key in row
            for k in re.findall(r"input_cost_per_token_above_(\d+)k_tokens$", key)
        }
    )
    least = 1 if row.get("litellm_provider") == "xai" else 0  # xAI's tiers begin at their size
    return [
        base,
        *(_price(row, f"_above_{k}k_tokens") | {"above": k * 1000 - least} for k in limits),
    ]


def _price(row: JsonObject, suffix: str) -> JsonObject:
    def rate(key: str) -> str | None:
        value = row.get(key + suffix, row.get(key))
        return None if value is None else _per_million(value)

    found = {
        "input": rate("input_cost_per_token"),
        "output": rate("output_cost_per_token") or "0",
        "cache_read": rate("cache_read_input_token_cost"),
        "cache_write_5m": rate("cache_creation_input_token_cost"),
        "cache_write_1h": rate("cache_creation_input_token_cost_above_1hr"),
    }
    if found["cache_write_5m"] == "0":
        found["cache_write_5m"] = None
    return {key: value for key, value in found.items() if value is not None}


def _per_million(rate: float) -> str:
    return plain(round(Decimal(str(rate)) * 1_000_000, 8))
