"""The cache plan: which places of a request are marked, for how long, and what should be read."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Literal

from agentcli.lib.value import replace, value
from agentcli.llm.counting import Counted, counted
from agentcli.llm.estimate import tokens_of_tools
from agentcli.llm.gaps import SCRIPT, Gaps, loss, premium, rates
from agentcli.llm.models import CacheKind, ModelSpec
from agentcli.llm.places import Place, bridge, last_answered, places
from agentcli.llm.types import Message, Request, ToolSpec, Usage

Segment = Literal["tools", "system", "memory", "history", "latest"]
Ttl = Literal["5m", "1h"]
SECONDS = {"5m": 300, "30m": 1800, "1h": 3600, "12h": 43_200}
HEAD: Place = (-1, -1)


@value
class Mark:
    """One breakpoint. `message` and `block` index the request's messages for history and latest.

    `tools` marks the last tool; `system` the first system part; `memory` the last one. Messages
    are marked only on a UserMessage, whose content blocks map one to one onto wire blocks.
    """

    segment: Segment
    ttl: Ttl = "5m"
    message: int = -1
    block: int = -1

    @property
    def place(self) -> Place:
        return self.message, self.block


@value
class Seen:
    """What a planned request held, so that the next plan knows what is new."""

    model: str
    system: tuple[str, ...]
    tools: tuple[ToolSpec, ...]
    count: int
    """Messages."""
    last: Message | None
    counted: Counted
    at: float
    """When it was planned, in seconds of the caller's clock."""

    @property
    def tokens(self) -> int:
        return self.counted.tokens

    @property
    def head_tokens(self) -> int:
        return self.counted.head


@value
class Anchor:
    """The end of the longest prefix that is kept for an hour."""

    place: Place
    tokens: int
    at: float
    """When it was last written, read or marked."""


@value
class CachePlan:
    marks: tuple[Mark, ...] = ()
    key: str = ""
    """`prompt_cache_key`, where the provider routes by one."""
    expected_read: int = 0
    """Tokens this request should read from cache (our estimate)."""
    expected: Usage | None = None
    """How the whole prompt should be billed (our estimate)."""
    life: int | None = None
    """Seconds the cached prompt lives after its last use; None where nobody promises any."""
    seen: Seen | None = None
    anchor: Anchor | None = None
    risk: float = 0.0
    """Tokens' worth of input that pauses were expected to cost since the anchor was set."""
    gaps: Gaps | None = None
    """The pauses of the session up to this request."""


NO_PLAN = CachePlan()


def plan(
    request: Request,
    model: ModelSpec,
    previous: CachePlan | None,
    now: float,
    *,
    ttls: Mapping[Segment, Ttl] | None = None,
    prior: Gaps = SCRIPT,
) -> CachePlan:
    """Plan one request. Pure: equal arguments give equal plans.

    `previous` is the plan of the request before, whose messages this one's begin with; when they
    do not (a compaction, another model), what was sent before is read off the messages and taken
    to be long ago. `now` is in seconds and of the same clock as before. The pauses so far decide
    what is kept for an hour, except where `ttls` says; `prior` is what is thought of them at first.
    """
    before = _before(previous, request) or resumed(request, model, -inf)
    old = before.seen if before else None
    count = counted(request, model.id, old.counted if old else None, old.count if old else 0)
    seen = _look(request, count, now)
    gaps = _gaps(previous, now, prior)
    match model.cache.mode:
        case "none":
            made = CachePlan(expected=Usage(input=count.tokens), seen=seen)
        case "automatic":
            made = _automatic(request, model, before, seen)
        case "explicit":
            made = _explicit(request, model, before, seen, ttls or {}, gaps)
    read = made.expected.cache_read if made.expected else 0
    return replace(made, expected_read=read, gaps=gaps)


def resumed(request: Request, model: ModelSpec, at: float) -> CachePlan | None:
    """The plan of the request that the model's last reply in these messages answered.

    `at` is when that was sent: what another process planned is known only from the conversation.
    None where this model said nothing yet.
    """
    end = last_answered(request, model.id)
    if end == 0:
        return None
    earlier = replace(request, messages=request.messages[:end])
    seen = _look(earlier, counted(earlier, model.id, None, 0), at)
    marks: tuple[Mark, ...] = ()
    place = next(places(earlier.messages), None)
    if model.cache.mode == "explicit" and place and seen.tokens >= model.cache.min_tokens:
        marks = (Mark("latest", "5m", *place),)
    return CachePlan(marks, life=_life(model.cache, marks), seen=seen)


def expires(plan: CachePlan, started_at: float) -> float | None:
    """When what this request cached lapses: lives count from the request's start (1.12.7)."""
    return None if plan.life is None else started_at + plan.life


def _before(previous: CachePlan | None, request: Request) -> CachePlan | None:
    """The previous plan, if this request only adds to that one's messages."""
    seen = previous.seen if previous else None
    if seen is None or not 0 < seen.count <= len(request.messages):
        return None
    if (seen.model, seen.system, seen.tools) != (request.model, request.system, request.tools):
        return None
    return previous if request.messages[seen.count - 1] == seen.last else None


def _gaps(previous: CachePlan | None, now: float, prior: Gaps) -> Gaps:
    """Of any earlier request of the session, whether or not this one continues it."""
    if previous is None or previous.seen is None:
        return prior
    return (previous.gaps or prior).after(now - previous.seen.at)


def _look(request: Request, count: Counted, at: float) -> Seen:
    last = request.messages[-1] if request.messages else None
    messages = len(request.messages)
    return Seen(request.model, request.system, request.tools, messages, last, count, at)


def _automatic(
    request: Request, model: ModelSpec, before: CachePlan | None, seen: Seen
) -> CachePlan:
    """Nothing to mark: a key for the way, and what the vendor should find by itself."""
    kind = model.cache
    life = _life(kind, ())
    read = 0
    if before and before.seen and seen.at - before.seen.at < (life or inf):
        read = _ended(before.seen, seen)
    read = read if read >= kind.min_tokens else 0
    fresh = seen.tokens - read
    bills_writes = bool(model.prices and model.prices[0].cache_write_5m)
    expected = Usage(input=fresh, cache_read=read)
    if bills_writes and seen.tokens >= kind.min_tokens:
        expected = Usage(cache_read=read, cache_write_5m=fresh)
    key = request.session if kind.key else ""
    return CachePlan(key=key, expected=expected, life=life, seen=seen)


def _ended(old: Seen, seen: Seen) -> int:
    """Tokens of the request before, as reported if it was, else as estimated."""
    return min(seen.counted.answered or old.tokens, seen.tokens)


@value
class _Live:
    """What of the prefix is still in the cache, and where."""

    read: int = 0
    """Tokens of the longest prefix that should be found."""
    end: Place | None = None
    """Where the request before was marked, whether that lives or not."""
    warm: bool = False
    """Whether it lives for certain."""
    anchor: Anchor | None = None


def _explicit(
    request: Request,
    model: ModelSpec,
    before: CachePlan | None,
    seen: Seen,
    ttls: Mapping[Segment, Ttl],
    gaps: Gaps,
) -> CachePlan:
    live = _live(before, seen)
    last = next(places(request.messages), None)
    if seen.tokens < model.cache.min_tokens:
        last = None
    found = _marks(request, model.cache, live, last, seen)
    long, risk = _decide(model, before, live, seen, ttls, gaps)
    marks = _with_ttls(found, model.cache, ttls, live.anchor, long=long)
    anchor = _anchor(marks, live, seen)
    return CachePlan(
        marks=marks,
        key=request.session if model.cache.key else "",
        expected=_expected(marks, live, seen),
        life=_life(model.cache, marks),
        seen=seen,
        anchor=anchor,
        risk=0.0 if anchor and anchor.tokens == seen.tokens else risk,
    )


def _live(before: CachePlan | None, seen: Seen) -> _Live:
    old = before.seen if before else None
    if before is None or old is None:
        return _Live()
    end = next((mark.place for mark in before.marks if mark.segment == "latest"), None)
    anchor = before.anchor
    if anchor and seen.at - anchor.at >= SECONDS["1h"]:
        anchor = None
    if anchor and anchor.place == end:
        anchor = replace(anchor, tokens=_ended(old, seen))
    warm = end is not None and seen.at - old.at < SECONDS["5m"]
    read = _ended(old, seen) if warm else anchor.tokens if anchor else 0
    return _Live(min(read, seen.tokens), end, warm, anchor)


def _marks(
    request: Request, kind: CacheKind, live: _Live, last: Place | None, seen: Seen
) -> tuple[Mark, ...]:
    """In the order of their place, at most `kind.max_marks`, the most useful ones."""
    wanted: list[Mark] = []
    if last is not None:
        wanted.append(Mark("latest", "5m", *last))
        kept = live.anchor.place if live.anchor else None
        older = [live.end, kept] if live.warm else [kept, live.end]
        spots = [p for p in dict.fromkeys(older) if p is not None and HEAD < p < last]
        wanted += [Mark("history", "5m", *place) for place in spots]
    if seen.head_tokens >= kind.min_tokens and any(part.strip() for part in request.system):
        wanted.insert(2, Mark("memory"))
    between = bridge(request, last, live.end) if last is not None else None
    if between is not None:
        wanted.append(Mark("history", "5m", *between))
    if request.tools and tokens_of_tools(request.tools) >= kind.min_tokens:
        wanted.append(Mark("tools"))
    return tuple(sorted(wanted[: kind.max_marks], key=_order))


def _order(mark: Mark) -> tuple[bool, bool, Place]:
    return mark.segment != "tools", mark.message >= 0, mark.place


def _decide(
    model: ModelSpec,
    before: CachePlan | None,
    live: _Live,
    seen: Seen,
    ttls: Mapping[Segment, Ttl],
    gaps: Gaps,
) -> tuple[bool, float]:
    """Whether what is new is kept for an hour, and the loss run up without that.

    It is as soon as the losses expected since the last anchor reach what the hour costs more: so
    an anchor is set often where pauses are frequent, and on a request that adds little.
    """
    price, asked = rates(model), ttls.get("latest")
    exposed = seen.tokens - (live.anchor.tokens if live.anchor else 0)
    risk = loss(exposed, gaps, price) + (before.risk if before and live.read else 0.0)
    extra = premium(seen.tokens - live.read, price)
    if "1h" not in model.cache.ttls or not extra:
        return False, risk
    return (asked == "1h" if asked else extra <= risk), risk


def _with_ttls(
    marks: tuple[Mark, ...],
    kind: CacheKind,
    ttls: Mapping[Segment, Ttl],
    anchor: Anchor | None,
    *,
    long: bool,
) -> tuple[Mark, ...]:
    """Lives by segment; all before a 1h mark are 1h too, as the API demands (wire.md 1.12.8)."""
    done: list[Mark] = []
    hour = False
    for mark in reversed(marks):
        asked = "1h" in kind.ttls and ttls.get(mark.segment) == "1h"
        kept = anchor is not None and mark.place <= anchor.place
        hour = hour or asked or kept or (long and mark.segment == "latest")
        done.append(replace(mark, ttl="1h" if hour else "5m"))
    return tuple(reversed(done))


def _anchor(marks: tuple[Mark, ...], live: _Live, seen: Seen) -> Anchor | None:
    """What lives for an hour from now on; nothing read from a shorter entry does (1.12.7)."""
    fresh = [mark for mark in marks if mark.ttl == "1h"]
    if fresh and fresh[-1].segment == "latest" and live.read < seen.tokens:
        return Anchor(fresh[-1].place, seen.tokens, seen.at)
    if live.anchor is not None:
        marked = live.anchor.place in [mark.place for mark in marks]
        return replace(live.anchor, at=seen.at) if marked else live.anchor
    if fresh and live.read < seen.head_tokens:
        return Anchor(HEAD, seen.head_tokens, seen.at)
    return None


def _expected(marks: tuple[Mark, ...], live: _Live, seen: Seen) -> Usage:
    """The bill by wire.md 1.12.8: up to the hit read, up to the last mark written."""
    if not marks:
        return Usage(input=seen.tokens)
    ends = [
        (m.ttl, seen.tokens if m.segment == "latest" else seen.head_tokens)
        for m in marks
        if m.segment != "history"
    ]
    end = max(live.read, *(tokens for _, tokens in ends)) if ends else live.read
    hour = max([live.read, *(tokens for ttl, tokens in ends if ttl == "1h")])
    return Usage(seen.tokens - end, 0, live.read, end - hour, hour - live.read)


def _life(kind: CacheKind, marks: tuple[Mark, ...]) -> int | None:
    if kind.mode == "explicit":
        return SECONDS[marks[-1].ttl] if marks else None
    return SECONDS.get(kind.ttls[0]) if kind.ttls else None
