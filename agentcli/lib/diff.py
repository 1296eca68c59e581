"""The difference of two texts as hunks of numbered lines."""

from __future__ import annotations

from typing import Literal

from agentcli.lib.value import value


@value
class Line:
    kind: Literal["same", "added", "removed"]
    old: int | None
    new: int | None
    text: str


@value
class Hunk:
    lines: tuple[Line, ...]


def hunks(before: str, after: str, *, context: int = 3) -> tuple[Hunk, ...]:
    """Changed regions with `context` unchanged lines around them."""
    from difflib import SequenceMatcher

    old, new = before.splitlines(), after.splitlines()
    groups = SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(context)
    return tuple(Hunk(tuple(_lines(group, old, new))) for group in groups)


def _lines(
    group: list[tuple[str, int, int, int, int]], old: list[str], new: list[str]
) -> list[Line]:
    found: list[Line] = []
    for tag, i1, i2, j1, j2 in group:
        if tag == "equal":
            found += [Line("same", i1 + n + 1, j1 + n + 1, old[i1 + n]) for n in range(i2 - i1)]
            continue
        found += [Line("removed", i + 1, None, old[i]) for i in range(i1, i2)]
        found += [Line("added", None, j + 1, new[j]) for j in range(j1, j2)]
    return found


def stat(before: str, after: str) -> tuple[int, int]:
    """(lines added, lines removed)."""
    lines = [line for hunk in hunks(before, after, context=0) for line in hunk.lines]
    added = sum(line.kind == "added" for line in lines)
    return added, sum(line.kind == "removed" for line in lines)
