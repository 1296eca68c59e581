"""What caused the bills: the input side of each, shared out over what its request carried.

A cached prompt is read from its front, then written, then sent at full price (wire.md 1.12), so an
item pays what its place in the prompt cost, again in every request that carries it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from decimal import Decimal
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Literal, get_args

from agentcli.lib.value import value
from agentcli.llm.estimate import tokens_of
from agentcli.llm.types import JsonObject
from agentcli.session.bills import UNREADABLE, Bill, bill_from_json
from agentcli.session.codec import message_from_json
from agentcli.session.entries import Entry
from agentcli.session.items import Item, Items

Way = Literal["tool", "file"]
ATTRIBUTIONS: tuple[Way, ...] = get_args(Way)
HEAD = "system and tools"
GONE = "sessions that are gone"
OTHERS = "others"
TOP = 15
SCALE = 22
"""Decimal places of a dollar: as integers, shares add up; as Decimals, to a million dollars."""
ON_THE_PREFIX = ("main", "retry", "fallback", "compaction")


@value
class Share:
    """What one cause cost, in how many requests."""

    cause: str
    cost: Decimal
    requests: int


@value
class Attribution:
    """All causes, the dearest first."""

    shares: tuple[Share, ...]
    unknown: int
    """Requests whose cost nobody knows."""


def attribute(
    sessions: Iterable[Iterable[Entry]], by: Way, *, since: float = 0.0, tools: int = 0
) -> Attribution:
    """Share out what the sessions spent since then; `tools` are the tokens of all definitions."""
    books = _Books(since)
    for entries in sessions:
        _replay(entries, by, tools, books)
    books.close()
    return Attribution(books.shares(), books.unknown)


def top(shares: tuple[Share, ...], most: int = TOP) -> tuple[Share, ...]:
    """The dearest, and one share for all the rest."""
    rest = shares[most:]
    if len(rest) < 2:
        return shares
    cost = sum((share.cost for share in rest), Decimal(0))
    return (*shares[:most], Share(OTHERS, cost, max(share.requests for share in rest)))


def input_side(bill: Bill) -> tuple[Decimal, Decimal, Decimal]:
    """USD for what was read from cache, written to it, and sent at full price.

    Where the provider stated only a total, that.
    """
    cost = bill.cost
    if cost is None:
        return Decimal(0), Decimal(0), Decimal(0)
    parts = (cost.cache_read, cost.cache_write, cost.input)
    return parts if any(parts) or cost.output else (Decimal(0), Decimal(0), cost.total)


def _replay(entries: Iterable[Entry], by: Way, tools: int, books: _Books) -> None:
    known: JsonObject = {"session": "", "repo": ""}
    items = Items(by, Path("/"))
    head = tools
    for entry in entries:
        with suppress(*UNREADABLE):
            match entry.kind:
                case "header":
                    known = {"session": entry.data["session"], "repo": entry.data.get("cwd", "")}
                    items = Items(by, Path(known["repo"] or "/"))
                case "epoch":
                    head = tools + sum(map(tokens_of, entry.data.get("system", ())))
                    items.restart()
                    for data in entry.data.get("messages", ()):
                        items.add(message_from_json(data))
                case "message":
                    items.add(message_from_json(entry.data))
                case "spent":
                    own: JsonObject = {"id": f"{known['session']}/{entry.id}", "at": entry.at}
                    bill = bill_from_json(entry.data, known | own)
                    books.take(bill, head, items, known["session"])
                case _:
                    pass


class _Books:
    """Costs by cause; each bill counts once, where its request was made."""

    def __init__(self, since: float) -> None:
        self._since = since
        self._costs: dict[str, int] = {}
        self._requests: dict[str, int] = {}
        self._booked: set[str] = set()
        self._copies: dict[str, Bill] = {}
        self.unknown = 0

    def take(self, bill: Bill, head: int, items: Items, session: str) -> None:
        """A fork begins with copies of the bills of the session it was made from."""
        if bill.session != session:
            self._copies[bill.id] = bill
        elif bill.id not in self._booked:
            carried = items.first(bill.shape.count)
            alone = bill.role not in ON_THE_PREFIX
            self._book(bill, [Item(bill.role, 1)] if alone else [Item(HEAD, head), *carried])

    def close(self) -> None:
        """What only a fork still knows of."""
        for bill in self._copies.values():
            if bill.id not in self._booked:
                self._book(bill, [Item(GONE, 1)])

    def _book(self, bill: Bill, carried: list[Item]) -> None:
        self._booked.add(bill.id)
        if bill.at < self._since:
            return
        if bill.cost is None:
            self.unknown += 1
            return
        for item, cost in zip(carried, _shared(bill, carried), strict=True):
            self._costs[item.cause] = self._costs.get(item.cause, 0) + cost
        for cause in {item.cause for item in carried}:
            self._requests[cause] = self._requests.get(cause, 0) + 1

    def shares(self) -> tuple[Share, ...]:
        found = [
            Share(cause, Decimal(cost).scaleb(-SCALE), self._requests[cause])
            for cause, cost in self._costs.items()
            if cost
        ]
        return tuple(sorted(found, key=lambda share: (-share.cost, share.cause)))


def _shared(bill: Bill, carried: list[Item]) -> list[int]:
    """What each item cost; nothing is lost to rounding."""
    usage = bill.usage
    prompt = usage.prompt if usage else 0
    places = list(accumulate((item.tokens for item in carried), initial=0))
    if not places[-1]:
        places = list(range(len(carried) + 1))
    end = places[-1]
    read = usage.cache_read * end if usage else 0
    fresh = (usage.prompt - usage.input) * end if usage else 0
    bounds = pairwise((0, read, fresh, prompt * end))
    costs = [0] * len(carried)
    for amount, (first, last) in zip(input_side(bill), bounds, strict=True):
        span = (first, last) if last > first else (0, end * max(prompt, 1))
        units = int(amount.scaleb(SCALE))
        for number, cost in enumerate(_spread(units, places, max(prompt, 1), span)):
            costs[number] += cost
    return costs


def _spread(amount: int, places: list[int], scale: int, span: tuple[int, int]) -> Iterator[int]:
    """An amount over those parts of the items that lie in the span, by their size."""
    if not amount:
        return
    first, last = span
    paid = 0
    for place in places[1:]:
        inside = min(max(place * scale, first), last) - first
        due = amount * inside // (last - first)
        yield due - paid
        paid = due
