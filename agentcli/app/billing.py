"""From a request to its bill: money promised before it goes, the reply priced, the miss explained.

Every request of every role goes through `Paid`; each that a provider began to answer is booked
once, in the session's file and in the ledger of all sessions.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from agentcli.agent.events import AgentEvent, Notice, Spent
from agentcli.agent.loop import Client
from agentcli.app.budgets import Budgets, Promise
from agentcli.app.options import DEMO
from agentcli.app.suspicions import Suspicions
from agentcli.app.talk import Talk
from agentcli.lib.value import replace, value
from agentcli.llm.budget import (
    Bound,
    Rewrite,
    dearest_factor,
    expected_tokens,
    rewrite_cost,
    unread,
    upper_bound,
)
from agentcli.llm.cache import NO_PLAN, CachePlan, Mark
from agentcli.llm.cost import Cost, anew, factor_for, format_usd, price
from agentcli.llm.estimate import tokens_of_message
from agentcli.llm.miss import Miss, Sent, explain
from agentcli.llm.models import CacheKind, ModelSpec, find
from agentcli.llm.providers import Route
from agentcli.llm.router import key_of
from agentcli.llm.shape import Chain, chain, fresh, shape
from agentcli.llm.types import AssistantMessage, Request, Usage
from agentcli.session.bills import Bill, bill_to_json
from agentcli.session.ledger import links_of, newest
from agentcli.session.ledger_writer import LedgerWriter

if TYPE_CHECKING:
    from agentcli.llm.client import Retry
    from agentcli.llm.stream import Reply

WORTH_SAYING = 1_000
"""Tokens sent anew below which a miss is not told to the person."""
ON_THE_PREFIX = ("main", "retry", "fallback", "compaction")
OF_THE_TALK = ("main", "retry", "fallback")
KEPT = 8
"""Bills that wait to be told, at most."""


@value
class Pending:
    """A request on its way."""

    request: Request
    route: Route
    role: str
    at: float
    promise: Promise


class Lane:
    """Requests that follow on each other, and so share a cached prefix."""

    __slots__ = ("before", "broken", "fresh", "latest", "links")

    def __init__(self) -> None:
        self.before: dict[str, Sent] = {}
        """The newest to each model."""
        self.latest: Sent | None = None
        self.links = Chain()
        self.fresh: tuple[str, ...] = ()
        """Of the newest: the hashes that were not there before."""
        self.broken = ""
        """The messages of one whose reply broke off."""


@dataclass(slots=True)
class Billing:
    """Books into the talk's accounts, its file, and the ledger."""

    talk: Talk
    route: Callable[[], Route]
    state: Callable[[str, str], tuple[CachePlan, float] | None]
    """The cache plan that a session's model answered to last, and when that was sent."""
    expires: Callable[[], float | None]
    """When the cached prefix lapses, in Unix seconds."""
    budgets: Budgets
    writer: LedgerWriter
    emit: Callable[[AgentEvent], None]
    repo: str
    clock: Callable[[], float] = time.time
    stands_in: Callable[[Route], bool] = lambda _: False
    """Whether a route answers in the place of the chosen model."""
    _lanes: dict[tuple[str, str], Lane] = field(default_factory=dict[tuple[str, str], "Lane"])
    _suspicions: Suspicions = field(init=False)
    _factors: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    """What answers said of their tier and region, as the dearest factor of a model."""
    _spent: list[tuple[AssistantMessage, Spent]] = field(
        default_factory=list[tuple[AssistantMessage, Spent]]
    )

    def __post_init__(self) -> None:
        self._suspicions = Suspicions(self.emit)
        known = tuple(newest(self.talk.bills, self.talk.id))
        links = links_of(self.talk.bills, {bill.id for bill in known}, ON_THE_PREFIX)
        for bill in known:
            self._remember(bill, links.get(bill.id, ()))

    def rewrite(self) -> Rewrite | None:
        """What the next message sends anew because of the time that has passed."""
        model = self.route().model
        before = self._lane(self.talk.id).before.get(model.id)
        return rewrite_cost(before, model, self.clock(), self.talk.used)

    def unread(self, model: ModelSpec) -> int:
        """Tokens of the conversation that this model would have to read uncached now."""
        lane = self._lane(self.talk.id)
        return unread(lane.before.get(model.id), lane.latest, self.clock(), self.talk.used)

    def spend(self, message: AssistantMessage, role: str = "main") -> Spent:
        """What the request cost that this is the reply to."""
        return next(spent for said, spent in reversed(self._spent) if said == message)

    def total(self) -> Decimal:
        """USD of the session, as far as prices are known."""
        return self.talk.ledger.total().cost.total

    async def opening(
        self, request: Request, role: str, route: Route | None = None, *, asks: bool = True
    ) -> Pending:
        """Promise the money. Raises OverBudget."""
        route = route or self.route()
        pending = Pending(request, route, self._role(role, route), self.clock(), Promise())
        if not self.budgets.purses:
            return pending
        bound = self._bound(pending)
        promise = await self.budgets.reserve(bound, route.model.id, asks=asks)
        if bound is not None:
            request = replace(request, max_output=promise.max_output or bound.output)
        return replace(pending, request=request, promise=promise)

    def _bound(self, pending: Pending) -> Bound | None:
        _, most = self._expected(pending)
        model, at = pending.route.model, datetime.fromtimestamp(pending.at, UTC)
        factor = self._factors.get(model.id) or dearest_factor(model)
        return upper_bound(most, pending.request.max_output, model, at, factor)

    def _expected(self, pending: Pending) -> tuple[int, int]:
        """Tokens of the prompt, and the most they may be."""
        lane = self._lane(pending.request.session, pending.role)
        return expected_tokens(pending.request, lane.before.get(pending.route.model.id))

    def _role(self, role: str, route: Route) -> str:
        return "fallback" if role == "main" and self.stands_in(route) else role

    def moved(self, pending: Pending, route: Route) -> Pending:
        """Somebody else answers: that one's price counts. Raises OverBudget."""
        gone = replace(pending, route=route, role=self._role(pending.role, route))
        if not self.budgets.purses:
            return gone
        promise = self.budgets.exchange(pending.promise, self._bound(gone), route.model.id)
        return replace(gone, promise=promise)

    def closing(self, pending: Pending, message: AssistantMessage | None, *, left: bool) -> None:
        """Book what came of a request; the promise ends.

        One that was `left` alone before a word came may be billed all the same.
        """
        if message is None or not (left or _has_begun(message)):
            self.budgets.settle(pending.promise, Decimal(0))
            self._release(pending)
            return
        lane = self._lane(pending.request.session, pending.role)
        sent = self._sent(pending, message, lane)
        bill = self._bill(pending, message, sent, lane)
        lane.broken = sent.shape.messages if message.stop == "interrupted" else ""
        lane.before[pending.route.model.id] = lane.latest = sent
        self.budgets.settle(pending.promise, bill.counted)
        self._book(bill, pending, lane.fresh)
        self._spent = [*self._spent[-KEPT:], (message, self._event(bill, pending.route.model))]
        self._suspicions.watch(bill)

    def _lane(self, session: str, role: str = "main") -> Lane:
        """Where requests follow on each other: a summary is asked for on the live prefix."""
        key = (session, "main" if role in ON_THE_PREFIX else role)
        return self._lanes.setdefault(key, Lane())

    def forget(self, session: str) -> None:
        """A subagent is done: nothing follows on its requests."""
        for key in [key for key in self._lanes if key[0] == session]:
            del self._lanes[key]

    def _release(self, pending: Pending) -> None:
        if pending.promise.id:
            self.writer.book(None, pending.promise.id)

    def _sent(self, pending: Pending, message: AssistantMessage, lane: Lane) -> Sent:
        request, model = pending.request, pending.route.model
        links = chain(request, lane.links)
        lane.fresh, lane.links = fresh(lane.links, links), links
        found = self.state(request.session, model.id)
        plan = found[0] if found and found[1] >= pending.at else NO_PLAN
        usage = self._suspicions.believed(message, request, model)
        plan = self._suspicions.kept(plan, usage)
        return Sent(
            shape=replace(shape(request, links), model=model.id),
            provider=pending.route.provider.name,
            at=found[1] if found and found[1] >= pending.at else pending.at,
            usage=usage,
            plan=plan,
            kind=model.cache,
            links=links.links,
            last=request.messages[-1] if request.messages else None,
            key=plan.key,
        )

    def _bill(self, pending: Pending, message: AssistantMessage, sent: Sent, lane: Lane) -> Bill:
        model, at = pending.route.model, datetime.fromtimestamp(sent.at, UTC)
        tier, geo = message.tier, message.geo
        cost = price(sent.usage, model, at=at, reported=message.cost_usd, tier=tier, geo=geo)
        factor = factor_for(model, tier) * factor_for(model, geo)
        self._factors[model.id] = max(Decimal(1), factor, self._factors.get(model.id, factor))
        again = pending.role == "main" and lane.broken == sent.shape.messages
        return Bill(
            id=secrets.token_hex(8),
            at=pending.at,
            session=self.talk.id,
            repo=self.repo,
            model=model.id,
            provider=sent.provider,
            role="retry" if again else pending.role,
            usage=sent.usage,
            cost=cost,
            guess=self._guess(pending, message, at) if cost is None else None,
            expected_read=sent.plan.expected_read,
            shape=sent.shape,
            marks=" ".join(mark_text(mark) for mark in sent.plan.marks),
            life=sent.plan.life,
            miss=explain(sent, lane.before.get(model.id), lane.latest),
        )

    def _guess(self, pending: Pending, message: AssistantMessage, at: datetime) -> Decimal | None:
        """What it will have cost, nobody having told: all of the prompt written anew."""
        model = pending.route.model
        tokens, _ = self._expected(pending)
        usage = anew(tokens, model) + Usage(output=tokens_of_message(message))
        guess = price(usage, model, at=at)
        return guess.total if guess else None

    def _book(self, bill: Bill, pending: Pending, links: tuple[str, ...]) -> None:
        if bill.role in OF_THE_TALK and bill.usage is not None:
            self.talk.used = bill.usage.prompt + bill.usage.output
        self.talk.ledger.add(bill.model, bill.usage, bill.cost, bill.guess)
        if self.talk.file is not None:
            self.talk.file.append("spent", bill_to_json(bill) | {"links": " ".join(links)})
        if pending.route.provider.name != DEMO:
            self.writer.book(bill, pending.promise.id)
        self.tell_problem()

    async def close(self) -> None:
        """Wait until all is written."""
        await asyncio.to_thread(self.writer.close)
        self.budgets.close()
        self.tell_problem()

    def tell_problem(self) -> None:
        """What is wrong with the session's file or with the ledger, once."""
        file = self.talk.file.take_problem() if self.talk.file is not None else ""
        for problem in (file, self.writer.take_problem()):
            if problem:
                self.emit(Notice("warning", problem))

    def _event(self, bill: Bill, model: ModelSpec) -> Spent:
        return Spent(
            model=bill.model,
            role=bill.role,
            usage=bill.usage,
            cost=bill.cost,
            context_used=self.talk.used,
            context=model.context,
            cache_expires=self.expires(),
            miss=miss_text(bill.miss, model, bill.at),
        )

    def _remember(self, bill: Bill, links: tuple[str, ...]) -> None:
        """A request of before the session was resumed."""
        mine = self.route().model
        spec = mine if mine.id == bill.model else find(bill.model, bill.provider)
        kind = spec.cache if spec else CacheKind()
        lane = self._lane(self.talk.id, bill.role)
        lane.latest = Sent(
            *(bill.shape, bill.provider, bill.at, bill.usage, CachePlan(life=bill.life), kind),
            links=links,
            key=self.talk.key if kind.key else "",
        )
        lane.before[bill.model] = lane.latest


@value
class Paid:
    """A client whose every request is paid for; satisfies `agent/loop.Client`."""

    inner: Client
    billing: Billing
    role: str = "main"
    route: Callable[[], Route] | None = None
    """Who answers, where that is not the session's own model."""
    asks: bool = True
    """Whether the person is asked for more where a budget lacks money."""

    def stream(
        self, request: Request, *, on_retry: Callable[[Retry], None] = lambda _: None
    ) -> AbstractAsyncContextManager[Reply]:
        return self._stream(request, on_retry)

    @asynccontextmanager
    async def _stream(
        self, request: Request, on_retry: Callable[[Retry], None]
    ) -> AsyncGenerator[Reply]:
        """Raises OverBudget before anything is sent."""
        route = self.route() if self.route else None
        pending = await self.billing.opening(request, self.role, route, asks=self.asks)
        reply, left = None, False

        def retried(retry: Retry) -> None:
            nonlocal pending
            if retry.instead is not None:
                pending = self.billing.moved(pending, retry.instead)
            on_retry(retry)

        try:
            async with self.inner.stream(pending.request, on_retry=retried) as reply:
                if reply.route is not None and key_of(reply.route) != key_of(pending.route):
                    pending = self.billing.moved(pending, reply.route)
                yield reply
        except asyncio.CancelledError:
            left = True
            raise
        finally:
            message = reply.message if reply is not None else None
            self.billing.closing(pending, message, left=left)


def _has_begun(message: AssistantMessage) -> bool:
    """Whether anything came; a refused request is not billed."""
    return bool(message.content) or message.usage is not None or message.stop != "interrupted"


def mark_text(mark: Mark) -> str:
    """`memory:1h`, `latest@14.0:5m`."""
    place = f"@{mark.message}.{mark.block}" if mark.message >= 0 else ""
    return f"{mark.segment}{place}:{mark.ttl}"


def miss_text(miss: Miss | None, model: ModelSpec, at: float) -> str:
    """`cache miss: expired 7 min ago (kept for 5 min), 41,000 tokens anew (+$0.09)`."""
    if miss is None or miss.lost <= WORTH_SAYING:
        return ""
    extra = extra_cost(miss.lost, model, datetime.fromtimestamp(at, UTC))
    dollars = f" (+{format_usd(extra.total)})" if extra is not None and extra.total > 0 else ""
    return f"cache miss: {miss.text}, {miss.lost:,} tokens anew{dollars}"


def extra_cost(tokens: int, model: ModelSpec, at: datetime) -> Cost | None:
    """What tokens sent anew cost more than tokens read."""
    dear = price(anew(tokens, model), model, at=at)
    cheap = price(Usage(cache_read=tokens), model, at=at)
    if dear is None or cheap is None:
        return None
    return Cost(total=dear.total - cheap.total)
