"""Models: limits, prices, abilities; found by name, a wrong name answered by the nearest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, cast

from agentcli.lib.value import replace, value
from agentcli.llm.types import Effort, JsonObject

EditFormat = Literal["replace", "patch"]
CacheMode = Literal["none", "automatic", "explicit"]
TABLE = Path(__file__).with_name("models.json")


@value
class CacheKind:
    """How a model's provider caches prompts (wire.md 1.12, 2.8)."""

    mode: CacheMode = "none"
    min_tokens: int = 0
    max_marks: int = 0
    ttls: tuple[str, ...] = ()
    """Lifetimes after the last use, the default first; empty where the vendor promises none."""
    key: bool = False
    """Whether requests carry a `prompt_cache_key`."""


@value
class Prices:
    """USD per million tokens as decimal strings; None where the provider bills no such class."""

    input: str
    output: str
    cache_read: str | None = None
    cache_write_5m: str | None = None
    """Writes of the vendor's default life: 5 minutes, at OpenAI 30."""
    cache_write_1h: str | None = None
    """Writes of the long life: 1 hour, at OpenAI 12."""
    above: int = 0
    """Prompt tokens past which this row prices the whole request; 0 for the base row."""
    since: str = ""
    """The UTC date (ISO) from which this row holds; "" for always."""
    hours: tuple[tuple[int, int], ...] = ()
    """UTC hours of Monday to Friday in which this row holds: peak prices (DeepSeek, 2026-08)."""


FREE = (Prices("0", "0"),)
"""What a model on a machine of one's own costs."""
RATES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
"""The fields of `Prices` that are money."""


@value
class ModelSpec:
    """What we know of one model. An unknown model has `known=False` and no prices."""

    id: str
    provider: str
    context: int | None = None
    """Window in tokens, prompt and output together; None when unknown."""
    max_output: int | None = None
    prices: tuple[Prices, ...] = ()
    efforts: tuple[Effort, ...] = ()
    images: bool = True
    edit: EditFormat = "replace"
    cache: CacheKind = CacheKind()
    thinking: str = ""
    """How reasoning is asked for: "adaptive", "budget", "effort", or "" for not at all."""
    wire: str = ""
    """The wire this model wants at its provider, where it differs from the provider's own."""
    factors: tuple[tuple[str, str], ...] = ()
    """What service tiers and regions multiply every rate by, as in ("flex", "0.5")."""
    known: bool = True
    listed_as: str = ""
    """The row this is, where the name is a dated release of it, or one of the person's own."""
    own_prices: bool = False
    """Whether a person set the prices: those win over what a provider reports (wire.md 7.4)."""


def use_prices(file: Path) -> None:
    """Has the newer prices in `file`, where there are any, win over the shipped ones.

    They are read at the first look-up; without the file this costs one look at the disk.
    """
    try:
        stamp = (file, file.stat().st_mtime_ns)
    except OSError:
        stamp = None
    if _newer.get("stamp") != stamp:
        _newer["stamp"] = stamp
        for cached in (_fetched, _models, _spellings):
            cached.cache_clear()


def shipped() -> JsonObject:
    """The table as this release brought it."""
    return _table()


def find(name: str, provider: str) -> ModelSpec | None:
    """One provider's model by id, in another spelling (`claude-opus-4.6`), or as a dated release.

    A release keeps the date in its id, which is what is sent; None for a model we have no row for.
    """
    models = _models(provider)
    if name in models:
        return _spec(name, provider, models[name])
    spelled = _spellings(provider).get(canonical(name))
    if spelled is not None:
        return _spec(spelled, provider, models[spelled])
    base = _DATE.sub("", name)
    if base == name or base not in models:
        return None
    return replace(_spec(name, provider, models[base]), listed_as=base)


def unknown(name: str, provider: str) -> ModelSpec:
    """A model we have no row for: it works, without a price (its cost is unknown, not zero)."""
    return ModelSpec(name, provider, edit=edit_of(name), cache=_habit(provider), known=False)


def edit_of(name: str) -> EditFormat:
    """How a model edits files best: OpenAI's were trained on patches, wherever they are served."""
    return "patch" if _GPT.search(name.lower()) else "replace"


def alias(name: str) -> tuple[str, str] | None:
    """What a short name stands for: (provider, model), the newest of its family."""
    found = _table()["aliases"].get(name.lower())
    return (found[0], found[1]) if found else None


def providers_of(name: str) -> tuple[str, ...]:
    """Who has a model of this id, spelled so or otherwise; those that make models come first."""
    return tuple(p for p in _table()["models"] if canonical(name) in _spellings(p))


def at_home(name: str) -> ModelSpec | None:
    """A model by alias or name, at whoever makes it; else at the first who has it."""
    short = alias(name)
    homes = [short[0]] if short else [*providers_of(name), *_table()["models"]]
    found = (find(short[1] if short else name, home) for home in homes)
    return next((spec for spec in found if spec is not None), None)


def names(provider: str) -> tuple[str, ...]:
    """The ids of one provider's models; empty for a provider without rows."""
    return tuple(_models(provider))


def suggest(name: str) -> list[str]:
    """Known names like this one, the nearest first; empty when none is near."""
    from difflib import get_close_matches

    spelled = {canonical(short): short for short in _table()["aliases"]}
    for provider in reversed(tuple(_table()["models"])):
        spelled |= _spellings(provider)
    near = get_close_matches(canonical(name), spelled, n=3, cutoff=0.75)
    return list(dict.fromkeys(spelled[word] for word in near))


def canonical(name: str) -> str:
    """A name without what vendors spell differently: case, and dots for dashes."""
    return name.lower().replace(".", "-").replace("_", "-")


_GPT = re.compile(r"(?:^|[/._-])(?:gpt-|o[34](?:$|-)|codex)")
_AMOUNT = re.compile(r"\d+(\.\d+)?", re.ASCII)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)?", re.ASCII)
_DATE = re.compile(r"[-@](?:\d{8}|\d{4}-\d{2}-\d{2})$")


@cache
def _table() -> JsonObject:
    return cast("JsonObject", json.loads(TABLE.read_bytes()))


@cache
def _models(provider: str) -> Mapping[str, JsonObject]:
    rows: dict[str, JsonObject] = _table()["models"].get(provider, {})
    newer = _fetched().get(provider, {})
    return rows | {name: rows.get(name, {}) | row for name, row in newer.items()}


_newer: dict[str, tuple[Path, int] | None] = {}


@cache
def _fetched() -> Mapping[str, dict[str, JsonObject]]:
    """Rows fetched after the shipped table was made; nothing where they can't be read."""
    stamp = _newer.get("stamp")
    if stamp is None:
        return {}
    try:
        data: JsonObject = json.loads(stamp[0].read_bytes())
        rows: dict[str, dict[str, JsonObject]] = data["models"]
        if data["fetched"] < _table()["made"]:
            return {}
        for provider, found in rows.items():
            for name, row in found.items():
                _check(_spec(name, provider, row))  # a spoilt file shows here, not at a look-up
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return rows


def _check(spec: ModelSpec) -> None:
    """Raises ValueError for prices nobody can count with."""
    sizes = [size for size in (spec.context, spec.max_output) if size is not None]
    for row in spec.prices:
        rates = [getattr(row, name) for name in RATES if getattr(row, name) is not None]
        if not all(isinstance(rate, str) and _AMOUNT.fullmatch(rate) for rate in rates):
            raise ValueError(f"{spec.id}: {rates} are no prices")
        sizes += [row.above, *(hour for span in row.hours for hour in span)]
        if not _DAY.fullmatch(str(row.since)):
            raise ValueError(f"{spec.id}: {row.since} is no date")
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise ValueError(f"{spec.id}: {sizes} are no sizes")


@cache
def _spellings(provider: str) -> dict[str, str]:
    """Ids by canonical name, with and without the folder an aggregator puts them in."""
    whole = {canonical(name): name for name in _models(provider)}
    return {name.rpartition("/")[2]: spelled for name, spelled in whole.items()} | whole


def _habit(provider: str) -> CacheKind:
    """How this provider caches, for a model without a row: marks as it takes them, late enough."""
    rows = _models(provider).values()
    kinds = [_cache_kind(row["cache"]) for row in rows if "cache" in row]
    if len(kinds) * 2 <= len(rows) or len({kind.mode for kind in kinds}) != 1:
        return CacheKind()
    return max(kinds, key=lambda kind: kind.min_tokens)


def _spec(name: str, provider: str, row: JsonObject) -> ModelSpec:
    return ModelSpec(
        id=name,
        provider=provider,
        context=row.get("context"),
        max_output=row.get("max_output"),
        prices=tuple(_prices(price) for price in row.get("prices", ())),
        efforts=tuple(row.get("efforts", ())),
        images=row.get("images", True),
        edit=row.get("edit", "replace"),
        cache=_cache_kind(row.get("cache", {})),
        thinking=row.get("thinking", ""),
        wire=row.get("wire", ""),
        factors=tuple({**_table()["factors"].get(provider, {}), **row.get("factors", {})}.items()),
    )


def _prices(row: JsonObject) -> Prices:
    values: JsonObject = row | {"hours": tuple((a, b) for a, b in row.get("hours", ()))}
    return Prices(**values)


def _cache_kind(row: JsonObject) -> CacheKind:
    values: JsonObject = row | {"ttls": tuple(row.get("ttls", ()))}
    return CacheKind(**values)
