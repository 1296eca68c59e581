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
        if self.open is not None and self._listening():
            self._take(self.open.pressed(key))

    def enter(self, text: str) -> None:
        """Enter: the choice under the cursor, or the text that was written."""
        if self.open is None or not self._listening():
            return
        self._take(self.open.written(text) if self.open.writing else self.open.chosen())

    def refuse(self) -> None:
        """Esc: no."""
        self._take(Answer("no"))

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
