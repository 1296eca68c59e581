"""What a conversation consists of, each part with its cause: a tool or file, or who said it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from agentcli.lib.paths import absolute
from agentcli.lib.value import value
from agentcli.llm.estimate import tokens_of_block
from agentcli.llm.types import AssistantMessage, Message, ToolCall, ToolOutput

SAID = {
    "human": "your words",
    "tool": "tool results",
    "reminder": "reminders",
    "hook": "hooks",
    "summary": "summaries",
}
REPLIES = "model's words"
_PATCHED = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", re.MULTILINE)


@value
class Item:
    cause: str
    tokens: int


class Items:
    """The parts of an epoch's messages, in order; calls and their results have one cause."""

    def __init__(self, by: Literal["tool", "file"], root: Path) -> None:
        self._by = by
        self._root = root
        self._items: list[Item] = []
        self._ends: list[int] = []
        self._calls: dict[str, str] = {}

    def restart(self) -> None:
        """A new epoch begins: nothing said before is sent any more."""
        self._items.clear()
        self._ends.clear()

    def add(self, message: Message) -> None:
        said = (
            REPLIES
            if isinstance(message, AssistantMessage)
            else SAID.get(message.origin, message.origin)
        )
        for block in message.content:
            cause = said
            if isinstance(block, ToolCall):
                cause = self._calls[block.id] = self._cause(block)
            elif isinstance(block, ToolOutput):
                cause = self._calls.get(block.call_id, said)
            self._items.append(Item(cause, tokens_of_block(block)))
        self._ends.append(len(self._items))

    def first(self, messages: int) -> list[Item]:
        """The parts of so many messages; of all where that is unknown (0) or more."""
        known = 0 < messages <= len(self._ends)
        return self._items[: self._ends[messages - 1]] if known else list(self._items)

    def _cause(self, call: ToolCall) -> str:
        if self._by == "tool":
            return call.name
        path = call.input.get("path")
        if path is None and call.name == "ApplyPatch":
            paths = set(_PATCHED.findall(str(call.input.get("input", ""))))
            path = paths.pop() if len(paths) == 1 else None
        if not isinstance(path, str):
            return call.name
        whole = absolute(self._root, path.strip())
        return call.name if whole == self._root else str(whole)
