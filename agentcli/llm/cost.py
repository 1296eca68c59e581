"""What a request costs: usage by class times the price in force, or unknown; never a false zero."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


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
