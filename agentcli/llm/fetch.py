"""A small question to a server, its answer read whole: what it serves, what things cost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from agentcli.lib.value import value
from agentcli.llm.errors import ConnectionFailed, StreamMalformed
from agentcli.llm.types import PreparedRequest

if TYPE_CHECKING:
    from agentcli.llm.http import Http


@value
class Answer:
    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


Fetch = Callable[[PreparedRequest], Awaitable[Answer]]
"""Raises LLMError when no whole answer came."""


def fetcher(http: Http, *, seconds: float, most: int = 10_000_000) -> Fetch:
    """Asks over `http`; waits no longer than `seconds`, reads no more than `most` bytes."""

    async def fetch(request: PreparedRequest) -> Answer:
        found = bytearray()
        try:
            async with asyncio.timeout(seconds), http.stream(request) as response:
                async for piece in response.chunks():
                    found += piece
                    if len(found) > most:
                        raise StreamMalformed(f"an answer of more than {most:,} bytes")
        except TimeoutError:
            raise ConnectionFailed(f"no whole answer within {seconds:g} s") from None
        return Answer(response.status, response.headers, bytes(found))

    return fetch
