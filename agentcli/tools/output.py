"""What a program printed, as a model should see it: plain, folded, cut to size."""

from __future__ import annotations

import re

from agentcli.lib.text import cut, without_ansi

LIMIT = 30_000
"""Characters of one result that a model sees."""
FOLD = 4
"""Equal lines in a row that are folded into one."""
_BLANKS = re.compile(r"\n{4,}")


def tidy(text: str, *, where: str = "", limit: int = LIMIT) -> str:
    """No terminal codes, progress bars in their last state, repeats folded, head and tail."""
    text = without_ansi(text).replace("\r\n", "\n")
    if "\r" in text or "\b" in text:
        text = "\n".join(_last_state(line) for line in text.split("\n"))
    text = _BLANKS.sub("\n\n\n", _folded(text))
    text = "".join(c for c in text if c >= " " or c in "\n\t") if _has_controls(text) else text
    return cut(text, limit, where=where)


def _has_controls(text: str) -> bool:
    return not text.isprintable() and any(c < " " and c not in "\n\t" for c in text)


def _last_state(line: str) -> str:
    """What a terminal would show of a line drawn over itself."""
    states = [part for part in line.split("\r") if part]
    return states[-1] if states else ""


def _folded(text: str) -> str:
    lines = text.split("\n")
    found: list[str] = []
    index = 0
    while index < len(lines):
        end = index
        while end < len(lines) and lines[end] == lines[index]:
            end += 1
        count = end - index
        if count >= FOLD and lines[index].strip():
            found += [lines[index], f"[the line above {count - 1} more times]"]
        else:
            found += lines[index:end]
        index = end
    return "\n".join(found)
