"""Writes above the input area: what is finished scrolls away, only the tail is ever redrawn.

The input area is some rows at the bottom that somebody else draws. New rows are made by line
feeds at its last row and inserted above its first, so it moves down without being drawn again;
nothing above the tail is touched and the screen is never cleared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agentcli.lib.value import value
from agentcli.ui.repl.theme import Row, Style, paint, text_of
from agentcli.ui.repl.wrap import row_width, width_of

# A terminal may think a character wider than we do: then it must not break the line.
NO_WRAP, WRAP = "\x1b[?7l", "\x1b[?7h"


@value
class Area:
    """The screen and the input area on it; `row` and `column` say where in it the cursor is."""

    rows: int
    columns: int
    height: int
    row: int
    column: int


class Scroll:
    """Rows above the input area. `area` answers None while there is no input area."""

    def __init__(
        self,
        write: Callable[[str], None],
        area: Callable[[], Area | None],
        sgr: dict[Style, str],
    ) -> None:
        self._write = write
        self._area = area
        self._sgr = sgr
        self._tail: list[Row] = []
        self._columns = 0

    def show(self, finished: Sequence[Row], tail: Sequence[Row] = ()) -> None:
        """Write `finished` for good where the tail is now, and a new tail under it."""
        area = self._area()
        if area is None:
            self._tail = []
            lines = [paint(row, self._sgr) + "\r\n" for row in finished]
            if lines:
                self._write("".join(lines))
            return
        room = max(1, area.rows - area.height - 1)
        tail = list(tail)[-room:]
        drawn = self._drawn(area)
        rows = list(finished)
        out: list[str] = []
        while len(rows) + len(tail) > room:
            count = min(room, len(rows))
            out.append(self._replace(area, drawn, rows[:count]))
            rows, drawn = rows[count:], []
        out.append(self._replace(area, drawn, rows + tail))
        self._tail = tail
        text = "".join(out)
        if text and not text.isascii():
            text = f"{NO_WRAP}{text}{WRAP}"
        if text:
            self._write(text)

    def forget(self) -> None:
        """The tail stays where it is, as finished: the screen below was taken by others."""
        self._tail = []

    def _drawn(self, area: Area) -> list[Row | None]:
        """The tail's rows on the screen; None for rows to draw anew after a resize."""
        if area.columns == self._columns or not self._tail:
            self._columns = area.columns
            return list(self._tail)
        self._columns = area.columns
        count = sum(max(1, -(-row_width(row) // area.columns)) for row in self._tail)
        return [None] * min(count, max(0, area.rows - area.height))

    def _replace(self, area: Area, old: Sequence[Row | None], new: Sequence[Row]) -> str:
        """Bytes that turn the rows `old` above the input area into `new`, cursor back in place."""
        same = 0
        while same < min(len(old), len(new)) and old[same] == new[same]:
            same += 1
        more = len(new) - len(old)
        if same == len(old) and more == 0:
            return ""
        out: list[str] = []
        at = len(old) + area.row
        if more > 0:
            out.append(_down(area.height - 1 - area.row) + "\r" + "\n" * more)
            out.append(_up(area.height - 1 + more) + _csi(more, "L"))
            at = len(old)
        out.append(_move(same - at) + "\r")
        at = same
        for n in range(same, len(new)):
            if n < len(old) and old[n] == new[n]:
                continue
            out.append(_move(n - at) + ("\r" if at != n else ""))
            out.append(self._redraw(old[n] if n < len(old) else (), new[n]) + "\r")
            at = n
        if more < 0:
            out.append(_move(len(new) - at) + _csi(-more, "M"))
            at = len(new)
        out.append(_move(len(new) + area.row - at) + _right(area.column))
        return "".join(out)

    def _redraw(self, old: Row | None, new: Row) -> str:
        """One row over another, cursor at its first column; only what was added where possible."""
        before, after = ("", "") if old is None else (text_of(old), text_of(new))
        if old and _grew(old, new) and before.isascii():
            rest: Row = ((new[-1][0], after[len(before) :]),)
            return _right(width_of(before)) + paint(rest, self._sgr)
        return paint(new, self._sgr) + ("" if old == () else "\x1b[K")


def _grew(old: Row, new: Row) -> bool:
    """Whether `new` is `old` with more text at the end of its last span."""
    return (
        len(old) == len(new)
        and old[:-1] == new[:-1]
        and old[-1][0] == new[-1][0]
        and new[-1][1].startswith(old[-1][1])
    )


def _csi(count: int, letter: str) -> str:
    return f"\x1b[{count if count != 1 else ''}{letter}"


def _up(count: int) -> str:
    return _csi(count, "A") if count > 0 else ""


def _down(count: int) -> str:
    return _csi(count, "B") if count > 0 else ""


def _right(count: int) -> str:
    return _csi(count, "C") if count > 0 else ""


def _move(count: int) -> str:
    return _down(count) if count > 0 else _up(-count)
