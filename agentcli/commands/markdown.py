"""Custom prompts: `*.md` files with frontmatter that become slash commands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from agentcli.commands.registry import Command, Outcome, Prompt, Session
from agentcli.lib.frontmatter import frontmatter

_PLACE = re.compile(r"\$(ARGUMENTS(?!\w)|[1-9](?!\d))")
_NAME = re.compile(r"[\w][\w.:-]*")
MAX_BYTES = 100_000


def load(folders: Iterable[Path]) -> tuple[tuple[Command, ...], tuple[str, ...]]:
    """Commands of the `*.md` files below `folders`, and a notice for each that is unusable.

    `git/commit.md` is `/git:commit`. The caller decides which folders are trusted. Earlier
    folders win.
    """
    commands: dict[str, Command] = {}
    notices: list[str] = []
    for folder in folders:
        for path in sorted(folder.rglob("*.md")):
            name = ":".join(path.relative_to(folder).with_suffix("").parts)
            if name in commands:
                continue
            try:
                commands[name] = _read(path, name)
            except (OSError, ValueError) as error:
                notices.append(f"{path} is no usable command: {error}.")
    return tuple(commands.values()), tuple(notices)


def _read(path: Path, name: str) -> Command:
    if not _NAME.fullmatch(name):
        raise ValueError("its name holds characters that cannot be typed after a slash")
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    fields, body = frontmatter(path.read_text(encoding="utf-8-sig"))
    if not body.strip():
        raise ValueError("it is empty")
    first = next(line for line in body.splitlines() if line.strip())
    summary = fields.get("description") or first.strip().lstrip("# ")[:80]

    async def run(session: Session, arguments: str) -> Outcome:
        return Prompt(expand(body, arguments))

    return Command(name, summary, run, fields.get("argument-hint", ""))


def expand(body: str, arguments: str) -> str:
    """`$ARGUMENTS` is all that was typed, `$1` to `$9` are its words; a quoted one may hold spaces.

    Arguments a body does not ask for are added below it, so that nothing typed is lost.
    """
    parts = words(arguments)

    def filled(match: re.Match[str]) -> str:
        key = match[1]
        if key == "ARGUMENTS":
            return arguments
        return parts[int(key) - 1] if int(key) <= len(parts) else ""

    text, count = _PLACE.subn(filled, body)
    if arguments and not count:
        return f"{body.rstrip()}\n\n{arguments}"
    return text.rstrip()


def words(arguments: str) -> list[str]:
    """Split at spaces; an odd quote is an ordinary character."""
    import shlex

    try:
        return shlex.split(arguments)
    except ValueError:
        return arguments.split()
