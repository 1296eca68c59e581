"""Inline markdown of one line: emphasis, code, links; as pieces that know where they came from."""

from __future__ import annotations

import re

from agentcli.lib.value import value
from agentcli.ui.repl.theme import Style

_MARKUP = re.compile(
    r"(?P<escape>\\[\\`*_{}\[\]()#+\-.!|~<>])"
    r"|(?P<ticks>`+)(?!`)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"
    r"|\*\*(?=\S)(?P<bold>.+?)(?<=\S)\*\*(?!\*)"
    r"|(?<!\w)__(?=\S)(?P<bold2>.+?)(?<=\S)__(?!\w)"
    r"|(?<!\*)\*(?=[^\s*])(?P<italic>[^*]+?)(?<=\S)\*(?!\*)"
    r"|(?<!\w)_(?=[^\s_])(?P<italic2>[^_]+?)(?<=\S)_(?!\w)"
    r"|~~(?=\S)(?P<struck>.+?)(?<=\S)~~"
    r"|!?\[(?P<label>[^\[\]]+)\]\((?P<url>[^()\s]+(?:\([^()\s]*\)[^()\s]*)*)\)"
)
_STYLES: dict[str, Style] = {
    "bold": "bold",
    "bold2": "bold",
    "italic": "italic",
    "italic2": "italic",
    "struck": "struck",
}
_OPENER = re.compile(r"[`*_\[~](?!\s)|\\$|!$")
MAX_WAIT = 600
"""Characters after which an opening mark is no longer expected to be closed."""
MAX_LINE = 4000
"""In a longer line markup is left as it is, so that no line can cost quadratic time."""


@value
class Piece:
    style: Style
    text: str
    start: int = -1
    """Offset of `text` in the source; -1 where it cannot be cut there without breaking markup."""


def plain(text: str, style: Style = "plain") -> list[Piece]:
    return [Piece(style, text, 0)]


def parse(text: str, base: Style = "plain") -> list[Piece]:
    """Pieces in order. Link targets are spelled out: nothing points where it does not say."""
    if len(text) > MAX_LINE:
        return plain(text, base)
    pieces: list[Piece] = []
    end = 0
    for match in _MARKUP.finditer(text):
        if match.start() > end:
            pieces.append(Piece(base, text[end : match.start()], end))
        pieces += _marked(match, base)
        end = match.end()
    if end < len(text):
        pieces.append(Piece(base, text[end:], end))
    return pieces


def settled(pieces: list[Piece]) -> int:
    """The source offset up to which more text cannot change how the line is drawn."""
    end = max((p.start + len(p.text) for p in pieces if p.start >= 0), default=0)
    for piece in pieces:
        if piece.start < 0:
            continue
        for match in _OPENER.finditer(piece.text):
            offset = piece.start + match.start()
            if end - offset < MAX_WAIT:
                return offset
    return end


def _marked(match: re.Match[str], base: Style) -> list[Piece]:
    if match["escape"]:
        return [Piece(base, match["escape"][1])]
    if match["code"] is not None:
        code = match["code"]
        padded = len(code) > 2 and code[0] == code[-1] == " " and code.strip()
        return [Piece("code", code[1:-1] if padded else code)]
    if match["label"] is not None:
        label, url = match["label"], match["url"]
        shown = [Piece("link", label)]
        return shown if label == url else [*shown, Piece("dim", f" ({url})")]
    name = match.lastgroup or "bold"
    inner = parse(match[name])
    style = _STYLES[name]
    return [Piece(style if p.style == "plain" else p.style, p.text) for p in inner]
