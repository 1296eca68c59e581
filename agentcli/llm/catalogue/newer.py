"""What a fetched price list has otherwise than the shipped table, in rows of models.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from agentcli.llm.catalogue.genai import Listed
from agentcli.llm.catalogue.names import PROVIDERS, SKIPPED, is_wanted, our_name
from agentcli.llm.catalogue.rows import finish, like, row_of
from agentcli.llm.types import JsonObject

CLASSES = ("cache_read", "cache_write_5m", "cache_write_1h")


def newer(
    found: Mapping[tuple[str, str], Listed],
    shipped: Mapping[str, Mapping[str, JsonObject]],
    left_out: Mapping[str, Sequence[str]],
) -> dict[str, dict[str, JsonObject]]:
    """By provider and model: `prices` where they changed, whole rows of models that are new.

    `left_out` are models the list had already when the table was made: retired, mostly.
    """
    ours = {other: name for name, (_, _, other) in PROVIDERS.items() if other}
    rows: dict[str, dict[str, JsonObject]] = {}
    for (other, listed_name), item in found.items():
        if other not in ours or not _is_priced(item):
            continue
        provider = ours[other]
        name = our_name(provider, listed_name)
        known = shipped.get(provider, {}).get(name)
        row = _fresh(provider, name, item) if known is None else _changed(name, item, known)
        if row and name not in left_out.get(provider, ()):
            rows.setdefault(provider, {})[name] = row
    return rows


def in_force(prices: list[JsonObject]) -> JsonObject:
    """The classes of the base row that holds today, without its date."""
    today = datetime.now(UTC).date().isoformat()
    plain_rows = [p for p in prices if not p.get("above") and "hours" not in p]
    held = [p for p in plain_rows if p.get("since", "") <= today]
    if not held:
        return {}
    last = max(held, key=lambda p: p.get("since", ""))
    return {key: value for key, value in last.items() if key != "since"}


def _is_priced(item: Listed) -> bool:
    """A list's zero is mostly a price that nobody filled in."""
    return all(row["output"] != "0" for row in item.prices)


def _fresh(provider: str, name: str, item: Listed) -> JsonObject:
    if item.deprecated or item.context is None:
        return {}
    if SKIPPED.search(name) or not is_wanted(provider, name):
        return {}
    row = row_of(provider, name, like(item)) | {"prices": item.prices}
    finish(provider, name, row)
    return row


def _changed(name: str, item: Listed, known: JsonObject) -> JsonObject:
    """The prices, unless they only leave out what the shipped row says."""
    row: JsonObject = {"context": known.get("context"), "prices": [dict(p) for p in item.prices]}
    finish("", name, row)
    prices: list[JsonObject] = row["prices"]
    before, now = in_force(known["prices"]), in_force(prices)
    if (before["input"], before["output"]) == (now["input"], now["output"]):
        tiers = [p for p in known["prices"] if p.get("above")]
        if len(prices) == 1 and len(known["prices"]) == 1 + len(tiers):
            prices[0] = {**{k: before[k] for k in CLASSES if k in before}, **prices[0]}
            prices += tiers
    return {} if prices == known["prices"] else {"prices": prices}
