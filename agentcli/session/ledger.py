"""What the session has cost so far, by model; counts on across resume."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from agentcli.llm.cost import Cost
from agentcli.llm.types import JsonObject, Usage
from agentcli.session.bills import Bill, bill_from_json


@dataclass(slots=True)
class Account:
    """The sum of one model's requests."""

    requests: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost)
    unpriced: int = 0
    """Requests whose cost is unknown; the sum leaves them out and says so."""

    def add(self, usage: Usage | None, cost: Cost | None) -> None:
        self.requests += 1
        self.usage += usage or Usage()
        if cost is None:
            self.unpriced += 1
        else:
            self.cost += cost


@dataclass(slots=True)
class Ledger:
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])

    def add(self, model: str, usage: Usage | None, cost: Cost | None) -> None:
        self.accounts.setdefault(model, Account()).add(usage, cost)

    def total(self) -> Account:
        whole = Account()
        for account in self.accounts.values():
            whole.requests += account.requests
            whole.usage += account.usage
            whole.cost += account.cost
            whole.unpriced += account.unpriced
        return whole


def read_bills(lines: Iterable[JsonObject], session: str) -> tuple[Bill, ...]:
    """The bills of a session file; what can't be read is left out."""
    found: list[Bill] = []
    for line in lines:
        try:
            found.append(bill_from_json(line, {"id": "", "at": 0, "session": session, "repo": ""}))
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
            continue
    return tuple(found)


def replay(ledger: Ledger, bills: Iterable[Bill]) -> None:
    """Book what was spent before, at the prices of then."""
    for bill in bills:
        ledger.add(bill.model, bill.usage, bill.cost)
