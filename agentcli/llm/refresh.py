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
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from agentcli.llm.catalogue.factors import FACTORS
from agentcli.llm.catalogue.genai import Listed, listed, plain
from agentcli.llm.catalogue.names import PROVIDERS, SKIPPED, is_wanted, our_name
from agentcli.llm.catalogue.newer import in_force, newer
from agentcli.llm.catalogue.rows import finish, fresh_row, like, row_of
from agentcli.llm.catalogue.tables import (
    ALIASES,
    TABLE_61,
    TABLE_62,
    TABLE_64,
)
from agentcli.llm.models import TABLE
from agentcli.llm.types import JsonObject

TABLES = {"anthropic": TABLE_61, "openai": TABLE_62} | TABLE_64


def main() -> int:
    litellm = json.loads(_litellm_file().read_text(encoding="utf-8"))
    oracle = _genai_prices()
    models = build(litellm, oracle)
    table: JsonObject = {
        "made": datetime.now(UTC).date().isoformat(),
        "sources": _sources(litellm),
        "aliases": ALIASES,
        "factors": FACTORS,
        "left_out": left_out(models, oracle),
        "models": models,
    }
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
            finish(name, model, row)
        models[name] = dict(sorted(rows.items()))
    return models


def left_out(models: JsonObject, oracle: dict[tuple[str, str], Listed]) -> JsonObject:
    """What the list has and the table not: a refresh is not to take it for new."""
    return {
        provider: [name for name in rows if name not in models[provider]]
        for provider, rows in newer(oracle, models, {}).items()
    }


def _add_listed(provider: str, rows: JsonObject, found: dict[str, Listed], gone: set[str]) -> None:
    """Prices of genai-prices over litellm's, and the models that only it has."""
    for other, item in found.items():
        name = our_name(provider, other)
        if name not in rows:
            vague = item.context is None and provider not in ("zai", "fireworks")
            if item.deprecated or vague or name in gone:
                continue
            if SKIPPED.search(name) or not is_wanted(provider, name):
                continue
            rows[name] = row_of(provider, name, like(item)) | {"prices": item.prices}
        _tell_conflict(provider, name, rows[name]["prices"], item.prices)
        rows[name]["prices"] = item.prices


def _gone(litellm: JsonObject, ours: str, provider: str, prefix: str) -> set[str]:
    return {
        key.removeprefix(prefix)
        for key, row in litellm.items()
        if row.get("litellm_provider") == provider and _is_gone(ours, key.removeprefix(prefix), row)
    }


def _sources(litellm: JsonObject) -> JsonObject:
    """Of what: the same sources on the same day make the same table."""
    digest = sha256(json.dumps(litellm, sort_keys=True).encode()).hexdigest()
    return {"genai-prices": version("genai-prices"), "litellm": digest[:16]}


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
        if not is_wanted(ours, name):
            continue
        yield name, row_of(ours, name, row)


def _is_gone(provider: str, name: str, row: JsonObject) -> bool:
    """Switched off by now; the vendors' lists (the tables) know better."""
    last = str(row.get("deprecation_date") or "9999")
    return last < datetime.now(UTC).date().isoformat() and name not in TABLES.get(provider, {})


def _overlay(provider: str, rows: JsonObject) -> None:
    for name, text in TABLES.get(provider, {}).items():
        price = _written_price(text)
        tiers = [price]
        if provider == "openai" and re.match(r"gpt-(5\.[4-9]|6)", name) and "mini" not in name:
            tiers.append(_doubled(price))
        row = rows.get(name, {"prices": tiers})
        if name not in rows or (provider in ("anthropic", "openai") and "max_output" not in row):
            row = rows[name] = fresh_row(provider, name) | row
        if in_force(row["prices"]) == price:
            continue
        _tell_conflict(provider, name, row["prices"], tiers)
        row["prices"] = tiers


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


def _genai_prices() -> dict[tuple[str, str], Listed]:
    data: Any = import_module("genai_prices.data")
    return listed(data.providers)


def _tell_conflict(provider: str, model: str, one: list[JsonObject], two: list[JsonObject]) -> None:
    """Today's prices of two sources, where they are more than 1 % apart."""
    first, second = in_force(one), in_force(two)
    for key in sorted(first.keys() & second.keys()):
        a, b = Decimal(first[key]), Decimal(second[key])
        if max(a, b) and abs(a - b) / max(a, b) > Decimal("0.01"):
            print(f"{provider}/{model} {key}: {a} or {b}; the second is taken")


if __name__ == "__main__":
    sys.exit(main())
