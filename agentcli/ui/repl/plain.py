"""The interactive front-end where there is no screen to speak of (TERM=dumb): lines in and out."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Sequence

from agentcli.agent.events import AgentEvent, Answer, PermissionQuestion, Question
from agentcli.commands.registry import Registry, Session
from agentcli.lib.text import visible
from agentcli.ui.repl.conversation import Conversation
from agentcli.ui.repl.draw import Draw
from agentcli.ui.repl.question import Asking, ask, question_rows
from agentcli.ui.repl.theme import Row, text_of


class Plain:
    """Satisfies `Frontend`; writes finished rows only, never moves the cursor."""

    def __init__(self, session: Session, registry: Registry) -> None:
        self._session = session
        self._draw = Draw(self._show, self._width, root=session.root, clock=time.time)
        self._talk = Conversation(session, registry, self)
        self._leaving = False
        self._turnstile = asyncio.Lock()

    async def run(self, initial_prompt: str = "") -> int:
        """Until end of input or /exit; returns the exit code."""
        code = 0
        warm = asyncio.ensure_future(self._session.warm_up())
        try:
            if initial_prompt:
                await self._answer(initial_prompt)
            while not self._leaving:
                line = await self._read("> ")
                if line is None:
                    break
                await self._answer(line)
        except KeyboardInterrupt:
            code = 130
        finally:
            warm.cancel()
            await self._talk.end()
            await self._session.close()
        return code

    def emit(self, event: AgentEvent) -> None:
        self._talk.note(event)
        if self._draw.event(event):
            self._draw.refresh()

    async def ask(self, question: Question) -> Answer:
        async with self._turnstile:
            call_id = question.call.id if isinstance(question, PermissionQuestion) else ""
            self._draw.asked(question_rows(question, self._width()), call_id)
            return await self._choose(ask(question))

    def user(self, text: str) -> None:
        """The person sees what they typed."""

    def say(self, text: str) -> None:
        self._draw.say(text)

    def alert(self, text: str) -> None:
        self._draw.alert(text)

    def give_back(self, text: str) -> None:
        self._draw.note(f"Not sent: {text}")

    def changed(self) -> None:
        if not self._talk.working:
            self._draw.idle()

    def leave(self) -> None:
        self._leaving = True

    async def _answer(self, line: str) -> None:
        self._talk.submit(line)
        await self._talk.wait()

    async def _choose(self, asking: Asking) -> Answer:
        state: Asking | Answer = asking
        while isinstance(state, Asking):
            if state.writing:
                text = await self._read(f"{state.hint}: ")
                state = Answer("no") if text is None else state.written(text)
                continue
            for choice in state.choices:
                sys.stdout.write(f"  {choice.key}  {choice.label}\n")
            key = await self._read("? ")
            state = Answer("no") if key is None else state.pressed(key.strip()[:1])
        return state

    async def _read(self, prompt: str) -> str | None:
        """One line, read in a thread so that the session goes on; None at end of input."""
        sys.stdout.write(visible(prompt))
        sys.stdout.flush()
        line = await asyncio.to_thread(sys.stdin.readline)
        return line.rstrip("\n") if line else None

    def _show(self, finished: Sequence[Row], tail: Sequence[Row]) -> None:
        for row in finished:
            sys.stdout.write(text_of(row) + "\n")
        sys.stdout.flush()

    def _width(self) -> int:
        return max(20, shutil.get_terminal_size().columns)
