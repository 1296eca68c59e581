"""`<think>` at the head of an answer: how raw open models show their reasoning."""

from __future__ import annotations

from collections.abc import Iterator

from agentcli.llm.types import Delta, TextDelta, ThinkingDelta

OPEN, CLOSE = "<think>", "</think>"


class ThinkTags:
    """Splits streamed text; a tag counts only where the answer begins, not when quoted later."""

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""

    def feed(self, text: str) -> Iterator[Delta]:
        self._held += text
        if self._state == "start":
            self._begin()
        if self._state == "thinking":
            yield from self._think()
        if self._state == "text" and self._held:
            yield TextDelta(self._held)
            self._held = ""

    def close(self) -> Iterator[Delta]:
        if self._held:
            yield TextDelta(self._held) if self._state != "thinking" else ThinkingDelta(self._held)
            self._held = ""

    def _begin(self) -> None:
        text = self._held.lstrip()
        if text.startswith(OPEN):
            self._held = text[len(OPEN) :].lstrip("\n")
            self._state = "thinking"
        elif not OPEN.startswith(text):
            self._state = "text"

    def _think(self) -> Iterator[Delta]:
        before, found, after = self._held.partition(CLOSE)
        if found:
            self._held, self._state = after.lstrip("\n"), "text"
        else:
            keep = next((n for n in range(len(CLOSE) - 1, 0, -1) if before.endswith(CLOSE[:n])), 0)
            self._held = before[len(before) - keep :] if keep else ""
            before = before[: len(before) - keep]
        if before:
            yield ThinkingDelta(before)
