"""The budgets in force: money is promised before a request goes and settled with its bill."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from agentcli.agent.events import AgentEvent, Answer, Notice, Question, UserQuestion
from agentcli.lib.value import replace, value
from agentcli.llm.budget import (
    SCOPES,
    Bound,
    Grant,
    OverBudget,
    Purse,
    Refusal,
    Scope,
    hold,
    reserve,
    settle,
)
from agentcli.llm.cost import format_usd
from agentcli.session.promises import Promises

if TYPE_CHECKING:
    from agentcli.session.ledger_db import Taken

STOP = "stop here"
ON = "go on without a budget"
UNPRICED = "The price of {} is unknown, so no budget can be kept with it"
SHARED = ("day", "repo")
"""Scopes that other processes spend from too."""
NO_LIMIT = Decimal("Infinity")
NOBODY = Answer("no")


@value
class Promise:
    """Money that is kept for one request. `id` is set where other processes must know of it."""

    amount: Decimal = Decimal(0)
    max_output: int | None = None
    id: str = ""


class Budgets:
    """One conversation's purses. Requests at once never get the same money."""

    def __init__(
        self,
        limits: Mapping[Scope, Decimal],
        spent: Decimal,
        ledger: Path,
        *,
        ask: Callable[[Question], Awaitable[Answer]],
        emit: Callable[[AgentEvent], None],
        place: Callable[[], tuple[str, str]],
        give_back: Callable[[str], None],
    ) -> None:
        self.purses = tuple(
            Purse(scope, limits[scope], spent if scope == "session" else Decimal(0))
            for scope in SCOPES
            if scope in limits
        )
        self._promises = Promises(ledger)
        self._ask = ask
        self._emit = emit
        self._place = place
        """The day and the repository that the money is spent in."""
        self._give_back = give_back
        """Has a promise taken back that other processes were told of."""
        self._turnstile = asyncio.Lock()
        self._told: set[str] = set()
        self._shortest = 0
        self._unpriced: set[str] = set()

    def begin_turn(self) -> None:
        """What the turn before spent is no matter of this one."""
        self.purses = tuple(
            replace(purse, spent=Decimal(0)) if purse.scope == "turn" else purse
            for purse in self.purses
        )
        self._told.discard("turn")

    async def reserve(self, bound: Bound | None, model: str, *, asks: bool = True) -> Promise:
        """Keep money for a request; where it lacks, the person is asked if `asks`.

        Raises OverBudget.
        """
        if not self.purses:
            return Promise()
        async with self._turnstile:
            if bound is None:
                await self._without_a_price(model, asks=asks)
                return Promise()
            while True:
                answer = await self._promised(bound)
                if isinstance(answer, Promise):
                    self._tell_cut(answer, bound)
                    return answer
                await self._more(answer, asks=asks)

    def exchange(self, promise: Promise, bound: Bound | None, model: str) -> Promise:
        """The same money for a request that another model answers. Raises OverBudget."""
        if not self.purses or (bound is None and model in self._unpriced):
            return promise
        if bound is None:
            raise OverBudget(f"{UNPRICED.format(model)}.")
        freed = hold(self.purses, -promise.amount)
        answer = reserve(freed, bound)
        held = isinstance(answer, Grant) and answer.max_output is None
        if not held or not self._is_widened(promise.id, bound.total):
            cost = format_usd(bound.total)
            raise OverBudget(f"No budget is left for {model}, which may cost {cost} here.")
        self.purses = hold(freed, bound.total)
        return replace(promise, amount=bound.total)

    def _is_widened(self, name: str, amount: Decimal) -> bool:
        """Whether other processes leave so much for a promise that they know of."""
        from agentcli.session import ledger_db as db  # door: sqlite3

        most = self._most(name)
        try:
            taken = self._promises.reserve(name, self._place(), amount, most) if name else None
        except db.LedgerError as error:
            self._tell_blind(error)
            return True
        return taken is None or (
            taken.day + amount <= most.day and taken.repo + amount <= most.repo
        )

    def settle(self, promise: Promise, spent: Decimal) -> None:
        """The bill came, or 0 where nothing was sent."""
        self.purses = settle(self.purses, promise.amount, spent)
        for purse in self.purses:
            if purse.is_low and purse.scope not in self._told:
                self._told.add(purse.scope)
                used = f"{format_usd(purse.spent)} of {format_usd(purse.limit)}"
                words = f"The {purse.scope} budget is nearly spent: {used}."
                self._emit(Notice("warning", words))

    def close(self) -> None:
        """Nothing more is promised, nor kept for anything."""
        self._promises.end()

    async def _promised(self, bound: Bound) -> Promise | Refusal:
        await self._look(Decimal(0), "")
        while True:
            answer = reserve(self.purses, bound)
            if isinstance(answer, Refusal):
                return answer
            name = self._promises.name() if self._is_shared else ""
            if await self._look(answer.held, name):
                break
        self.purses = hold(self.purses, answer.held)
        return _promise(answer, name)

    @property
    def _is_shared(self) -> bool:
        return any(purse.scope in SHARED for purse in self.purses)

    async def _look(self, amount: Decimal, name: str) -> bool:
        """What all processes spent; with a name, promise `amount` too, if it is still there."""
        if not self._is_shared:
            return True
        from agentcli.session import ledger_db as db  # door: sqlite3

        most = self._most(name)
        asked = asyncio.to_thread(self._promises.reserve, name, self._place(), amount, most)
        answer = asyncio.ensure_future(asked)
        try:
            taken = await asyncio.shield(answer)
        except db.LedgerError as error:
            self._tell_blind(error)
            return True
        except asyncio.CancelledError:
            answer.add_done_callback(lambda done: self._forget(name, done))
            raise
        return self._is_there(taken, amount, most)

    def _most(self, name: str) -> Taken:
        """What may be taken in all; nothing without a name for the promise."""
        from agentcli.session.ledger_db import Taken  # door: sqlite3

        limits = {purse.scope: purse.limit if name else -NO_LIMIT for purse in self.purses}
        missing = NO_LIMIT if name else -NO_LIMIT
        return Taken(limits.get("day", missing), limits.get("repo", missing))

    def _is_there(self, taken: Taken, amount: Decimal, most: Taken) -> bool:
        """Take over what was spent, by whomever, and say whether `amount` was promised."""
        problem = self._promises.take_problem()
        if problem:
            self._emit(Notice("warning", problem))
        whole = {
            "day": (taken.day - taken.held_day, taken.held_day),
            "repo": (taken.repo - taken.held_repo, taken.held_repo),
        }
        self.purses = tuple(
            replace(purse, spent=whole[purse.scope][0], held=whole[purse.scope][1])
            if purse.scope in whole
            else purse
            for purse in self.purses
        )
        return taken.day + amount <= most.day and taken.repo + amount <= most.repo

    def _forget(self, name: str, done: asyncio.Future[Taken]) -> None:
        """Nobody waits for this promise any more."""
        if name and not done.cancelled() and done.exception() is None:
            self._give_back(name)

    async def _more(self, refusal: Refusal, *, asks: bool) -> None:
        """Ask for a larger budget. Raises OverBudget."""
        purse = refusal.purse
        limit = max(purse.limit * 2, purse.spent + purse.held + refusal.least)
        promised = f", {format_usd(purse.held)} is promised" if purse.held else ""
        words = (
            f"The {purse.scope} budget of {format_usd(purse.limit)} is reached: "
            f"{format_usd(purse.spent)} is spent{promised}, and the next request may cost "
            f"{format_usd(refusal.least)}"
        )
        raise_it = f"raise it to {format_usd(limit)}"
        question = UserQuestion(f"{words}. Go on?", (STOP, raise_it))
        answer = await self._ask(question) if asks else NOBODY
        if answer.verdict == "no" or answer.text != raise_it:
            raise OverBudget(f"{words} or more.")
        self.purses = tuple(
            replace(other, limit=limit) if other.scope == purse.scope else other
            for other in self.purses
        )
        self._told.discard(purse.scope)

    async def _without_a_price(self, model: str, *, asks: bool) -> None:
        """Whether to go on with a model that no budget can hold. Raises OverBudget."""
        if model in self._unpriced:
            return
        words = UNPRICED.format(model)
        question = UserQuestion(f"{words}. Go on?", (STOP, ON))
        answer = await self._ask(question) if asks else NOBODY
        if answer.verdict == "no" or answer.text != ON:
            raise OverBudget(f"{words}.")
        self._unpriced.add(model)

    def _tell_cut(self, promise: Promise, bound: Bound) -> None:
        """Said when it becomes less than half of what it was."""
        length = promise.max_output
        if length is None or length * 2 > (self._shortest or bound.output):
            return
        self._shortest = length
        words = f"The reply may have {length:,} tokens instead of {bound.output:,}"
        self._emit(Notice("info", f"{words}, so that the budget holds."))

    def _tell_blind(self, error: Exception) -> None:
        if "blind" not in self._told:
            self._told.add("blind")
            words = "The budgets of the day and the repository count this session alone"
            self._emit(Notice("warning", f"{words}: {error}."))


def _promise(grant: Grant, name: str) -> Promise:
    return Promise(grant.held, grant.max_output, name)
