"""Facts that change: appended to the conversation when they are news, never rewritten."""

from __future__ import annotations

import time
from pathlib import Path

from agentcli.context.memory import below
from agentcli.llm.types import Text, UserMessage
from agentcli.policy.permissions import Mode

PLAN_MODE = (
    "Plan mode is on: you can read but nothing that changes files or runs commands will be "
    "executed. Find out what is needed and present a plan."
)
PLAN_OVER = "Plan mode is off: you may now make changes."


class Reminders:
    """Remembers what the model was told, so that each fact is told once."""

    def __init__(self, root: Path, known: set[Path]) -> None:
        self._root = root
        self._known = known
        self._date = ""
        self._mode: Mode = "default"

    def due(self, now: float, mode: Mode, touched: tuple[Path, ...]) -> tuple[UserMessage, ...]:
        """What is news: the date, plan mode, instructions of folders the model now works in."""
        texts: list[str] = []
        date = time.strftime("%A, %Y-%m-%d", time.localtime(now))
        if date != self._date:
            self._date = date
            texts.append(f"Today is {date}.")
        if mode != self._mode and "plan" in (mode, self._mode):
            texts.append(PLAN_MODE if mode == "plan" else PLAN_OVER)
        self._mode = mode
        for path in touched:
            for file in below(path, self._root, self._known):
                self._known.add(file.path)
                texts.append(f"Instructions from {file.path}:\n{file.text}")
        return tuple(UserMessage((Text(_framed(text)),), "reminder") for text in texts)


def _framed(text: str) -> str:
    return f"<reminder>\n{text}\n</reminder>"
