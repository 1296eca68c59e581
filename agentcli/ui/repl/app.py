"""Starts the interactive front-end: a prompt is on the screen before anything heavy is loaded."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from agentcli.agent.events import AgentEvent, Answer, Frontend, Question
from agentcli.commands.builtin import builtin
from agentcli.commands.registry import Command, Session
from agentcli.lib.text import visible

NO_SCREEN = {"", "dumb", "unknown"}


class Relay:
    """The front-end of a session that is built before its screen is; keeps what comes early."""

    def __init__(self) -> None:
        self._target: Frontend | None = None
        self._early: list[AgentEvent] = []

    def attach(self, target: Frontend) -> None:
        self._target = target
        for event in self._early:
            target.emit(event)
        self._early.clear()

    def emit(self, event: AgentEvent) -> None:
        if self._target is None:
            self._early.append(event)
        else:
            self._target.emit(event)

    async def ask(self, question: Question) -> Answer:
        if self._target is None:
            return Answer("no", "Nobody is there yet.")
        return await self._target.ask(question)


def run(
    session_factory: Callable[[Frontend], Session],
    *,
    initial_prompt: str = "",
    history: Path | None = None,
    custom: tuple[Command, ...] = (),
    env: Mapping[str, str] | None = None,
) -> int:
    """Talk until the person leaves; returns the exit code.

    Raises UserError, from `session_factory`, before anything is written.
    """
    environment = os.environ if env is None else env
    relay = Relay()
    session = session_factory(relay)
    registry = builtin(custom)
    sys.stdout.write(header(session, environment.get("HOME", "")) + "\n\n")
    if environment.get("TERM", "") in NO_SCREEN and sys.platform != "win32":
        from agentcli.ui.repl.plain import Plain

        plain = Plain(session, registry)
        relay.attach(plain)
        gc.enable()
        return asyncio.run(plain.run(initial_prompt))
    sys.stdout.write("> ")
    sys.stdout.flush()
    with silent_keys():
        from agentcli.ui.repl.terminal import Setting, Terminal  # door: prompt_toolkit

        gc.enable()
        sys.stdout.write("\r")
        sys.stdout.flush()

        async def talk() -> int:
            colour = not environment.get("NO_COLOR")
            terminal = Terminal(session, Setting(registry, history, colour))
            relay.attach(terminal)
            return await terminal.run(initial_prompt)

        return asyncio.run(talk())


def header(session: Session, home: str) -> str:
    """Name, version, model, folder."""
    folder = str(session.root)
    if home and (folder == home or folder.startswith(home + "/")):
        folder = "~" + folder[len(home) :]
    return visible(f"agent {session.version} · {session.status().model} · {folder}  (/help)")


@contextmanager
def silent_keys() -> Generator[None]:
    """Keys typed while the screen is prepared are kept for it, neither echoed nor translated."""
    if sys.platform == "win32":
        yield
        return
    import termios

    descriptor = sys.stdin.fileno()
    try:
        before = termios.tcgetattr(descriptor)
    except termios.error:
        yield
        return
    quiet = termios.tcgetattr(descriptor)
    quiet[0] &= ~(termios.ICRNL | termios.INLCR | termios.IXON)
    quiet[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    termios.tcsetattr(descriptor, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
