"""Searching without ripgrep: a walk that honours .gitignore, and Python's regular expressions."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pathspec import PathSpec

from agentcli.lib.files import is_binary
from agentcli.tools.base import ToolError
from agentcli.tools.search import DEADLINE, Found

MAX_FILE = 20_000_000


def walk(top: Path) -> Iterator[Path]:
    """Files below `top` that git would not ignore, sorted by path; hidden ones left out."""
    yield from _walk(top, _above(top))


def _above(top: Path) -> list[tuple[Path, PathSpec[Any]]]:
    """The ignore files of the folders above, up to the repository's root."""
    rules: list[tuple[Path, PathSpec[Any]]] = []
    for folder in top.parents:
        if (top / ".git").exists():
            break
        found = _rules(folder)
        if found is not None:
            rules.append((folder, found))
        if (folder / ".git").exists():
            return rules
    return []


def _rules(folder: Path) -> PathSpec[Any] | None:
    try:
        lines = (folder / ".gitignore").read_text(errors="replace").splitlines()
    except OSError:
        return None
    return PathSpec.from_lines("gitignore", lines)


def _walk(folder: Path, rules: list[tuple[Path, PathSpec[Any]]]) -> Iterator[Path]:
    own = _rules(folder)
    here = [*rules, (folder, own)] if own is not None else rules
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        is_dir = entry.is_dir()
        if _ignored(path, is_dir, here):
            continue
        if is_dir:
            yield from _walk(path, here)
        else:
            yield path


def _ignored(path: Path, is_dir: bool, rules: list[tuple[Path, PathSpec[Any]]]) -> bool:
    """The nearest ignore file that says anything about a path decides."""
    for folder, spec in reversed(rules):
        name = path.relative_to(folder).as_posix() + ("/" if is_dir else "")
        decided = spec.check_file(name).include
        if decided is not None:
            return decided
    return False


def files(top: Path, pattern: str) -> Iterator[Path]:
    """Files whose path below `top` matches a glob, `**` and `{a,b}` and all."""
    wanted = matcher(pattern)
    for path in walk(top):
        if wanted(path.relative_to(top).as_posix()):
            yield path


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a path relative to the searched folder matches a glob."""
    return PathSpec.from_lines("gitignore", list(_alternatives(pattern))).match_file


def _alternatives(pattern: str) -> Iterator[str]:
    """`*.{a,b}` as `*.a` and `*.b`."""
    braces = re.search(r"\{([^{}]*,[^{}]*)\}", pattern)
    if not braces:
        yield pattern
        return
    for word in braces.group(1).split(","):
        yield from _alternatives(pattern[: braces.start()] + word + pattern[braces.end() :])


def grep(
    top: Path, only: Path | None, pattern: str, *, glob: str, fold: bool, around: int
) -> Found:
    """`path:line:text` of every match, neighbours as `path-line-text`, as rg prints them."""
    try:
        search = re.compile(pattern, re.IGNORECASE if fold else 0).search
    except re.error as error:
        raise ToolError(f"The pattern is no valid regular expression: {error}.") from None
    until = time.monotonic() + DEADLINE
    lines: list[str] = []
    paths = [only] if only else files(top, glob) if glob else walk(top)
    for path in paths:
        if time.monotonic() > until:
            return Found(tuple(lines), partial=True)
        try:
            if path.stat().st_size > MAX_FILE:
                continue
            data = path.read_bytes()
        except OSError:
            continue
        if not is_binary(data):
            text = data.decode("utf-8", "replace").split("\n")
            hits = [n for n, line in enumerate(text) if search(line.rstrip("\r"))]
            lines += _shown(path.relative_to(top).as_posix(), text, hits, around)
    return Found(tuple(lines))


def _shown(name: str, text: list[str], hits: list[int], around: int) -> Iterator[str]:
    matched = set(hits)
    wanted = sorted({n for hit in hits for n in range(hit - around, hit + around + 1)})
    last = None
    for number in wanted:
        if not 0 <= number < len(text) or (number == len(text) - 1 and not text[number]):
            continue
        if around and last is not None and number > last + 1:
            yield "--"
        sign = ":" if number in matched else "-"
        yield f"{name}{sign}{number + 1}{sign}{text[number].rstrip()}"
        last = number
