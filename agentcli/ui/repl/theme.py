"""Looks: style words, what they are on a terminal, and styled text as values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

Style = Literal[
    "plain",
    "bold",
    "italic",
    "struck",
    "code",
    "link",
    "heading",
    "dim",
    "user",
    "added",
    "removed",
    "good",
    "warning",
    "error",
]
Span: TypeAlias = tuple[Style, str]
Row: TypeAlias = tuple[Span, ...]
"""One terminal line."""

# The terminal's own 16 colours and no backgrounds: right on light and dark alike.
COLOURED: dict[Style, str] = {
    "plain": "",
    "bold": "1",
    "italic": "3",
    "struck": "9",
    "code": "36",
    "link": "4",
    "heading": "1;35",
    "dim": "2",
    "user": "1;34",
    "added": "32",
    "removed": "31",
    "good": "32",
    "warning": "33",
    "error": "31",
}
COLOURLESS: dict[Style, str] = {
    **COLOURED,
    "code": "",
    "heading": "1",
    "user": "1",
    "added": "",
    "removed": "",
    "good": "",
    "warning": "",
    "error": "1",
}
PROMPT_STYLES = {
    "prompt": "bold ansiblue",
    "dim": "ansibrightblack",
    "mode": "ansimagenta",
    "warning": "ansiyellow",
    "chosen": "bold ansicyan",
    "search-toolbar": "noinherit",
}
PROMPT_STYLES_COLOURLESS = {
    "prompt": "bold",
    "dim": "",
    "mode": "bold",
    "warning": "bold",
    "chosen": "bold",
    "search-toolbar": "noinherit",
}
"""Dim is a colour there, because not every terminal's faint text can be read."""


def paint(row: Row, sgr: dict[Style, str]) -> str:
    """A row as the terminal wants it; text must be safe to show already."""
    return "".join(f"\x1b[{sgr[s]}m{text}\x1b[0m" if sgr[s] else text for s, text in _joined(row))


def text_of(row: Row) -> str:
    return "".join(text for _, text in row)


def _joined(row: Row) -> Iterable[Span]:
    """Neighbours of one style as one, so that the style is switched once."""
    joined: list[Span] = []
    for style, text in row:
        if joined and joined[-1][0] == style:
            joined[-1] = (style, joined[-1][1] + text)
        elif text:
            joined.append((style, text))
    return joined
