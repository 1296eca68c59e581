"""What the session has cost so far, by model; counts on across resume."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

from agentcli.llm.cost import Cost
from agentcli.llm.types import JsonObject, Usage
from agentcli.session.bills import UNREADABLE, Bill, bill_from_json

NOBODYS: JsonObject = {"id": "", "at": 0, "session": "", "repo": "", "role": "main"}
"""What bills of before there were ledgers do not say."""


@dataclass(slots=True)
class Account:
    """The sum of one model's requests."""

    requests: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost)
    unpriced: int = 0
    """Requests whose cost is unknown; the sum leaves them out and says so."""
    guessed: Decimal = Decimal(0)
    """What those will have cost by our estimate."""

    def add(self, usage: Usage | None, cost: Cost | None, guess: Decimal | None = None) -> None:
        self.requests += 1
        self.usage += usage or Usage()
        if cost is None:
            self.unpriced += 1
            self.guessed += guess or 0
        else:
            self.cost += cost


@dataclass(slots=True)
class Ledger:
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])

    def add(
        self, model: str, usage: Usage | None, cost: Cost | None, guess: Decimal | None = None
    ) -> None:
        self.accounts.setdefault(model, Account()).add(usage, cost, guess)

    def total(self) -> Account:
        whole = Account()
        for account in self.accounts.values():
            whole.requests += account.requests
            whole.usage += account.usage
            whole.cost += account.cost
            whole.unpriced += account.unpriced
            whole.guessed += account.guessed
        return whole


def replay(ledger: Ledger, bills: Iterable[JsonObject]) -> None:
    """Book what a session file says was spent before, at the prices of then.

    A bill that can't be read is left out.
    """
    for data in bills:
        with suppress(*UNREADABLE):
            bill = bill_from_json(data, NOBODYS)
            ledger.add(bill.model, bill.usage, bill.cost, bill.guess)


def links_of(
    bills: Iterable[JsonObject], wanted: Collection[str], together: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """The hashes of the messages of some requests, by the ids of their bills.

    Each bill tells those that the one before did not have; roles `together` follow on each other.
    """
    now: dict[str, tuple[str, ...]] = {}
    found: dict[str, tuple[str, ...]] = {}
    for bill in bills:
        with suppress(*UNREADABLE):
            lane = "" if bill["role"] in together else bill["role"]
            more, count = bill["links"].split(), bill["shape"]["count"]
            whole = (*now.get(lane, ())[: count - len(more)], *more)
            now[lane] = whole if len(whole) == count else ()
            if bill["id"] in wanted:
                found[bill["id"]] = now[lane]
    return found


def newest(bills: Sequence[JsonObject], session: str) -> Iterator[Bill]:
    """The last bill of each model in each role, oldest first: all that the next request needs."""
    found: dict[tuple[str, str], Bill] = {}
    for data in reversed(bills):
        with suppress(*UNREADABLE):
            if (data["model"], data["role"]) not in found:
                known = NOBODYS | {"session": session}
                found[data["model"], data["role"]] = bill_from_json(data, known)
    yield from sorted(found.values(), key=lambda bill: bill.at)
