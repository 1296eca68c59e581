"""The words of the bottom line, and what is going on in a few words; pure."""

from __future__ import annotations

from decimal import Decimal

from agentcli.commands.registry import StatusFacts
from agentcli.lib.text import visible
from agentcli.lib.value import value
from agentcli.llm.budget import Rewrite
from agentcli.llm.cost import format_usd
from agentcli.ui.repl.wrap import width_limited
from agentcli.ui.status_line import cache_part, context_part, tokens


@value
class Activity:
    """What the agent does now; `since` is a clock's seconds."""

    what: str
    since: float


def bottom_line(facts: StatusFacts, width: int, now: float) -> str:
    """Model, mode, context, cost, cache; what does not fit is left out from the right.

    What the next message costs more comes first: a person can still do something about it.
    """
    parts = [
        visible(facts.model),
        rewrite_part(facts.rewrite, facts.with_summary),
        facts.mode,
        context_part(facts.context_used, facts.context) if facts.context_used else "",
        session_cost(facts),
        "" if facts.rewrite else cache_part(facts.cache_expires, now),
    ]
    return width_limited([part for part in parts if part], " · ", width)


def rewrite_part(rewrite: Rewrite | None, with_summary: Decimal | None) -> str:
    """What the next message sends anew because the cache has lapsed, and /compact's price."""
    if rewrite is None:
        return ""
    priced = f" {format_usd(rewrite.usd)}" if rewrite.usd is not None else ""
    instead = f", with /compact {format_usd(with_summary)}" if with_summary is not None else ""
    return f"cache expired: {tokens(rewrite.tokens)} anew{priced}{instead}"


def session_cost(facts: StatusFacts) -> str:
    """Dollars of the session; requests without a known price are said to be missing."""
    if not facts.unpriced:
        return format_usd(facts.cost.total)
    if not facts.cost.total:
        return "cost unknown"
    return f"{format_usd(facts.cost.total)} + {facts.unpriced} unknown"


def activity_line(activity: Activity, width: int, now: float) -> str:
    """`Bash npm test · 12 s · esc interrupts`"""
    seconds = int(now - activity.since)
    parts = [activity.what, f"{seconds} s" if seconds else "", "esc interrupts"]
    return width_limited([part for part in parts if part], " · ", width)
