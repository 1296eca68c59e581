"""Ways to models beside the session's own, each made when it is first needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from agentcli.agent.events import AgentEvent
from agentcli.agent.loop import Client as Asks
from agentcli.app.local_server import Attentive
from agentcli.app.routing import Choice, choose, router, signer
from agentcli.app.talk import Ground
from agentcli.llm.cache import SECONDS, CachePlan
from agentcli.llm.client import Client, Planner
from agentcli.llm.http import Http
from agentcli.llm.providers import Route
from agentcli.llm.router import Router, key_of

if TYPE_CHECKING:
    from agentcli.app.engine import Site


def client_to(
    routing: Router, http: Callable[[Route], Http], planner: Planner, ground: Ground
) -> Client:
    """The client that asks whoever a router picks."""
    return Client(
        routing.pick,
        http,
        clock=ground.clock,
        routing=routing,
        sign=signer(ground.env),
        planner=planner,
    )


class Lead:
    """Lets one conversation go ahead where none has warmed the cache yet, and others wait for it.

    What a request writes can be read once its answer has begun (wire.md 1.12.4).
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used = -inf
        self._ahead: asyncio.Event | None = None

    async def turn(self) -> None:
        """Return at once for the first one, and while the cache is warm."""
        if self._clock() - self._used < SECONDS["5m"]:
            return
        if self._ahead is None:
            self._ahead = asyncio.Event()
        else:
            await self._ahead.wait()

    def begun(self) -> None:
        """An answer has begun, or will never come."""
        self._used = self._clock()
        if self._ahead is not None:
            self._ahead.set()
            self._ahead = None


@dataclass(slots=True)
class Line:
    """One model: who answers for it, and the client that asks."""

    choice: Choice
    route: Callable[[], Route]
    client: Client
    asks: Asks
    lead: Lead = field(default_factory=Lead)


class Lines:
    """By the name of the model. Satisfies what billing wants to know of cache plans."""

    def __init__(
        self,
        site: Site,
        main: Client,
        http: Callable[[Route], Http],
        planner: Planner,
        emit: Callable[[AgentEvent], None],
    ) -> None:
        self._site = site
        self._main = main
        self._http = http
        self._planner = planner
        self._emit = emit
        self._lines: dict[tuple[str, bool], Line] = {}

    def to(self, name: str, *, alone: bool = False) -> Line | None:
        """The line to a model; None for the session's own. Raises UserError.

        With `alone` nobody steps in for it.
        """
        if not name:
            return None
        if (name, alone) not in self._lines:
            choice = choose(name, self._site.config, self._site.ground.env)
            self._lines[name, alone] = self._made(choice, alone=alone)
        line = self._lines[name, alone]
        own = key_of(line.choice.route) == key_of(self._site.route())
        return None if own and not alone else line

    def state(self, session: str, model: str) -> tuple[CachePlan, float] | None:
        """The plan that a session's model answered to last, whoever was asked for it."""
        clients = (self._main, *(line.client for line in self._lines.values()))
        found = (client.cache_state(session, model) for client in clients)
        return next((state for state in found if state is not None), None)

    def forget(self, session: str) -> None:
        for client in (self._main, *(line.client for line in self._lines.values())):
            client.forget(session)

    async def aclose(self) -> None:
        for line in self._lines.values():
            await line.client.aclose()

    def _made(self, choice: Choice, *, alone: bool) -> Line:
        site, env = self._site, self._site.ground.env

        def chosen() -> Choice:
            return line.choice

        def fit(route: Route) -> None:
            line.choice = line.choice.fitted(route)

        routing = (
            Router(lambda: chosen().deployments)
            if alone
            else router(chosen, site.options, site.config, env, seed=site.talk.key)
        )
        client = client_to(routing, self._http, self._planner, site.ground)
        asks = Attentive(client, routing.pick, fit, self._http, self._emit)
        line = Line(choice, routing.pick, client, asks)
        return line
