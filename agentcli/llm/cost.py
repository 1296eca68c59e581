"""What a request costs: usage by class times the price in force, or unknown; never a false zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from agentcli.llm.models import ModelSpec, Prices
from agentcli.llm.types import Usage

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Cost:
    """USD. `saved` is what no caching at all would have cost more (negative when it cost less)."""

    input: Decimal = Decimal(0)
    output: Decimal = Decimal(0)
    cache_read: Decimal = Decimal(0)
    cache_write: Decimal = Decimal(0)
    total: Decimal = Decimal(0)
    saved: Decimal = Decimal(0)
    exact: bool = False
    """Whether the provider itself stated `total`."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.total + other.total,
            self.saved + other.saved,
            self.exact and other.exact,
        )


def price(
    usage: Usage | None,
    model: ModelSpec,
    *,
    at: datetime,
    reported: str | None = None,
    local: bool = False,
) -> Cost | None:
    """The bill of one request that started `at` (UTC); None when usage or price is unknown.

    A total that the provider reported wins and is exact (wire.md 6.5).
    """
    if local:
        return Cost(exact=True)
    rates = rates_for(usage, model, at) if usage is not None else None
    computed = _computed(usage, rates) if usage is not None and rates is not None else None
    stated = _decimal(reported)
    if stated is None:
        return computed
    if computed is None:
        return Cost(total=stated, exact=True)
    return Cost(
        computed.input,
        computed.output,
        computed.cache_read,
        computed.cache_write,
        stated,
        computed.saved,
        exact=True,
    )


def rates_for(usage: Usage, model: ModelSpec, at: datetime) -> Prices | None:
    """The row in force: the newest by date, then the highest tier the prompt has passed."""
    day = at.date().isoformat()
    begun = [row for row in model.prices if row.since <= day]
    newest = max((row.since for row in begun), default="")
    size = usage.prompt
    reached = [r for r in begun if r.since == newest and _passes(size, r.above, model.provider)]
    return max(reached, key=lambda row: row.above, default=None)


def _passes(size: int, above: int, provider: str) -> bool:
    """Tiers begin past their size, xAI's at it (cost facts, step 2.3)."""
    return not above or (size >= above if provider == "xai" else size > above)


def _computed(usage: Usage, rates: Prices) -> Cost:
    """Missing read and write rates are the input rate (wire.md 6.5)."""
    fresh = Decimal(rates.input)
    written = Decimal(rates.cache_write_5m or rates.input)
    long = Decimal(rates.cache_write_1h) if rates.cache_write_1h else written
    read = Decimal(rates.cache_read or rates.input)
    parts = (
        usage.input * fresh / MILLION,
        usage.output * Decimal(rates.output) / MILLION,
        usage.cache_read * read / MILLION,
        (usage.cache_write_5m * written + usage.cache_write_1h * long) / MILLION,
    )
    total = sum(parts, Decimal(0))
    uncached = usage.prompt * fresh / MILLION + parts[1]
    return Cost(*parts, total=total, saved=uncached - total)


def _decimal(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None


def format_usd(amount: Decimal) -> str:
    """Money for one line: $1.24, $0.0031, <$0.0001, -$0.02."""
    sign, size = ("-" if amount < 0 else ""), abs(amount)
    if size == 0:
        return "$0.00"
    if size < Decimal("0.0001"):
        return f"{sign}<$0.0001"
    return f"{sign}${size:.2f}" if size >= 1 else f"{sign}${size:.4f}"
