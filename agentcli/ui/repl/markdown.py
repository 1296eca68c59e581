"""Splits a growing markdown text into finished blocks, line by line, in linear time; pure."""

from __future__ import annotations

import re
from typing import Literal

from agentcli.lib.text import visible
from agentcli.lib.value import value

Kind = Literal["text", "heading", "quote", "rule", "blank", "fence", "code", "table"]

_FENCE = re.compile(r"^(\s*)(`{3,}|~{3,})\s*([^`]*)$")
_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$")
_RULE = re.compile(r"^ {0,3}([-*_=])(?:\s*\1){2,}\s*$")
_ITEM = re.compile(r"^(\s*)([-*+]|\d{1,9}[.)])\s+(?=\S)")
_QUOTE = re.compile(r"^ {0,3}((?:>\s?)+)")
_DELIMITER = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
MAX_TABLE_ROWS = 200
"""A longer table is drawn in pieces, so that nothing waits for its end."""


@value
class Block:
    """What can be drawn for good. `lead` stands before its first row, in place of the markup."""

    kind: Kind
    text: str
    lead: str = ""
    skip: int = 0
    """Characters of the source line that `lead` stands for."""


class Splitter:
    """Feed it text as it comes; it gives back blocks that will not change any more."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._fence = ""
        self._indent = 0
        self._rows: list[str] = []
        self._hang: int | None = None
        self._blank = True

    @property
    def in_code(self) -> bool:
        return bool(self._fence)

    def feed(self, text: str) -> list[Block]:
        """Blocks completed by this piece."""
        if "\n" not in text:
            self._pieces.append(text)
            return []
        *lines, rest = ("".join(self._pieces) + text).split("\n")
        self._pieces = [rest]
        return [block for line in lines for block in self._line(line.rstrip("\r"))]

    def tail(self) -> Block | None:
        """The unfinished line, safe to show, as it would be drawn if it ended here."""
        whole = "".join(self._pieces)
        line = visible(whole.rstrip("\r"))
        self._pieces = [line, "\r"] if whole.endswith("\r") else [line]
        if self._rows:
            return Block("fence", f"… table, {len(self._rows)} lines")
        if not line:
            return None
        if self._fence:
            return Block("code", line[self._cut(line) :])
        if line.lstrip().startswith("|") and self._hang is None:
            return Block("fence", line)
        return self._block(line)

    def consume(self, count: int, hang: int) -> None:
        """The first `count` characters of the tail's text were drawn for good.

        What follows of this line starts at column `hang`.
        """
        line = "".join(self._pieces)
        if self._fence:
            count += self._cut(line)
        else:
            count += self._block(line).skip
        self._pieces = [line[count:]]
        self._hang = hang
        self._blank = False

    def finish(self) -> list[Block]:
        """The text has ended: what was still open. The splitter is used up."""
        line = "".join(self._pieces)
        blocks = self._line(line) if line else []
        return blocks + self._flush_table()

    def _cut(self, line: str) -> int:
        """How much of a code line is the indentation of its fence."""
        if self._hang is not None:
            return 0
        return min(self._indent, len(line) - len(line.lstrip(" ")))

    def _line(self, line: str) -> list[Block]:
        if self._hang is not None and not line:
            self._hang = None
            return []
        if self._fence:
            return [self._code(line)]
        if line.lstrip().startswith("|") and self._hang is None:
            self._rows.append(line)
            return self._flush_table() if len(self._rows) >= MAX_TABLE_ROWS else []
        blocks = self._flush_table()
        block = self._block(line)
        self._hang = None
        if block.kind == "fence":
            self._open(line)
        if block.kind == "blank" and self._blank:
            return blocks
        self._blank = block.kind == "blank"
        return [*blocks, block]

    def _open(self, line: str) -> None:
        match = _FENCE.match(line)
        if match:
            self._indent = len(match[1])
            self._fence = match[2]

    def _code(self, line: str) -> Block:
        closing = line.strip()
        is_end = len(closing) >= len(self._fence) and set(closing) == {self._fence[0]}
        if is_end and self._hang is None:
            self._fence = ""
            return Block("fence", closing)
        text = line[self._cut(line) :]
        self._hang = None
        self._blank = False
        return Block("code", text)

    def _block(self, line: str) -> Block:
        if self._hang is not None:
            return Block("text", line, " " * self._hang)
        if not line.strip():
            return Block("blank", "")
        if _FENCE.match(line):
            return Block("fence", line.strip())
        if heading := _HEADING.match(line):
            return Block("heading", heading[2], skip=heading.start(2))
        if _RULE.match(line):
            return Block("rule", "")
        if item := _ITEM.match(line):
            sign = "•" if item[2] in "-*+" else item[2]
            return Block("text", line[item.end() :], f"{item[1]}{sign} ", item.end())
        if quote := _QUOTE.match(line):
            depth = quote[1].count(">")
            return Block("quote", line[quote.end() :], "│ " * depth, quote.end())
        indent = len(line) - len(line.lstrip())
        return Block("text", line[indent:], " " * min(indent, 40), indent)

    def _flush_table(self) -> list[Block]:
        rows, self._rows = self._rows, []
        if not rows:
            return []
        self._blank = False
        if len(rows) > 1 and _DELIMITER.match(rows[1]):
            return [Block("table", "\n".join(rows))]
        return [Block("text", row.strip()) for row in rows]


def cells(row: str) -> list[str]:
    """The cells of one table row; an escaped bar is text."""
    inner = row.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]
