"""Opens the accounts of one conversation: its budgets, its bills, the ledger of all sessions."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

from agentcli.agent.events import AgentEvent, Frontend
from agentcli.app.billing import Billing
from agentcli.app.budgets import Budgets
from agentcli.app.options import Options
from agentcli.app.talk import Ground, Talk
from agentcli.config import Config
from agentcli.context.memory import repository_root
from agentcli.lib.value import value
from agentcli.llm.budget import Scope
from agentcli.llm.cache import CachePlan
from agentcli.llm.router import Router
from agentcli.session.ledger_writer import LedgerWriter


@value
class Accounts:
    """What the accounts are for."""

    ground: Ground
    options: Options
    config: Config
    frontend: Frontend
    talk: Talk

    def open(
        self,
        router: Router,
        state: Callable[[str, str], tuple[CachePlan, float] | None],
        expires: Callable[[], float | None],
        emit: Callable[[AgentEvent], None],
    ) -> Billing:
        ledger = self.ground.places.ledger
        repo = str(repository_root(self.ground.root) or self.ground.root)
        sessions = self.ground.places.data / "sessions"
        writer = LedgerWriter(ledger, sessions, kept=self.talk.file is not None)
        total = self.talk.ledger.total()
        budgets = Budgets(
            budget_limits(self.options, self.config),
            total.cost.total + total.guessed,
            ledger,
            ask=self.frontend.ask,
            emit=emit,
            place=lambda: (time.strftime("%Y-%m-%d"), repo),
            give_back=lambda name: writer.book(None, name),
        )
        parts = (self.talk, router.pick, state, expires, budgets, writer, emit, repo)
        billing = Billing(*parts, self.ground.clock)
        billing.stands_in = router.stands_in
        return billing


def budget_limits(options: Options, config: Config) -> dict[Scope, Decimal]:
    """USD by what they are for; the flag wins over the files."""
    limits: dict[Scope, Decimal] = {s: Decimal(usd) for s, usd in config.budget.items()}
    session = options.max_cost or config.max_cost
    if session:
        limits["session"] = Decimal(session)
    return limits
