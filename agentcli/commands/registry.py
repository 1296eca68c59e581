"""Slash commands: what one is, what it needs of the session, and how one is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Protocol, TypeAlias

from agentcli.agent.events import TurnEnd
from agentcli.lib.value import value
from agentcli.llm.budget import Rewrite
from agentcli.llm.cost import Cost
from agentcli.policy.permissions import Mode
from agentcli.session.store import SessionInfo


class StatusFacts(Protocol):
    """What a status line shows; `app.Status` is one."""

    @property
    def model(self) -> str: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def session_id(self) -> str: ...
    @property
    def context_used(self) -> int: ...
    @property
    def context(self) -> int | None: ...
    @property
    def cost(self) -> Cost: ...
    @property
    def unpriced(self) -> int: ...
    @property
    def cache_expires(self) -> float | None: ...
    @property
    def rewrite(self) -> Rewrite | None: ...
    @property
    def with_summary(self) -> Decimal | None: ...


class Session(Protocol):
    """A running agent as an interactive front-end and its commands see it; `app.App` is one."""

    root: Path
    version: str

    @property
    def model(self) -> str: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def busy(self) -> bool: ...
    def status(self) -> StatusFacts: ...
    async def warm_up(self) -> None: ...
    async def prompt(self, text: str) -> TurnEnd: ...
    def steer(self, text: str) -> None: ...
    def take_queued(self) -> tuple[str, ...]:
        """Words of `steer` that were not delivered, because the turn ended first."""
        ...

    def interrupt(self) -> None: ...
    async def run_shell(self, line: str) -> None: ...
    def set_model(self, name: str) -> str: ...
    def set_mode(self, mode: Mode) -> None: ...
    def models(self) -> tuple[str, ...]: ...
    def cost_report(self) -> str: ...
    def context_report(self) -> str: ...
    def permissions_report(self) -> str: ...
    def mcp_report(self, arguments: str) -> str: ...
    async def clear(self) -> None: ...
    async def compact(self, instructions: str) -> str: ...
    def undo_compaction(self) -> str: ...
    def pins(self) -> str: ...
    def pin(self, note: str) -> str: ...
    def unpin(self, number: str) -> str: ...
    def sessions(self) -> tuple[SessionInfo, ...]: ...
    async def resume(self, session_id: str) -> None: ...
    async def close(self) -> None: ...


@value
class Say:
    """Tell the person; the model does not see it."""

    text: str


@value
class Prompt:
    """Send this to the model as the person's words."""

    text: str


@value
class Exit:
    """Leave the program."""


@value
class Nothing:
    """Done, and nothing to say about it."""


Outcome: TypeAlias = Say | Prompt | Exit | Nothing


@value
class Command:
    """`run` gets the words after the name; it may raise UserError."""

    name: str
    summary: str
    run: Callable[[Session, str], Awaitable[Outcome]]
    usage: str = ""
    aliases: tuple[str, ...] = ()
    while_busy: bool = False
    """Whether it may run while the agent works."""


class Registry:
    """Commands by name and alias. Earlier ones win, so a file cannot replace a built-in."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._by_name: dict[str, Command] = {}
        self._commands: list[Command] = []
        for command in commands:
            if command.name in self._by_name:
                continue
            self._commands.append(command)
            for name in (command.name, *command.aliases):
                self._by_name.setdefault(name, command)

    @property
    def commands(self) -> tuple[Command, ...]:
        return tuple(self._commands)

    def find(self, name: str) -> Command | None:
        return self._by_name.get(name)

    def unknown(self, name: str) -> str:
        """What to tell about a name that is no command."""
        from difflib import get_close_matches

        near = get_close_matches(name, self._by_name, n=1, cutoff=0.5)
        hint = f"Did you mean /{near[0]}?" if near else "/help lists them."
        return f"There is no command /{name}. {hint}"


def split(line: str) -> tuple[str, str] | None:
    """(name, arguments) of a command line; None when the line is no command, as in `/etc/hosts`."""
    if not line.startswith("/"):
        return None
    name, _, arguments = line[1:].partition(" ")
    name, newline, more = name.partition("\n")
    if not name or "/" in name:
        return None
    return name, (more + " " + arguments if newline else arguments).strip()
