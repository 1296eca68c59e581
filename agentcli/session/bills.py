"""The bill of one request: what it used, cost, sent and missed; as JSON it is a session line."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, cast

from agentcli.lib.value import value
from agentcli.llm.cost import DEAREST, Cost
from agentcli.llm.miss import Miss
from agentcli.llm.shape import Shape
from agentcli.llm.types import JsonObject, Usage
from agentcli.llm.wire.counts import MOST
from agentcli.session.codec import usage_from_json, usage_to_json

Basis = Literal["exact", "computed", "unknown"]
PARTS = ("input", "output", "cache_read", "cache_write", "total", "saved")
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError)
"""What reading a bill raises that we did not write."""
WORDS = ("id", "session", "repo", "model", "provider", "role", "marks")
LATEST = 32_503_680_000
"""The year 3000, in Unix seconds."""
NO_SHAPE = Shape("", (), "", "", "", "", 0)


@value
class Bill:
    """One request of any role that a provider began to answer."""

    id: str
    """Unique over all sessions: a fork carries the bills of the session it was made from."""
    at: float
    """When it was sent, in Unix seconds."""
    session: str
    repo: str
    model: str
    provider: str
    role: str
    usage: Usage | None
    cost: Cost | None
    guess: Decimal | None = None
    """USD by our own estimate, which budgets count where the cost is unknown."""
    expected_read: int = 0
    shape: Shape = NO_SHAPE
    marks: str = ""
    """`tools:1h latest@14.0:5m`: segment, message and block, life."""
    life: int | None = None
    """Seconds for which what it cached is kept."""
    miss: Miss | None = None

    @property
    def basis(self) -> Basis:
        if self.cost is None:
            return "unknown"
        return "exact" if self.cost.exact else "computed"

    @property
    def counted(self) -> Decimal:
        """USD that budgets count."""
        if self.cost is not None:
            return self.cost.total
        return self.guess or Decimal(0)


def bill_to_json(bill: Bill) -> JsonObject:
    cost, miss = bill.cost, bill.miss
    return {
        "id": bill.id,
        "at": round(bill.at, 3),
        "session": bill.session,
        "repo": bill.repo,
        "model": bill.model,
        "provider": bill.provider,
        "role": bill.role,
        "usage": usage_to_json(bill.usage) if bill.usage is not None else None,
        "cost": None if cost is None else {name: str(getattr(cost, name)) for name in PARTS},
        "exact": cost is not None and cost.exact,
        "guess": None if bill.guess is None else str(bill.guess),
        "expected_read": bill.expected_read,
        "shape": shape_to_json(bill.shape),
        "marks": bill.marks,
        "life": bill.life,
        "miss": None if miss is None else [miss.kind, miss.text, miss.lost],
    }


def bill_from_json(data: JsonObject, known: JsonObject) -> Bill:
    """Read a bill back; what it does not say is taken from `known`.

    Raises one of UNREADABLE for anything we did not write.
    """
    data = known | data
    usage, miss, guess = data["usage"], data.get("miss"), data.get("guess")
    bill = Bill(
        id=data["id"],
        at=float(data["at"]),
        session=data["session"],
        repo=data["repo"],
        model=data["model"],
        provider=data.get("provider", ""),
        role=data["role"],
        usage=usage_from_json(usage) if usage is not None else None,
        cost=cost_from_json(data),
        guess=Decimal(guess) if guess is not None else None,
        expected_read=int(data.get("expected_read", 0)),
        shape=shape_from_json(data.get("shape") or {}, data["model"]),
        marks=data.get("marks", ""),
        life=data.get("life"),
        miss=Miss(*miss) if miss else None,
    )
    refuse_the_impossible(bill)
    return bill


def refuse_the_impossible(bill: Bill) -> None:
    """Raises ValueError where a bill says what no request can have and no ledger could hold."""
    shape, usage = bill.shape, bill.usage or Usage()
    miss = bill.miss or Miss("unknown", "")
    words: list[Any] = [getattr(bill, name) for name in WORDS]
    words += [miss.kind, miss.text, *(word for tool in shape.tools for word in tool)]
    words += [shape.system, shape.memory, shape.options, shape.messages, shape.begins]
    counts: list[Any] = [usage.prompt, usage.output, usage.reasoning, bill.expected_read]
    counts += [shape.count, 0 if bill.life is None else bill.life, miss.lost]
    amounts = [bill.guess or Decimal(0)]
    amounts += [getattr(bill.cost, name) for name in PARTS] if bill.cost else []
    if not (
        0 <= bill.at < LATEST
        and all(isinstance(word, str) for word in words)
        and all(isinstance(count, int) and 0 <= count < MOST for count in counts)
        and all(amount.is_finite() and abs(amount) <= DEAREST for amount in amounts)
    ):
        raise ValueError("no bill of ours")


def cost_from_json(data: JsonObject) -> Cost | None:
    """The cost of a bill, or None where it is unknown."""
    cost = data["cost"]
    if cost is None:
        return None
    return Cost(**{name: Decimal(cost[name]) for name in PARTS}, exact=bool(data["exact"]))


def shape_to_json(shape: Shape) -> JsonObject:
    return {
        "tools": tools_text(shape),
        "system": shape.system,
        "memory": shape.memory,
        "options": shape.options,
        "messages": shape.messages,
        "count": shape.count,
        "begins": shape.begins,
        "summary": shape.summary,
    }


def shape_from_json(data: JsonObject, model: str) -> Shape:
    words = cast("str", data.get("tools", "")).split()
    tools = tuple((name, mark) for name, _, mark in (word.rpartition(":") for word in words))
    rest: dict[str, Any] = {
        "system": "",
        "memory": "",
        "options": "",
        "messages": "",
        "count": 0,
    }
    rest |= {name: entry for name, entry in data.items() if name != "tools"}
    return Shape(model=model, tools=tools, **rest)


def tools_text(shape: Shape) -> str:
    """`Bash:1f2e3d4c Read:…`."""
    return " ".join(f"{name}:{mark}" for name, mark in shape.tools)
