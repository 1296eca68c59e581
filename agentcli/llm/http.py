"""The door to httpx: send a prepared request, give back status, headers and pieces of the body."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Mapping,
)
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

import h11

from agentcli import __version__
from agentcli.llm.auth import redact_url
from agentcli.llm.connection import KEEP_ALIVE, Connection, Dead, Origin, Pool
from agentcli.llm.errors import ConnectionFailed, LLMError, StreamMalformed
from agentcli.llm.failures import cut, final, silent, unreachable
from agentcli.llm.network import proxy_for, tls_context
from agentcli.llm.trace import Trace
from agentcli.llm.types import PreparedRequest

if "httpx" not in sys.modules:
    # Keeps out httpx's own command line (click, rich), which can double the time of its import.
    cast("dict[str, object]", sys.modules)["httpx._main"] = None
import httpx

MAX_ERROR_BODY = 1_000_000
ERROR_BODY_SECONDS = 10.0
_BROKEN = (httpx.HTTPError, OSError, Dead, h11.ProtocolError)

Handler = Callable[
    [str, str, Mapping[str, str], bytes],
    tuple[int, Mapping[str, str], Iterable[bytes] | AsyncIterable[bytes]],
]


class Response:
    """An answer whose body is still to be read, by one reader."""

    def __init__(
        self,
        response: httpx.Response,
        place: str,
        *,
        first: float,
        idle: float,
        trace: Trace | None,
    ) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = {k.lower(): v for k, v in response.headers.items()}
        self._response = response
        self._place = place
        self._patience = first
        self._idle = idle
        self._trace = trace
        self._pieces = cast("AsyncGenerator[bytes]", response.aiter_bytes())

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises StreamCut when it breaks off or falls silent."""
        return self

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        limit = asyncio.timeout(self._patience)
        try:
            async with limit:
                piece = await anext(self._pieces)
        except httpx.DecodingError as error:
            raise StreamMalformed(
                f"the answer of {self._place} can't be unpacked: {error}"
            ) from None
        except _BROKEN as error:
            if limit.expired():
                raise silent(self._place, self._patience) from None
            raise cut(error, self._place) from None
        self._patience = self._idle
        if self._trace:
            self._trace.add(piece)
        return piece

    async def read(self) -> bytes:
        """The body of an error: what comes of it soon, at most MAX_ERROR_BODY bytes."""
        found = bytearray()
        with suppress(TimeoutError, LLMError):
            async with asyncio.timeout(ERROR_BODY_SECONDS):
                async for piece in self:
                    found += piece
                    if len(found) >= MAX_ERROR_BODY:
                        break
        return bytes(found[:MAX_ERROR_BODY])

    async def settle(self, seconds: float) -> None:
        """Read what still belongs to the answer, so that the connection can be used again."""
        with suppress(TimeoutError, LLMError):
            async with asyncio.timeout(seconds):
                async for _ in self:
                    pass

    async def aclose(self) -> None:
        """Close at once; a connection read to the end of the answer is kept."""
        await self._pieces.aclose()
        await self._response.aclose()
        if self._trace:
            self._trace.close()


class Http:
    """Connections to wherever requests go. Opens nothing, loads no certificate before the first.

    Times in seconds: `connect`, `first_byte` of the answer and of its body, `idle` between two
    pieces (wire.md 0.2); there is no limit on the whole. `trace` is a folder for raw exchanges.
    """

    def __init__(
        self,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        connect: float = 10.0,
        idle: float = 300.0,
        first_byte: float = 600.0,
        trace: Path | None = None,
    ) -> None:
        self._given = transport
        self._connect = connect
        self._idle = idle
        self._first_byte = first_byte
        self._trace = trace
        self._made: dict[str, httpx.AsyncBaseTransport] = {}
        self._tls: asyncio.Task[ssl.SSLContext] | None = None

    def warm(self, url: str) -> None:
        """Load certificates beside other work, if `url` will need any; touches no network."""
        if self._given is None and url.startswith("https:") and self._tls is None:
            self._tls = asyncio.create_task(asyncio.to_thread(tls_context))

    @asynccontextmanager
    async def stream(self, prepared: PreparedRequest) -> AsyncGenerator[Response]:
        """Send; leaving the context early closes the connection at once. Raises LLMError."""
        request = self._request(prepared)
        place = request.url.netloc.decode("ascii", "replace")
        trace = Trace(self._trace, prepared) if self._trace else None
        answer = await self._send(request, place)
        response = Response(answer, place, first=self._first_byte, idle=self._idle, trace=trace)
        if trace:
            trace.answered(response.status, response.headers)
        try:
            yield response
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        for transport in (*self._made.values(), *((self._given,) if self._given else ())):
            await transport.aclose()
        self._made.clear()
        if self._tls is not None:
            self._tls.cancel()
            self._tls = None

    def _request(self, prepared: PreparedRequest) -> httpx.Request:
        own = {"user-agent": f"agentcli/{__version__}", "accept-encoding": "identity"}
        try:
            url = httpx.URL(prepared.url)
            if url.scheme not in ("http", "https") or not url.host:
                raise httpx.InvalidURL("it must begin with http:// or https://")
            headers = own | {name.lower(): value for name, value in prepared.headers.items()}
            return httpx.Request(
                prepared.method,
                url,
                headers=headers,
                content=prepared.body,
                extensions={"timeout": {"connect": self._connect}},
            )
        except httpx.InvalidURL as error:
            raise final(f"the URL {redact_url(prepared.url)!r} can't be used: {error}") from None
        except UnicodeEncodeError:
            raise final("a header holds a character that headers can't carry") from None

    async def _send(self, request: httpx.Request, place: str) -> httpx.Response:
        proxy = "" if self._given else proxy_for(str(request.url))
        transport = await self._transport(request.url, proxy)
        limit = asyncio.timeout(self._first_byte)
        try:
            async with limit:
                return await transport.handle_async_request(request)
        except _BROKEN as error:
            if limit.expired():
                raise ConnectionFailed(
                    f"{place} took the request but sent nothing for {self._first_byte:g} s"
                ) from None
            raise self._failure(error, place, redact_url(proxy)) from None

    def _failure(self, error: Exception, place: str, proxy: str) -> LLMError:
        match error:
            case httpx.ConnectTimeout() | TimeoutError():
                return ConnectionFailed(
                    f"no connection to {proxy or place} within {self._connect:g} s: is the "
                    "network up?"
                )
            case httpx.ProxyError():
                return final(f"the proxy {proxy} refused the way to {place}: {error}")
            case httpx.RemoteProtocolError() | httpx.ReadError() if proxy:
                return ConnectionFailed(
                    f"{place} (through the proxy {proxy}) closed the connection without an answer"
                )
            case _:
                return unreachable(error, place, proxy=proxy)

    async def _transport(self, url: httpx.URL, proxy: str) -> httpx.AsyncBaseTransport:
        if self._given is not None:
            return self._given
        secure = "https" in (url.scheme, httpx.URL(proxy).scheme)
        context = await self._context() if secure else None
        key = f"{bool(context)} {proxy}"
        if key not in self._made:
            self._made[key] = (
                _proxied(proxy, context) if proxy else _Direct(context, connect=self._connect)
            )
        return self._made[key]

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = asyncio.create_task(asyncio.to_thread(tls_context))
        try:
            return await asyncio.shield(self._tls)
        except OSError as error:
            self._tls = None
            raise final(
                f"the certificates (SSL_CERT_FILE, SSL_CERT_DIR) can't be read: {error}"
            ) from None


class _Direct(httpx.AsyncBaseTransport):
    """httpx over our own connections, without a proxy."""

    def __init__(self, context: ssl.SSLContext | None, *, connect: float) -> None:
        self._context = context
        self._pool = Pool(connect=connect)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        host = url.raw_host.decode("ascii").strip("[]")
        origin = Origin(host, url.port or (443 if self._context else 80), bool(self._context))
        head = h11.Request(method=request.method, target=url.raw_path, headers=request.headers.raw)
        body = await request.aread()
        answer, connection = await self._pool.send(origin, self._context, head, body)
        stream = _Body(connection, lambda: self._pool.give_back(origin, connection))
        return httpx.Response(answer.status_code, headers=list(answer.headers), stream=stream)

    async def aclose(self) -> None:
        self._pool.close()
        await asyncio.sleep(0)


class _Body(httpx.AsyncByteStream):
    def __init__(self, connection: Connection, done: Callable[[], None]) -> None:
        self._connection = connection
        self._done = done

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._connection.next_piece():
            yield piece

    async def aclose(self) -> None:
        self._done()


class InProcess(httpx.AsyncBaseTransport):
    """A transport over a function: the simulator that lives in this process."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        status, headers, content = self._handler(
            request.method, str(request.url), dict(request.headers), body
        )
        return httpx.Response(status, headers=dict(headers), content=_pieces(content))


async def _pieces(content: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(content, AsyncIterable):
        async for piece in content:
            yield piece
        return
    for piece in content:
        yield piece
        await asyncio.sleep(0)


def _proxied(proxy: str, context: ssl.SSLContext | None) -> httpx.AsyncBaseTransport:
    try:
        return httpx.AsyncHTTPTransport(
            verify=context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            proxy=httpx.Proxy(proxy, ssl_context=context if proxy.startswith("https:") else None),
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE),
        )
    except (ImportError, ValueError) as error:
        raise final(f"the proxy {redact_url(proxy)} can't be used: {error}") from None
