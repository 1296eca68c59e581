"""Makes the ledger from what the session files say: anew when it is broken, or to fill gaps."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from agentcli.llm.types import JsonObject
from agentcli.session import ledger_db as db
from agentcli.session.bills import UNREADABLE, Bill, bill_from_json
from agentcli.session.entries import Entry, from_line
from agentcli.session.ledger_lock import locked

OVERLAP = 60
"""Seconds by which clocks of file systems may differ."""


def rebuild(path: Path, sessions: Path) -> int:
    """Book every bill of every session that is not booked yet; how many there are in them all.

    Raises LedgerError.
    """
    count = 0
    for file in sorted(sessions.glob("*/*.jsonl")):
        bills = list(bills_of(file))
        count += len(bills)
        if bills:
            db.add(path, bills)
    return count


def catch_up(path: Path, sessions: Path) -> None:
    """Book what processes that were killed, or could not write the ledger, left in their sessions.

    Only files that changed since the last time are read. Raises LedgerError.
    """
    stamp = path.with_suffix(".caught-up")
    begun = time.time()
    with suppress(OSError):
        since = stamp.stat().st_mtime - OVERLAP if stamp.exists() else 0.0
        since = since if since < begun else 0.0  # the clock was wrong then, or is now
        for file in sessions.glob("*/*.jsonl"):
            if file.stat().st_mtime >= since:
                db.add(path, bills_of(file))
        stamp.touch(mode=0o600)
        os.utime(stamp, (begun, begun))


def renew(path: Path, sessions: Path) -> str:
    """Move a broken ledger aside and make it anew; says so, unless another process just did."""
    with locked(path.with_suffix(".lock")):
        if not _is_broken(path):
            return ""
        aside = path.with_name(f"{path.name}.broken-{time.strftime('%Y%m%d-%H%M%S')}")
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.replace(path.with_name(path.name + suffix), f"{aside}{suffix}")
        count = rebuild(path, sessions) + _salvage(path, aside, sessions)
    return (
        f"The ledger was damaged. It was moved to {aside} and made anew from the sessions "
        f"({count} requests)."
    )


def _salvage(path: Path, aside: Path, sessions: Path) -> int:
    """Book what a damaged ledger still tells of sessions that have no file; how much that is."""
    kept = {file.stem for file in sessions.glob("*/*.jsonl")}
    found = [bill for bill in db.legible(aside) if bill.session not in kept]
    if found:
        db.add(path, found)
    return len(found)


def _is_broken(path: Path) -> bool:
    try:
        with db.opened(path) as base:
            (answer,) = base.execute("PRAGMA quick_check(1)").fetchone()
            return answer != "ok"
    except db.LedgerBroken:
        return True


def bills_of(file: Path) -> Iterator[Bill]:
    """The bills of one session file, as far as it can be read."""
    known: JsonObject = {"session": file.stem, "repo": ""}
    try:
        with file.open("rb") as lines:
            for line in lines:
                entry = _entry(line)
                if entry is not None and entry.kind == "header":
                    known |= {"session": entry.data.get("session", file.stem)}
                    known |= {"repo": entry.data.get("cwd", "")}
                elif entry is not None and entry.kind == "spent":
                    yield from _bill(entry, known)
    except OSError:
        return


def _entry(line: bytes) -> Entry | None:
    if b'"spent"' not in line and b'"header"' not in line:
        return None
    try:
        return from_line(line)
    except (ValueError, KeyError, TypeError):
        return None


def _bill(entry: Entry, known: JsonObject) -> Iterator[Bill]:
    """Bills of before there were ids take that of their line."""
    own: JsonObject = {"id": f"{known['session']}/{entry.id}", "at": entry.at}
    try:
        yield bill_from_json(entry.data, known | own)
    except UNREADABLE:
        return
