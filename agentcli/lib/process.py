"""Run a program to its end: output as it comes, and nothing of it left when it is over."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable, Mapping
from pathlib import Path

from agentcli.lib.child import start
from agentcli.lib.value import value

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
) -> Finished:
    """Run to its end, its time limit (seconds) or our cancellation; the whole tree ends with it.

    Standard output and error come merged, in order. Raises OSError when it cannot be started.
    """
    output = Output(spool, on_text)
    child = await start(argv, cwd=cwd, env=env, on_data=lambda _, data: output.feed(data))
    timed_out = False
    try:
        async with asyncio.timeout(timeout):
            await child.wait()
    except TimeoutError:
        timed_out = True
    finally:
        await child.end()
    output.feed(b"", final=True)
    text, dropped = output.result()
    return Finished(child.exit or 0, text, timed_out, dropped)


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
