"""Commands that go on running in the background, until they end or the session does."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from pathlib import Path

from agentcli.lib.child import Child, start
from agentcli.tools.workspace import Workspace

KEPT = 500_000
"""Characters of a job's output kept until they are asked for."""


class Job:
    """One background command: its output so far and how to end it."""

    def __init__(self, line: str) -> None:
        self.line = line
        self._child: Child | None = None
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._fresh = ""

    async def start(self, argv: list[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        """Start the command. Raises OSError."""
        self._child = await start(argv, cwd=cwd, env=env, on_data=self._take_in)

    def _take_in(self, _: int, data: bytes) -> None:
        self._fresh = (self._fresh + self._decode(data))[-KEPT:]

    @property
    def exit(self) -> int | None:
        """None while it runs."""
        return None if self._child is None else self._child.exit

    async def take(self) -> str:
        """The output since it was last taken; once it has ended, all that is left."""
        if self._child is not None and self._child.exit is not None:
            await self._child.silence()
        text, self._fresh = self._fresh, ""
        return text

    async def end(self) -> None:
        """Kill it with everything it started."""
        if self._child is not None:
            await self._child.end()


async def begin(
    workspace: Workspace, line: str, argv: list[str], *, cwd: Path, env: Mapping[str, str]
) -> str:
    """Start a job; returns its id. Raises OSError."""
    job = Job(line)
    await job.start(argv, cwd=cwd, env=env)
    name = f"job-{len(workspace.jobs) + 1}"
    workspace.jobs[name] = job
    return name


async def kill_all(workspace: Workspace) -> None:
    """End every job that still runs."""
    for job in workspace.jobs.values():
        await job.end()
    workspace.jobs.clear()
