"""What a request costs: usage by class times the price in force, or unknown; never a false zero."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from agentcli.lib.value import value
from agentcli.llm.models import FREE, ModelSpec, Prices
from agentcli.llm.types import Usage

MILLION = Decimal(1_000_000)
DEAREST = Decimal(10_000)
"""USD that no single request costs: a full window at the dearest price is below a hundred."""


@value
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
    tier: str = "",
    geo: str = "",
) -> Cost | None:
    """The bill of one request that started `at` (UTC); None when usage or price is unknown.

    A total that the provider reported wins and is exact (wire.md 6.5), unless the person set the
    prices. `tier` and `geo` are what the answer says of itself: `flex`, `priority`, `fast`,
    `batch`; `us`.
    """
    if local or (usage is None and model.prices == FREE):
        return Cost(exact=local)
    rates = rates_for(usage, model, at) if usage is not None else None
    factor = factor_for(model, tier) * factor_for(model, geo)
    computed = _computed(usage, rates, factor) if usage is not None and rates is not None else None
    stated = _stated(reported, model, computed)
    if stated is None or (computed is not None and model.own_prices):
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
    """The row in force: the newest by date (UTC), peak before base, then the tier reached."""
    return max(rates_reached(usage.prompt, model, at), key=lambda row: row.above, default=None)


def rates_reached(prompt: int, model: ModelSpec, at: datetime) -> list[Prices]:
    """The row in force, and those of the tiers that a prompt of so many tokens has passed."""
    moment = at.astimezone(UTC) if at.tzinfo else at
    day = moment.date().isoformat()
    begun = [row for row in model.prices if row.since <= day and _in_hours(row, moment)]
    period = max(((row.since, bool(row.hours)) for row in begun), default=None)
    now = [row for row in begun if (row.since, bool(row.hours)) == period]
    return [row for row in now if not row.above or prompt > row.above]


def anew(tokens: int, model: ModelSpec, *, long: bool = False) -> Usage:
    """How tokens of a prompt that are in no cache are billed: as written, where writes are.

    `long` where they are kept for an hour. Marks ask for that, or the vendor writes by itself
    (wire.md 2.8.7).
    """
    by_itself = model.cache.mode == "automatic" and bills_writes(model)
    if model.cache.mode != "explicit" and not by_itself:
        return Usage(input=tokens)
    return Usage(cache_write_1h=tokens) if long else Usage(cache_write_5m=tokens)


def bills_writes(model: ModelSpec) -> bool:
    return bool(model.prices and model.prices[0].cache_write_5m)


def _in_hours(row: Prices, moment: datetime) -> bool:
    if not row.hours:
        return True
    return moment.weekday() < 5 and any(a <= moment.hour < b for a, b in row.hours)


def factor_for(model: ModelSpec, word: str) -> Decimal:
    """What a tier or a region multiplies every rate by; 1 where nothing else is known of it.

    Gemini's words for tiers have a prefix: ON_DEMAND_PRIORITY (cost facts 3.7).
    """
    name = word.lower().removeprefix("on_demand_")
    return Decimal(dict(model.factors).get(name, "1"))


def _computed(usage: Usage, rates: Prices, factor: Decimal) -> Cost:
    """Missing read and write rates are the input rate (wire.md 6.5)."""
    scale = factor / MILLION
    fresh = Decimal(rates.input)
    written = Decimal(rates.cache_write_5m or rates.input)
    long = Decimal(rates.cache_write_1h) if rates.cache_write_1h else written
    read = Decimal(rates.cache_read or rates.input)
    parts = (
        usage.input * fresh * scale,
        usage.output * Decimal(rates.output) * scale,
        usage.cache_read * read * scale,
        (usage.cache_write_5m * written + usage.cache_write_1h * long) * scale,
    )
    total = sum(parts, Decimal(0))
    uncached = usage.prompt * fresh * scale + parts[1]
    return Cost(*parts, total=total, saved=uncached - total)


def _stated(reported: str | None, model: ModelSpec, computed: Cost | None) -> Decimal | None:
    """The provider's figure, unless it is no amount that a request can cost.

    A LiteLLM proxy says 0.0 where it has no price (cost facts 6), and others do where ours is
    known: such a zero is no answer.
    """
    try:
        amount = None if reported is None else Decimal(reported.strip())
    except InvalidOperation:
        return None
    if amount is None or not amount.is_finite() or not 0 <= amount <= DEAREST:
        return None
    priced = computed is not None and computed.total > 0
    return None if amount == 0 and (priced or model.provider == "litellm") else amount


def format_usd(amount: Decimal) -> str:
    """Money for one line: $1.24, $0.0031, <$0.0001, -$0.02."""
    sign, size = ("-" if amount < 0 else ""), abs(amount)
    if size == 0:
        return "$0.00"
    if size < Decimal("0.0001"):
        return f"{sign}<$0.0001"
    return f"{sign}${size:.2f}" if size >= 1 else f"{sign}${size:.4f}"
