"""Prices as genai-prices tells them, in the rows of models.json."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, cast

from agentcli.lib.value import value
from agentcli.llm.types import JsonObject

CLASSES = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write_5m": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
}


@value
class Listed:
    """One model of the package that still has a price per token."""

    prices: list[JsonObject]
    context: int | None
    deprecated: bool


def listed(providers: Any) -> dict[tuple[str, str], Listed]:
    """By (provider, model) of the package; `providers` is its list, read by attributes only."""
    found: dict[tuple[str, str], Listed] = {}
    for provider in providers:
        for model in provider.models:
            rows = price_rows(model.prices)
            if rows:
                old = bool(getattr(model, "deprecated", False))
                context = getattr(model, "context_window", None)
                size = int(context) if context else None
                found[provider.id, model.id] = Listed(rows, size, old)
    return found


def price_rows(prices: Any) -> list[JsonObject]:
    """Base and tiers, by date; peak hours last, from the date of the newest base price."""
    if not isinstance(prices, list):
        return list(_tiers(prices, {}))
    parts = cast("list[Any]", prices)
    rows: list[JsonObject] = []
    since = ""
    for part in parts:
        start = getattr(part.constraint, "start_date", None)
        if part.constraint is None or start is not None:
            since = start.isoformat() if start else ""
            rows += _tiers(part.prices, {"since": since} if since else {})
    return rows + _peaks(parts, since)


def _peaks(parts: list[Any], since: str) -> list[JsonObject]:
    """Windows of one price joined in a row (DeepSeek: Monday to Friday, cost facts 3.5)."""
    found: list[JsonObject] = []
    for part in parts:
        begin = getattr(part.constraint, "start_time", None)
        if begin is None:
            continue
        window = [begin.hour, part.constraint.end_time.hour]
        if begin.minute or part.constraint.end_time.minute:
            continue
        for row in _tiers(part.prices, {"since": since} if since else {}):
            same = [r for r in found if {**r, "hours": 0} == {**row, "hours": 0}]
            if same:
                same[0]["hours"].append(window)
            else:
                found.append(row | {"hours": [window]})
    return found


def _tiers(price: Any, when: JsonObject) -> Iterator[JsonObject]:
    values = {ours: getattr(price, theirs, None) for ours, theirs in CLASSES.items()}
    if values["input"] is None or values["output"] is None:
        return
    starts = {tier.start for value in values.values() for tier in getattr(value, "tiers", ())}
    for above in (0, *sorted(starts)):
        row: JsonObject = {k: plain(_at(v, above)) for k, v in values.items() if v is not None}
        yield row | ({"above": int(above)} if above else {}) | when


def _at(value: Any, above: int) -> Decimal:
    if isinstance(value, Decimal):
        return value
    reached = [tier.price for tier in value.tiers if tier.start <= above] if above else []
    return reached[-1] if reached else value.base


def plain(value: Decimal) -> str:
    """A decimal without exponent and without zeros at its end."""
    text = f"{value.normalize():f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
