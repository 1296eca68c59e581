"""Any model, one call: plan the cache, encode, send, decode; retried until the first delta."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from agentcli.lib.value import replace, value
from agentcli.llm import cache, proxy
from agentcli.llm.auth import auth_headers, renewed
from agentcli.llm.body import as_bytes
from agentcli.llm.cache import CachePlan
from agentcli.llm.errors import AuthFailed, LLMError, StreamCut
from agentcli.llm.estimate import tokens_of_request
from agentcli.llm.handoff import handoff
from agentcli.llm.learned import Learned
from agentcli.llm.models import ModelSpec
from agentcli.llm.plans import PlanKey, Plans
from agentcli.llm.providers import Route
from agentcli.llm.proxy import Standing
from agentcli.llm.repair import Repairer
from agentcli.llm.retry import ATTEMPTS, next_delay
from agentcli.llm.router import Key, key_of
from agentcli.llm.routing import Alone, Retry, Routing, goes_on
from agentcli.llm.status import error_from, request_id
from agentcli.llm.stream import Reply
from agentcli.llm.types import Delta, Finished, PreparedRequest, Request, Usage
from agentcli.llm.wire import Decoder, Wire, load

if TYPE_CHECKING:
    from agentcli.llm.http import Http, Response

BILL = "x-litellm-response-cost"
"""The header in which a LiteLLM proxy states what an answer cost, in USD (wire.md 5.14)."""
SETTLE = 0.25
"""Seconds a server gets after its last event to end the body, so that its connection is kept."""
HASTE = 5.0
"""Seconds; a longer wait is not slept while another deployment of the same model can answer."""
BREAKS = 2
"""So often in a row a route's replies may break off before somebody else is asked."""


class Planner(Protocol):
    """What the client needs of `cache.plan`."""

    def __call__(
        self, request: Request, model: ModelSpec, previous: CachePlan | None, now: float, /
    ) -> CachePlan: ...


@value
class _Sending:
    """One request on its way, and the cache plan it carries."""

    prepared: PreparedRequest
    plan: CachePlan
    wire: Wire
    route: Route
    key: PlanKey
    repairs: tuple[str, ...]
    request: Request


def _unheard(_: object) -> None:
    pass


def _as_it_is(prepared: PreparedRequest, _: Route) -> PreparedRequest:
    return prepared


@dataclass(slots=True)
class Client:
    """Sends requests to whatever `resolve` says; remembers each session's last cache plan.

    `http` is one door for all, or a function that gives each route its own.
    """

    resolve: Callable[[str], Route]
    http: Callable[[Route], Http] | Http
    clock: Callable[[], float] = field(default=time.time, kw_only=True)
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep, kw_only=True)
    rng: Callable[[], float] = field(default=random.random, kw_only=True)
    attempts: int = field(default=ATTEMPTS, kw_only=True)
    load: Callable[[str], Wire] = field(default=load, kw_only=True)
    planner: Planner = field(default=cache.plan, kw_only=True)
    routing: Routing = field(default_factory=Alone, kw_only=True)
    sign: Callable[[PreparedRequest, Route], PreparedRequest] = field(
        default=_as_it_is, kw_only=True
    )
    """Signs a request for the moment it is sent (AWS), where its route's auth wants that."""
    _plans: Plans = field(default_factory=Plans, init=False)
    _broken: Counter[Key] = field(default_factory=Counter[Key], init=False)
    """Replies that broke off since the last whole one."""
    _repairers: defaultdict[PlanKey, Repairer] = field(
        default_factory=lambda: defaultdict[PlanKey, Repairer](Repairer), init=False
    )
    _doors: dict[int, Http] = field(default_factory=dict[int, "Http"], init=False)
    _proxies: dict[Key, Standing] = field(default_factory=dict[Key, Standing], init=False)
    _told: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]], init=False)
    _learned: Learned = field(default_factory=Learned, init=False)

    def prepare(self, request: Request) -> PreparedRequest:
        """The exact HTTP request, not sent; changes nothing."""
        return self._plan(request).prepared

    @asynccontextmanager
    async def stream(
        self,
        request: Request,
        *,
        on_retry: Callable[[Retry], None] = _unheard,
        on_repair: Callable[[str], None] = _unheard,
    ) -> AsyncGenerator[Reply]:
        """The reply as it comes; sent when the first delta is asked for. Raises LLMError.

        A failure is retried until the first delta was handed out, never after. Leaving the
        context closes the connection at once. `on_repair` hears once of each repair to the history.
        """
        sending = self._plan(request)
        for what in sending.repairs:
            if (request.session, what) not in self._told:
                self._told.add((request.session, what))
                on_repair(what)
        attempts = _Attempts(self, sending, on_retry)
        async with aclosing(attempts.deltas()) as deltas:
            reply = Reply(deltas, **_author(sending), usage=attempts.usage)
            reply.route = sending.route
            attempts.moved = lambda other: reply.comes_from(**_author(other))
            yield reply

    def cache_state(self, session: str, model: str) -> tuple[CachePlan, float] | None:
        """The last plan a session's model answered to, and when that was sent (clock seconds)."""
        return self._plans.state(session, model)

    def forget(self, session: str) -> None:
        """A session is over: nothing will follow on what it sent."""
        self._plans.forget(session)
        for key in [key for key in self._repairers if key[0] == session]:
            del self._repairers[key]

    async def aclose(self) -> None:
        """Close every connection."""
        for door in self._doors.values():
            await door.aclose()
        self._doors.clear()

    def _plan(self, request: Request, route: Route | None = None) -> _Sending:
        route = route or self.resolve(request.model)
        wire = self.load(self._learned.wire(route))
        key = (request.session, key_of(route))
        messages, repairs = self._repairers[key].repaired(self._learned.messages(request, key))
        messages = handoff(messages, route)
        fit = request if messages is request.messages else replace(request, messages=messages)
        plan = self.planner(fit, route.model, self._plans.before(request, key), self.clock())
        plan = self._learned.plan(plan, route)
        headers = {"content-type": "application/json", "accept": "text/event-stream"}
        hints = self._hints(request, route)
        for more in (hints, wire.headers(route), auth_headers(route), route.headers):
            headers |= {name.lower(): value for name, value in more.items()}
        if route.provider.quirks.session_header and request.key:
            headers[route.provider.quirks.session_header] = request.key
        body = as_bytes(wire.encode(fit, route, plan))
        prepared = PreparedRequest(route.url + wire.path(route), headers, body)
        return _Sending(prepared, plan, wire, route, key, repairs, request)

    def _hints(self, request: Request, route: Route) -> dict[str, str]:
        """What a LiteLLM proxy wants to know, wherever one was met."""
        met = route.provider.name == proxy.ROW or key_of(route) in self._proxies
        return proxy.hints(request.session) if met else {}

    def proxy_of(self, route: Route) -> Standing | None:
        """What a LiteLLM proxy said last of itself; None where there is none, or not yet."""
        return self._proxies.get(key_of(route))

    def _door(self, route: Route) -> Http:
        door = self.http(route) if callable(self.http) else self.http
        self._doors[id(door)] = door
        return door

    def _instead(self, sending: _Sending, error: LLMError) -> _Sending | None:
        """The same request otherwise, or to somebody else; None when there is neither."""
        route = sending.route
        if self._learned.learn(error, sending.request, route, sending.key):
            return self._plan(sending.request, route)
        other = self.routing.instead(route, error, tokens_of_request(sending.request))
        return self._plan(sending.request, other) if other is not None else None

    def _broke(self, sending: _Sending, error: LLMError) -> None:
        """A reply broke off in the middle: the caller may ask again, or somebody else is asked.

        The first time the same one is: its cache is warm.
        """
        key = key_of(sending.route)
        self._broken[key] += 1
        if next_delay(error, self._broken[key], rng=self.rng, attempts=BREAKS) is not None:
            return
        other = self.routing.instead(sending.route, error, tokens_of_request(sending.request))
        if other is not None:
            del self._broken[key]
            error.elsewhere = goes_on(other, _anew(self._plan(sending.request, other)))

    def _answered(self, sending: _Sending, started: float, headers: Mapping[str, str]) -> None:
        """Only what a model began to answer is in its cache."""
        standing = proxy.standing(headers)
        if standing is not None:
            self._proxies[key_of(sending.route)] = standing
        self._plans.answered(sending.key, sending.route.model.id, sending.plan, started)


class _Attempts:
    """One reply's deltas, over as many attempts as it takes to get the first one."""

    def __init__(
        self, client: Client, sending: _Sending, on_retry: Callable[[Retry], None]
    ) -> None:
        self._client = client
        self._sending = sending
        self._on_retry = on_retry
        self._decoder: Decoder | None = None
        self._renewed = False
        self._request_id = ""
        self.moved: Callable[[_Sending], None] = _unheard

    def usage(self) -> Usage | None:
        """What the provider reported so far, also of a reply that broke off."""
        return self._decoder.usage if self._decoder else None

    async def deltas(self) -> AsyncGenerator[Delta]:
        client, attempt, handed_out = self._client, 0, False
        while True:
            attempt += 1
            try:
                async with aclosing(self._once()) as deltas:
                    async for delta in deltas:
                        handed_out = True
                        yield delta
                del client._broken[key_of(self._sending.route)]
                return
            except LLMError as error:
                self._name(error)
                if handed_out:
                    client._broke(self._sending, error)
                    raise
                delay = self._delay(error, attempt)
                if delay is not None:
                    self._on_retry(Retry(attempt, delay, error))
                elif self._moves(error, attempt):
                    attempt, delay = 0, 0.0
                else:
                    raise
            await client.sleep(delay)

    def _delay(self, error: LLMError, attempt: int) -> float | None:
        """Seconds until the same one is asked again; None when it is not."""
        client, route = self._client, self._sending.route
        if self._renews(error):
            return 0.0
        delay = next_delay(error, attempt, rng=client.rng, attempts=client.attempts)
        if delay is not None and delay > HASTE and client.routing.is_shared(route):
            return None
        return delay

    def _renews(self, error: LLMError) -> bool:
        """Whether a refused key was had anew, which is tried once (wire.md 0.3)."""
        sending = self._sending
        if self._renewed or not isinstance(error, AuthFailed) or not renewed(sending.route, error):
            return False
        self._renewed = True
        self._sending = self._client._plan(sending.request, sending.route)
        return True

    def _moves(self, error: LLMError, attempt: int) -> bool:
        """Whether the request can go elsewhere, and from now on does."""
        before, other = self._sending, self._client._instead(self._sending, error)
        if other is None:
            return False
        self._sending = other
        self.moved(other)
        named = other.route if other.route is not before.route else None
        self._on_retry(Retry(attempt, 0.0, error, named, _anew(other)))
        return True

    async def _once(self) -> AsyncGenerator[Delta]:
        client, sending = self._client, self._sending
        self._decoder, self._request_id = None, ""
        started = client.clock()
        prepared = client.sign(sending.prepared, sending.route)
        async with self._counted(), client._door(sending.route).stream(prepared) as response:
            if response.status >= 300:
                raise await self._refused(response)
            self._request_id = request_id(response.headers)
            client._answered(sending, started, response.headers)
            self._decoder = decoder = sending.wire.decoder(sending.route)
            bill = _stated(response.headers)
            try:
                async for piece in response.chunks():
                    for delta in decoder.feed(piece):
                        yield _billed(delta, bill)
                        if isinstance(delta, Finished):
                            await response.settle(SETTLE)
                            return
            except StreamCut as cut:
                rest = _rest(decoder, cut)
            else:
                rest = decoder.close()
            for delta in rest:
                yield _billed(delta, bill)

    @asynccontextmanager
    async def _counted(self) -> AsyncGenerator[None]:
        route = self._sending.route
        self._client.routing.began(route)
        try:
            yield
        finally:
            self._client.routing.ended(route)

    async def _refused(self, response: Response) -> LLMError:
        route = self._sending.route
        return error_from(
            response.status,
            response.headers,
            await response.read(),
            provider=route.provider.name,
            model=route.model.id,
            wire=self._sending.wire.name,
            url=self._sending.prepared.url,
        )

    def _name(self, error: LLMError) -> None:
        """Every error says whose it is, and which request it was."""
        error.provider = error.provider or self._sending.route.provider.name
        error.model = error.model or self._sending.route.model.id
        error.request_id = error.request_id or self._request_id


def _anew(sending: _Sending) -> int:
    """Tokens that have to be read uncached, estimated."""
    return max(0, tokens_of_request(sending.request) - sending.plan.expected_read)


def _author(sending: _Sending) -> dict[str, str]:
    route = sending.route
    return {
        "model": route.model.id,
        "wire": sending.wire.name,
        "provider": route.provider.name,
    }


def _stated(headers: Mapping[str, str]) -> str | None:
    """Only of an answer in one piece: the head of a stream goes before its end is known.

    Zero is said of what LiteLLM has no price for (cost facts 6).
    """
    whole = headers.get("content-type", "").startswith("application/json")
    bill = headers.get(BILL, "") if whole else ""
    return bill if bill.strip("0. ") else None


def _billed(delta: Delta, bill: str | None) -> Delta:
    """What the answer itself says of its cost wins over its header."""
    if bill is None or not isinstance(delta, Finished) or delta.cost_usd is not None:
        return delta
    return replace(delta, cost_usd=bill)


def _rest(decoder: Decoder, cut: StreamCut) -> Iterator[Delta]:
    """A body cut short after its last event is whole: some servers never end theirs."""
    try:
        return iter(tuple(decoder.close()))
    except LLMError:
        raise cut from None
