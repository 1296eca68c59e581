"""Finding the lines an edit means, and changing nothing else. Pure: text in, text out."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import TypeVar

from agentcli.lib.value import value
from agentcli.tools.base import ToolError

_TYPOGRAPHY = str.maketrans(
    "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u2010\u2011\u2012\u2013\u2014\u2212\u00a0\u2003",
    "''''\"\"\"------  ",
)
_PLACEHOLDER = re.compile(
    r"^\s*(//|#|/\*|--|<!--|%|;)?\s*(\.\.\.|…)\s*$"
    r"|(//|#|/\*|--|<!--|\.\.\.|…).{0,20}\b(rest of|remaining|existing|unchanged|previous|other)\b"
    r".{0,30}\b(code|method|function|content|implementation|file|logic|class|lines?|stays?|here"
    r"|as before|unchanged)s?\b",
    re.IGNORECASE,
)
NEAREST_LINES = 7
T = TypeVar("T")


@value
class Change:
    """The new text of a file, and what a model should know about how it came about."""

    text: str
    notes: tuple[str, ...] = ()
    count: int = 1


def replace(text: str, old: str, new: str, *, every: bool = False) -> Change:
    """Put `new` where `old` stands. Raises ToolError when that place is missing or not unique.

    `text` keeps its line ends; `old` and `new` may use any.
    """
    old, new = old.replace("\r\n", "\n"), new.replace("\r\n", "\n")
    if not old:
        raise ToolError("`old` is empty. Give the text to replace, or use Write for a whole file.")
    if old == new:
        raise ToolError("`old` and `new` are the same; there is nothing to change.")
    _refuse_placeholder(old, new)
    plain = _Plain(text)
    for find in (_exact, _unescaped, _at_end_of_file):
        found = find(plain.text, old, new)
        if found:
            return _substitute(plain, found, every=every)
    return _by_lines(plain, old, new)


class _Plain:
    """A text with LF line ends, and the way back to the original's positions."""

    def __init__(self, original: str) -> None:
        self.original = original
        self.text = original.replace("\r\n", "\n")
        self._shifted: list[int] = []
        start = original.find("\r\n")
        while start >= 0:
            self._shifted.append(start - len(self._shifted))
            start = original.find("\r\n", start + 2)

    def back(self, position: int) -> int:
        """The original's position of a plain one: before a CR LF, not between its two."""
        return position + bisect_right(self._shifted, position - 1)

    def newline_at(self, position: int) -> str:
        start = self.back(position)
        return "\r\n" if self.original.startswith("\r\n", start) else "\n"


@value
class _Found:
    """Plain spans and what replaces each."""

    spans: tuple[tuple[int, int], ...]
    new: str
    notes: tuple[str, ...] = ()


def _exact(text: str, old: str, new: str, *notes: str) -> _Found | None:
    spans = tuple(_occurrences(text, old))
    return _Found(spans, new, notes) if spans else None


def _unescaped(text: str, old: str, new: str) -> _Found | None:
    """A model that escaped its newlines once too often: both sides are unescaped, or neither."""
    if "\\n" not in old or "\n" in old:
        return None
    plain_old, plain_new = _unescape(old), _unescape(new)
    return _exact(text, plain_old, plain_new, "`old` and `new` were over-escaped; both unescaped.")


def _unescape(text: str) -> str:
    table = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
    return re.sub(r'\\([nt"\\])', lambda match: table[match.group(1)], text)


def _at_end_of_file(text: str, old: str, new: str) -> _Found | None:
    """The file lacks the final newline that `old` has: it goes on lacking it."""
    if text.endswith("\n") or not old.endswith("\n") or not text.endswith(old[:-1]):
        return None
    start = len(text) - len(old) + 1
    return _Found(((start, len(text)),), new.removesuffix("\n"))


def _occurrences(text: str, old: str) -> Iterator[tuple[int, int]]:
    start = text.find(old)
    while start >= 0:
        yield start, start + len(old)
        start = text.find(old, start + len(old))


def _substitute(plain: _Plain, found: _Found, *, every: bool) -> Change:
    spans = found.spans
    if len(spans) > 1 and not every:
        lines = [plain.text.count("\n", 0, start) + 1 for start, _ in spans]
        raise ToolError(
            f"`old` occurs {len(spans)} times, at lines {', '.join(map(str, lines[:20]))}. "
            "Add neighbouring lines to say which one, or set all."
        )
    pieces: list[str] = []
    done = 0
    for start, end in spans:
        first, last, new = _narrowed(plain.text[start:end], found.new)
        start, end = start + first, end - last
        pieces += [plain.original[done : plain.back(start)], _with_ends(plain, start, end, new)]
        done = plain.back(end)
    pieces.append(plain.original[done:])
    return Change("".join(pieces), found.notes, len(spans))


def _narrowed(old: str, new: str) -> tuple[int, int, str]:
    """Whole lines that both sides share at either end are not touched: (head, tail, middle)."""
    a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    kept = sum(map(len, a[:head])), sum(map(len, a[len(a) - tail :]))
    return *kept, "".join(b[head : len(b) - tail])


def _with_ends(plain: _Plain, start: int, end: int, new: str) -> str:
    """`new` with the line ends of the lines it replaces; more lines end as the last of them."""
    positions = [n for n in range(start, end) if plain.text[n] == "\n"]
    ends = [plain.newline_at(n) for n in positions]
    if not ends:
        before = plain.text.rfind("\n", 0, start)
        after = plain.text.find("\n", end)
        near = before if before >= 0 else after
        ends = [plain.newline_at(near) if near >= 0 else "\n"]
    lines = new.split("\n")
    parts = [line + ends[min(n, len(ends) - 1)] for n, line in enumerate(lines[:-1])]
    return "".join(parts) + lines[-1]


def _by_lines(plain: _Plain, old: str, new: str) -> Change:
    """Lines that mean the same: trailing space, typography, or one indentation apart."""
    lines = plain.text.split("\n")
    wanted = old.removesuffix("\n").split("\n")
    ways: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("trailing space aside", str.rstrip),
        ("typographic signs aside", lambda line: line.translate(_TYPOGRAPHY).rstrip()),
    )
    for how, key in ways:
        starts = _line_matches(lines, wanted, key)
        if starts:
            start = _only([(n, n) for n in starts])
            return _splice(plain, lines, start, wanted, _new_lines(new), f"matched {how}")
    shifted = _indented(lines, wanted)
    if shifted:
        start, shift = _only([(n, (n, shift)) for n, shift in shifted])
        moved = [shift(line) for line in _new_lines(new)]
        same = [shift(line) for line in wanted]
        return _splice(plain, lines, start, same, moved, "matched at another indentation; adapted")
    raise ToolError(_not_found(lines, wanted))


def _new_lines(new: str) -> list[str]:
    return new.removesuffix("\n").split("\n") if new else []


def _line_matches(lines: list[str], wanted: list[str], key: Callable[[str], str]) -> list[int]:
    keys, target = [key(line) for line in lines], [key(line) for line in wanted]
    if not any(target):
        return []
    size = len(target)
    return [n for n in range(len(keys) - size + 1) if keys[n : n + size] == target]


def _indented(lines: list[str], wanted: list[str]) -> list[tuple[int, Callable[[str], str]]]:
    """Where all lines match but for one constant change of indentation."""
    size = len(wanted)
    bare = [line.strip() for line in wanted]
    if not any(bare):
        return []
    found: list[tuple[int, Callable[[str], str]]] = []
    for start in range(len(lines) - size + 1):
        window = lines[start : start + size]
        if [line.strip() for line in window] == bare:
            shift = _shift(wanted, window)
            if shift is not None:
                found.append((start, shift))
    return found


def _shift(wanted: list[str], window: list[str]) -> Callable[[str], str] | None:
    """The function that turns the model's indentation into the file's, if one fits all lines."""
    pairs = [(_indent(a), _indent(b)) for a, b in zip(wanted, window, strict=True) if a.strip()]
    mine = "".join(a for a, _ in pairs)
    theirs = "".join(b for _, b in pairs)
    unit = _unit(theirs) if "\t" in mine and "\t" not in theirs else ""
    pairs = [(a.replace("\t", unit) if unit else a, b) for a, b in pairs]
    if "\t" not in mine and "\t" in theirs:
        return None
    least = min((a for a, _ in pairs), key=len)
    target = next(b for a, b in pairs if a == least)

    def shift(line: str) -> str:
        indent = _indent(line)
        body = line[len(indent) :]
        indent = indent.replace("\t", unit) if unit else indent
        if not body:
            return ""
        return target + indent.removeprefix(least) + body if indent.startswith(least) else line

    fits = all(a.startswith(least) and b == target + a[len(least) :] for a, b in pairs)
    return shift if fits else None


def _unit(indents: str) -> str:
    return "  " if len(indents) % 4 else "    "


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _only(found: list[tuple[int, T]]) -> T:
    """The one match; ToolError with the lines of all when there are several."""
    if len(found) > 1:
        numbers = ", ".join(str(start + 1) for start, _ in found[:20])
        raise ToolError(
            f"`old` matches in several places, beginning at lines {numbers}. "
            "Copy the lines exactly, with more of their neighbours."
        )
    return found[0][1]


def _splice(
    plain: _Plain, lines: list[str], start: int, old: list[str], new: list[str], note: str
) -> Change:
    """Lines that `new` leaves as `old` had them stay as the file has them."""
    from difflib import SequenceMatcher

    offsets = _offsets(lines)
    pieces: list[str] = []
    done = 0
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            continue
        first, last = offsets[start + i1], offsets[start + i2]
        last = min(last, len(plain.text))
        text = "".join(line + "\n" for line in new[j1:j2])
        if last == len(plain.text) and not plain.text.endswith("\n"):
            text = text.removesuffix("\n")
        pieces += [plain.original[done : plain.back(first)], _with_ends(plain, first, last, text)]
        done = plain.back(last)
    pieces.append(plain.original[done:])
    return Change("".join(pieces), (note + ".",))


def _offsets(lines: list[str]) -> list[int]:
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line) + 1)
    return offsets


def _refuse_placeholder(old: str, new: str) -> None:
    known = set(old.split("\n"))
    for line in new.split("\n"):
        if line not in known and _PLACEHOLDER.search(line):
            raise ToolError(
                f"`new` stands in for code with {line.strip()!r}, which would delete that code. "
                "Write everything out, or edit a smaller part."
            )


def _not_found(lines: list[str], wanted: list[str]) -> str:
    """What the file has where `old` most likely meant."""
    if any(line.strip() in ("...", "…", "# ...", "// ...") for line in wanted):
        return "`old` leaves lines out with `...`. Give the lines in full, or make two edits."
    near = _nearest(lines, wanted)
    if near is None:
        return "`old` is not in the file. Read it again; nothing there is similar."
    size = min(max(len(wanted), 1), NEAREST_LINES)
    rows = enumerate(lines[near : near + size], near + 1)
    shown = "\n".join(f"{number:6}\t{line}" for number, line in rows)
    return f"`old` is not in the file. The nearest lines are:\n{shown}\nCopy them exactly."


def _nearest(lines: list[str], wanted: list[str]) -> int | None:
    from difflib import SequenceMatcher

    target = max(wanted, key=lambda line: len(line.strip()))
    offset = wanted.index(target)
    matcher = SequenceMatcher(None, "", target.strip(), autojunk=False)
    best, where = 0.6, None
    for number, line in enumerate(lines[:20_000]):
        matcher.set_seq1(line.strip())
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best:
            ratio = matcher.ratio()
            if ratio > best:
                best, where = ratio, max(0, number - offset)
    return where
