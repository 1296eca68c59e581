"""Streamed markdown: which rows are final, which are the tail; linear in the text."""

from __future__ import annotations

from agentcli.ui.repl.blocks import block_rows, draw, pieces_of
from agentcli.ui.repl.inline import settled
from agentcli.ui.repl.markdown import Block, Kind, Splitter
from agentcli.ui.repl.theme import Row, text_of
from agentcli.ui.repl.wrap import Wrapped, row_width

TAIL_ROWS = 6
"""A longer tail is cut, even inside markup that nobody closed."""


class TextStream:
    """Feed it deltas; take rows a few times a second."""

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._blocks: list[Block] = []
        self._open = False
        self._last: Kind = "blank"
        """The kind of what was drawn last."""

    def feed(self, text: str) -> None:
        self._open = self._open or bool(text)
        self._blocks += self._splitter.feed(text)

    def close(self) -> None:
        """No more text: the tail is final, an empty line follows, the next text starts fresh."""
        if not self._open:
            return
        self._blocks += self._splitter.finish()
        last = self._blocks[-1].kind if self._blocks else self._last
        if last != "blank":
            self._blocks.append(Block("blank", ""))
        self._last = "blank"
        self._splitter = Splitter()
        self._open = False

    def take(self, width: int) -> tuple[list[Row], list[Row]]:
        """Rows that are final now, and the tail below them."""
        blocks, self._blocks = self._blocks, []
        self._last = blocks[-1].kind if blocks else self._last
        finished = [row for block in blocks for row in block_rows(block, width)]
        while True:
            tail = self._splitter.tail()
            if tail is None:
                return finished, []
            rows = draw(tail, width)
            cut = _cut(tail, rows)
            if not cut:
                return finished, [wrapped.row for wrapped in rows[-TAIL_ROWS:]]
            finished += [wrapped.row for wrapped in rows[:cut]]
            self._splitter.consume(rows[cut].start, _hang(rows[cut]))
            self._last = tail.kind


def _cut(tail: Block, rows: list[Wrapped]) -> int:
    """How many rows of the tail cannot change any more."""
    if len(rows) < 2 or tail.kind not in ("text", "code"):
        return 0
    limit = settled(pieces_of(tail)) if tail.kind == "text" else len(tail.text)
    places = [n for n, row in enumerate(rows) if n and row.start >= 0]
    safe = [n for n in places if rows[n].start <= limit]
    if safe:
        return safe[-1]
    return places[-1] if len(rows) > TAIL_ROWS and places else 0


def _hang(wrapped: Wrapped) -> int:
    """Columns before the text of a row that is not its line's first."""
    first = text_of(wrapped.row[:1])
    return row_width(wrapped.row[:1]) if first.isspace() else 0
