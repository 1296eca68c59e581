"""Questions that are open: one at a time, typed-ahead input dropped, cancelled with the turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from agentcli.agent.events import Answer, PermissionQuestion, Question
from agentcli.lib.text import visible
from agentcli.ui.repl.question import Asking, ask, question_rows
from agentcli.ui.repl.theme import Row

TYPING_SECONDS = 0.7
"""Who pressed a key this short before a question is typing something else."""
DEAF_SECONDS = 0.5
"""How long such a person's keys are not taken for an answer."""
PAUSE_SECONDS = 0.2
"""A letter is an answer when no other key follows it this soon: then it begins a sentence."""


class Place(Protocol):
    """Where a question is put."""

    def put(self, rows: Sequence[Row], call_id: str) -> None: ...
    def answered(self, text: str) -> None: ...
    def width(self) -> int: ...
    def flush_input(self) -> None: ...


class Questions:
    """Holds the open question; `changed` is called whenever it looks different."""

    def __init__(
        self, changed: Callable[[], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.open: Asking | None = None
        self._changed = changed
        self._clock = clock
        self._turnstile = asyncio.Lock()
        self._answer: asyncio.Future[Answer] | None = None
        self._pressed: tuple[asyncio.TimerHandle, Asking | Answer] | None = None
        self._last_key = float("-inf")
        self._deaf_until = float("-inf")

    async def ask(self, question: Question, place: Place) -> Answer:
        """Wait for our turn, show all of it, wait for the answer."""
        async with self._turnstile:
            call_id = question.call.id if isinstance(question, PermissionQuestion) else ""
            place.put(question_rows(question, place.width()), call_id)
            place.flush_input()
            now = self._clock()
            if now - self._last_key < TYPING_SECONDS:
                self._deaf_until = now + DEAF_SECONDS
            self._answer = asyncio.get_running_loop().create_future()
            self._set(ask(question))
            try:
                answer = await self._answer
            except asyncio.CancelledError:
                place.answered("  → no")
                raise
            finally:
                self._forget()
                self._answer = None
                self._set(None)
            place.answered(summary(question, answer))
            return answer

    def key_seen(self) -> None:
        """Some key was pressed."""
        if self.open is None:
            self._last_key = self._clock()

    def move(self, by: int) -> None:
        if self.open is not None and self._listening():
            self._set(self.open.moved(by))

    def key(self, key: str) -> None:
        """A letter or digit that stands alone; several in a row are somebody's next sentence."""
        if self.open is None:
            return
        result = self.open.pressed(key)
        if not self._listening() or self._forget() or result is self.open:
            self._deaf_until = self._clock() + DEAF_SECONDS
            return
        if isinstance(result, Asking):  # "no, and ...": what follows is the rest of it
            self._take(result)
            return
        loop = asyncio.get_running_loop()
        self._pressed = (loop.call_later(PAUSE_SECONDS, self._settle), result)

    def enter(self, text: str) -> None:
        """Enter: the letter before it, the choice under the cursor, or the text written."""
        if self.open is None or not self._listening():
            return
        if self._pressed is not None:
            self._settle()
        else:
            self._take(self.open.written(text) if self.open.writing else self.open.chosen())

    def refuse(self) -> None:
        """Esc: no."""
        self._take(Answer("no"))

    def _settle(self) -> None:
        """No other key followed: the letter was meant."""
        if self._pressed is not None:
            _, result = self._pressed
            self._forget()
            self._take(result)

    def _forget(self) -> bool:
        """Drop a letter that waits to be an answer; whether there was one."""
        if self._pressed is None:
            return False
        self._pressed[0].cancel()
        self._pressed = None
        return True

    def _listening(self) -> bool:
        return self._clock() >= self._deaf_until

    def _take(self, result: Asking | Answer) -> None:
        if isinstance(result, Asking):
            self._set(result)
        elif self._answer is not None and not self._answer.done():
            self._answer.set_result(result)

    def _set(self, asking: Asking | None) -> None:
        if asking != self.open:
            self.open = asking
            self._changed()


def summary(question: Question, answer: Answer) -> str:
    """One line that stays on the screen."""
    if not isinstance(question, PermissionQuestion):
        return f"  → {visible(answer.text)}"
    words = {"yes": "yes", "no": "no", "always": "always: " + ", ".join(question.rules)}
    comment = f": {answer.text}" if answer.text else ""
    return visible(f"  → {words[answer.verdict]}{comment}")
