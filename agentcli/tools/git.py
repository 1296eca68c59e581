"""Git: the repository through GitPython, with everything off that could run a stranger's code."""

from __future__ import annotations

import asyncio
import shlex
from typing import Annotated

from agentcli.tools.base import Action, Command, ToolContext, ToolError, ToolResult, text_result
from agentcli.tools.output import fitted
from agentcli.tools.schema import tool

READING = frozenset(
    {"status", "diff", "log", "show", "blame", "shortlog", "describe", "grep"}
    | {"rev-parse", "ls-files", "ls-tree"}
)
CHANGING = frozenset(
    {"add", "commit", "branch", "switch", "checkout", "restore", "reset", "stash", "tag", "merge"}
    | {"rebase", "cherry-pick", "revert", "rm", "mv", "fetch", "pull", "push", "init", "worktree"}
    | {"bisect", "clean", "apply", "am", "notes", "remote", "reflog"}
)
FORBIDDEN = (
    "--exec-path",
    "--git-dir",
    "--work-tree",
    "--config-env",
    "--output",
    "--ext-diff",
    "--textconv",
    "--upload-pack",
    "--receive-pack",
    "--exec",
    "--open-files-in-pager",
)
"""Options that write elsewhere, load other settings or start a program."""
SAFE = ["-c", "core.pager=cat", "-c", "core.fsmonitor=false", "-c", "safe.bareRepository=explicit"]
NO_PROGRAMS = {
    "diff": ["--no-ext-diff", "--no-textconv"],
    "log": ["--no-ext-diff", "--no-textconv"],
    "show": ["--no-ext-diff", "--no-textconv"],
}
DEADLINE = 60


def intent(ctx: ToolContext, command: str) -> Action:
    line = "git " + " ".join(shlex.quote(word) for word in _words(command))
    return Action("exec", line, Command(line, None))


@tool(intent)
async def git(ctx: ToolContext, command: Annotated[str, "e.g. diff --stat HEAD~1"]) -> ToolResult:
    """Run a git command: status, diff, log, show, blame, add, commit and so on."""
    words = _words(command)
    line = "git " + shlex.join(words)
    code, text = await asyncio.to_thread(_run, ctx, words)
    shown = fitted(ctx, text).rstrip("\n")
    told = shown or "(no output)"
    if code:
        told = f"{told}\n[exit code {code}]"
    return text_result(told, Command(line, code, shown), is_error=bool(code))


def _words(command: str) -> list[str]:
    """The command as words. Raises ToolError for what is not offered here."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ToolError(f"The git command does not parse: {error}.") from None
    if words[:1] == ["git"]:
        words = words[1:]
    if not words or words[0] not in READING | CHANGING:
        known = " ".join(sorted(READING | CHANGING))
        raise ToolError(f"Give one of these git commands: {known}.")
    for word in words:
        if any(word == bad or word.startswith(f"{bad}=") for bad in FORBIDDEN):
            raise ToolError(f"{word} is not offered here; use Bash if it is really needed.")
    return words


def _run(ctx: ToolContext, words: list[str]) -> tuple[int, str]:
    """Exit code and output, standard error included."""
    from git import Git, GitCommandNotFound  # door: GitPython

    reading = words[0] in READING
    argv = ["git", *SAFE, *(["--no-optional-locks"] if reading else []), words[0]]
    argv += NO_PROGRAMS.get(words[0], [])
    try:
        code, out, err = Git(ctx.workspace.cwd).execute(
            [*argv, *words[1:]],
            with_extended_output=True,
            with_exceptions=False,
            strip_newline_in_stdout=False,
            env=dict(ctx.env),
            kill_after_timeout=DEADLINE,
        )
    except GitCommandNotFound:
        raise ToolError("git is not installed, or this folder is gone.") from None
    text = "\n".join(_decoded(part) for part in (out, err) if part)
    if code == 128 and "not a git repository" in text:
        raise ToolError(f"{ctx.workspace.cwd} is not inside a git repository.")
    return int(code), text


def _decoded(part: str | bytes) -> str:
    return part if isinstance(part, str) else part.decode("utf-8", "replace")
