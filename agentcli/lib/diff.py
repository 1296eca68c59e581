"""The difference of two texts as hunks of numbered lines; quick on long texts too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from agentcli.lib.value import value

SMALL = 250_000
"""Old lines times new lines that may be compared each with each."""

Block: TypeAlias = tuple[bool, int, int, int, int]
"""(equal, old start, old end, new start, new end)."""
Corner: TypeAlias = tuple[int, int, int, int]


@value
class Line:
    kind: Literal["same", "added", "removed"]
    old: int | None
    new: int | None
    text: str
    """Without its line end, but for a carriage return that is all that changed."""
    ended: bool = True
    """False for a last line that no newline ends."""


@value
class Hunk:
    lines: tuple[Line, ...]


def hunks(before: str, after: str, *, context: int = 3) -> tuple[Hunk, ...]:
    """Changed regions with `context` unchanged lines around them."""
    old, new = lines_of(before), lines_of(after)
    return tuple(Hunk(tuple(_lines(group, old, new))) for group in _groups(old, new, context))


def stat(before: str, after: str) -> tuple[int, int]:
    """(lines added, lines removed)."""
    changed = [block for block in blocks(lines_of(before), lines_of(after)) if not block[0]]
    return sum(b[4] - b[3] for b in changed), sum(b[2] - b[1] for b in changed)


def lines_of(text: str) -> list[str]:
    """Lines with their ends. Only a newline ends a line, as in editors and in grep."""
    parts = text.split("\n")
    last = parts.pop()
    return [f"{part}\n" for part in parts] + ([last] if last else [])


def blocks(old: Sequence[str], new: Sequence[str]) -> list[Block]:
    """Equal and changed blocks, in order; together they cover both sides."""
    found: list[Block] = []
    i = j = 0
    for start, other, size in [*_joined(_runs(old, new)), (len(old), len(new), 0)]:
        if i < start or j < other:
            found.append((False, i, start, j, other))
        if size:
            found.append((True, start, start + size, other, other + size))
        i, j = start + size, other + size
    return found


def _joined(runs: list[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Runs in order, those that touch made one."""
    open_run: tuple[int, int, int] | None = None
    for i, j, size in sorted(runs):
        if open_run and (open_run[0] + open_run[2], open_run[1] + open_run[2]) == (i, j):
            open_run = (open_run[0], open_run[1], open_run[2] + size)
            continue
        if open_run:
            yield open_run
        open_run = (i, j, size)
    if open_run:
        yield open_run


def _runs(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int]]:
    """Equal runs (old start, new start, size): between lines that both sides have just once."""
    runs: list[tuple[int, int, int]] = []
    corners: list[Corner] = [(0, len(old), 0, len(new))]
    while corners:
        i1, i2, j1, j2 = corners.pop()
        head = tail = 0
        while i1 + head < i2 and j1 + head < j2 and old[i1 + head] == new[j1 + head]:
            head += 1
        while (
            i2 - tail > i1 + head
            and j2 - tail > j1 + head
            and old[i2 - tail - 1] == (new[j2 - tail - 1])
        ):
            tail += 1
        runs += [(i1, j1, head)] if head else []
        runs += [(i2 - tail, j2 - tail, tail)] if tail else []
        corner = i1 + head, i2 - tail, j1 + head, j2 - tail
        anchors = _anchors(old, new, corner)
        if anchors:
            corners += _between(corner, anchors)
        else:
            runs += _compared(old, new, corner)
    return runs


def _between(corner: Corner, anchors: list[tuple[int, int]]) -> Iterator[Corner]:
    """What lies before, between and after the anchors; each begins with its anchor."""
    i1, i2, j1, j2 = corner
    starts = [(i1, j1), *anchors]
    for (i, j), (end, other) in zip(starts, [*anchors, (i2, j2)], strict=True):
        if i < end and j < other:
            yield i, end, j, other


def _anchors(old: Sequence[str], new: Sequence[str], corner: Corner) -> list[tuple[int, int]]:
    """The longest rising chain of lines that occur exactly once on either side."""
    from bisect import bisect_left

    i1, i2, j1, j2 = corner
    mine, theirs = Counter(old[i1:i2]), Counter(new[j1:j2])
    places = {new[j]: j for j in range(j1, j2) if theirs[new[j]] == 1}
    ends: list[int] = []
    chain: list[tuple[int, int, int]] = []
    last: list[int] = []
    for i in range(i1, i2):
        if mine[old[i]] != 1 or old[i] not in places:
            continue
        j = places[old[i]]
        at = bisect_left(ends, j)
        chain.append((i, j, last[at - 1] if at else -1))
        ends[at : at + 1] = [j]
        last[at : at + 1] = [len(chain) - 1]
    found: list[tuple[int, int]] = []
    step = last[-1] if last else -1
    while step >= 0:
        i, j, step = chain[step]
        found.append((i, j))
    return found[::-1]


def _compared(old: Sequence[str], new: Sequence[str], corner: Corner) -> list[tuple[int, int, int]]:
    """Each line against each, where that is affordable."""
    from difflib import SequenceMatcher

    i1, i2, j1, j2 = corner
    if not 0 < (i2 - i1) * (j2 - j1) <= SMALL:
        return []
    matcher = SequenceMatcher(None, old[i1:i2], new[j1:j2], autojunk=False)
    return [(i1 + i, j1 + j, size) for i, j, size in matcher.get_matching_blocks() if size]


def _groups(old: list[str], new: list[str], context: int) -> Iterator[list[Block]]:
    """Blocks with the equal ones cut down to `context`; those far apart in different groups."""
    group: list[Block] = []
    found = blocks(old, new)
    for number, (equal, i1, i2, j1, j2) in enumerate(found):
        if not equal:
            group.append((False, i1, i2, j1, j2))
            continue
        size = i2 - i1
        first, last = number == 0, number == len(found) - 1
        if not (first or last) and size <= 2 * context:
            group.append((True, i1, i2, j1, j2))
            continue
        shown = min(size, context)
        if group:
            yield [*group, *([(True, i1, i1 + shown, j1, j1 + shown)] if shown else [])]
        group = [(True, i2 - shown, i2, j2 - shown, j2)] if shown else []
    if any(not block[0] for block in group):
        yield group


def _lines(group: list[Block], old: list[str], new: list[str]) -> Iterator[Line]:
    for equal, i1, i2, j1, j2 in group:
        if equal:
            for n in range(i2 - i1):
                yield _line("same", i1 + n + 1, j1 + n + 1, old[i1 + n])
            continue
        gone = {line.rstrip("\r\n") for line in old[i1:i2]}
        come = {line.rstrip("\r\n") for line in new[j1:j2]}
        twins = gone & come
        for i in range(i1, i2):
            yield _line("removed", i + 1, None, old[i], twins)
        for j in range(j1, j2):
            yield _line("added", None, j + 1, new[j], twins)


def _line(
    kind: Literal["same", "added", "removed"],
    old: int | None,
    new: int | None,
    line: str,
    twins: set[str] | None = None,
) -> Line:
    text = line.removesuffix("\n")
    if line.rstrip("\r\n") not in (twins or ()):
        text = text.removesuffix("\r")
    return Line(kind, old, new, text, line.endswith("\n"))
