"""The door to httpx: POST a prepared request, give back status, headers and pieces of the body."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from agentcli import __version__
from agentcli.llm.errors import ConnectionFailed, LLMError, StreamCut
from agentcli.llm.types import PreparedRequest

# httpx pulls in its own command line (click, rich) where those are installed, which doubles
# the time of this import; nothing here uses it.
sys.modules.setdefault("httpx._main", None)  # type: ignore
import httpx  # noqa: E402

KEEP_ALIVE = 600.0
"""Seconds; httpx drops idle connections after 5, so every slow tool would cost a new one."""
MAX_ERROR_BODY = 1_000_000

Handler = Callable[
    [str, str, Mapping[str, str], bytes],
    tuple[int, Mapping[str, str], "Iterable[bytes] | AsyncIterable[bytes]"],
]


class Response:
    """A response whose body is still to be read."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes; raises StreamCut when it breaks off or falls silent."""
        try:
            async for piece in self._response.aiter_bytes():
                yield piece
        except httpx.HTTPError as error:
            raise _failure(error, started=True) from None

    async def read(self) -> bytes:
        """The body of an error, at most MAX_ERROR_BODY bytes of it."""
        found = bytearray()
        async for piece in self.chunks():
            found += piece
            if len(found) > MAX_ERROR_BODY:
                break
        return bytes(found[:MAX_ERROR_BODY])


class Http:
    """One connection pool. Nothing is opened, and no certificate loaded, before the first use."""

    def __init__(
        self,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        connect: float = 10.0,
        first_byte: float = 600.0,
        idle: float = 300.0,
        trace: Path | None = None,
    ) -> None:
        self._transport = transport
        self._timeout = httpx.Timeout(first_byte, connect=connect)
        self._idle = idle
        self._trace = trace
        self._clients: dict[bool, httpx.AsyncClient] = {}

    @asynccontextmanager
    async def stream(self, prepared: PreparedRequest) -> AsyncIterator[Response]:
        """Send; leaving the context closes the connection at once if the body was not read."""
        client = await self._client(prepared.url)
        request = client.build_request(
            "POST",
            prepared.url,
            content=prepared.body,
            headers={"accept-encoding": "identity", "user-agent": f"agentcli/{__version__}"}
            | prepared.headers,
        )
        try:
            response = await client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise _failure(error, started=False) from None
        except httpx.InvalidURL as error:
            raise ConnectionFailed(f"the address {prepared.url} is not usable: {error}") from None
        try:
            yield Response(response)
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    async def _client(self, url: str) -> httpx.AsyncClient:
        secure = not url.startswith("http://")
        if secure not in self._clients:
            context = await asyncio.to_thread(_tls) if secure else _no_tls()
            self._clients[secure] = httpx.AsyncClient(
                transport=self._transport,
                verify=context,
                timeout=self._timeout,
                limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE),
                follow_redirects=False,
            )
        return self._clients[secure]


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


def _tls() -> ssl.SSLContext:
    """Loading the certificates takes tens of milliseconds: done once, beside the loop."""
    return httpx.create_ssl_context()


def _no_tls() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _failure(error: httpx.HTTPError, *, started: bool) -> LLMError:
    """An httpx exception in words."""
    cause = str(error) or type(error).__name__
    host = _host(error)
    match error:
        case httpx.ConnectTimeout():
            return ConnectionFailed(f"{host} did not answer in time; is the network up?")
        case httpx.ProxyError():
            return ConnectionFailed(f"the proxy refused the way to {host}: {cause}")
        case httpx.ConnectError() if "CERTIFICATE_VERIFY" in cause:
            return ConnectionFailed(
                f"the certificate of {host} is not trusted; behind a company proxy set "
                "SSL_CERT_FILE to its certificate"
            )
        case httpx.ConnectError() if "Name or service" in cause or "nodename" in cause:
            return ConnectionFailed(f"there is no host {host}, or no network")
        case httpx.ConnectError():
            return ConnectionFailed(f"cannot connect to {host}: {cause}")
        case httpx.ReadTimeout() if started:
            return StreamCut(f"{host} went silent in the middle of the answer")
        case httpx.TimeoutException():
            return ConnectionFailed(f"{host} took the request but never answered")
        case _ if started:
            return StreamCut(f"the connection to {host} broke in the middle of the answer")
        case _:
            return ConnectionFailed(f"the connection to {host} broke: {cause}")


def _host(error: httpx.HTTPError) -> str:
    try:
        return error.request.url.netloc.decode()
    except RuntimeError:
        return "the server"
