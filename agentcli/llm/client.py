"""Any model, one call: plan the cache, encode, send, decode; retried until the first delta."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from agentcli.llm import cache
from agentcli.llm.auth import auth_headers
from agentcli.llm.cache import CachePlan
from agentcli.llm.errors import LLMError
from agentcli.llm.http import Http, Response
from agentcli.llm.providers import Route
from agentcli.llm.repair import repair
from agentcli.llm.retry import ATTEMPTS, next_delay
from agentcli.llm.status import error_from
from agentcli.llm.stream import Reply
from agentcli.llm.types import Delta, PreparedRequest, Request, Usage
from agentcli.llm.wire import Decoder, Wire, load


@dataclass(frozen=True, slots=True)
class Retry:
    """A request is about to be sent again, in `delay` seconds."""

    attempt: int
    delay: float
    error: LLMError


def _unheard(_: Retry) -> None:
    pass


@dataclass(frozen=True, slots=True)
class _Sending:
    """One request on its way, and the cache plan it carries."""

    prepared: PreparedRequest
    plan: CachePlan
    wire: Wire
    route: Route
    key: tuple[str, str]


class Client:
    """Sends requests to whatever `resolve` says; remembers each session's last cache plan."""

    def __init__(
        self,
        resolve: Callable[[str], Route],
        http: Callable[[Route], Http],
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: Callable[[], float] = random.random,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._resolve = resolve
        self._http = http
        self._clock = clock
        self._sleep = sleep
        self._rng = rng
        self._attempts = attempts
        self._plans: dict[tuple[str, str], tuple[CachePlan, float]] = {}
        self._used: dict[int, Http] = {}

    def prepare(self, request: Request) -> PreparedRequest:
        """The exact HTTP request, not sent."""
        return self._plan(request).prepared

    @asynccontextmanager
    async def stream(
        self, request: Request, *, on_retry: Callable[[Retry], None] = _unheard
    ) -> AsyncIterator[Reply]:
        """The reply as it comes. Raises LLMError; leaving early closes the connection."""
        sending = self._plan(request)
        async with AsyncExitStack() as stack:
            deltas = _Deltas(self, sending, stack, on_retry)
            yield Reply(
                deltas.run(),
                model=sending.route.model.id,
                wire=sending.wire.name,
                usage=deltas.usage,
            )

    def cache_state(self, session: str, model: str) -> tuple[CachePlan, float] | None:
        """The last plan of a session with a model, and when its request started (Unix seconds)."""
        return self._plans.get((session, model))

    async def aclose(self) -> None:
        for http in self._used.values():
            await http.aclose()
        self._used.clear()

    def _plan(self, request: Request) -> _Sending:
        route = self._resolve(request.model)
        wire = load(route.wire or route.provider.wire)
        key = (request.session, route.model.id)
        request = repair(request)
        known = self._plans.get(key)
        plan = cache.plan(request, route.model, known[0] if known else None, self._clock())
        body = json.dumps(
            wire.encode(request, route, plan), ensure_ascii=False, separators=(",", ":")
        ).encode("utf-8", "replace")
        headers = {"content-type": "application/json"} | wire.headers(route)
        headers |= auth_headers(route) | route.headers
        prepared = PreparedRequest(route.url + wire.path(route), headers, body)
        return _Sending(prepared, plan, wire, route, key)

    async def _open(self, sending: _Sending, stack: AsyncExitStack) -> Response:
        http = self._http(sending.route)
        self._used[id(http)] = http
        started = self._clock()
        response = await stack.enter_async_context(http.stream(sending.prepared))
        if response.status >= 400:
            raise error_from(
                response.status,
                response.headers,
                await response.read(),
                provider=sending.route.provider.name,
                model=sending.route.model.id,
                path=sending.prepared.url,
            )
        self._plans[sending.key] = (sending.plan, started)
        return response


class _Deltas:
    """One reply's deltas, over as many attempts as it takes to get the first one."""

    def __init__(
        self,
        client: Client,
        sending: _Sending,
        stack: AsyncExitStack,
        on_retry: Callable[[Retry], None],
    ) -> None:
        self._client = client
        self._sending = sending
        self._stack = stack
        self._on_retry = on_retry
        self._decoder: Decoder | None = None

    def usage(self) -> Usage | None:
        """What the provider reported so far, also of a reply that broke off."""
        return self._decoder.usage if self._decoder else None

    async def run(self) -> AsyncIterator[Delta]:
        client = self._client
        attempt = 0
        while True:
            attempt += 1
            started = False
            try:
                async for delta in self._attempt():
                    started = True
                    yield delta
                return
            except LLMError as error:
                self._name(error)
                delay = next_delay(error, attempt, rng=client._rng, attempts=client._attempts)
                if started or delay is None:
                    raise
                self._on_retry(Retry(attempt, delay, error))
            await client._sleep(delay)

    async def _attempt(self) -> AsyncIterator[Delta]:
        async with AsyncExitStack() as stack:
            response = await self._client._open(self._sending, stack)
            decoder = self._decoder = self._sending.wire.decoder(self._sending.route)
            async for piece in response.chunks():
                for delta in decoder.feed(piece):
                    yield delta
            for delta in decoder.close():
                yield delta

    def _name(self, error: LLMError) -> None:
        """Every error says whose it is."""
        error.provider = error.provider or self._sending.route.provider.name
        error.model = error.model or self._sending.route.model.id
