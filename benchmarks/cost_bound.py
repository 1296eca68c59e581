"""What a session's requests would have cost otherwise: at best, uncached, and marked as others do.

The lower bound knows nothing of the planner and all of the future. It takes the requests as they
were sent and asks of every block, by itself: at each of its uses, was it still in a cache, and if
not, what is the cheapest way to send it, knowing when it is used next? No plan can cost less.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from cost_world import Bill

from agentcli.llm.automatic import KEEPS_REPLIES
from agentcli.llm.cost import MILLION, price, rates_for
from agentcli.llm.marks import SECONDS
from agentcli.llm.models import Prices
from agentcli.llm.simulator.claude_cache import ClaudeCache, Position, Prompt
from agentcli.llm.types import Usage

SLACK, STEP = Decimal("0.03"), 256
"""A share of the prompt, and tokens: less than that read short is no miss."""
UNPROMISED = 3600.0
"""Seconds that the simulator keeps what its vendor promises no life for."""


def prompt_cost(bill: Bill, usage: Usage) -> Decimal:
    """Of the prompt alone: what is said back costs the same whatever is cached."""
    found = price(usage, bill.model, at=_moment(bill))
    assert found is not None
    return found.total - found.output


def ours(bills: Sequence[Bill]) -> Decimal:
    return sum((prompt_cost(bill, bill.usage) for bill in bills), Decimal(0))


def uncached(bills: Sequence[Bill]) -> Decimal:
    return sum((prompt_cost(b, Usage(input=b.usage.prompt)) for b in bills), Decimal(0))


def common(bills: Sequence[Bill], ttl: str = "5m") -> Decimal:
    """Marks on the system and on the last message, all of one life: the layout of most agents.

    Where nothing is marked, most agents do as we do.
    """
    cache, total = ClaudeCache(), Decimal(0)
    for bill in bills:
        if bill.model.cache.mode != "explicit":
            total += prompt_cost(bill, bill.usage)
            continue
        last = {place.part: number for number, place in enumerate(bill.places)}
        marked = {last.get("system"), last.get("messages")}
        positions = tuple(
            Position("", bill.model.id + place.digest, place.tokens, ttl if n in marked else "")
            for n, place in enumerate(bill.places)
        )
        charge = cache.look(Prompt(positions, bill.model.cache.min_tokens), bill.at)
        cache.publish(charge)
        total += prompt_cost(bill, charge.usage)
    return total


def unexplained(bills: Sequence[Bill]) -> int:
    """Requests that read less than was sent before to their model, and do not know why."""
    sent: set[tuple[str, str]] = set()
    count = 0
    for bill in bills:
        before = [p.tokens for p in bill.places if (bill.model.id, p.digest) in sent]
        short = max(before, default=0) - bill.usage.cache_read
        missed = short > max(STEP, SLACK * bill.usage.prompt)
        count += missed and (bill.miss is None or bill.miss.kind == "unknown")
        sent.update((bill.model.id, place.digest) for place in bill.places)
    return count


def bound(bills: Sequence[Bill]) -> Decimal:
    """The sum over all blocks of the least each can cost."""
    uses: dict[tuple[str, str], list[int]] = defaultdict(list)
    tokens: dict[tuple[str, str], int] = {}
    kept: set[tuple[str, str]] = set()
    for number, bill in enumerate(bills):
        before = 0
        for place in bill.places:
            key = (bill.model.id, place.digest)
            uses[key].append(number)
            tokens[key] = place.tokens - before
            before = place.tokens
            if place.part == "reply" and bill.model.provider in KEEPS_REPLIES:
                kept.add(key)
    together: dict[tuple[bool, tuple[int, ...]], int] = defaultdict(int)
    for key, numbers in uses.items():
        together[key in kept, tuple(numbers)] += tokens[key]
    rates = {bill.at: _rates(bill) for bill in bills}
    least = (
        count * _cheapest([bills[n] for n in numbers], rates, is_kept=is_kept)
        for (is_kept, numbers), count in together.items()
    )
    return sum(least, Decimal(0)) / MILLION


def _moment(bill: Bill) -> datetime:
    return datetime.fromtimestamp(bill.at, UTC)


def _rates(bill: Bill) -> Prices:
    found = rates_for(bill.usage, bill.model, _moment(bill))
    assert found is not None
    return found


def _cheapest(bills: Sequence[Bill], rates: Mapping[float, Prices], *, is_kept: bool) -> Decimal:
    """The least a token of these requests can cost, from the last of them backwards.

    A token that is read may live on for any life: an entry that ends behind it keeps it alive, and
    whoever pays for that entry pays only for what it adds (wire.md 1.12.4, 1.12.8). What is shorter
    than the model's minimum is cached by nobody; a reply that `is_kept` is there when first sent.
    """
    kind = bills[0].model.cache
    lives = [float(SECONDS[ttl]) for ttl in kind.ttls] or [UNPROMISED]
    short, long = min(lives), max(lives)
    read_later = sent_later = Decimal(0)
    following = bills[-1].at + long
    for bill in reversed(bills):
        row, gap = rates[bill.at], following - bill.at
        following = bill.at
        fresh, read = Decimal(row.input), Decimal(row.cache_read or row.input)
        written = Decimal((row.cache_write_5m if gap < short else row.cache_write_1h) or row.input)
        if bill.usage.prompt < kind.min_tokens:
            read_later = sent_later = fresh + sent_later
            continue
        if gap >= long:
            read_now, sent_now = read + sent_later, fresh + sent_later
        else:
            read_now = read + min(read_later, sent_later)
            sent_now = min(written + read_later, fresh + sent_later)
        read_later, sent_later = read_now, sent_now
    return read_later if is_kept else sent_later
