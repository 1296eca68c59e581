"""How long requests stay apart, and whether the longer life of a cache entry pays for that."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from agentcli.lib.value import replace, value
from agentcli.llm.models import ModelSpec

SHORT, LONG = 300.0, 3600.0
"""Seconds an entry of 5m and of 1h lives after its last use (wire.md 1.12.7)."""


@value
class Gaps:
    """Counts of the pauses between requests, by which entry outlives them."""

    short: float
    """5 minutes do."""
    middle: float
    """Only an hour does."""
    long: float
    """None does."""

    def after(self, seconds: float) -> Gaps:
        """With one more pause; a clock that went backwards tells nothing."""
        if seconds < 0:
            return self
        if seconds < SHORT:
            return replace(self, short=self.short + 1)
        if seconds < LONG:
            return replace(self, middle=self.middle + 1)
        return replace(self, long=self.long + 1)

    @property
    def rescued(self) -> float:
        """How probable it is that an hour outlives the next pause and 5 minutes do not."""
        total = self.short + self.middle + self.long
        return self.middle / total if total else 0.0


UNKNOWN = Gaps(2.0, 0.0, 0.0)
"""What is thought before anything was seen: nobody pauses. An hour is not paid for on suspicion, so
that a script never does, and a person once the first pause has shown what it costs."""


def observed(times: Iterable[float], prior: Gaps = UNKNOWN) -> Gaps:
    """What the times of earlier requests teach, oldest first; of other sessions too."""
    found = prior
    for earlier, later in pairwise(times):
        found = found.after(later - earlier)
    return found


@value
class Rates:
    """Prices of the classes of input, in units of the input price (wire.md 1.12.13)."""

    short: float = 1.25
    long: float = 2.0
    read: float = 0.1


def rates(model: ModelSpec) -> Rates:
    """A model's own, as far as its row says."""
    if not model.prices or not float(model.prices[0].input):
        return Rates()
    row, usual = model.prices[0], Rates()
    unit = float(row.input)
    return Rates(
        float(row.cache_write_5m) / unit if row.cache_write_5m else usual.short,
        float(row.cache_write_1h) / unit if row.cache_write_1h else usual.long,
        float(row.cache_read) / unit if row.cache_read else usual.read,
    )


def loss(exposed: int, gaps: Gaps, price: Rates) -> float:
    """What is expected to be written again after the next pause, for want of an hour's entry."""
    return gaps.rescued * exposed * max(0.0, price.short - price.read)


def premium(fresh: int, price: Rates) -> float:
    """What writing these tokens for an hour costs more.

    Only what is new is paid for; all before it lives as long, since an entry is a whole prefix
    (wire.md 1.12.4, 1.12.8).
    """
    return fresh * max(0.0, price.long - price.short)
