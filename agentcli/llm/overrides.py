"""What a person says of models in their configuration: `[models."gpt-*"]`, by id or glob."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Any

from agentcli.lib.errors import UserError
from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.cost import rates_for
from agentcli.llm.models import CacheMode, EditFormat, ModelSpec, Prices
from agentcli.llm.providers import PROVIDERS, served
from agentcli.llm.types import Effort, Usage

RATES = {
    "input": "input",
    "output": "output",
    "cache_read": "cache_read",
    "cache_write": "cache_write_5m",
    "cache_write_1h": "cache_write_1h",
}
"""The words of the table, and the classes of a price."""


@dataclass(slots=True)
class ModelTable:
    """One `[models."…"]` table; what it does not name stays as it was. USD per million tokens."""

    input: str | float | None = None
    output: str | float | None = None
    cache_read: str | float | None = None
    cache_write: str | float | None = None
    cache_write_1h: str | float | None = None
    base_model: str | None = None
    """The known model that stands behind a name of one's own: a deployment, a profile's ARN."""
    context: int | None = None
    max_output: int | None = None
    efforts: list[Effort] | None = None
    images: bool | None = None
    edit: EditFormat | None = None
    cache: CacheMode | None = None
    cache_min: int | None = None
    """Fewest tokens a cache takes."""

    def __post_init__(self) -> None:
        for name in RATES:
            _amount(name, getattr(self, name))
        for name in ("context", "max_output"):
            size = getattr(self, name)
            if size is not None and size < 1:
                raise ValueError(f"{name} must be at least 1")


Overrides = Sequence[tuple[str, ModelTable]]
"""(id or glob, table), the more important later."""


def overridden(spec: ModelSpec, overrides: Overrides, env: Mapping[str, str]) -> ModelSpec:
    """The model as the person's tables have it: globs first, then exact names, each in order.

    `env` says where a base model is served. Raises UserError for a price of which one half is
    unknown, and for a base model nobody knows.
    """
    names = (spec.id.lower(), f"{spec.provider}/{spec.id}".lower())
    exact = [(pattern, table) for pattern, table in overrides if pattern.lower() in names]
    globs = [pair for pair in overrides if pair not in exact]
    for pattern, table in (*globs, *exact):
        if any(fnmatchcase(name, pattern.lower()) for name in names) or (pattern, table) in exact:
            base = _based(spec, table.base_model, env) if table.base_model else spec
            if base is None:
                raise UserError(f'[models."{pattern}"]: no model {table.base_model!r} is known.')
            spec = _changed(base, pattern, table)
    return spec


def _based(spec: ModelSpec, name: str, env: Mapping[str, str]) -> ModelSpec | None:
    """The model of that name as this one's provider serves it, else as its maker does."""
    row = PROVIDERS.get(spec.provider)
    found = served(row, name, env) if row else None
    if found is None or not found.prices:
        found = models.at_home(name) or found
    if found is None:
        return None
    name = found.listed_as or found.id
    return replace(found, id=spec.id, provider=spec.provider, wire=spec.wire, listed_as=name)


def _changed(spec: ModelSpec, pattern: str, table: ModelTable) -> ModelSpec:
    given = {field.name: getattr(table, field.name) for field in fields(table)}
    given = {name: value for name, value in given.items() if value is not None}
    given.pop("base_model", None)
    rates = {RATES[name]: _amount(name, given.pop(name)) for name in RATES if name in given}
    mode, least = given.pop("cache", spec.cache.mode), given.pop("cache_min", spec.cache.min_tokens)
    cache = replace(spec.cache, mode=mode, min_tokens=least)
    if mode == "explicit" and not cache.max_marks:
        cache = replace(cache, max_marks=4)
    efforts = tuple(given.pop("efforts", spec.efforts))
    prices = (_flat(spec, pattern, rates),) if rates else spec.prices
    factors = () if rates else spec.factors
    own = bool(rates) or spec.own_prices
    return replace(
        spec, **given, efforts=efforts, cache=cache, prices=prices, factors=factors, own_prices=own
    )


def _flat(spec: ModelSpec, pattern: str, rates: dict[str, Any]) -> Prices:
    """One row without tiers or dates; classes not named cost what they cost now."""
    always = tuple(row for row in spec.prices if not row.hours)
    now = rates_for(Usage(), replace(spec, prices=always), datetime.now(UTC))
    if now is not None:
        return replace(now, since="", **rates)
    if {"input", "output"} - rates.keys():
        raise UserError(
            f'[models."{pattern}"]: {spec.id} has no price to change; give both input and output.'
        )
    return Prices(**rates)


def _amount(name: str, given: str | float | None) -> str | None:
    """Money as a decimal string; raises ValueError for what is none."""
    if given is None:
        return None
    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{name} must be dollars per million tokens, as in 1.25")
    return f"{amount.normalize():f}"
