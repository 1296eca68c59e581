"""Fits styled text into a width: whole words where possible, wide characters counted as two."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agentcli.lib import text as lib_text
from agentcli.lib.value import value
from agentcli.ui.repl.inline import Piece
from agentcli.ui.repl.theme import Row, Span, Style, text_of

_WIDE = "\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60"
_WORDS = re.compile(rf"\s+|[{_WIDE}]|[^\s{_WIDE}]+")
"""Scripts without spaces may be broken at every character."""


@value
class Wrapped:
    row: Row
    start: int
    """Where in the source the row begins; -1 when it begins inside markup."""


def width_of(text: str) -> int:
    """Terminal columns of text that is safe to show."""
    return len(text) if text.isascii() else lib_text.width(text)


def row_width(row: Row) -> int:
    return width_of(text_of(row))


def wrap(pieces: Sequence[Piece], width: int, lead: str = "") -> list[Wrapped]:
    """Rows of at most `width` columns; `lead` opens the first, spaces of its width the others.

    A lead as wide as half a row is dropped where more than one row is needed.
    """
    hang = width_of(lead)
    if hang >= width // 2 and hang + sum(width_of(piece.text) for piece in pieces) > width:
        lead, hang = "", 0
    lines = _Lines(max(1, width - hang))
    for piece in pieces:
        for match in _WORDS.finditer(piece.text):
            start = piece.start + match.start() if piece.start >= 0 else -1
            if match.group().isspace():
                lines.space(piece.style, match.group())
            else:
                lines.word(Piece(piece.style, match.group(), start))
    return [
        Wrapped((("plain", " " * hang if n else lead), *spans), start)
        for n, (spans, start) in enumerate(lines.done())
    ]


def hard_wrap(text: str, width: int, style: Style = "plain") -> list[Wrapped]:
    """Rows cut at the width, nothing dropped: for code and commands."""
    rows: list[Wrapped] = []
    start = 0
    while True:
        count = fitting(text, start, width)
        rows.append(Wrapped(((style, text[start : start + count]),), start))
        start += count
        if start >= len(text):
            return rows


def fitting(text: str, start: int, width: int) -> int:
    """How many characters from `start` on fit into `width` columns; at least one if there is one.

    Characters of no width stay with the one before.
    """
    if text.isascii():
        return min(max(1, width), len(text) - start)
    used = 0
    for count, character in enumerate(text[start:]):
        used += width_of(character)
        if used > width and count:
            return count
    return len(text) - start


def clip(row: Row, width: int) -> Row:
    """One row, with an ellipsis where it was too long."""
    if row_width(row) <= width:
        return row
    spans: list[Span] = []
    left = width - 1
    for style, text in row:
        count = fitting(text, 0, left) if left > 0 else 0
        piece = text[:count]
        if width_of(piece) > left:
            break
        spans.append((style, piece))
        left -= width_of(piece)
        if count < len(text):
            break
    return (*spans, ("dim", "…"))


class _Lines:
    """Greedy filling: a word is placed when it is known to be whole."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._done: list[tuple[list[Span], int]] = []
        self._spans: list[Span] = []
        self._start = 0
        self._used = 0
        self._space: list[Span] = []
        self._word: list[Piece] = []

    def space(self, style: Style, text: str) -> None:
        self._place()
        self._space.append((style, text.replace("\t", "    ")))

    def word(self, piece: Piece) -> None:
        """A word or, where markup changes inside one, a part of it."""
        alone = piece.text[0] >= "\u1100" and width_of(piece.text[0]) == 2
        if alone:
            self._place()
        self._word.append(piece)
        if alone:
            self._place()

    def done(self) -> list[tuple[list[Span], int]]:
        self._place()
        return [*self._done, (self._spans, self._start)]

    def _place(self) -> None:
        if not self._word:
            return
        gap = sum(width_of(text) for _, text in self._space)
        size = sum(width_of(piece.text) for piece in self._word)
        if self._used + gap + size <= self._width:
            self._add(self._space, gap)
        elif self._used:
            self._break(self._word[0].start)
        word, self._space, self._word = self._word, [], []
        if size <= self._width:
            self._add([(piece.style, piece.text) for piece in word], size)
        else:
            self._place_by_characters(word)

    def _place_by_characters(self, word: Sequence[Piece]) -> None:
        """A word wider than a row: fill the row, break, go on."""
        for piece in word:
            start = 0
            while start < len(piece.text):
                room = self._width - self._used
                count = fitting(piece.text, start, room) if room > 0 else 0
                part = piece.text[start : start + count]
                if not count or (width_of(part) > room and self._used):
                    self._break(piece.start + start if piece.start >= 0 else -1)
                    continue
                self._add([(piece.style, part)], width_of(part))
                start += count

    def _add(self, spans: Sequence[Span], size: int) -> None:
        self._spans += spans
        self._used += size if spans else 0

    def _break(self, start: int) -> None:
        self._done.append((self._spans, self._start))
        self._spans, self._start, self._used = [], start, 0


def width_limited(parts: Sequence[str], separator: str, width: int) -> str:
    """As many parts, from the first on, as fit into `width`; the first is cut if it must be."""
    text = ""
    for part in parts:
        longer = f"{text}{separator}{part}" if text else part
        if width_of(longer) > width:
            return text or text_of(clip((("plain", part),), width))
        text = longer
    return text
