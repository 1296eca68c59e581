"""What a tool is: it says what it would do, then does it, for a model and for a person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from agentcli.lib.value import value
from agentcli.llm.types import Image, JsonObject, Text, ToolSpec
from agentcli.tools.caps import Caps

if TYPE_CHECKING:
    from agentcli.tools.workspace import Workspace

ActionKind = Literal["read", "edit", "exec", "fetch", "mcp", "other"]


class ToolError(Exception):
    """Speaks to the model: what was wrong and what to do instead, in a sentence or two."""


@value
class Diff:
    """One file before and after; None where it did not or will not exist."""

    path: str
    before: str | None
    after: str | None


@value
class Command:
    line: str
    exit: int | None
    """None while it runs, or when it was killed."""
    output: str = ""


@value
class Listing:
    title: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TodoItem:
    """A dataclass, because pydantic reads it as part of a tool's arguments."""

    text: str
    state: Literal["pending", "active", "done"]


@value
class Todo:
    items: tuple[TodoItem, ...]


@value
class Plain:
    text: str


@value
class Changes:
    """Several files changed at once (a patch)."""

    diffs: tuple[Diff, ...]


Display: TypeAlias = Diff | Changes | Command | Listing | Todo | Plain


@value
class Action:
    """What a call would do, stated before it runs: read by rules, hooks, checkpoints and people.

    `target` is an absolute path (read, edit), the whole command line (exec), a URL (fetch) or a
    plain name. `paths` lists every file an edit writes. `commands` are argv-like lines a tool runs
    itself (Git), judged as the shell's would be.
    """

    kind: ActionKind
    target: str
    preview: Display | None = None
    paths: tuple[str, ...] = ()


@value
class ToolResult:
    """`content` is for the model, `display` for the person."""

    content: tuple[Text | Image, ...]
    display: Display | None = None
    is_error: bool = False
    stop_turn: bool = False


def text_result(text: str, display: Display | None = None, *, is_error: bool = False) -> ToolResult:
    """A result of one text block."""
    return ToolResult((Text(text),), display, is_error)


@value
class Assignment:
    """What a subagent is to do."""

    call_id: str
    """Of the Task call that it answers."""
    agent: str
    """The name of its kind."""
    description: str
    prompt: str


@value
class ToolContext:
    """What a running tool may use; built by the app, one for a session."""

    root: Path
    """The project: the folder the session was started in."""
    workspace: Workspace
    """What tools remember: shell directory, files read, background jobs, the todo list."""
    outputs: Path
    """Where outputs too long for the model are kept whole."""
    env: Mapping[str, str]
    """The environment commands run in, secrets already removed."""
    progress: Callable[[str], None] = lambda _: None
    """Receives output while the tool runs."""
    sandbox: Callable[[list[str]], list[str]] = lambda argv: argv
    """Wraps an argv so that it runs confined; the identity until a sandbox is configured."""
    ask: Callable[[str, tuple[str, ...]], Awaitable[str]] | None = None
    """Asks the person a question with options; None when nobody is there."""
    caps: Caps = Caps()
    call_id: str = ""
    """Of the call that runs."""
    spawn: Spawn | None = None
    """Has a subagent do something; None where none may be started."""


Spawn: TypeAlias = "Callable[[ToolContext, Assignment], Awaitable[ToolResult]]"


class Tool(Protocol):
    """One tool. Two makers: a decorated function (`tools/schema.py`) and an MCP tool."""

    @property
    def spec(self) -> ToolSpec: ...

    @property
    def read_only(self) -> bool:
        """Whether calls may run beside others."""
        ...

    def action(self, ctx: ToolContext, input: JsonObject) -> Action:
        """What the call would do. Raises ToolError for bad arguments, one line a mistake."""
        ...

    async def run(self, ctx: ToolContext, input: JsonObject) -> ToolResult:
        """Do it. Raises ToolError for the model; cancellation kills what it started."""
        ...
