"""What the session has cost so far, by model; counts on across resume."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from agentcli.agent.events import Spent
from agentcli.llm.cost import Cost
from agentcli.llm.types import JsonObject, Usage
from agentcli.session.codec import usage_from_json, usage_to_json


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


def bill_to_json(spent: Spent) -> JsonObject:
    cost = spent.cost
    return {
        "model": spent.model,
        "role": spent.role,
        "usage": usage_to_json(spent.usage) if spent.usage is not None else None,
        "cost": None if cost is None else {name: str(getattr(cost, name)) for name in _PARTS},
        "exact": cost is not None and cost.exact,
    }


def replay(ledger: Ledger, bills: tuple[JsonObject, ...]) -> None:
    """Book what a session file says was spent before, at the prices of then."""
    for bill in bills:
        usage, cost = bill["usage"], bill["cost"]
        ledger.add(
            bill["model"],
            usage_from_json(usage) if usage is not None else None,
            None
            if cost is None
            else Cost(**{n: Decimal(cost[n]) for n in _PARTS}, exact=bool(bill["exact"])),
        )


_PARTS = ("input", "output", "cache_read", "cache_write", "total", "saved")
