"""The ledger of all sessions: one row a request in SQLite, shared by processes, append only.

Money is in whole pico-dollars (10^-12 USD), in which every price per token is exact and which
SQLite sums as integers.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import cast

from agentcli.lib.value import value
from agentcli.llm.cost import Cost
from agentcli.llm.miss import Kind, Miss
from agentcli.llm.types import Usage
from agentcli.session.bills import (
    UNREADABLE,
    Bill,
    refuse_the_impossible,
    shape_from_json,
    tools_text,
)
from agentcli.session.ledger_lock import Holder, living

VERSION = 1
PATIENCE = 2.0
"""Seconds to wait for another process."""
USAGE = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning")
MONEY = ("input", "output", "cache_read", "cache_write", "total", "saved")
COLUMNS = (
    *("id", "at", "day", "session", "repo", "model", "provider", "role"),
    *USAGE,
    *(f"usd_{name}" for name in MONEY),
    *("basis", "counted", "expected_read", "tools", "system", "memory", "options"),
    *("messages", "count", "begins", "summary", "marks", "life", "miss", "reason", "lost"),
)
HOLDS = ("id", "pid", "day", "repo", "amount")
_TEXT = (
    *("id", "day", "session", "repo", "model", "provider", "role", "basis", "tools", "system"),
    *("memory", "options", "messages", "begins", "marks", "miss", "reason"),
)
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS requests (
  {", ".join(f"{name} {'TEXT' if name in _TEXT else 'NUMERIC'}" for name in COLUMNS)},
  PRIMARY KEY (id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_day ON requests (day, counted);
CREATE INDEX IF NOT EXISTS by_repo ON requests (repo, counted);
CREATE INDEX IF NOT EXISTS by_session ON requests (session, at);
CREATE TABLE IF NOT EXISTS holds (
  id TEXT PRIMARY KEY, pid INTEGER, day TEXT, repo TEXT, amount INTEGER) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""The last is what another table of the same name makes of our statements."""


class LedgerError(Exception):
    """The ledger can't be used now; the sentence says why."""


class LedgerBroken(LedgerError):
    """The file is no database any more."""


@value
class Taken:
    """What of a day's and a repository's money is spent, or promised by living processes."""

    day: Decimal
    repo: Decimal
    held_day: Decimal = Decimal(0)
    """Of that, what is only promised."""
    held_repo: Decimal = Decimal(0)


@contextmanager
def opened(path: Path) -> Generator[sqlite3.Connection]:
    """One transaction's worth of connection. Raises LedgerError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(_connected(path)) as base:
            _prepare(base, path)
            yield base
    except sqlite3.Error as error:
        broken = getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN
        raise (LedgerBroken if broken else LedgerError)(f"{path}: {error}") from None
    except OverflowError as error:
        raise LedgerError(f"{path}: {error}") from None
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}") from None


def _connected(path: Path) -> sqlite3.Connection:
    """A file in a folder that nobody may write can be read all the same, without its journal."""
    frozen = path.exists() and not os.access(path.parent, os.W_OK)
    name = f"{path.absolute().as_uri()}?immutable=1" if frozen else path
    return sqlite3.connect(name, timeout=PATIENCE, isolation_level=None, uri=frozen)


def _prepare(base: sqlite3.Connection, path: Path) -> None:
    (version,) = base.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise LedgerError(f"{path} was made by a newer agent")
    if version < VERSION:
        path.chmod(0o600)
        _patiently(base, "PRAGMA journal_mode = WAL")
        base.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
    base.execute("PRAGMA synchronous = NORMAL")
    for table, columns in (("requests", COLUMNS), ("holds", HOLDS)):
        found = base.execute(f"PRAGMA table_info({table})").fetchall()
        if tuple(row[1] for row in found) != columns:
            raise LedgerBroken(f"{path} has other columns than a ledger")


def _patiently(base: sqlite3.Connection, statement: str) -> None:
    """SQLite does not wait for another process by itself where the journal's mode is changed."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            base.execute(statement)
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def add(path: Path, bills: Iterable[Bill]) -> None:
    """Book bills; one that is there already is not booked twice. Raises LedgerError."""
    places = ", ".join("?" * len(COLUMNS))
    with opened(path) as base:
        base.execute("BEGIN IMMEDIATE")
        base.executemany(f"INSERT OR IGNORE INTO requests VALUES ({places})", map(_row, bills))
        base.execute("COMMIT")


def reserve(
    path: Path,
    hold: str,
    place: tuple[str, str],
    amount: Decimal,
    most: Taken,
    *,
    holder: Holder | None = None,
) -> Taken:
    """Promise `amount` at a (day, repo), unless that exceeds `most`; what others took before.

    A promise of the same name becomes this one. Two processes never promise the same money, and
    that of a killed one ends; the name of a hold begins with its holder's. Raises LedgerError.
    """
    day, repo = place
    with opened(path) as base:
        base.execute("BEGIN IMMEDIATE")
        if holder is not None:
            holder.begin()
        _forget_the_dead(base, holders_of(path))
        taken = _taken(base, place, hold)
        if taken.day + amount <= most.day and taken.repo + amount <= most.repo:
            row = (hold, os.getpid(), day, repo, pico(amount))
            base.execute("INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?, ?)", row)
        base.execute("COMMIT")
    return taken


def release(path: Path, hold: str) -> None:
    """Take a promise back: the bill is booked, or nothing was sent. Raises LedgerError."""
    with opened(path) as base:
        base.execute("DELETE FROM holds WHERE id = ?", (hold,))


def holders_of(path: Path) -> Path:
    """Where the processes that hold promises say that they live."""
    return path.with_name("holders")


def _taken(base: sqlite3.Connection, place: tuple[str, str], hold: str) -> Taken:
    def total(column: str, key: str) -> tuple[Decimal, Decimal]:
        spent, held = base.execute(
            f"SELECT (SELECT IFNULL(SUM(counted), 0) FROM requests WHERE {column} = ?1),"
            f" (SELECT IFNULL(SUM(amount), 0) FROM holds WHERE {column} = ?1 AND id <> ?2)",
            (key, hold),
        ).fetchone()
        return dollars(spent + held), dollars(held)

    (day, held_day), (repo, held_repo) = total("day", place[0]), total("repo", place[1])
    return Taken(day, repo, held_day, held_repo)


def _forget_the_dead(base: sqlite3.Connection, holders: Path) -> None:
    """A process that was killed keeps none of its promises."""
    alive = living(holders)
    for (hold,) in base.execute("SELECT id FROM holds").fetchall():
        if hold.partition(".")[0] not in alive:
            base.execute("DELETE FROM holds WHERE id = ?", (hold,))


def of_session(path: Path, beginning: str = "", repo: str = "") -> list[Bill]:
    """The bills of the newest session whose id begins so, oldest first. Raises LedgerError."""
    with opened(path) as base:
        newest = base.execute(
            "SELECT session FROM requests WHERE substr(session, 1, ?1) = ?2 AND ?3 IN ('', repo)"
            " ORDER BY at DESC LIMIT 1",
            (len(beginning), beginning, repo),
        ).fetchone()
        if newest is None:
            return []
        rows = base.execute("SELECT * FROM requests WHERE session = ? ORDER BY at", newest)
        return [_bill(dict(zip(COLUMNS, row, strict=True))) for row in rows]


def legible(path: Path) -> Iterator[Bill]:
    """As many bills of a damaged ledger as can be read."""
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as base:
            for row in base.execute("SELECT * FROM requests"):
                with suppress(*UNREADABLE):
                    bill = _bill(dict(zip(COLUMNS, row, strict=True)))
                    refuse_the_impossible(bill)
                    yield bill
    except sqlite3.Error:
        return


def day_of(at: float) -> str:
    """The person's day."""
    return time.strftime("%Y-%m-%d", time.localtime(at))


def pico(amount: Decimal | None) -> int | None:
    return None if amount is None else int((amount * 10**12).to_integral_value())


def dollars(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-12)


def _row(bill: Bill) -> list[str | int | float | None]:
    shape, miss, cost = bill.shape, bill.miss, bill.cost
    return [
        *(bill.id, bill.at, day_of(bill.at), bill.session, bill.repo),
        *(bill.model, bill.provider, bill.role),
        *(getattr(bill.usage, name, None) for name in USAGE),
        *(pico(getattr(cost, name, None)) for name in MONEY),
        *(bill.basis, pico(bill.counted), bill.expected_read, tools_text(shape)),
        *(shape.system, shape.memory, shape.options, shape.messages, shape.count),
        *(shape.begins, int(bool(shape.summary)), bill.marks, bill.life),
        *((miss.kind, miss.text, miss.lost) if miss else (None, None, 0)),
    ]


def _bill(row: dict[str, str | int | float | None]) -> Bill:
    known: dict[str, object] = dict(row)
    shape = {name: known[name] for name in ("tools", "system", "memory", "options", "messages")}
    shape |= {"count": row["count"], "begins": row["begins"], "summary": bool(row["summary"])}
    usage = {name: int(row[name] or 0) for name in USAGE}
    money = {name: dollars(int(row[f"usd_{name}"] or 0)) for name in MONEY}
    text = {name: str(row[name] or "") for name in _TEXT}
    unknown = text["basis"] == "unknown"
    kind = cast("Kind", row["miss"])
    return Bill(
        id=text["id"],
        at=float(row["at"] or 0),
        session=text["session"],
        repo=text["repo"],
        model=text["model"],
        provider=text["provider"],
        role=text["role"],
        usage=None if row["input"] is None else Usage(**usage),
        cost=None if unknown else Cost(**money, exact=text["basis"] == "exact"),
        guess=dollars(int(row["counted"] or 0)) if unknown else None,
        expected_read=int(row["expected_read"] or 0),
        shape=shape_from_json(shape, text["model"]),
        marks=text["marks"],
        life=None if row["life"] is None else int(row["life"]),
        miss=Miss(kind, text["reason"], int(row["lost"] or 0)) if kind else None,
    )
