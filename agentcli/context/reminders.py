"""Facts that change: appended to the conversation when they are news, never rewritten."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from agentcli.context.memory import below
from agentcli.llm.types import Message, Text, UserMessage
from agentcli.policy.permissions import Mode

PLAN_MODE = (
    "Plan mode is on: you can read but nothing that changes files or runs commands will be "
    "executed. Find out what is needed and present a plan."
)
PLAN_OVER = "Plan mode is off: you may now make changes."
DATE = "Today is "
OPEN, CLOSE = "<reminder>\n", "\n</reminder>"


class Reminders:
    """Remembers what the model was told, so that each fact is told once.

    What stands in the conversation was told, by whatever process.
    """

    def __init__(self, root: Path, known: set[Path], conversation: Iterable[Message] = ()) -> None:
        self._root = root
        self._known = known
        self._told = list(_reminders(conversation))
        dates = [text for text in self._told if text.startswith(DATE)]
        modes = [text for text in self._told if text in (PLAN_MODE, PLAN_OVER)]
        self._date = dates[-1] if dates else ""
        self._mode: Mode = "plan" if modes[-1:] == [PLAN_MODE] else "default"

    def due(self, now: float, mode: Mode, touched: tuple[Path, ...]) -> tuple[UserMessage, ...]:
        """What is news: the date, plan mode, instructions of folders the model now works in."""
        texts: list[str] = []
        date = time.strftime(f"{DATE}%A, %Y-%m-%d.", time.localtime(now))
        if date != self._date:
            self._date = date
            texts.append(date)
        if mode != self._mode and "plan" in (mode, self._mode):
            texts.append(PLAN_MODE if mode == "plan" else PLAN_OVER)
        self._mode = mode
        for path in touched:
            for file in below(path, self._root, self._known):
                self._known.add(file.path)
                text = f"Instructions from {file.path}:\n{file.text}"
                texts += [] if text in self._told else [text]
        return tuple(UserMessage((Text(_framed(text)),), "reminder") for text in texts)


def _framed(text: str) -> str:
    return f"{OPEN}{text}{CLOSE}"


def _reminders(conversation: Iterable[Message]) -> Iterator[str]:
    for message in conversation:
        if isinstance(message, UserMessage) and message.origin == "reminder":
            for block in message.content:
                if isinstance(block, Text):
                    yield block.text.removeprefix(OPEN).removesuffix(CLOSE)
