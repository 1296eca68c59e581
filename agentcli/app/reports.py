"""Plain-text reports about a session: what is permitted, what a proxy says, which there are."""

from __future__ import annotations

import time
from collections.abc import Iterator

from agentcli.lib.text import visible
from agentcli.llm.cost import format_usd
from agentcli.llm.proxy import Standing
from agentcli.policy.permissions import Policy
from agentcli.session.store import SessionInfo


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
