"""Completion of slash commands and of files named with @; files are listed in a thread."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from agentcli.commands.registry import Registry
from agentcli.lib.text import visible

MAX_FILES = 200_000
MAX_WALKED = 20_000
MAX_SHOWN = 50
KEEP_SECONDS = 10.0
SKIPPED = {"node_modules", "__pycache__", "venv", "target", "dist", "build"}
GIT = ("git", "-c", "core.fsmonitor=false", "-c", "safe.bareRepository=explicit")
_MENTION = re.compile(r'(?<!\S)@("?)([^\s"]*)$')


class InputCompleter(Completer):
    """What may follow: a command name at the start, a file after @."""

    def __init__(self, registry: Registry, files: Callable[[], tuple[str, ...]]) -> None:
        self._registry = registry
        self._files = files

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        before = document.text_before_cursor
        if before.startswith("/") and " " not in before and "\n" not in before:
            yield from self._commands(before[1:])
        elif mention := _MENTION.search(before):
            size = len(mention[0])
            for path in matching(mention[2], self._files()):
                name = f'@"{path}"' if " " in path else f"@{path}"
                yield Completion(name, start_position=-size, display=path)

    def _commands(self, typed: str) -> Iterable[Completion]:
        for command in self._registry.commands:
            names = (command.name, *command.aliases)
            if any(name.startswith(typed) for name in names):
                yield Completion(
                    f"/{command.name}",
                    start_position=-len(typed) - 1,
                    display_meta=visible(command.summary),
                )


def matching(typed: str, paths: Iterable[str]) -> list[str]:
    """Paths holding the typed letters in order, best first: name begins, name holds, path holds."""
    if not typed:
        return [path for path, _ in zip(paths, range(MAX_SHOWN), strict=False)]
    wanted = typed.lower()
    letters = re.compile(".*?".join(map(re.escape, wanted)))
    ranked: list[tuple[int, int, str]] = []
    for path in paths:
        lower = path.lower()
        if letters.search(lower):
            ranked.append((_rank(wanted, lower), len(path), path))
    ranked.sort()
    return [path for _, _, path in ranked[:MAX_SHOWN]]


def _rank(wanted: str, path: str) -> int:
    name = path.rstrip("/").rpartition("/")[2]
    if path.startswith(wanted) or name.startswith(wanted):
        return 0
    if wanted in name:
        return 1
    return 2 if wanted in path else 3


class Files:
    """The files of a project, listed again when the list is old. Called from a thread."""

    def __init__(self, root: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._root = root
        self._clock = clock
        self._found: tuple[str, ...] = ()
        self._until = float("-inf")

    def __call__(self) -> tuple[str, ...]:
        if self._clock() >= self._until:
            found = listed_by_git(self._root)
            self._found = tuple(walked(self._root)) if found is None else found
            self._until = self._clock() + KEEP_SECONDS
        return self._found


def listed_by_git(root: Path) -> tuple[str, ...] | None:
    """Tracked and new files without the ignored ones; None outside a repository."""
    command = [*GIT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(
            command, cwd=root, capture_output=True, timeout=10, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    names = done.stdout.decode("utf-8", "replace").split("\0")[:MAX_FILES]
    return tuple(sorted({name for name in names if name and typable(name)}))


def walked(root: Path) -> list[str]:
    """Files found by walking, hidden and generated folders left out."""
    found: list[str] = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith("."))
        prefix = os.path.relpath(folder, root)
        base = "" if prefix == "." else prefix + "/"
        found += [base + name for name in sorted(files) if typable(base + name)]
        if len(found) >= MAX_WALKED:
            break
    return found[:MAX_WALKED]


def typable(name: str) -> bool:
    """Whether a name can be shown and typed as it is."""
    return visible(name) == name and not set(name) & {'"', "\n", "\t"}
