"""Whether a summary pays: what it costs now, what going on costs, and when the two meet; pure."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from agentcli.lib.value import value
from agentcli.llm.automatic import takes_marks
from agentcli.llm.cost import anew, price
from agentcli.llm.models import ModelSpec
from agentcli.llm.types import Usage

SUMMARY = 3_000
"""Tokens a summary usually has."""


@value
class Standing:
    """A conversation as it stands, in tokens. `head` (tools, system) outlives a compaction."""

    used: int
    head: int
    warm: bool = True
    """Whether the cache still holds all of it."""
    long: bool = False
    """Whether it is kept there for an hour, which costs more to write."""
    summary: int = SUMMARY
    """What would take its place."""


@value
class Course:
    """What one way to go on costs, in USD; what the steps add themselves is the same on both."""

    now: Decimal
    """Before the first step."""
    first: Decimal
    each: Decimal
    """Every step after the first."""

    def after(self, steps: int) -> Decimal:
        return self.now + (self.first + (steps - 1) * self.each if steps > 0 else Decimal(0))


@value
class BreakEven:
    """The two ways from here."""

    compact: Course
    go_on: Course

    @property
    def steps(self) -> int | None:
        """After how many steps compacting is no longer dearer; None for never."""
        gain = self.go_on.each - self.compact.each
        behind = self.compact.after(1) - self.go_on.after(1)
        if behind <= 0:
            return 1
        if gain <= 0:
            return None
        return 1 + int((behind / gain).to_integral_value(ROUND_CEILING))

    def pays_within(self, steps: float) -> bool:
        return self.steps is not None and self.steps <= steps


def break_even(
    standing: Standing, model: ModelSpec, at: datetime, *, paid: Decimal | None = None
) -> BreakEven | None:
    """Compare; `paid` is what the summary did cost, if it is there. None without a known price.

    Where marks are asked for, the request for a summary of what is cold writes only the head to
    the cache: nothing else of it is read again (`Request.final`).
    """
    left = standing.head + standing.summary
    if standing.warm:
        asked = _held(standing.used, model)
        after = _held(standing.head, model) + anew(standing.summary, model, long=standing.long)
        first = _held(standing.used, model)
    else:
        asked = _asked_cold(standing, model)
        after = _held(standing.head, model) + anew(standing.summary, model, long=standing.long)
        first = anew(standing.used, model, long=standing.long)
    wanted = (
        asked + Usage(output=standing.summary),
        after,
        _held(left, model),
        first,
        _held(standing.used, model),
    )
    usd = [cost.total for cost in (price(usage, model, at=at) for usage in wanted) if cost]
    if len(usd) < len(wanted):
        return None
    now = usd[0] if paid is None else paid
    return BreakEven(Course(now, usd[1], usd[2]), Course(Decimal(0), usd[3], usd[4]))


def _held(tokens: int, model: ModelSpec) -> Usage:
    """What is in the cache, where there is one."""
    return Usage(input=tokens) if model.cache.mode == "none" else Usage(cache_read=tokens)


def _asked_cold(standing: Standing, model: ModelSpec) -> Usage:
    if model.cache.mode != "explicit" and not takes_marks(model):
        return anew(standing.used, model)
    rest = Usage(input=max(0, standing.used - standing.head))
    return anew(standing.head, model, long=standing.long) + rest
