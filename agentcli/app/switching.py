"""What it means for a conversation that another model answers next: in tokens, USD and losses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from agentcli.app.talk import Talk
from agentcli.context.compaction import due
from agentcli.llm.cost import format_usd
from agentcli.llm.handoff import pictures
from agentcli.llm.models import ModelSpec
from agentcli.llm.router import reprime


def rereads(used: int, unread: int, model: ModelSpec) -> str:
    """`sends 83,000 tokens uncached: $0.25`; the rest it still has in its cache."""
    if not unread:
        return f"is read from its cache, {used:,} tokens"
    cost = reprime(unread, model, datetime.now(UTC))
    price = f": {format_usd(cost.total)}" if cost else ""
    cached = f" ({used - unread:,} are still cached)" if unread < used else ""
    return f"sends {unread:,} tokens uncached{price}{cached}"


def losses(talk: Talk, model: ModelSpec, share: float) -> Iterator[str]:
    """What of the conversation the model can't have, a sentence each."""
    if due(talk.used, model.context, model.max_output, share):
        yield f"Its window holds {model.context:,} tokens: the conversation will be summed up."
    count = 0 if model.images else pictures(talk.transcript.messages)
    if count:
        yield f"It sees no images ({count} in the conversation): a word stands in their place."
