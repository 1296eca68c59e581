"""A billing in a folder, with a scripted model and a clock that is moved by hand."""

import asyncio
from decimal import Decimal

from agentcli.agent.events import Notice
from agentcli.agent.transcript import Transcript
from agentcli.app.billing import Billing, Paid
from agentcli.app.budgets import Budgets
from agentcli.app.talk import Talk
from agentcli.llm.cache import CachePlan, Mark
from agentcli.llm.providers import resolve
from agentcli.llm.testing import Scripted
from agentcli.llm.types import AssistantMessage, Request, Text, Usage
from agentcli.llm.types import UserMessage as User
from agentcli.session import ledger_db as db
from agentcli.session.bills import bill_to_json
from agentcli.session.ledger_writer import LedgerWriter
from agentcli.session.store import SessionFile
from agentcli.tools.workspace import Workspace

KEYS = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
SONNET = resolve("claude-sonnet-5-5", KEYS)
GPT = resolve("gpt-6.1-sol", KEYS)
PLAN = CachePlan((Mark("latest", "5m", 0, 0),), life=300)
WARM = Usage(input=10, output=5, cache_read=8_000, cache_write_5m=2_000)
ALL_READ = Usage(input=10, output=5, cache_read=10_000)
COLD = Usage(input=10, output=5, cache_write_5m=12_000)


class Till:
    """One conversation, s, and the ledger it is booked in."""

    def __init__(self, folder, script, bills=(), limits=None):
        self.model = Scripted(script)
        self.events = []
        self.now = 1_764_000_000.0
        self.route = SONNET
        self.plan = PLAN
        file = SessionFile(folder / "s.jsonl", "s")
        self.talk = Talk(
            "s", Transcript(), Workspace(folder), file, bills=tuple(map(bill_to_json, bills))
        )
        self.path = folder / "ledger.db"
        budgets = Budgets(
            limits or {},
            Decimal(0),
            self.path,
            ask=None,
            emit=self.events.append,
            place=lambda: ("d", "/repo"),
            give_back=lambda name: None,
        )
        self.billing = Billing(
            self.talk,
            lambda: self.route,
            lambda session, model: (self.plan, self.now),
            lambda: None,
            budgets,
            LedgerWriter(self.path, folder),
            self.events.append,
            "/repo",
            clock=self.tick,
        )

    def tick(self):
        self.now += 0.001
        return self.now

    async def ask(self, *words, role="main", session="s"):
        request = Request("m", ("be good",), (), talk(*words), session=session)
        async with Paid(self.model, self.billing, role).stream(request) as reply:
            async for _ in reply:
                pass
        return self.billing.spend(reply.message)

    def close(self):
        self.talk.close()
        asyncio.run(self.billing.close())
        return db.of_session(self.path, "s")

    def notices(self):
        return [event.text for event in self.events if isinstance(event, Notice)]


def talk(*words):
    """Alternately from the person and the model."""
    return tuple(
        AssistantMessage((Text(text),), "m", "end_turn") if n % 2 else User((Text(text),))
        for n, text in enumerate(words)
    )
