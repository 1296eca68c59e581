"""Session files: append-only JSON Lines, one a session, locked while in use, private."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from agentcli.lib.errors import UserError
from agentcli.lib.value import value
from agentcli.llm.types import JsonObject, Message, UserMessage
from agentcli.session.codec import message_from_json, message_to_json
from agentcli.session.entries import VERSION, Entry, Kind, from_line, to_line
from agentcli.session.todos import todo_list
from agentcli.tools.base import TodoItem


def new_id(now: float) -> str:
    """Sorts by time and can be read aloud."""
    return time.strftime("%Y%m%d-%H%M%S-", time.gmtime(now)) + secrets.token_hex(3)


@value
class SessionInfo:
    id: str
    path: Path
    modified: float
    title: str
    """What it was called, else the first words the person said."""
    messages: int


@value
class Saved:
    """A session as read back: the epoch's frozen prefix and everything said in it."""

    id: str
    path: Path
    model: str
    system: tuple[str, ...]
    messages: tuple[Message, ...]
    bills: tuple[JsonObject, ...]
    pins: tuple[str, ...]
    """Notes that the person pinned."""
    key: str
    """What its requests are routed by at some providers."""
    todos: tuple[TodoItem, ...]
    agents: dict[str, str] | None
    """The subagents that the model was told of; None in sessions from before there were any."""
    title: str
    remote: tuple[JsonObject, ...]
    """The MCP tools it was going on with."""
    damaged: int
    """Lines that could not be read; they are left in the file and skipped."""


class SessionFile:
    """The session being written. Created on the first entry, so that empty ones leave no file."""

    def __init__(
        self, path: Path, session_id: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = path
        self.id = session_id
        self._clock = clock
        self._file: IO[bytes] | None = None
        self._count = 0
        self._parent = ""
        self._waiting = b""
        """What the disk would not take yet."""
        self._problem = ""
        self._told = False

    def open_existing(self, last: str, count: int) -> None:
        """Go on writing a session that was read; raises UserError when another process has it."""
        self._parent = last
        self._count = count
        self._write(durable=False)

    def append(self, kind: Kind, data: JsonObject, *, durable: bool = False) -> None:
        """Write one entry and hand it to the system; `durable` waits for the disk.

        Where the disk is full or may not be written, the entry waits for the next, and the
        conversation goes on (`take_problem`). Raises UserError when another process has the file.
        """
        self._count += 1
        entry = Entry(f"{self._count}", self._parent, self._clock(), kind, data)
        self._parent = entry.id
        self._waiting += to_line(entry)
        self._write(durable=durable)

    def _write(self, *, durable: bool) -> None:
        try:
            file = self._file or self._open()
            while self._waiting:
                self._waiting = self._waiting[file.write(self._waiting) or 0 :]
            if durable:
                os.fsync(file.fileno())
        except OSError as error:
            if not self._told:
                self._told = True
                self._problem = (
                    f"Session {self.id} can't be kept ({self.path}: {error.strerror}). The "
                    "conversation goes on; it is lost when it ends, unless the disk is writable "
                    "by then."
                )

    def take_problem(self) -> str:
        """What a person should know about the file, once."""
        problem, self._problem = self._problem, ""
        return problem

    def message(self, message: Message) -> None:
        """Keep a message. What the person typed is on disk with the reply to it, not before it,
        so that the first request does not wait for the disk."""
        said = isinstance(message, UserMessage) and message.origin == "human"
        self.append("message", message_to_json(message), durable=not said)

    def close(self) -> None:
        if self._waiting:
            self._write(durable=True)
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> IO[bytes]:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        file = os.fdopen(descriptor, "r+b", buffering=0)
        if not _lock(file):
            file.close()
            raise UserError(
                f"Session {self.id} is open in another terminal; "
                f"use --fork-session to go on from a copy."
            )
        _end_line(file)
        self._file = file
        return file


def _lock(file: IO[bytes]) -> bool:
    """An exclusive lock that the system drops with the process."""
    try:
        import fcntl  # absent on Windows, where sessions are not locked
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _end_line(file: IO[bytes]) -> None:
    """A line cut by a crash is ended, so that the next entry starts its own."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return
    file.seek(size - 1)
    if file.read(1) != b"\n":
        file.write(b"\n")


def folder(data_dir: Path, root: Path) -> Path:
    """Where the sessions of one project are kept."""
    slug = str(root).strip("/").replace("/", "-")[-80:] or "root"
    return data_dir / "sessions" / slug


def read(path: Path) -> tuple[Saved, str, int]:
    """Read a session back: what was saved, the last entry's id, and how many there are.

    Raises UserError when the file cannot be read or holds no session.
    """
    entries, damaged = entries_of(path)
    header = next((entry for entry in entries if entry.kind == "header"), None)
    if header is None:
        raise UserError(f"{path} is not a session file, or its first line is damaged.")
    epoch = max((n for n, e in enumerate(entries) if e.kind == "epoch"), default=0)
    data = entries[epoch].data
    messages = [message_from_json(item) for item in data.get("messages", ())]
    messages += [message_from_json(e.data) for e in entries[epoch:] if e.kind == "message"]
    saved = Saved(
        id=header.data["session"],
        path=path,
        model=data.get("model", ""),
        system=tuple(data.get("system", ())),
        messages=tuple(messages),
        bills=tuple(entry.data for entry in entries if entry.kind == "spent"),
        pins=_pins(entries),
        todos=todo_list(reversed(entries)),
        agents=data.get("agents"),
        title=_title(entries),
        remote=tuple(data.get("remote", ())),
        key=header.data.get("key") or header.data["session"],
        damaged=damaged,
    )
    return saved, entries[-1].id, len(entries)


def _pins(entries: list[Entry]) -> tuple[str, ...]:
    """As last written: each entry holds all of them."""
    newest = next((entry for entry in reversed(entries) if entry.kind == "pins"), None)
    return tuple(newest.data.get("notes", ())) if newest else ()


def _title(entries: list[Entry]) -> str:
    newest = next((entry for entry in reversed(entries) if entry.kind == "title"), None)
    return str(newest.data.get("title", "")) if newest else ""


def entries_of(path: Path) -> tuple[list[Entry], int]:
    """What can be read of a session file, and how many lines can't; raises UserError."""
    try:
        lines = path.read_bytes().splitlines() if path.exists() else []
    except OSError as error:
        raise UserError(f"Cannot read session {path}: {error.strerror}.") from None
    entries: list[Entry] = []
    damaged = 0
    for line in lines:
        try:
            entry = from_line(line)
            if entry.kind == "message":
                message_from_json(entry.data)
        except (ValueError, KeyError, TypeError, AttributeError):
            damaged += 1
            continue
        entries.append(entry)
    return entries, damaged


def header(session_id: str, root: Path, version: str, *, key: str = "") -> JsonObject:
    """The first line; `key` is that of the session this one was forked from."""
    data = {"version": VERSION, "session": session_id, "cwd": str(root), "agent": version}
    return data | {"key": key} if key not in ("", session_id) else data


def listing(sessions: Path, limit: int = 20) -> tuple[SessionInfo, ...]:
    """The newest sessions of one project, newest first."""
    paths = sorted(sessions.glob("*.jsonl"), key=lambda path: path.stat().st_mtime, reverse=True)
    found = (_info(path) for path in paths[:limit])
    return tuple(info for info in found if info is not None)


def _info(path: Path) -> SessionInfo | None:
    title, words, count = "", "", 0
    try:
        for line in _lines(path):
            if b'"kind":"title"' in line and (entry := from_line(line)).kind == "title":
                title = str(entry.data.get("title", ""))
            if b'"kind":"message"' not in line:
                continue
            count += 1
            if not words and b'"origin":"human"' in line:
                words = _first_words(from_line(line))
    except (OSError, ValueError, KeyError):
        return None
    return SessionInfo(path.stem, path, path.stat().st_mtime, title or words, count)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _first_words(entry: Entry) -> str:
    message = message_from_json(entry.data)
    text = " ".join(getattr(block, "text", "") for block in message.content)
    return " ".join(text.split())[:80]
