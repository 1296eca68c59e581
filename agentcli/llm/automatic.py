"""Plans for vendors that cache by themselves: what they should find, and what is marked besides."""

from __future__ import annotations

from math import inf

from agentcli.lib.value import replace
from agentcli.llm.cost import bills_writes
from agentcli.llm.marks import (
    HEAD,
    SECONDS,
    Anchor,
    CachePlan,
    Mark,
    Seen,
    ended,
    same_head,
    same_options,
)
from agentcli.llm.models import ModelSpec
from agentcli.llm.types import AssistantMessage, Request, Usage

KEEPS_REPLIES = ("deepseek",)
"""Vendors that cache up to the end of the reply, not of the prompt alone (wire.md 5.1, rule 2a)."""
TAKES_MARKS = ("openai",)
"""Vendors whose models that bill writes keep what is marked, too (wire.md 2.8.2)."""


def plan(
    request: Request,
    model: ModelSpec,
    before: CachePlan | None,
    previous: CachePlan | None,
    seen: Seen,
) -> CachePlan:
    """A key for the way, and what the vendor should find; `before` is what this one continues.

    Where writes end only with messages, the end of tools and system is marked: so a subagent and
    the request after a summary, which have only that in common with what was sent, read it. Of a
    final request that surely finds no more than that, nothing else is written: it is never sent
    again.
    """
    kind = model.cache
    life = SECONDS.get(kind.ttls[0]) if kind.ttls else None
    marks = _marks(request, model, seen)
    head = _head(previous, seen) if marks else None
    continued = _continued(request, model, before, seen)
    read = max(continued, head.tokens if head else 0)
    read = read if read >= kind.min_tokens else 0
    only = bool(marks) and request.final and not continued and _is_dated(before)
    end = max(read, seen.head_tokens) if only else seen.tokens
    expected = Usage(input=seen.tokens - read, cache_read=read)
    if bills_writes(model) and seen.tokens >= kind.min_tokens:
        expected = Usage(seen.tokens - end, cache_read=read, cache_write_5m=end - read)
    return CachePlan(
        marks=marks,
        only_marked=only,
        key=request.key if kind.key else "",
        expected=expected,
        life=life,
        seen=seen,
        anchor=_kept(head, read, seen, life or 0) if marks else None,
    )


def takes_marks(model: ModelSpec) -> bool:
    """Whether what is marked is kept, and nothing else where that is asked for."""
    by_itself = model.cache.mode == "automatic" and bills_writes(model)
    return by_itself and model.provider in TAKES_MARKS


def _marks(request: Request, model: ModelSpec, seen: Seen) -> tuple[Mark, ...]:
    """OpenAI takes none on `instructions`, which the first part is sent as (wire.md 2.8.2)."""
    parts = [part for part in request.system if part.strip()]
    enough = len(parts) > 1 and seen.head_tokens >= model.cache.min_tokens
    return (Mark("memory", "30m"),) if takes_marks(model) and enough else ()


def _continued(request: Request, model: ModelSpec, before: CachePlan | None, seen: Seen) -> int:
    """Tokens of what this request continues, if that lives."""
    old = before.seen if before else None
    life = SECONDS.get(model.cache.ttls[0], inf) if model.cache.ttls else inf
    if old is None or seen.at - old.at >= life:
        return 0
    read = ended(old, seen)
    if model.provider in KEEPS_REPLIES:
        read = min(read + _replied(request, old), seen.tokens)
    return read


def _is_dated(before: CachePlan | None) -> bool:
    """Whether it is known when what is continued was sent; of nothing at all, it is."""
    return before is None or before.seen is None or before.seen.at > -inf


def _replied(request: Request, old: Seen) -> int:
    """Tokens of the reply to the request before."""
    reply = request.messages[old.count] if old.count < len(request.messages) else None
    if not isinstance(reply, AssistantMessage) or reply.model != old.model:
        return 0
    return reply.usage.output if reply.usage else 0


def _head(previous: CachePlan | None, seen: Seen) -> Anchor | None:
    """The marked head, where it is the same and still lives."""
    old, anchor = (previous.seen, previous.anchor) if previous else (None, None)
    if old is None or anchor is None or seen.at - anchor.at >= anchor.life:
        return None
    same = same_head(old, seen) and same_options(old, seen)
    return replace(anchor, tokens=min(seen.head_tokens, seen.tokens)) if same else None


def _kept(head: Anchor | None, read: int, seen: Seen, life: int) -> Anchor | None:
    """Reading more than the head does not renew it; reading just that does, and writing it."""
    if read > seen.head_tokens:
        return head
    return Anchor(HEAD, seen.head_tokens, seen.at, life=life)
