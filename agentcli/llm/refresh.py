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
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from agentcli.llm.models import TABLE
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
}
"""Ours: (litellm's provider, its name prefix, the provider of genai-prices)."""

SKIPPED = re.compile(
    r"ft:|audio|realtime|tts|transcri|image|search|live|embed|moderation|gpt-3|davinci|babbage"
    r"|claude-[123]|claude-instant|computer-use|robotics|-latest-|gpt-4-|gpt-4$|gpt-4o-20"
    r"|\b(20\d{6}|20\d\d-\d\d-\d\d)|-\d{4}-\d\d-\d\d|:free|gemini-1|gemini-2\.0|gemma|learnlm|lyria"
    r"|container|codex-mini|open-mistral|mixtral|chatgpt|instruct|preview-\d\d-|-exp|:extended"
)

TABLE_61: dict[str, str] = {
    "claude-fable-5-2": "8 10 16 0.20 40",
    "claude-mythos-5-2": "8 10 16 0.20 40",
    "claude-fable-5-1": "10 12.5 20 0.25 50",
    "claude-mythos-5-1": "10 12.5 20 0.25 50",
    "claude-fable-5": "10 12.5 20 1.00 50",
    "claude-mythos-5": "10 12.5 20 1.00 50",
    "claude-opus-5-5": "4 5 8 0.20 20",
    "claude-opus-5": "5 6.25 10 0.50 25",
    "claude-opus-4-8": "5 6.25 10 0.50 25",
    "claude-opus-4-7": "5 6.25 10 0.50 25",
    "claude-opus-4-6": "5 6.25 10 0.50 25",
    "claude-opus-4-5": "5 6.25 10 0.50 25",
    "claude-sonnet-5-5": "2 2.5 4 0.10 10",
    "claude-sonnet-5": "2 2.5 4 0.20 10",
    "claude-sonnet-4-6": "3 3.75 6 0.30 15",
    "claude-sonnet-4-5": "3 3.75 6 0.30 15",
    "claude-haiku-4-5": "1 1.25 2 0.10 5",
}
"""Input, write 5m, write 1h, read, output in USD per million tokens (wire.md 6.1)."""

TABLE_62: dict[str, str] = {
    "gpt-6.2-astra": "8 10 - 0.40 40",
    "gpt-6.2-sol": "2 2.5 - 0.10 10",
    "gpt-6-astra": "10 12.5 - 1.00 50",
    "gpt-6.1-sol": "2 2.5 - 0.10 10",
    "gpt-6.1-terra": "1 1.25 - 0.05 5",
    "gpt-6-sol": "2 2.5 - 0.20 10",
    "gpt-6-luna": "0.10 0.125 - 0.01 0.50",
    "gpt-5.6-sol": "4 5 - 0.40 20",
    "gpt-5.6-terra": "2 2.5 - 0.20 12",
    "gpt-5.6-luna": "0.20 0.25 - 0.02 1.20",
    "gpt-5.5": "5 - - 0.50 30",
    "gpt-5.5-pro": "30 - - - 180",
    "gpt-5.4": "2.5 - - 0.25 15",
    "gpt-5.4-mini": "0.75 - - 0.075 4.5",
    "gpt-5.3-codex": "1.75 - - 0.175 14",
    "gpt-5": "1.25 - - 0.125 10",
    "gpt-5-mini": "0.25 - - 0.025 2",
    "gpt-4.1": "2 - - 0.50 8",
    "o3": "2 - - 0.50 8",
}
"""The same columns for OpenAI (wire.md 6.2); those of 5.4 and later double past 272,000."""

TABLE_64: dict[str, dict[str, str]] = {
    "deepseek": {"deepseek-flash": "0.15 - - 0.003 0.60", "deepseek-v4-pro": "0.66 - - 0.022 1.98"},
    "mistral": {"mistral-large-4": "0.70 - - 0.07 2.10", "mistral-medium-3-5": "1.5 - - 0.15 7.5"},
    "moonshot": {
        "kimi-k3": "3 3 6 0.30 15",
        "kimi-k3.1-pro": "2 2 4 0.20 10",
        "kimi-k2.7-code": "0.95 - - 0.19 4",
    },
    "zai": {"glm-5.3": "1.4 - - 0.26 4.4", "glm-5.2": "1.4 - - 0.26 4.4"},
    "dashscope": {"qwen3.8-max": "2 - - 0.25 6", "qwen3.8-flash": "0.15 0.2 - 0.016 0.47"},
    "groq": {
        "openai/gpt-oss-120b": "0.15 - - 0.075 0.60",
        "openai/gpt-oss-20b": "0.075 - - 0.0375 0.30",
    },
}
"""The same columns for others (wire.md 6.4)."""

CACHE_MIN = {
    512: "fable-5 mythos-5 opus-5 sonnet-5-5 haiku-5-5",
    1024: "opus-4-8 sonnet-5 sonnet-4-6 sonnet-4-5 opus-4-1 opus-4-20 sonnet-4-20",
    2048: "opus-4-7",
    4096: "opus-4-6 opus-4-5 haiku-4-5",
}
"""Fewest tokens Anthropic caches, by model (wire.md 1.12)."""

BUDGET_THINKING = ("opus-4-5", "sonnet-4-5", "haiku-4-5", "opus-4-1")
ALIASES = {
    "sonnet": ("anthropic", "claude-sonnet-5-5"),
    "opus": ("anthropic", "claude-opus-5-5"),
    "haiku": ("anthropic", "claude-haiku-5-5"),
    "fable": ("anthropic", "claude-fable-5-2"),
    "gpt": ("openai", "gpt-6.1-sol"),
    "astra": ("openai", "gpt-6.2-astra"),
    "codex": ("openai", "gpt-5.3-codex"),
    "gemini": ("gemini", "gemini-3.8-flash"),
    "flash": ("gemini", "gemini-3.8-flash"),
    "argon": ("gemini", "gemini-4-argon"),
    "grok": ("xai", "grok-4.7"),
    "deepseek": ("deepseek", "deepseek-v4-pro"),
    "kimi": ("moonshot", "kimi-k3"),
    "glm": ("zai", "glm-5.3"),
    "mistral": ("mistral", "mistral-large-4"),
    "qwen": ("dashscope", "qwen3.8-max"),
}


def main() -> int:
    litellm = json.loads(_litellm_file().read_text(encoding="utf-8"))
    oracle = _genai_prices()
    models: JsonObject = {}
    for name, (provider, prefix, other) in PROVIDERS.items():
        rows = dict(_litellm_rows(litellm, name, provider, prefix))
        for model, row in rows.items():
            found = oracle.get((other, model))
            if found:
                _tell_conflict(name, model, row["prices"], found)
                row["prices"] = found
        _overlay(name, rows)
        models[name] = dict(sorted(rows.items()))
    table = {"aliases": ALIASES, "models": models}
    Path(TABLE).write_text(json.dumps(table, separators=(",", ":")) + "\n", encoding="utf-8")
    count = sum(len(rows) for rows in models.values())
    print(f"{TABLE}: {count} models, {Path(TABLE).stat().st_size:,} bytes")
    return 0


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
        if "input_cost_per_token" not in row or (prefix and not key.startswith(prefix)):
            continue
        if provider == "openrouter" and not _is_flagship(name):
            continue
        yield name, _row(ours, name, row)


def _is_flagship(name: str) -> bool:
    return bool(
        re.match(
            r"(anthropic/claude-(opus|sonnet|haiku|fable)-[45]|openai/gpt-[56]|google/gemini-[34]|x-ai/grok-4|deepseek/|moonshotai/kimi|qwen/qwen3|z-ai/glm)",
            name,
        )
    )


def _row(provider: str, name: str, row: JsonObject) -> JsonObject:
    thinking = _thinking(provider, name, row)
    found: JsonObject = {
        "context": row.get("max_input_tokens"),
        "max_output": _max_output(row),
        "prices": _prices(row),
        "cache": _cache(provider, name, row),
    }
    if thinking:
        found |= {"thinking": thinking, "efforts": _efforts(row)}
    if row.get("supports_vision") is False:
        found["images"] = False
    if provider == "openai" and re.match(r"gpt-[56]|o[34]", name):
        found["edit"] = "patch"
    return {key: value for key, value in found.items() if value not in (None, [], {})}


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
    if provider in ("anthropic", "minimax"):
        return {
            "mode": "explicit",
            "min_tokens": _anthropic_minimum(name, minimum),
            "max_marks": 4,
            "ttls": ["5m", "1h"],
        }
    keyed = provider in ("openai", "xai", "moonshot", "mistral", "openrouter")
    return {"mode": "automatic", "min_tokens": minimum} | ({"key": True} if keyed else {})


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
    return [base, *(_price(row, f"_above_{k}k_tokens") | {"above": k * 1000} for k in limits)]


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
    return _plain(Decimal(str(rate)) * 1_000_000)


def _plain(value: Decimal) -> str:
    text = f"{value.normalize():f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _overlay(provider: str, rows: JsonObject) -> None:
    tables = {"anthropic": TABLE_61, "openai": TABLE_62} | TABLE_64
    for name, text in tables.get(provider, {}).items():
        price = _written_price(text)
        tiers = [price]
        if provider == "openai" and re.match(r"gpt-(5\.[4-9]|6)", name) and "mini" not in name:
            tiers.append(_doubled(price))
        row = rows.setdefault(name, _fresh_row(provider, name))
        _tell_conflict(provider, name, row.get("prices", tiers), tiers)
        row["prices"] = tiers
    if provider == "deepseek" and "deepseek-flash" in rows:
        rows["deepseek-v4-flash"] = rows["deepseek-flash"]


def _written_price(text: str) -> JsonObject:
    keys = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
    values = dict(zip(keys, text.split(), strict=True))
    return {key: _plain(Decimal(value)) for key, value in values.items() if value != "-"}


def _doubled(price: JsonObject) -> JsonObject:
    """Past 272,000 tokens: input and cache twice, output one and a half times (wire.md 6.2)."""
    factor = {"output": Decimal("1.5")}
    return {
        key: _plain(Decimal(value) * factor.get(key, Decimal(2))) for key, value in price.items()
    } | {"above": 272_000}


def _fresh_row(provider: str, name: str) -> JsonObject:
    """A model that only the tables above know."""
    like = {"supports_reasoning": True, "supports_xhigh_reasoning_effort": True}
    limits = {"anthropic": (1_000_000, 128_000), "openai": (1_050_000, 128_000)}
    context, output = limits.get(provider, (262_144, None))
    return _row(provider, name, like | {"input_cost_per_token": 0}) | {
        "context": context,
        **({"max_output": output} if output else {}),
    }


def _genai_prices() -> dict[tuple[str, str], list[JsonObject]]:
    """Prices by (provider, model) of genai-prices, in our rows: tiers and dates."""
    from genai_prices import data_snapshot  # pyright: ignore

    found: dict[tuple[str, str], list[JsonObject]] = {}
    for provider in data_snapshot.get_snapshot().providers:
        for model in provider.models:
            rows = list(_oracle_rows(model.prices))
            if rows:
                found[provider.id, model.id] = rows
    return found


def _oracle_rows(prices: Any) -> Iterator[JsonObject]:
    if not isinstance(prices, list):
        yield from _oracle_tiers(prices, "")
        return
    for part in prices:
        start = getattr(part.constraint, "start_date", None)
        if part.constraint is None or start is not None:
            yield from _oracle_tiers(part.prices, start.isoformat() if start else "")


def _oracle_tiers(price: Any, since: str) -> Iterator[JsonObject]:
    names = {
        "input": "input_mtok",
        "output": "output_mtok",
        "cache_read": "cache_read_mtok",
        "cache_write_5m": "cache_write_mtok",
        "cache_write_1h": "cache_write_1h_mtok",
    }
    values = {ours: getattr(price, theirs, None) for ours, theirs in names.items()}
    if values["input"] is None:
        return
    starts = {tier.start for value in values.values() for tier in getattr(value, "tiers", ())}
    for above in (0, *sorted(starts)):
        row = {key: _plain(_at(value, above)) for key, value in values.items() if value is not None}
        row.setdefault("output", "0")
        yield row | ({"above": above} if above else {}) | ({"since": since} if since else {})


def _at(value: Any, above: int) -> Decimal:
    if isinstance(value, Decimal):
        return value
    reached = [tier.price for tier in value.tiers if tier.start <= above] if above else []
    return reached[-1] if reached else value.base


def _tell_conflict(provider: str, model: str, one: list[JsonObject], two: list[JsonObject]) -> None:
    for key in ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h"):
        first, second = one[0].get(key), two[0].get(key)
        if first is None or second is None:
            continue
        a, b = Decimal(first), Decimal(second)
        if max(a, b) and abs(a - b) / max(a, b) > Decimal("0.01"):
            print(f"{provider}/{model} {key}: {first} or {second}; the second is taken")


if __name__ == "__main__":
    sys.exit(main())
