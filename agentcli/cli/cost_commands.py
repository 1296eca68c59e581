"""`agent cost`: what all sessions spent, from the ledger."""

from __future__ import annotations

import os
import re
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentcli.cli.causes import causes
from agentcli.lib.errors import UserError
from agentcli.lib.streams import put
from agentcli.lib.terminal import columns

if TYPE_CHECKING:
    from agentcli.config import Places

_PLAIN = str.maketrans("█▓░▏▎▍▌▋▊▉·…", "#+.'''''''-~")
_UNITS = {"h": 3600, "d": 86_400, "w": 604_800}


def cost(
    by: Annotated[
        str, typer.Option(help="model, day, repo, session, role, tool or file.")
    ] = "model",
    since: Annotated[str, typer.Option(help="7d, 12h, 2w or a date as in 2026-11-01.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="First book what the sessions hold.")
    ] = False,
) -> None:
    """Show what was spent, in all sessions together."""
    from agentcli.app.spending import spending_csv, spending_json, spending_table
    from agentcli.config import places
    from agentcli.session.attribution import ATTRIBUTIONS
    from agentcli.session.ledger_db import LedgerError
    from agentcli.session.ledger_sums import WAYS, sums

    if as_json and as_csv:
        raise UserError("--json and --csv: choose one.")
    start = moment(since, time.time()) if since else 0.0
    here = places(os.environ)
    if by in ATTRIBUTIONS:
        tell(causes(here.data / "sessions", by, start, as_json=as_json, as_csv=as_csv))
        return
    if by not in WAYS:
        raise UserError(f"--by takes one of {', '.join((*WAYS, *ATTRIBUTIONS))}.")
    see_to_ledger(here, again=rebuild)
    try:
        lines = sums(here.ledger, by, start)
    except LedgerError as error:
        raise UserError(f"The ledger can't be read: {error}.") from None
    if as_json:
        text = spending_json(lines, by)
    elif as_csv:
        text = spending_csv(lines, by)
    else:
        text = spending_table(lines, by, columns=columns())
    tell(text)


def see_to_ledger(here: Places, *, again: bool = False) -> None:
    """Make the ledger where there is none, or a broken one; say so beside the output."""
    from agentcli.session.ledger_db import LedgerError
    from agentcli.session.ledger_sums import ready

    try:
        told = ready(here.ledger, here.data / "sessions", again=again)
    except LedgerError as error:
        raise UserError(f"The ledger can't be read: {error}.") from None
    if told:
        sys.stderr.write(f"agent: {told}\n")


def tell(text: str) -> None:
    """Print, as far as the output's encoding goes. Raises UserError when nothing takes it."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    put(f"{text}\n")


def moment(text: str, now: float) -> float:
    """When `7d`, `12h`, `2w` or a date begins, in Unix seconds. Raises UserError."""
    span = re.fullmatch(r"(\d{1,5})([hdw])", text.strip())
    if span:
        return now - int(span[1]) * _UNITS[span[2]]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError):
        raise UserError(f"--since takes 7d, 12h, 2w or a date, not {text[:40]!r}.") from None


def repository() -> str:
    """The repository that is worked in here, as the ledger names it."""
    from agentcli.context.memory import repository_root

    here = Path.cwd()
    return str(repository_root(here) or here)
