"""The cache plan: which places of a request are marked, for how long, and what should be read."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from agentcli.lib.value import replace
from agentcli.llm import automatic, explicit
from agentcli.llm.counting import Counted, counted
from agentcli.llm.gaps import UNKNOWN, Gaps
from agentcli.llm.marks import (
    NO_PLAN,
    SECONDS,
    CachePlan,
    Mark,
    Seen,
    Segment,
    Ttl,
    same_head,
    same_options,
)
from agentcli.llm.models import ModelSpec
from agentcli.llm.places import last_answered, places
from agentcli.llm.types import Request, Usage, UserMessage

TURNS = 50
"""Of so many turns the last requests are known."""

__all__ = ["NO_PLAN", "SECONDS", "CachePlan", "Mark", "Segment", "Ttl", "expires", "plan"]


def plan(
    request: Request,
    model: ModelSpec,
    previous: CachePlan | None,
    now: float,
    *,
    ttls: Mapping[Segment, Ttl] | None = None,
    prior: Gaps = UNKNOWN,
    last: float = -inf,
) -> CachePlan:
    """Plan one request. Pure: equal arguments give equal plans.

    `previous` is the plan of the request before, whose messages this one's begin with; when they
    do not (a compaction, another model), what was sent before is read off the messages and taken
    to be long ago. `now` is in seconds and of the same clock as before. The pauses so far decide
    what is kept for an hour, except where `ttls` says; `prior` is what is thought of them at first,
    and `last` when the session's last request was sent, where another process sent it.
    """
    before = _before(previous, request)
    if before is None:
        before = resumed(request, model, last)
        before = _dated(before, previous) if previous else before
    old = before.seen if before else None
    count = counted(request, model.id, old.counted if old else None, old.count if old else 0)
    seen = _look(request, count, now)
    gaps = _gaps(previous, now, prior)
    match model.cache.mode:
        case "none":
            made = CachePlan(expected=Usage(input=count.tokens), seen=seen)
        case "automatic":
            made = automatic.plan(request, model, before, previous, seen)
        case "explicit":
            live = explicit.live(request, before, previous, seen)
            made = explicit.plan(request, model, live, seen, _asked(ttls or {}, request), gaps)
    read = made.expected.cache_read if made.expected else 0
    return replace(made, expected_read=read, gaps=gaps, turns=_turns(previous, request, now))


def resumed(request: Request, model: ModelSpec, at: float) -> CachePlan | None:
    """The plan of the request that the model's last reply in these messages answered.

    `at` is when the newest request was sent; how long before that another model's turn was, nobody
    knows. None where this model said nothing yet.
    """
    end = last_answered(request, model.id)
    if end == 0:
        return None
    at = at if end == last_answered(request) else -inf
    earlier = replace(request, messages=request.messages[:end])
    seen = _look(earlier, counted(earlier, model.id, None, 0), at)
    marks: tuple[Mark, ...] = ()
    place = next(places(earlier.messages), None)
    if model.cache.mode == "explicit" and place and seen.tokens >= model.cache.min_tokens:
        marks = (Mark("latest", "5m", *place),)
    return CachePlan(marks, seen=seen)


def expires(plan: CachePlan, started_at: float) -> float | None:
    """When what this request cached lapses: lives count from the request's start (1.12.7)."""
    return None if plan.life is None else started_at + plan.life


def _asked(ttls: Mapping[Segment, Ttl], request: Request) -> Mapping[Segment, Ttl]:
    """The lives a person wants; a subagent's talk is over before they could matter."""
    if not request.parent:
        return ttls
    return {segment: ttl for segment, ttl in ttls.items() if segment not in ("latest", "history")}


def _before(previous: CachePlan | None, request: Request) -> CachePlan | None:
    """The previous plan, if this request only adds to that one's messages."""
    seen = previous.seen if previous else None
    if seen is None or not 0 < seen.count <= len(request.messages):
        return None
    if not same_head(seen, request) or not same_options(seen, request):
        return None
    return previous if request.messages[seen.count - 1] == seen.last else None


def _dated(before: CachePlan | None, previous: CachePlan) -> CachePlan | None:
    """What the messages say was sent, used last when `previous` marked the same place.

    So it is after a summary that was asked for in vain, which leaves the conversation as it was.
    After a rewind it was used last when that turn ended.
    """
    if before is None or before.seen is None or previous.seen is None:
        return before
    for turn in previous.turns:
        if _is_same(turn, before.seen):
            return replace(before, seen=turn)
    known = {mark.place for mark in previous.marks if mark.message >= 0}
    again = before.marks and before.marks[0].place in known
    again = again and same_head(previous.seen, before.seen)
    at = previous.seen.at if again and same_options(previous.seen, before.seen) else -inf
    return replace(before, seen=replace(before.seen, at=at))


def _is_same(one: Seen, other: Seen) -> bool:
    same = (one.count, one.last) == (other.count, other.last)
    return same and same_head(one, other) and same_options(one, other)


def _turns(previous: CachePlan | None, request: Request, now: float) -> tuple[Seen, ...]:
    """Of those before, and the request before where its turn is over: a person speaks, or the talk
    is summed up."""
    if previous is None or previous.seen is None:
        return ()
    found = tuple(turn for turn in previous.turns if now - turn.at < SECONDS["1h"])
    added = (m for m in request.messages[previous.seen.count :] if isinstance(m, UserMessage))
    over = request.final or any(message.origin == "human" for message in added)
    return (*found, previous.seen)[-TURNS:] if over else found


def _gaps(previous: CachePlan | None, now: float, prior: Gaps) -> Gaps:
    """Of any earlier request of the session, whether or not this one continues it."""
    if previous is None or previous.seen is None:
        return prior
    return (previous.gaps or prior).after(now - previous.seen.at)


def _look(request: Request, count: Counted, at: float) -> Seen:
    return Seen(
        model=request.model,
        system=request.system,
        tools=request.tools,
        effort=request.effort,
        output_schema=request.output_schema,
        count=len(request.messages),
        last=request.messages[-1] if request.messages else None,
        counted=count,
        at=at,
    )
