"""`agent cache`: what became of the prompt cache, request by request."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer

from agentcli.cli.cost_commands import repository, see_to_ledger, tell
from agentcli.lib.errors import UserError
from agentcli.lib.terminal import columns

cache = typer.Typer(help="Look into the prompt cache.", no_args_is_help=True, rich_markup_mode=None)


@cache.callback()
def about() -> None:
    """Look into the prompt cache."""


@cache.command()
def explain(
    session: Annotated[
        str, typer.Argument(help="The beginning of a session's id; the newest here by default.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show each request of a session: what was read, written and uncached, and why."""
    from agentcli.app.spending import explained
    from agentcli.config import places
    from agentcli.session.bills import bill_to_json
    from agentcli.session.ledger_db import LedgerError, of_session

    here = places(os.environ)
    see_to_ledger(here)
    try:
        bills = of_session(here.ledger, session, "" if session else repository())
    except LedgerError as error:
        raise UserError(f"The ledger can't be read: {error}.") from None
    if not bills:
        what = f"a session {session!r}" if session else "any session of this repository"
        raise UserError(f"The ledger has no requests of {what}.")
    if as_json:
        tell(json.dumps([bill_to_json(bill) for bill in bills], ensure_ascii=False, indent=2))
    else:
        tell(explained(bills, columns=columns()))
