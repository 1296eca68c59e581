"""The interactive front-end on a terminal: input below, everything else scrolling above it."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from prompt_toolkit.application import Application
from prompt_toolkit.input import create_input
from prompt_toolkit.output import ColorDepth, create_output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import Style

from agentcli.agent.events import AgentEvent, Answer, Question
from agentcli.commands.registry import Registry, Session
from agentcli.lib.value import value
from agentcli.policy.permissions import Mode
from agentcli.ui.repl.asking import Questions
from agentcli.ui.repl.completer import Files, InputCompleter
from agentcli.ui.repl.conversation import Conversation
from agentcli.ui.repl.draw import Draw
from agentcli.ui.repl.input import Pastes, input_buffer
from agentcli.ui.repl.keys import key_bindings
from agentcli.ui.repl.layout import Bottom
from agentcli.ui.repl.scroll import Area, Scroll
from agentcli.ui.repl.status import activity_line, bottom_line
from agentcli.ui.repl.theme import (
    COLOURED,
    COLOURLESS,
    PROMPT_STYLES,
    PROMPT_STYLES_COLOURLESS,
    Row,
)

REFRESH_SECONDS = 0.1
"""Streamed text is drawn at most this often."""
ESCAPE_SECONDS = 0.05
"""How long Esc waits for the rest of an Alt key."""
TWICE_SECONDS = 2.0
IDLE_TICK = 5
CYCLE: tuple[Mode, ...] = ("default", "accept-edits", "plan")


@value
class Setting:
    """What the front-end is given besides the session."""

    registry: Registry
    history: Path | None = None
    colour: bool = True


class Terminal:
    """Satisfies `Frontend`, and the small protocols of its own parts."""

    def __init__(self, session: Session, setting: Setting) -> None:
        self.session = session
        self._pastes = Pastes()
        self._later: asyncio.TimerHandle | None = None
        self._area: Area | None = None
        self._hint = ""
        self._left_at = float("-inf")
        self._code = 0
        self._output = create_output()
        if isinstance(self._output, Vt100_Output):
            # Asking for the cursor position would mix answers into what is typed.
            self._output.enable_cpr = False
        sgr = COLOURED if setting.colour else COLOURLESS
        self._scroll = Scroll(self._write, lambda: self._area, sgr)
        self._draw = Draw(self._show, self._width, root=session.root, clock=time.time)
        self.talk = Conversation(session, setting.registry, self)
        completer = InputCompleter(setting.registry, Files(session.root))
        self._questions = Questions(self._question_changed)
        self._bottom = Bottom(
            input_buffer(completer, setting.history),
            above=self._above,
            below=self._below,
            asking=lambda: self._questions.open,
            width=self._width,
            rows=lambda: self._output.get_size().rows,
        )
        self._app = self._application(setting.colour)

    def _application(self, colour: bool) -> Application[None]:
        app: Application[None] = Application(
            layout=self._bottom.layout,
            key_bindings=key_bindings(self),
            style=Style.from_dict(PROMPT_STYLES if colour else PROMPT_STYLES_COLOURLESS),
            color_depth=ColorDepth.DEPTH_4_BIT if colour else ColorDepth.DEPTH_1_BIT,
            output=self._output,
            input=create_input(),
            erase_when_done=True,
            enable_page_navigation_bindings=False,
            after_render=self._measure,
        )
        app.ttimeoutlen = ESCAPE_SECONDS
        app.timeoutlen = ESCAPE_SECONDS
        app.key_processor.before_key_press += self._key_seen
        return app

    async def run(self, initial_prompt: str = "") -> int:
        """Until the person leaves; returns the exit code."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_bug)
        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self._terminated, number)
        beside = [asyncio.ensure_future(self._tick()), asyncio.ensure_future(self._warm_up())]

        def begin() -> None:
            if initial_prompt:
                self.talk.submit(initial_prompt)

        try:
            await self._app.run_async(pre_run=begin, set_exception_handler=False)
        finally:
            self._area = None
            await self.talk.end()
            for task in beside:
                task.cancel()
            await self.session.close()
        if self.talk.turns:
            session_id = self.session.status().session_id
            self._draw.note(f"Go on with: agent --resume {session_id}")
        return self._code

    def emit(self, event: AgentEvent) -> None:
        before = self._draw.activity
        self.talk.note(event)
        if self._draw.event(event):
            self._refresh_later()
        if self._draw.activity is not before:
            self._app.invalidate()

    async def ask(self, question: Question) -> Answer:
        """Put a question; others wait for their turn."""
        return await self._questions.ask(question, self)

    # What a conversation and a question ask of the screen.

    def user(self, text: str) -> None:
        self._draw.user(text)

    def say(self, text: str) -> None:
        self._draw.say(text)

    def alert(self, text: str) -> None:
        self._draw.alert(text)

    def give_back(self, text: str) -> None:
        buffer = self._bottom.buffer
        buffer.text = f"{text}\n{buffer.text}" if buffer.text else text
        buffer.cursor_position = len(buffer.text)

    def changed(self) -> None:
        if not self.talk.working:
            self._draw.idle()
        self._app.invalidate()

    def leave(self) -> None:
        if self._app.is_running:
            self._app.exit()

    def put(self, rows: Sequence[Row], call_id: str) -> None:
        self._draw.settle()
        self._draw.asked(rows, call_id)

    def answered(self, text: str) -> None:
        self._draw.note(text)

    def width(self) -> int:
        return self._width()

    def flush_input(self) -> None:
        """Drop what was typed before now and not yet looked at."""
        self._app.key_processor.empty_queue()
        if sys.platform != "win32":
            import termios

            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

    # What keys do.

    @property
    def choosing(self) -> bool:
        asking = self._questions.open
        return asking is not None and not asking.writing

    @property
    def writing(self) -> bool:
        asking = self._questions.open
        return asking is not None and asking.writing

    def send(self) -> None:
        buffer = self._bottom.buffer
        text = buffer.text
        if not text.strip():
            return
        self._hint = ""
        buffer.reset(append_to_history=True)
        self.talk.submit(self._pastes.unfold(text))

    def paste(self, text: str) -> None:
        self._bottom.buffer.insert_text(self._pastes.fold(text))

    def escape(self) -> None:
        if self._bottom.buffer.complete_state is not None:
            self._bottom.buffer.cancel_completion()
            return
        if self._questions.open is not None:
            self._questions.refuse()
        self.talk.interrupt()

    def control_c(self) -> None:
        now = time.monotonic()
        if self._questions.open is not None or self.talk.working:
            self.escape()
            self.talk.interrupt()
        elif self._bottom.buffer.text:
            self._bottom.buffer.reset()
        elif now - self._left_at < TWICE_SECONDS:
            self.leave()
        else:
            self._left_at = now
            self._hint = "Ctrl+C again leaves"
            asyncio.get_running_loop().call_later(TWICE_SECONDS, self._drop_hint)
        self._app.invalidate()

    def control_d(self) -> None:
        buffer = self._app.current_buffer
        if buffer.text:
            buffer.delete()
        else:
            self.leave()

    def cycle_mode(self) -> None:
        mode = self.session.mode
        following = CYCLE[(CYCLE.index(mode) + 1) % len(CYCLE)] if mode in CYCLE else CYCLE[0]
        self.session.set_mode(following)
        self._app.invalidate()

    def suspend(self) -> None:
        self._scroll.forget()
        self._app.suspend_to_background()

    def question_move(self, by: int) -> None:
        self._questions.move(by)

    def question_key(self, key: str) -> None:
        self._questions.key(key)

    def question_enter(self) -> None:
        self._questions.enter(self._bottom.answer.text)

    # Drawing.

    def _key_seen(self, sender: object) -> None:
        self._questions.key_seen()

    def _question_changed(self) -> None:
        if not self.writing:
            self._bottom.answer.reset()
        self._bottom.focus()
        self._app.invalidate()

    def _show(self, finished: Sequence[Row], tail: Sequence[Row]) -> None:
        self._scroll.show(finished, tail)

    def _write(self, text: str) -> None:
        self._output.write_raw(text)
        self._output.flush()

    def _width(self) -> int:
        return max(10, self._output.get_size().columns)

    def _measure(self, app: Application[None]) -> None:
        """Remember where the input area and its cursor are, as drawn just now."""
        screen = app.renderer.last_rendered_screen
        if screen is None:
            self._area = None
            return
        size = self._output.get_size()
        wanted = app.layout.container.preferred_height(size.columns, size.rows).preferred
        cursor = screen.get_cursor_position(app.layout.current_window)
        height = min(max(wanted, cursor.y + 1), size.rows)
        self._area = Area(size.rows, size.columns, height, cursor.y, cursor.x)

    def _refresh_later(self) -> None:
        if self._later is None:
            loop = asyncio.get_running_loop()
            self._later = loop.call_later(REFRESH_SECONDS, self._refresh)

    def _refresh(self) -> None:
        self._later = None
        self._draw.refresh()

    def _above(self) -> list[str]:
        rows = [f"queued: {text}" for text in self.talk.queued]
        activity = self._draw.activity
        if self.talk.working and activity is not None and self._questions.open is None:
            rows.append(activity_line(activity, self._width() - 1, time.time()))
        return rows

    def _below(self) -> str:
        if self._hint:
            return self._hint
        return bottom_line(self.session.status(), self._width() - 1, time.time())

    def _drop_hint(self) -> None:
        self._hint = ""
        self._app.invalidate()

    async def _tick(self) -> None:
        """Seconds count while it works; an idle screen is rarely touched."""
        count, was_cold = 0, False
        while True:
            await asyncio.sleep(1)
            count += 1
            status = self.session.status()
            expires, is_cold = status.cache_expires, status.rewrite is not None
            idle = expires is not None and expires > time.time() - 10 and count % IDLE_TICK == 0
            if self.talk.working or idle or is_cold is not was_cold:
                self._app.invalidate()
            was_cold = is_cold

    async def _warm_up(self) -> None:
        await asyncio.sleep(0.05)
        await self.session.warm_up()

    def _terminated(self, number: int) -> None:
        self._code = 128 + number
        self.leave()

    def _on_bug(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """An error nobody waits for must not be written across the screen."""
        self._draw.alert(f"Internal error: {context.get('exception') or context.get('message')}")
