"""Bash: a command line, in the foreground or as a job; BashOutput and KillBash for jobs."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated, Any

from agentcli.lib.process import KEPT, Finished, run
from agentcli.tools import jobs
from agentcli.tools.base import (
    Action,
    Command,
    ToolContext,
    ToolError,
    ToolResult,
    text_result,
)
from agentcli.tools.jobs import Job
from agentcli.tools.output import fitted, spool
from agentcli.tools.schema import tool

CEILING = 600


def intent(ctx: ToolContext, command: str, **_: Any) -> Action:
    return Action("exec", command, Command(command, None))


@tool(intent)
async def bash(
    ctx: ToolContext,
    command: str,
    timeout: Annotated[int, "seconds, at most 600"] = 120,
    background: Annotated[bool, "return at once with a job id"] = False,
) -> ToolResult:
    """Run a shell command. The working folder persists; nobody can answer prompts."""
    if not command.strip():
        raise ToolError("The command is empty.")
    if "\0" in command:
        raise ToolError("The command holds a NUL character.")
    gone = _return_to_root(ctx)
    if background:
        return await _background(ctx, command)
    note = ctx.outputs / f".cwd-{secrets.token_hex(4)}"
    whole = spool(ctx, "bash")
    limit = max(1, min(timeout, CEILING))
    try:
        done = await run(
            ctx.sandbox(_argv(command, note)),
            cwd=ctx.workspace.cwd,
            env=ctx.env,
            timeout=limit,
            on_text=ctx.progress,
            spool=whole,
        )
    except OSError as error:
        raise ToolError(f"The command could not be started: {error}.") from None
    finally:
        _follow(ctx, note)
    shown = _shown(ctx, done, whole)
    return _result(command, done, limit, shown, gone)


def _argv(command: str, note: Path) -> list[str]:
    """The shell tells where it ended up by an exit trap, whatever ends it."""
    shell = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
    script = "trap 'pwd -P > \"$0\" 2>/dev/null' EXIT\n" + command
    return [shell, "-c", script, str(note)]


def _return_to_root(ctx: ToolContext) -> str:
    if ctx.workspace.cwd.is_dir():
        return ""
    gone = ctx.workspace.cwd
    ctx.workspace.cwd = ctx.root
    return f"({gone} no longer exists; back in {ctx.root}.)\n"


def _follow(ctx: ToolContext, note: Path) -> None:
    try:
        cwd = Path(note.read_text(encoding="utf-8", errors="surrogateescape").rstrip("\n"))
        note.unlink()
    except OSError:
        return
    if cwd.is_absolute() and cwd.is_dir():
        ctx.workspace.cwd = cwd


def _shown(ctx: ToolContext, done: Finished, whole: Path) -> str:
    text = done.output
    if not done.dropped:
        return fitted(ctx, text)
    note = f"[… {done.dropped:,} characters left out; the whole is in {whole} …]"
    text = f"{text[:KEPT]}\n{note}\n{text[KEPT:]}"
    return fitted(ctx, text, whole=whole)


def _result(command: str, done: Finished, limit: int, shown: str, gone: str) -> ToolResult:
    lines = [gone + (shown.rstrip("\n") or "(no output)")]
    if done.timed_out:
        lines.append(f"[killed after {limit} s: raise timeout, or run it in the background]")
    elif done.exit < 0:
        lines.append(f"[killed by signal {-done.exit}]")
    elif done.exit:
        lines.append(f"[exit code {done.exit}]")
    failed = bool(done.exit) or done.timed_out
    display = Command(command, None if done.timed_out else done.exit, shown)
    return text_result("\n".join(lines), display, is_error=failed)


async def _background(ctx: ToolContext, command: str) -> ToolResult:
    argv = ctx.sandbox(["/bin/sh", "-c", command])
    try:
        name = await jobs.begin(ctx.workspace, command, argv, cwd=ctx.workspace.cwd, env=ctx.env)
    except OSError as error:
        raise ToolError(f"The command could not be started: {error}.") from None
    return text_result(f"Started as {name}. BashOutput shows its output.", Command(command, None))


def job_intent(ctx: ToolContext, id: str, **_: Any) -> Action:
    return Action("other", id)


@tool(job_intent, read_only=True)
async def bash_output(ctx: ToolContext, id: str) -> ToolResult:
    """New output and state of a background job."""
    job = _job(ctx, id)
    state = "running" if job.exit is None else f"ended with exit code {job.exit}"
    text = fitted(ctx, await job.take()).rstrip("\n") or "(nothing new)"
    return text_result(f"{text}\n[{state}]", Command(job.line, job.exit, text))


@tool(job_intent)
async def kill_bash(ctx: ToolContext, id: str) -> ToolResult:
    """End a background job."""
    job = _job(ctx, id)
    await job.end()
    return text_result(f"{id} is ended.", Command(job.line, job.exit))


def _job(ctx: ToolContext, name: str) -> Job:
    job = ctx.workspace.jobs.get(name)
    if job is None:
        known = ", ".join(ctx.workspace.jobs) or "none"
        raise ToolError(f"There is no job {name}; there are: {known}.")
    return job
