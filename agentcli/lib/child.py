"""A program that was started: its output as it comes, its end, and the end of all it started."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

GRACE = 2.0
"""Seconds between asking a process tree to end and ending it."""
LINGER = 0.5
"""Seconds to wait for output after the program itself has ended (a child may hold the pipe)."""


class Child(asyncio.SubprocessProtocol):
    """One running program, in a session of its own.

    asyncio's own `Process.wait` waits for the pipes as well: a daemon that inherited them holds
    it for ever. Here the end of the program and the end of its output are two things.
    """

    def __init__(self, on_data: Callable[[int, bytes], None]) -> None:
        self._on_data = on_data
        self._exited = asyncio.Event()
        self._silent = asyncio.Event()
        self._open = 0
        self._transport: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport = transport
        self._open = sum(transport.get_pipe_transport(fd) is not None for fd in (1, 2))

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._on_data(fd, data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open -= fd in (1, 2)
        if not self._open:
            self._silent.set()

    def process_exited(self) -> None:
        self._exited.set()

    @property
    def pid(self) -> int:
        assert self._transport is not None
        return self._transport.get_pid()

    @property
    def exit(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return None if self._transport is None else self._transport.get_returncode()

    def write(self, data: bytes) -> None:
        """Give it this as its whole standard input."""
        pipe = self._transport.get_pipe_transport(0) if self._transport else None
        if isinstance(pipe, asyncio.WriteTransport):
            pipe.write(data)
            pipe.close()

    async def wait(self) -> int:
        """Its exit code, once it has ended; somebody else may still hold its output."""
        await self._exited.wait()
        return self.exit or 0

    async def end(self) -> None:
        """End it with everything it started, also what left its group. Survives cancellation."""
        await self._end_tree()
        await self.drain()

    async def _end_tree(self) -> None:
        tree = descendants(self.pid)
        if self.exit is not None and not tree and not _group_alive(self.pid):
            return
        _signal(self.pid, tree, signal.SIGTERM)
        waited = 0.0
        while waited < GRACE and (self.exit is None or any(map(_alive, tree))):
            try:
                await asyncio.sleep(0.02)
            except asyncio.CancelledError:
                waited = GRACE
            waited += 0.02
        _signal(self.pid, tree | descendants(self.pid), signal.SIGKILL)
        with suppress(asyncio.CancelledError):
            await self._exited.wait()

    async def drain(self) -> None:
        """Take what is still in the pipes, and close them to a stranger who holds them open."""
        with suppress(asyncio.CancelledError):
            await self.silence()
        if self._transport is not None:
            self._transport.close()

    async def silence(self) -> None:
        """Wait a moment for the end of its output, which may come after its own."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                await self._silent.wait()


async def start(
    argv: list[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    on_data: Callable[[int, bytes], None],
    stdin: bool = False,
    merged: bool = True,
) -> Child:
    """Start in a session of its own. Output goes to `on_data` as (1 or 2, bytes); all as 1 when
    merged. Raises OSError; cancelled meanwhile, what has started is ended with all of its tree."""
    pipe = asyncio.subprocess.PIPE
    starting = asyncio.ensure_future(
        asyncio.get_running_loop().subprocess_exec(
            lambda: Child(on_data),
            *argv,
            cwd=cwd,
            env=dict(env),
            stdin=pipe if stdin else asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=asyncio.subprocess.STDOUT if merged else pipe,
            start_new_session=True,
        )
    )
    try:
        _, child = await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(OSError):
            _, child = await starting
            await child.end()
        raise
    return child


def descendants(pid: int) -> frozenset[int]:
    """All children's children that the system still knows (Linux; elsewhere none)."""
    parents: dict[int, list[int]] = {}
    try:
        numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return frozenset()
    for number in numbers:
        try:
            with open(f"/proc/{number}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(number)
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        for child in parents.get(waiting.pop(), ()):
            found.add(child)
            waiting.append(child)
    return frozenset(found)


def _signal(pid: int, tree: frozenset[int], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
    for child in tree:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(child, number)


def _group_alive(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False
