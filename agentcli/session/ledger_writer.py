"""Books bills beside the conversation, which never waits for the ledger nor fails with it."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

from agentcli.session.bills import Bill

Item = tuple[Bill | None, str]
"""A bill, if there is one, and the promise of money that ends with it."""


class LedgerWriter:
    """One thread, begun with the first bill. `close` waits until what came is written."""

    def __init__(self, path: Path, sessions: Path, *, kept: bool = True) -> None:
        self._path = path
        self._kept = kept
        """Whether a session file has the bills too."""
        self._sessions = sessions
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._problem = ""
        self._told = False

    def book(self, bill: Bill | None, hold: str = "") -> None:
        """Write a bill soon, and then take back the promise that was made for it."""
        self._queue.put((bill, hold))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
            self._thread.start()

    def take_problem(self) -> str:
        """What a person should know about the ledger, once."""
        problem, self._problem = self._problem, ""
        return problem

    def close(self) -> None:
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        pending: list[Item] = []
        while True:
            first = self._queue.get()
            if first is not None:
                pending.append(first)
            if self._write(pending):
                pending.clear()
            if first is None:
                return

    def _write(self, items: list[Item]) -> bool:
        """Whether it worked; else the bills wait for the next."""
        if not items:
            return True
        from agentcli.session import ledger_db as db  # door: sqlite3
        from agentcli.session.ledger_rebuild import renew

        bills = [bill for bill, _ in items if bill is not None]
        try:
            try:
                db.add(self._path, bills)
            except db.LedgerBroken:
                self._tell(renew(self._path, self._sessions))
                db.add(self._path, bills)
            for _, hold in items:
                if hold:
                    db.release(self._path, hold)
        except (db.LedgerError, OSError) as error:
            rest = "The session keeps its bills; `agent cost` books them later."
            if not self._kept:
                rest = "Nothing else keeps what this session costs."
            self._tell(f"The ledger can't be written ({error}). {rest}")
            return False
        return True

    def _tell(self, problem: str) -> None:
        if problem and not self._told:
            self._told = True
            self._problem = problem
