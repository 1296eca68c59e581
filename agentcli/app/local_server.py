"""Servers that know their models best, asked before the first request: local ones, LiteLLM."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from agentcli.agent.events import AgentEvent, Notice
from agentcli.agent.loop import Client
from agentcli.app.options import DEMO
from agentcli.llm.client import Retry
from agentcli.llm.fetch import fetcher
from agentcli.llm.http import Http
from agentcli.llm.local import PATIENCE, advice, fitted, look, sent, truncated
from agentcli.llm.proxy import ROW
from agentcli.llm.route import Route
from agentcli.llm.router import Key, key_of
from agentcli.llm.stream import Reply
from agentcli.llm.types import Request

TRIES = 3
"""A server says what window a model got only once it is loaded, which the first request does."""


@dataclass(slots=True)
class Attentive:
    """A client that knows what local servers leave out; satisfies `agent/loop.Client`."""

    inner: Client
    route: Callable[[], Route]
    fit: Callable[[Route], None]
    """Takes the route with what its server said of it."""
    http: Callable[[Route], Http]
    emit: Callable[[AgentEvent], None]
    _asked: dict[Key, int] = field(default_factory=dict[Key, int])
    _told: set[str] = field(default_factory=set[str])

    def stream(
        self, request: Request, *, on_retry: Callable[[Retry], None] = lambda _: None
    ) -> AbstractAsyncContextManager[Reply]:
        provider = self.route().provider
        if provider.name == ROW or (provider.local and provider.name != DEMO):
            return self._stream(request, on_retry)
        return self.inner.stream(request, on_retry=on_retry)

    @asynccontextmanager
    async def _stream(
        self, request: Request, on_retry: Callable[[Retry], None]
    ) -> AsyncGenerator[Reply]:
        await self._ask()
        async with self.inner.stream(request, on_retry=on_retry) as reply:
            yield reply
        usage = reply.message.usage if self.route().provider.local else None
        said = usage and truncated(sent(request), usage, self.route().model.context)
        if said:
            self._tell(said, once="truncated")

    async def _ask(self) -> None:
        route = self.route()
        key = key_of(route)
        if self._asked.get(key, 0) >= TRIES:
            return
        fetch = fetcher(self.http(route), seconds=PATIENCE)
        if route.provider.name == ROW:
            from agentcli.llm.proxy_models import fitted as behind  # only its users pay for it

            self._asked[key] = TRIES
            self.fit(route if route.model.prices else await behind(route, fetch))
            return
        seen = await look(route, fetch)
        self._asked[key] = TRIES if seen.context else self._asked.get(key, 0) + 1
        self.fit(fitted(route, seen))
        for line in advice(route, seen):
            self._tell(line, once=line)

    def _tell(self, line: str, *, once: str) -> None:
        if once not in self._told:
            self._told.add(once)
            self.emit(Notice("warning", line))
