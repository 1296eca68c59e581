"""`agent cost --by tool` and `--by file`, from the sessions: the ledger knows whole requests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agentcli.lib.errors import UserError
from agentcli.session.store import entries_of

if TYPE_CHECKING:
    from agentcli.session.attribution import Way
    from agentcli.session.entries import Entry


def causes(sessions: Path, by: Way, since: float, *, as_json: bool, as_csv: bool) -> str:
    """What all sessions spent since then, by what caused it."""
    from agentcli.app.attributed import causes_csv, causes_json, causes_table
    from agentcli.llm.estimate import tokens_of_tools
    from agentcli.session.attribution import attribute
    from agentcli.tools.registry import toolbox

    files = [file for file in sorted(sessions.glob("*/*.jsonl")) if _is_newer(file, since)]
    tools = tokens_of_tools(toolbox().specs())
    found = attribute(map(entries, files), by, since=since, tools=tools)
    if as_json:
        return causes_json(found, by)
    return causes_csv(found, by) if as_csv else causes_table(found, by, Path.cwd())


def entries(file: Path) -> Sequence[Entry]:
    """The entries of a session, as far as it can be read."""
    try:
        return entries_of(file)[0]
    except UserError:
        return ()


def _is_newer(file: Path, since: float) -> bool:
    try:
        return file.stat().st_mtime >= since
    except OSError:
        return False
