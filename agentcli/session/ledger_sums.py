"""Sums over the ledger: what was spent by model, day, repository, session or role."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal, get_args

from agentcli.lib.value import value
from agentcli.llm.types import Usage
from agentcli.session import ledger_db as db
from agentcli.session.ledger_rebuild import catch_up, rebuild, renew

By = Literal["model", "day", "repo", "session", "role"]
WAYS: tuple[By, ...] = get_args(By)


@value
class Line:
    """The sum of all requests that have `key` in common."""

    key: str
    requests: int
    usage: Usage
    cost: Decimal
    saved: Decimal
    unknown: int
    """Requests whose cost nobody knows."""
    guessed: Decimal
    """What those will have cost, by our estimate; not in `cost`."""


def sums(path: Path, by: By, since: float = 0.0) -> list[Line]:
    """Days in their order, all else by cost, the dearest first. Raises LedgerError."""
    usage = ", ".join(f"IFNULL(SUM({name}), 0)" for name in db.USAGE)
    order = "1" if by == "day" else "cost DESC, 1"
    with db.opened(path) as base:
        found = base.execute(
            f"SELECT {by}, COUNT(*), IFNULL(SUM(usd_total), 0) AS cost, IFNULL(SUM(usd_saved), 0),"
            f" SUM(basis = 'unknown'), SUM(IIF(basis = 'unknown', counted, 0)), {usage}"
            f" FROM requests WHERE at >= ? GROUP BY 1 ORDER BY {order}",
            (since,),
        )
        return [
            Line(
                key=row[0],
                requests=row[1],
                usage=Usage(*row[6:]),
                cost=db.dollars(row[2]),
                saved=db.dollars(row[3]),
                unknown=row[4],
                guessed=db.dollars(row[5]),
            )
            for row in found
        ]


def ready(path: Path, sessions: Path, *, again: bool = False) -> str:
    """See to it that the ledger can be read and lacks nothing that the sessions know.

    What a person should know of that. Raises LedgerError.
    """
    try:
        if again:
            count = rebuild(path, sessions)
            return f"The sessions hold {count} requests; all of them are booked."
        with db.opened(path):
            pass
        catch_up(path, sessions)
        return ""
    except db.LedgerBroken:
        return renew(path, sessions)
    except db.LedgerError as error:
        if again:
            raise
        return f"The newest requests may be missing: {error}."
