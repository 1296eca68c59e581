"""Makes models.json from the packages genai-prices and litellm: `python -m agentcli.llm.refresh`.

A development script (extra `models`), never imported by the product. Prices come from genai-prices
where it has the model, else from litellm; limits, cache minimums and abilities from litellm; the
tables below win over both. Differences above 1 % are printed for a person to decide.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from agentcli.llm.catalogue.factors import FACTORS, own_factors
from agentcli.llm.catalogue.genai import Listed, listed, plain
from agentcli.llm.catalogue.tables import (
    ALIASES,
    BUDGET_THINKING,
    CACHE_MIN,
    TABLE_61,
    TABLE_62,
    TABLE_64,
)
from agentcli.llm.models import TABLE, edit_of
from agentcli.llm.types import JsonObject

PROVIDERS = {
    "anthropic": ("anthropic", "", "anthropic"),
    "openai": ("openai", "", "openai"),
    "gemini": ("gemini", "gemini/", "google"),
    "xai": ("xai", "xai/", "x-ai"),
    "deepseek": ("deepseek", "deepseek/", "deepseek"),
    "mistral": ("mistral", "mistral/", "mistral"),
    "groq": ("groq", "groq/", "groq"),
    "moonshot": ("moonshot", "moonshot/", "moonshotai"),
    "zai": ("zai", "zai/", "zai"),
    "dashscope": ("dashscope", "dashscope/", ""),
    "minimax": ("minimax", "minimax/", "minimax"),
    "cerebras": ("cerebras", "cerebras/", "cerebras"),
    "openrouter": ("openrouter", "openrouter/", "openrouter"),
    "together": ("together_ai", "together_ai/", "together"),
    "fireworks": ("fireworks_ai", "fireworks_ai/", "fireworks"),
}
"""Ours: (litellm's provider, its name prefix, the provider of genai-prices)."""

SKIPPED = re.compile(
    r"ft:|audio|realtime|tts|transcri|image|search|live|embed|moderation|gpt-3|davinci|babbage"
    r"|claude-[123]|claude-instant|computer-use|robotics|-latest-|gpt-4-|gpt-4$|gpt-4o-20"
    r"|\b(20\d{6}|20\d\d-\d\d-\d\d)|-\d{4}-\d\d-\d\d|:free|gemini-1|gemini-2\.0|gemma|learnlm|lyria"
    r"|container|codex-mini|open-mistral|mixtral|chatgpt|instruct|preview-\d\d-|-exp|:extended"
)


def main() -> int:
    litellm = json.loads(_litellm_file().read_text(encoding="utf-8"))
    models = build(litellm, _genai_prices())
    made = datetime.now(UTC).date().isoformat()
    table = {"made": made, "aliases": ALIASES, "factors": FACTORS, "models": models}
    Path(TABLE).write_text(json.dumps(table, separators=(",", ":")) + "\n", encoding="utf-8")
    count = sum(len(rows) for rows in models.values())
    print(f"{TABLE}: {count} models, {Path(TABLE).stat().st_size:,} bytes")
    return 0


def build(litellm: JsonObject, oracle: dict[tuple[str, str], Listed]) -> JsonObject:
    """Rows by provider and model, from both packages and the tables; prints what disagrees."""
    models: JsonObject = {}
    for name, (provider, prefix, other) in PROVIDERS.items():
        rows = dict(_litellm_rows(litellm, name, provider, prefix))
        found = {key[1]: row for key, row in oracle.items() if key[0] == other}
        _add_listed(name, rows, found, _gone(litellm, name, provider, prefix))
        _overlay(name, rows)
        for model, row in rows.items():
            _finish(name, model, row)
        models[name] = dict(sorted(rows.items()))
    return models


def _add_listed(provider: str, rows: JsonObject, found: dict[str, Listed], gone: set[str]) -> None:
    """Prices of genai-prices over litellm's, and the models that only it has."""
    for other, item in found.items():
        name = _our_name(provider, other)
        if name not in rows:
            vague = item.context is None and provider not in ("zai", "fireworks")
            if item.deprecated or vague or name in gone:
                continue
            if SKIPPED.search(name) or not _is_wanted(provider, name):
                continue
            rows[name] = _row(provider, name, _like(item)) | {"prices": item.prices}
        _tell_conflict(provider, name, rows[name]["prices"], item.prices)
        rows[name]["prices"] = item.prices


def _gone(litellm: JsonObject, ours: str, provider: str, prefix: str) -> set[str]:
    return {
        key.removeprefix(prefix)
        for key, row in litellm.items()
        if row.get("litellm_provider") == provider and _is_gone(ours, key.removeprefix(prefix), row)
    }


def _our_name(provider: str, name: str) -> str:
    if provider == "zai":
        return name.lower()
    return f"accounts/fireworks/models/{name}" if provider == "fireworks" else name


def _like(item: Listed) -> JsonObject:
    """What litellm would say of a model it lacks; reasoning is not asked for where unknown."""
    rates = {
        "input_cost_per_token": "input",
        "cache_creation_input_token_cost": "cache_write_5m",
        "cache_read_input_token_cost": "cache_read",
    }
    last = item.prices[-1]
    costs = {key: float(last[ours]) / 1e6 for key, ours in rates.items() if ours in last}
    return costs | {"max_input_tokens": item.context}


def _finish(provider: str, name: str, row: JsonObject) -> None:
    """The columns that follow from the name; tiers past the window can never be reached."""
    row.pop("edit", None)
    if edit_of(name) == "patch":
        row["edit"] = "patch"
    if factors := own_factors(provider, name):
        row["factors"] = factors
    context = row.get("context")
    if context is None:
        row.pop("context", None)
    row["prices"] = [p for p in row["prices"] if not context or p.get("above", 0) < context]


def _litellm_file() -> Path:
    """Given as the argument, or inside the installed package (which is not imported)."""
    if len(sys.argv) > 1:
        return Path(sys.argv[1])
    spec = find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("pip install 'agentcli[models]' first, or name litellm's price file")
    return Path(spec.submodule_search_locations[0]) / "model_prices_and_context_window_backup.json"


def _litellm_rows(
    data: JsonObject, ours: str, provider: str, prefix: str
) -> Iterator[tuple[str, JsonObject]]:
    for key, row in data.items():
        name = key.removeprefix(prefix)
        chat = row.get("mode") in ("chat", "responses")
        if row.get("litellm_provider") != provider or not chat or SKIPPED.search(name):
            continue
        if not row.get("input_cost_per_token") or not row.get("output_cost_per_token"):
            continue
        if (prefix and not key.startswith(prefix)) or _is_gone(ours, name, row):
            continue
        if not _is_wanted(ours, name):
            continue
        yield name, _row(ours, name, row)


WANTED = {
    "gemini": r"gemini-",
    "openai": r"gpt-(?!oss)|o\d|codex",
    "openrouter": r"(anthropic/claude-\w+-[45]|openai/gpt-(5|6)(?!.*chat)|google/gemini-[34]"
    r"|x-ai/grok-4\.|deepseek/deepseek-(v4|flash)|moonshotai/kimi-k(2\.[67]|3)|qwen/qwen3\.[78]"
    r"|z-ai/glm-5|minimax/minimax-m3)(?!.*:)(?!.*-fast)",
    "together": r"MiniMaxAI|Qwen/Qwen3|deepseek-ai/DeepSeek-V4|moonshotai/|zai-org/GLM-5"
    r"|openai/gpt-oss|meta-models/Muse",
    "fireworks": r"accounts/fireworks/models/(deepseek-v4|glm-5|kimi-k(2p[67]|3)|minimax-m|gpt-oss"
    r"|qwen3p[678]|muse)",
}
"""Of those who host or list more than their own, the models worth offering to code with."""


def _is_gone(provider: str, name: str, row: JsonObject) -> bool:
    """Switched off by now; the vendors' lists (the tables) know better."""
    last = str(row.get("deprecation_date") or "9999")
    return last < datetime.now(UTC).date().isoformat() and name not in TABLE_64.get(provider, {})


def _is_wanted(provider: str, name: str) -> bool:
    return provider not in WANTED or re.match(WANTED[provider], name) is not None


def _row(provider: str, name: str, row: JsonObject) -> JsonObject:
    thinking = _thinking(provider, name, row)
    found: JsonObject = {
        "context": _context(provider, row),
        "max_output": _max_output(row),
        "prices": _prices(row),
        "cache": _cache(provider, name, row),
    }
    if thinking:
        found |= {"thinking": thinking, "efforts": _efforts(row)}
    if row.get("supports_vision") is False:
        found["images"] = False
    if provider == "openai" and row.get("mode") == "responses":
        found["wire"] = "openai-responses"
    return {key: value for key, value in found.items() if value not in (None, [], {})}


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


def _efforts(row: JsonObject) -> list[str]:
    listed = row.get("reasoning_effort_levels")
    if listed:
        return list(listed)
    extra = ("none", "minimal", "xhigh", "max")
    on = {effort for effort in extra if row.get(f"supports_{effort}_reasoning_effort")}
    order = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
    return [effort for effort in order if effort in on or effort in ("low", "medium", "high")]


def _cache(provider: str, name: str, row: JsonObject) -> JsonObject:
    minimum = int(row.get("prompt_cache_min_tokens") or 1024)
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


def _overlay(provider: str, rows: JsonObject) -> None:
    tables = {"anthropic": TABLE_61, "openai": TABLE_62} | TABLE_64
    for name, text in tables.get(provider, {}).items():
        price = _written_price(text)
        tiers = [price]
        if provider == "openai" and re.match(r"gpt-(5\.[4-9]|6)", name) and "mini" not in name:
            tiers.append(_doubled(price))
        row = rows.get(name, {"prices": tiers})
        if name not in rows or (provider in ("anthropic", "openai") and "max_output" not in row):
            row = rows[name] = _fresh_row(provider, name) | row
        if _in_force(row["prices"]) == price:
            continue
        _tell_conflict(provider, name, row["prices"], tiers)
        row["prices"] = tiers
    for name, row in rows.items():
        if "claude" in name:
            for line in row["prices"]:
                line.setdefault("cache_write_1h", plain(Decimal(line["input"]) * 2))


def _in_force(prices: list[JsonObject]) -> JsonObject:
    """The classes of the base row that holds today, without its date."""
    today = datetime.now(UTC).date().isoformat()
    plain_rows = [p for p in prices if not p.get("above") and "hours" not in p]
    held = [p for p in plain_rows if p.get("since", "") <= today]
    if not held:
        return {}
    last = max(held, key=lambda p: p.get("since", ""))
    return {key: value for key, value in last.items() if key != "since"}


def _written_price(text: str) -> JsonObject:
    keys = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
    values = dict(zip(keys, text.split(), strict=True))
    return {key: plain(Decimal(value)) for key, value in values.items() if value != "-"}


def _doubled(price: JsonObject) -> JsonObject:
    """Past 272,000 tokens: input and cache twice, output one and a half times (wire.md 6.2)."""
    factor = {"output": Decimal("1.5")}
    return {
        key: plain(Decimal(value) * factor.get(key, Decimal(2))) for key, value in price.items()
    } | {"above": 272_000}


def _fresh_row(provider: str, name: str) -> JsonObject:
    """A model that only the tables above know."""
    reasons = provider in ("anthropic", "openai")
    like = {"supports_reasoning": reasons, "supports_xhigh_reasoning_effort": reasons}
    limits = {"anthropic": (1_000_000, 128_000), "openai": (1_050_000, 128_000)}
    context, output = limits.get(provider, (None, None))
    return _row(provider, name, like | {"input_cost_per_token": 0}) | {
        "context": context,
        **({"max_output": output} if output else {}),
    }


def _genai_prices() -> dict[tuple[str, str], Listed]:
    data: Any = import_module("genai_prices.data")
    return listed(data.providers)


def _tell_conflict(provider: str, model: str, one: list[JsonObject], two: list[JsonObject]) -> None:
    """Today's prices of two sources, where they are more than 1 % apart."""
    first, second = _in_force(one), _in_force(two)
    for key in first.keys() & second.keys():
        a, b = Decimal(first[key]), Decimal(second[key])
        if max(a, b) and abs(a - b) / max(a, b) > Decimal("0.01"):
            print(f"{provider}/{model} {key}: {a} or {b}; the second is taken")


if __name__ == "__main__":
    sys.exit(main())
