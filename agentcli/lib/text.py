"""Text for people and models: cut to a size, made safe to show."""

from __future__ import annotations

import re
import unicodedata

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]")
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """Text as it may be written to a terminal: control, bidi and invisible characters spelled out.

    Newlines and tabs stay; a joiner inside an emoji stays.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_spelled, text)


def _spelled(match: re.Match[str]) -> str:
    character = match.group()
    if character == "\u200d" and _joins_emoji(match.string, match.start()):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _joins_emoji(text: str, position: int) -> bool:
    around = text[position - 1 : position] + text[position + 1 : position + 2]
    return len(around) == 2 and all(ord(c) > 0x2000 for c in around)


def without_ansi(text: str) -> str:
    """Terminal sequences removed: what a program prints, for a model."""
    return _ANSI.sub("", text) if "\x1b" in text else text


def cut(text: str, limit: int, *, where: str = "") -> str:
    """Head and tail of a long text, `limit` characters in all, saying what is left out."""
    if len(text) <= limit:
        return text
    head = text[: limit // 2]
    tail = text[-(limit - limit // 2) :]
    head = head[: head.rfind("\n") + 1] or head
    tail = tail[tail.find("\n") + 1 :] or tail
    left = len(text) - len(head) - len(tail)
    lines = text.count("\n", len(head), len(text) - len(tail))
    whole = f"; the whole is in {where}" if where else ""
    return f"{head}[… {left:,} characters, {lines:,} lines left out{whole} …]\n{tail}"


def counted(count: int, noun: str) -> str:
    """1 line, 2 lines, 1,200 matches."""
    plural = f"{noun}es" if noun.endswith(("ch", "sh", "s")) else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def width(text: str) -> int:
    """Terminal columns."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
