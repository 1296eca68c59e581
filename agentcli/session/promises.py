"""What one process takes from money that all share: the budgets of a day and a repository."""

from __future__ import annotations

import secrets
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from agentcli.session.ledger_lock import Holder

if TYPE_CHECKING:
    from agentcli.session.ledger_db import Taken


class Promises:
    """Of one process. The first look books what killed processes left in their sessions."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._holder = Holder(ledger.with_name("holders"))
        self._looked = False
        self._problem = ""

    def name(self) -> str:
        """For a new promise."""
        return f"{self._holder.name}.{secrets.token_hex(6)}"

    def reserve(self, hold: str, place: tuple[str, str], amount: Decimal, most: Taken) -> Taken:
        """As `ledger_db.reserve`, of a ledger that is made anew where it is broken.

        Waits for the disk. Raises LedgerError.
        """
        from agentcli.session import ledger_db as db  # door: sqlite3
        from agentcli.session.ledger_sums import ready

        if not self._looked:
            self._problem = ready(self._ledger, self._ledger.with_name("sessions"))
            self._looked = True
        holder = self._holder if hold else None
        return db.reserve(self._ledger, hold, place, amount, most, holder=holder)

    def take_problem(self) -> str:
        """What a person should know about the ledger, once."""
        problem, self._problem = self._problem, ""
        return problem

    def end(self) -> None:
        """Nothing is promised any more."""
        self._holder.end()
