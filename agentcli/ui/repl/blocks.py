"""Draws markdown blocks as terminal rows."""

from __future__ import annotations

from collections.abc import Sequence

from agentcli.lib.text import visible
from agentcli.ui.repl.inline import Piece, parse, plain
from agentcli.ui.repl.markdown import Block, cells
from agentcli.ui.repl.theme import Row, Span, Style
from agentcli.ui.repl.wrap import Wrapped, hard_wrap, row_width, wrap


def block_rows(block: Block, width: int) -> list[Row]:
    """The rows of a finished block."""
    return [wrapped.row for wrapped in draw(block, width)]


def draw(block: Block, width: int) -> list[Wrapped]:
    """Rows with the places in `block.text` where they begin."""
    text = visible(block.text)
    match block.kind:
        case "blank":
            return [Wrapped((), -1)]
        case "rule":
            return [Wrapped((("dim", "─" * min(width, 40)),), -1)]
        case "fence":
            return hard_wrap(text, width, "dim")
        case "code":
            return hard_wrap(text.expandtabs(4), width, "code")
        case "heading":
            return wrap(parse(text, "heading"), width)
        case "quote":
            return [_quoted(row) for row in wrap(parse(text, "italic"), width, block.lead)]
        case "table":
            return [Wrapped(row, -1) for row in table_rows(text, width)]
        case "text":
            return wrap(parse(text), width, block.lead)


def pieces_of(block: Block) -> list[Piece]:
    """What `draw` wraps, to find out where a line may be cut."""
    if block.kind == "code":
        return plain(visible(block.text), "code")
    return parse(visible(block.text))


def _quoted(wrapped: Wrapped) -> Wrapped:
    """The bar goes on beside every row of a quotation."""
    (_, lead), *rest = wrapped.row
    return Wrapped((("dim", "│".ljust(len(lead)) if lead.isspace() else lead), *rest), -1)


def table_rows(text: str, width: int) -> list[Row]:
    """An aligned table; columns that do not fit are narrowed and their cells wrapped."""
    lines = text.split("\n")
    table = [cells(line) for line in (lines[0], *lines[2:])]
    count = max(len(row) for row in table)
    right = [
        mark.endswith(":") and not mark.startswith(":") for mark in _padded(cells(lines[1]), count)
    ]
    grid = [[parse(cell) for cell in _padded(row, count)] for row in table]
    widths = _fit([max(_size(row[n]) for row in grid) for n in range(count)], width)
    rows: list[Row] = []
    for number, row in enumerate(grid):
        style: Style = "plain" if number else "bold"
        rows += _table_row([_styled(cell, style) for cell in row], widths, right)
        if number == 0:
            rows.append((("dim", "─┼─".join("─" * size for size in widths)),))
    return rows


def _padded(row: list[str], count: int) -> list[str]:
    return row + [""] * (count - len(row))


def _size(pieces: Sequence[Piece]) -> int:
    return max(1, row_width(tuple((piece.style, piece.text) for piece in pieces)))


def _styled(pieces: list[Piece], style: Style) -> list[Piece]:
    return [Piece(style if p.style == "plain" else p.style, p.text) for p in pieces]


def _fit(wanted: list[int], width: int) -> list[int]:
    """Column widths that fit: the widest gives first, no column below four (or what it wants)."""
    room = width - 3 * (len(wanted) - 1)
    widths = list(wanted)
    while sum(widths) > room:
        widest = max(range(len(widths)), key=lambda n: widths[n])
        if widths[widest] <= 4:
            break
        others = sorted(widths, reverse=True)[1:2]
        target = max(4, others[0] if others else 4, widths[widest] - (sum(widths) - room))
        widths[widest] = min(target, widths[widest] - 1)
    return widths


def _table_row(row: list[list[Piece]], widths: list[int], right: list[bool]) -> list[Row]:
    columns = [
        [wrapped.row for wrapped in wrap(cell, width)]
        for cell, width in zip(row, widths, strict=True)
    ]
    rows: list[Row] = []
    for n in range(max(len(column) for column in columns)):
        spans: list[Span] = []
        for column, width, to_right in zip(columns, widths, right, strict=True):
            cell = column[n] if n < len(column) else ()
            fill: Span = ("plain", " " * (width - row_width(cell)))
            bar: tuple[Span, ...] = (("dim", " │ "),) if spans else ()
            spans += (*bar, fill, *cell) if to_right else (*bar, *cell, fill)
        rows.append(_trimmed(spans))
    return rows


def _trimmed(spans: list[Span]) -> Row:
    """Without the blanks at the end, which would be copied with the text."""
    while spans and not spans[-1][1].strip():
        spans.pop()
    if spans:
        style, text = spans[-1]
        spans[-1] = (style, text.rstrip())
    return tuple(spans)
