"""Run a program: its own session, output as it comes, and nothing of it left when it is over."""

from __future__ import annotations

import asyncio
import codecs
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from agentcli.lib.value import value

GRACE = 2.0
"""Seconds between asking a process tree to end and ending it."""
LINGER = 0.5
"""Seconds to wait for output after the program itself has ended (a child may hold the pipe)."""
KEPT = 200_000
"""Characters of output kept in memory at each end."""

_GIT_SAFE = (("safe.bareRepository", "explicit"), ("core.fsmonitor", "false"))


@value
class Finished:
    exit: int
    """Negative: the signal that ended it."""
    output: str
    timed_out: bool = False
    dropped: int = 0
    """Characters in the middle that were not kept in `output`."""


class Output:
    """Text as it comes: head and tail in memory, everything in a file once it grows long."""

    def __init__(self, spool: Path | None, on_text: Callable[[str], None]) -> None:
        self._spool = spool
        self._on_text = on_text
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._head = ""
        self._tail = ""
        self._dropped = 0
        self.spooled = False

    def feed(self, data: bytes, *, final: bool = False) -> None:
        text = self._decode(data, final)
        if not text:
            return
        self._on_text(text)
        if self.spooled and self._spool is not None:
            with self._spool.open("a", encoding="utf-8") as file:
                file.write(text)
        room = KEPT - len(self._head)
        self._head += text[:room]
        self._tail += text[room:]
        if len(self._tail) > 2 * KEPT:
            self._begin_spool()
            self._dropped += len(self._tail) - KEPT
            self._tail = self._tail[-KEPT:]

    def _begin_spool(self) -> None:
        if self.spooled or self._spool is None:
            return
        self.spooled = True
        self._spool.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._spool.write_text(self._head + self._tail, encoding="utf-8")

    def result(self) -> tuple[str, int]:
        """(kept text, characters dropped between head and tail)."""
        return self._head + self._tail, self._dropped


async def run(
    argv: list[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout: float | None = None,
    on_text: Callable[[str], None] = lambda _: None,
    spool: Path | None = None,
    stdin: bytes | None = None,
) -> Finished:
    """Run to its end, its time limit (seconds) or our cancellation; the whole tree ends with it.

    Standard output and error come merged, in order. Raises OSError when it cannot be started.
    """
    output = Output(spool, on_text)
    process = await start(argv, cwd=cwd, env=env, stdin=stdin is not None)
    reader = asyncio.create_task(_read(process, output))
    timed_out = False
    try:
        if stdin is not None and process.stdin is not None:
            with suppress(BrokenPipeError, ConnectionResetError):
                process.stdin.write(stdin)
                await process.stdin.drain()
            process.stdin.close()
        async with asyncio.timeout(timeout):
            await process.wait()
    except TimeoutError:
        timed_out = True
    finally:
        await end_tree(process)
        await _settle(reader)
    text, dropped = output.result()
    return Finished(process.returncode or 0, text, timed_out, dropped)


async def start(
    argv: list[str], *, cwd: Path, env: Mapping[str, str], stdin: bool = False
) -> asyncio.subprocess.Process:
    """Start in a session of its own, output and errors merged into one pipe."""
    return await asyncio.create_subprocess_exec(
        *argv,
        cwd=cwd,
        env=dict(env),
        stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )


async def _read(process: asyncio.subprocess.Process, output: Output) -> None:
    assert process.stdout is not None
    while data := await process.stdout.read(1 << 16):
        output.feed(data)
    output.feed(b"", final=True)


async def _settle(reader: asyncio.Task[None]) -> None:
    """Take what is still in the pipe; do not wait for a stranger who holds it open."""
    done, _ = await asyncio.wait({reader}, timeout=LINGER)
    if not done:
        reader.cancel()
        await asyncio.wait({reader})


async def end_tree(process: asyncio.subprocess.Process) -> None:
    """End a process and everything it started, also what left its group. Survives cancellation."""
    tree = descendants(process.pid)
    if process.returncode is not None and not tree and not _group_alive(process.pid):
        return
    _signal(process.pid, tree, signal.SIGTERM)
    waited = 0.0
    while waited < GRACE and (process.returncode is None or any(map(_alive, tree))):
        try:
            await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            waited = GRACE
        waited += 0.02
    _signal(process.pid, tree | descendants(process.pid), signal.SIGKILL)
    with suppress(asyncio.CancelledError):
        await process.wait()


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


def hardened_env(env: Mapping[str, str]) -> dict[str, str]:
    """An environment in which nothing asks, pages or opens an editor, and git runs no stranger's
    code: an embedded bare repository's settings are not read, no fsmonitor is started."""
    found = dict(env)
    found |= {
        "PAGER": "cat",
        "GIT_PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_EDITOR": "true",
        "EDITOR": "true",
        "VISUAL": "true",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "DEBIAN_FRONTEND": "noninteractive",
        "PIP_NO_INPUT": "1",
    }
    count = int(found.get("GIT_CONFIG_COUNT") or 0)
    for offset, (key, setting) in enumerate(_GIT_SAFE):
        found[f"GIT_CONFIG_KEY_{count + offset}"] = key
        found[f"GIT_CONFIG_VALUE_{count + offset}"] = setting
    found["GIT_CONFIG_COUNT"] = str(count + len(_GIT_SAFE))
    return found
