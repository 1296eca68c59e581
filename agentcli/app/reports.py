"""Plain-text reports about a session: what it cost, what is permitted."""

from __future__ import annotations

import time
from collections.abc import Iterator

from agentcli.lib.text import visible
from agentcli.llm.cost import format_usd
from agentcli.llm.proxy import Standing
from agentcli.policy.permissions import Policy
from agentcli.session.ledger import Account, Ledger
from agentcli.session.store import SessionInfo

HEAD = ("model", "requests", "input", "cached", "written", "output", "cost", "saved")


def cost_table(ledger: Ledger) -> str:
    """What was spent, by model, with a sum."""
    if not ledger.accounts:
        return "Nothing has been spent yet."
    rows = [HEAD, *(_row(name, account) for name, account in ledger.accounts.items())]
    if len(ledger.accounts) > 1:
        rows.append(_row("total", ledger.total()))
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEAD))]
    lines = ["  ".join(_cell(row[n], widths[n], n) for n in range(len(HEAD))) for row in rows]
    total = ledger.total()
    if total.unpriced:
        guess = f" (about {format_usd(total.guessed)} by our estimate)" if total.guessed else ""
        lines.append(f"{total.unpriced} request(s) of unknown cost are not in the sum{guess}.")
    return "\n".join(line.rstrip() for line in lines)


def _cell(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column == 0 else text.rjust(width)


def _row(name: str, account: Account) -> tuple[str, ...]:
    usage = account.usage
    share = round(100 * usage.cache_read / usage.prompt) if usage.prompt else 0
    priced = account.requests > account.unpriced
    return (
        name,
        str(account.requests),
        f"{usage.prompt:,}",
        f"{usage.cache_read:,} ({share} %)",
        f"{usage.cache_write_5m + usage.cache_write_1h:,}",
        f"{usage.output:,}",
        format_usd(account.cost.total) if priced else "unknown",
        format_usd(account.cost.saved) if priced else "unknown",
    )


def permissions_text(policy: Policy) -> str:
    """The mode and every rule in force, in the order they are looked at."""
    lines = [f"Mode: {policy.mode}"]
    for verdict in ("deny", "ask", "allow"):
        rules = [str(rule) for rule in policy.rules if rule.verdict == verdict]
        lines += [f"{verdict}: {rule}" for rule in rules]
    if len(lines) == 1:
        lines.append("No rules; /permissions shows those you answer `always` to.")
    return "\n".join(lines)


def session_table(sessions: tuple[SessionInfo, ...]) -> str:
    """Newest first: id, when it was last used, how long it is, how it began."""
    if not sessions:
        return "There are no sessions in this folder yet."
    rows = (
        f"{info.id}  {time.strftime('%Y-%m-%d %H:%M', time.localtime(info.modified))}"
        f"  {info.messages:4} messages  {visible(info.title)}"
        for info in sessions
    )
    return "\n".join(rows)


def proxy_lines(standing: Standing) -> Iterator[str]:
    """What a LiteLLM proxy says: who answers, and what its key has spent."""
    if standing.model:
        yield f"The proxy answers with {standing.model}."
    if standing.spent is not None:
        limit = f" of {format_usd(standing.budget)}" if standing.budget else ""
        yield f"Its key has spent {format_usd(standing.spent)}{limit} so far, by its own count."
