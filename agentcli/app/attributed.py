"""What caused the bills, as a table, JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

from agentcli.lib.paths import shown
from agentcli.lib.text import counted, visible
from agentcli.llm.cost import format_usd
from agentcli.llm.pricing import plain
from agentcli.llm.types import JsonObject
from agentcli.session.attribution import Attribution, Share, Way, top

NOTE = "The input side only: what sending it cost, again with every request that carried it."


def causes_table(found: Attribution, by: Way, here: Path) -> str:
    """The dearest causes with their share of the whole; paths as seen from `here`."""
    total = sum((share.cost for share in found.shares), Decimal(0))
    rows = [(by, "requests", "cost", "share")]
    rows += [_row(share, total, here) for share in top(found.shares)]
    widths = [max(len(row[n]) for row in rows) for n in range(4)]
    lines = [
        "  ".join(row[n].rjust(widths[n]) if n else row[n].ljust(widths[n]) for n in range(4))
        for row in rows
    ]
    if not found.shares:
        lines = ["Nothing has been spent in this time."]
    else:
        lines.append(f"{format_usd(total)} in all. {NOTE}")
    if found.unknown:
        lines.append(f"{counted(found.unknown, 'request')} of unknown cost: not in the sum.")
    return "\n".join(line.rstrip() for line in lines)


def causes_json(found: Attribution, by: Way) -> str:
    """All causes; dollars are decimal strings."""
    return json.dumps(_records(found, by), ensure_ascii=False, indent=2)


def causes_csv(found: Attribution, by: Way) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, [by, "requests", "cost_usd"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(_records(found, by))
    return file.getvalue().rstrip("\n")


def _records(found: Attribution, by: Way) -> list[JsonObject]:
    return [
        {by: share.cause, "requests": share.requests, "cost_usd": plain(share.cost)}
        for share in found.shares
    ]


def _row(share: Share, total: Decimal, here: Path) -> tuple[str, str, str, str]:
    cause = shown(Path(share.cause), here) if share.cause.startswith("/") else share.cause
    part = f"{100 * share.cost / total:.0f} %"
    return visible(cause), f"{share.requests:,}", format_usd(share.cost), part
