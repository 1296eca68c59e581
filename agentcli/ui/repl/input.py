"""The input line: a buffer with history and completion, and pastes that are shown folded."""

from __future__ import annotations

import os
import re
from pathlib import Path

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer, ThreadedCompleter
from prompt_toolkit.history import FileHistory, History, InMemoryHistory, ThreadedHistory

FOLD_LINES = 8
FOLD_CHARACTERS = 1000


class Pastes:
    """Large pastes stand in the line as `[paste 1: 120 lines]` and are sent whole."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def fold(self, text: str) -> str:
        """What to put into the line for a paste."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        count = text.count("\n") + 1
        if count <= FOLD_LINES and len(text) <= FOLD_CHARACTERS:
            return text
        size = f"{count} lines" if count > 1 else f"{len(text)} characters"
        label = f"[paste {len(self._texts) + 1}: {size}]"
        self._texts[label] = text
        return label

    def unfold(self, line: str) -> str:
        """The line with every paste in its place, whole."""
        if not self._texts:
            return line
        labels = re.compile("|".join(map(re.escape, self._texts)))
        return labels.sub(lambda match: self._texts[match[0]], line)


def input_buffer(completer: Completer, history: Path | None) -> Buffer:
    return Buffer(
        completer=ThreadedCompleter(completer),
        complete_while_typing=True,
        history=open_history(history),
        multiline=True,
        name="input",
    )


def open_history(path: Path | None) -> History:
    """Lines of earlier sessions, readable by their owner only; in memory where that fails."""
    if path is None:
        return InMemoryHistory()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError:
        return InMemoryHistory()
    return ThreadedHistory(FileHistory(str(path)))
