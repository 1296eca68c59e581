"""Commands that go on running in the background, until they end or the session does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from agentcli.lib.process import end_tree, start
from agentcli.tools.workspace import Workspace

KEPT = 500_000
"""Characters of a job's output kept until they are asked for."""


class Job:
    """One background command: its output so far and how to end it."""

    def __init__(self, line: str, process: asyncio.subprocess.Process) -> None:
        self.line = line
        self._process = process
        self._fresh = ""
        self._reader = asyncio.create_task(self._read())

    @property
    def exit(self) -> int | None:
        """None while it runs."""
        return self._process.returncode

    def take(self) -> str:
        """The output since it was last taken."""
        text, self._fresh = self._fresh, ""
        return text

    async def end(self) -> None:
        """Kill it with everything it started."""
        await end_tree(self._process)
        await asyncio.wait({self._reader}, timeout=1.0)
        self._reader.cancel()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while data := await self._process.stdout.read(1 << 16):
            self._fresh = (self._fresh + data.decode("utf-8", "replace"))[-KEPT:]
        await self._process.wait()


async def begin(
    workspace: Workspace, line: str, argv: list[str], *, cwd: Path, env: Mapping[str, str]
) -> str:
    """Start a job; returns its id. Raises OSError."""
    process = await start(argv, cwd=cwd, env=env)
    name = f"job-{len(workspace.jobs) + 1}"
    workspace.jobs[name] = Job(line, process)
    return name


async def kill_all(workspace: Workspace) -> None:
    """End every job that still runs."""
    for job in workspace.jobs.values():
        await job.end()
    workspace.jobs.clear()
