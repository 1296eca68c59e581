"""HTTP/1.1 over asyncio streams: connections that are kept, watched and dropped at once.

Half of what httpx's own transport costs at start is anyio and httpcore's machinery for other event
loops; this is the direct way, and `llm/http.py` plugs it into httpx. Proxies take httpx's own.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from typing import NamedTuple

import h11

KEEP_ALIVE = 600.0
"""Seconds an idle connection is kept; less would cost a new one after every slow tool."""
MAX_IDLE = 8
_READ = 65_536
_MAX_HEAD = 102_400
_SOCKET_OPTIONS = (
    ("TCP_KEEPIDLE", 60),
    ("TCP_KEEPALIVE", 60),
    ("TCP_KEEPINTVL", 15),
    ("TCP_KEEPCNT", 4),
    ("TCP_USER_TIMEOUT", 60_000),
)
"""A peer that vanished (a closed lid, a changed network) is noticed in one to two minutes."""


class Origin(NamedTuple):
    host: str
    port: int
    secure: bool


class Dead(Exception):
    """The connection broke before the first byte of an answer."""


class Connection:
    """One socket and the HTTP state on it. Errors are OSError or h11.RemoteProtocolError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        self._answered = False
        self.used_at = 0.0
        """When it was last put back, in seconds of the pool's clock."""

    async def send(self, request: h11.Request, body: bytes) -> h11.Response:
        """Send and wait for the head of the answer. Raises Dead, h11.RemoteProtocolError.

        Nothing waits for the body to be gone: a server may refuse it (413) while it is sent.
        """
        self._answered = False
        for event in (request, h11.Data(data=body), h11.EndOfMessage()):
            for piece in self._http.send_with_data_passthrough(event) or ():
                self._writer.write(piece)
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Response):
                return event
            if event is h11.NEED_DATA:
                await self._fill_head()

    async def _fill_head(self) -> None:
        try:
            data = await self._reader.read(_READ)
        except OSError as error:
            raise (error if self._answered else Dead(str(error))) from None
        if not data and not self._answered:
            raise Dead("closed")
        self._answered = True
        self._http.receive_data(data)

    async def next_piece(self) -> bytes:
        """The next piece of the body; empty at its end. Raises OSError, h11.RemoteProtocolError."""
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Data):
                return bytes(event.data)
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(_READ))
            else:
                return b""

    def renew(self) -> bool:
        """Ready for another request; False when this one's state does not allow it."""
        done = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if not done or self._writer.transport.get_write_buffer_size():
            return False
        self._http.start_next_cycle()
        return True

    async def is_quiet(self) -> bool:
        """Whether nothing has come since the last answer: what comes unasked is a farewell."""
        try:
            async with asyncio.timeout(0):
                await self._reader.read(1)
        except TimeoutError:
            return not self._reader.at_eof()
        except OSError:
            return False
        return False

    def close(self) -> None:
        """At once, without waiting for TLS's farewell."""
        self._writer.transport.abort()


class Pool:
    """Connections by origin: a kept one if it still lives, else a fresh one."""

    def __init__(self, *, connect: float, clock: Callable[[], float] = time.time) -> None:
        self._connect = connect
        self._clock = clock
        self._idle: dict[Origin, list[Connection]] = {}

    async def send(
        self, origin: Origin, tls: ssl.SSLContext | None, request: h11.Request, body: bytes
    ) -> tuple[h11.Response, Connection]:
        """The head of the answer, and the connection to read the rest from.

        A kept connection that proves dead before a byte of answer is replaced by a fresh one,
        once. Raises OSError (TimeoutError: not connected in time), Dead, h11.RemoteProtocolError.
        """
        kept = await self._take(origin)
        if kept is not None:
            try:
                return await _sent(kept, request, body), kept
            except Dead:
                self._drop(origin)
        fresh = await self._open(origin, tls)
        return await _sent(fresh, request, body), fresh

    async def _take(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin, [])
        while idle:
            connection = idle.pop()
            # The wall clock, unlike the monotonic one, also counts while a laptop sleeps.
            fresh = 0 <= self._clock() - connection.used_at < KEEP_ALIVE
            if fresh and await connection.is_quiet():
                return connection
            connection.close()
        return None

    async def _open(self, origin: Origin, tls: ssl.SSLContext | None) -> Connection:
        async with asyncio.timeout(self._connect):
            reader, writer = await asyncio.open_connection(
                origin.host,
                origin.port,
                ssl=tls,
                server_hostname=origin.host if tls else None,
                happy_eyeballs_delay=0.25,
            )
        _watch(writer.get_extra_info("socket"))
        return Connection(reader, writer)

    def give_back(self, origin: Origin, connection: Connection) -> None:
        """Keep it for the next request if it can take one, else close it."""
        idle = self._idle.setdefault(origin, [])
        if len(idle) >= MAX_IDLE or not connection.renew():
            connection.close()
            return
        connection.used_at = self._clock()
        idle.append(connection)

    def _drop(self, origin: Origin) -> None:
        for connection in self._idle.pop(origin, []):
            connection.close()

    def close(self) -> None:
        for origin in list(self._idle):
            self._drop(origin)


async def _sent(connection: Connection, request: h11.Request, body: bytes) -> h11.Response:
    try:
        return await connection.send(request, body)
    except BaseException:
        connection.close()
        raise


def _watch(raw: socket.socket) -> None:
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _SOCKET_OPTIONS:
        option = getattr(socket, name, None)
        if option is not None:
            raw.setsockopt(socket.IPPROTO_TCP, option, value)
