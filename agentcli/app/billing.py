"""Pricing each reply the moment it is complete, and keeping the bill."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from agentcli.agent.events import Spent
from agentcli.app.talk import Talk
from agentcli.lib.value import value
from agentcli.llm.cost import price
from agentcli.llm.providers import Route
from agentcli.llm.types import AssistantMessage
from agentcli.session.ledger import bill_to_json


@value
class Billing:
    """Books into the talk's ledger and its file."""

    talk: Talk
    route: Callable[[], Route]
    expires: Callable[[], float | None]
    """When the cached prefix lapses, in Unix seconds."""
    clock: Callable[[], float] = time.time

    def spend(self, message: AssistantMessage, role: str = "main") -> Spent:
        model = self.route().model
        at = datetime.fromtimestamp(self.clock(), UTC)
        cost = price(message.usage, model, at=at, reported=message.cost_usd)
        usage = message.usage
        if usage is not None and role == "main":
            self.talk.used = usage.prompt + usage.output
        spent = Spent(
            model=model.id,
            role=role,
            usage=usage,
            cost=cost,
            context_used=self.talk.used,
            context=model.context,
            cache_expires=self.expires(),
        )
        self.talk.ledger.add(model.id, usage, cost)
        if self.talk.file is not None:
            self.talk.file.append("spent", bill_to_json(spent))
        return spent

    def total(self) -> Decimal:
        """USD of the session, as far as prices are known."""
        return self.talk.ledger.total().cost.total
