"""What becomes of a line the person sent: a command, a shell line, a prompt, or queued words."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from agentcli.agent.events import AgentEvent, Queued
from agentcli.commands.registry import Exit, Nothing, Outcome, Prompt, Registry, Say, Session, split
from agentcli.lib.errors import UserError
from agentcli.tools.base import ToolError


class View(Protocol):
    """The part of a front-end that a conversation speaks to."""

    def user(self, text: str) -> None: ...
    def say(self, text: str) -> None: ...
    def alert(self, text: str) -> None: ...
    def give_back(self, text: str) -> None:
        """Put words that were never delivered into the input line."""
        ...

    def changed(self) -> None:
        """Whether it works, or what is queued, is not what it was."""
        ...

    def leave(self) -> None: ...


class Conversation:
    """One session and one person. Everything runs in one event loop."""

    def __init__(self, session: Session, registry: Registry, view: View) -> None:
        self.session = session
        self.registry = registry
        self.view = view
        self.queued: list[str] = []
        """What was sent meanwhile: words for the model, and lines whose turn comes later."""
        self.turns = 0
        self._task: asyncio.Task[None] | None = None
        self._beside: set[asyncio.Task[None]] = set()
        self._waiting: list[str] = []
        self._prompting = False
        self._stopping = False

    @property
    def working(self) -> bool:
        return self._task is not None

    def submit(self, text: str) -> None:
        """Take a line; returns at once. While it works, words go to the model, the rest waits."""
        if not text.strip():
            return
        if not self.working:
            self._task = self._started(self._work(text))
            self.view.changed()
            return
        named = split(text)
        command = self.registry.find(named[0]) if named else None
        if command is not None and command.while_busy:
            task = self._started(self._guarded(self._line(text)))
            self._beside.add(task)
            task.add_done_callback(self._beside.discard)
        else:
            if self._prompting and named is None and not text.startswith("!"):
                self.session.steer(text)
            else:
                self._waiting.append(text)
            self.queued.append(text)
            self.view.changed()

    def note(self, event: AgentEvent) -> None:
        """Keep the queue in step with what was delivered."""
        if isinstance(event, Queued) and event.text in self.queued:
            self.queued.remove(event.text)
            self.view.changed()

    def interrupt(self) -> None:
        """Stop the turn; asked twice, or outside a turn, whatever runs is cancelled."""
        if self._task is None:
            return
        gently = self.session.busy and not self._stopping
        self._stopping = True
        if gently:
            self.session.interrupt()
        else:
            self._task.cancel()

    async def end(self) -> None:
        """Stop what runs and wait for it."""
        tasks = [*self._beside, *([self._task] if self._task else [])]
        if self._task is not None:
            self.interrupt()
            await asyncio.wait(tasks, timeout=3)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def wait(self) -> None:
        """Until nothing runs."""
        while self._task is not None:
            await asyncio.wait([self._task])

    def _started(self, doing: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(doing)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A bug is told, and the conversation goes on."""
        bug = None if task.cancelled() else task.exception()
        if bug is not None:
            self.view.alert(f"Internal error: {bug!r}")

    async def _work(self, text: str) -> None:
        try:
            line: str | None = text
            while line is not None:
                await self._guarded(self._line(line))
                line = self._next()
        finally:
            self._task = None
            self._stopping = False
            self._return_queued()
            self.view.changed()

    async def _guarded(self, doing: Coroutine[Any, Any, None]) -> None:
        try:
            await doing
        except (UserError, ToolError) as error:
            self._stopping = True
            self.view.alert(str(error))
        except asyncio.CancelledError:
            self.view.alert("Interrupted.")

    async def _line(self, text: str) -> None:
        if text.startswith("!") and text[1:].strip():
            await self.session.run_shell(text[1:].strip())
            return
        named = split(text)
        if named is None:
            await self._prompt(text)
            return
        command = self.registry.find(named[0])
        if command is None:
            self.view.alert(self.registry.unknown(named[0]))
            self.view.give_back(text)
            return
        await self._follow(await command.run(self.session, named[1]))

    async def _follow(self, outcome: Outcome) -> None:
        match outcome:
            case Say(text):
                self.view.say(text)
            case Prompt(text):
                await self._prompt(text)
            case Exit():
                self.view.leave()
            case Nothing():
                pass

    async def _prompt(self, text: str) -> None:
        self.turns += 1
        self.view.user(text)
        self._prompting = True
        try:
            ended = await self.session.prompt(text)
        finally:
            self._prompting = False
        self._stopping = self._stopping or ended.reason != "done"

    def _next(self) -> str | None:
        """What was sent meanwhile and can be done now; nothing after an interruption or a failure.

        Words the model did not get, because its turn ended first, begin the next one.
        """
        if self._stopping:
            return None
        words = self.session.take_queued()
        if words:
            line = "\n".join(words)
            self.queued = list(self._waiting)
        elif self._waiting:
            line = self._waiting.pop(0)
            self.queued.remove(line)
        else:
            return None
        self.view.changed()
        return line

    def _return_queued(self) -> None:
        """After an interruption the person decides what becomes of the rest."""
        left = [*self.session.take_queued(), *self._waiting]
        self._waiting.clear()
        self.queued.clear()
        if left:
            self.view.give_back("\n".join(left))
