"""Repeats in what a program printed, said once with their number."""

from __future__ import annotations

import re
from collections import Counter

MANY = 4
"""Lines alike that are folded."""
BLOCKS = 3
"""Repeats of several lines that are folded."""
LONGEST = 8
"""Lines of a block that is looked for."""
_PERCENT = re.compile(r"[\s\[]*(\d+(?:\.\d+)?)\s?%\]?\s*$")
_WARNING = re.compile(r"\bwarn\b|warning\b", re.IGNORECASE)


def folded(text: str) -> str:
    """Equal lines and blocks in a row, warnings said again and progress, each only once."""
    lines = _warned_once(text.split("\n"))
    found: list[str] = []
    index = 0
    while index < len(lines):
        rows, step = (
            _repeat(lines, index) or _progress(lines, index) or (lines[index : index + 1], 1)
        )
        found += rows
        index += step
    return "\n".join(found)


def _repeat(lines: list[str], start: int) -> tuple[list[str], int] | None:
    """The shortest block that repeats from here: how it is shown, and the lines it stands for."""
    for size in range(1, LONGEST + 1):
        times = _times(lines, start, size)
        block = lines[start : start + size]
        if times >= (MANY if size == 1 else BLOCKS) and block != [""]:
            what = "line" if size == 1 else f"{size} lines"
            return [*block, f"[the {what} above {times - 1} more times]"], size * times
    return None


def _times(lines: list[str], start: int, size: int) -> int:
    """How often the block of `size` lines stands there in a row."""
    end = start + size
    while end < len(lines) and lines[end] == lines[end - size]:
        end += 1
    return (end - start) // size


def _progress(lines: list[str], start: int) -> tuple[list[str], int] | None:
    """Lines that differ only in a growing percentage at their end: the first and the last."""
    if not lines[start].rstrip().endswith(("%", "%]")):
        return None
    said, before = _percent(lines[start])
    end = start + 1
    while end < len(lines):
        words, now = _percent(lines[end])
        if words != said or now < before:
            break
        end, before = end + 1, now
    if end - start < MANY:
        return None
    note = f"[{end - start - 2} more lines like the one above]"
    return [lines[start], note, lines[end - 1]], end - start


def _percent(line: str) -> tuple[str, float]:
    """What stands before a percentage, and that; -1 where there is none."""
    match = _PERCENT.search(line)
    return (line[: match.start()], float(match[1])) if match else (line, -1.0)


def _warned_once(lines: list[str]) -> list[str]:
    """A warning that comes up again and again between other lines stays where it was first."""
    counts = Counter(line for line in lines if _WARNING.search(line))
    often = {line for line, count in counts.items() if count >= MANY}
    if not often:
        return lines
    found: list[str] = []
    for line in lines:
        if line not in often:
            found.append(line)
        elif counts[line] > 0:
            found += [line, f"[the line above {counts[line] - 1} more times, here and below]"]
            counts[line] = 0
    return found
