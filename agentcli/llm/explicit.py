"""Plans for vendors that cache what is marked: Anthropic, Bedrock, Qwen and those like them."""

from __future__ import annotations

from collections.abc import Mapping

from agentcli.lib.value import replace, value
from agentcli.llm.estimate import tokens_of_tools
from agentcli.llm.gaps import Gaps, loss, premium, rates
from agentcli.llm.marks import (
    HEAD,
    SECONDS,
    Anchor,
    CachePlan,
    Mark,
    Seen,
    Segment,
    Ttl,
    ended,
    same_head,
)
from agentcli.llm.models import CacheKind, ModelSpec
from agentcli.llm.places import Place, bridge, places
from agentcli.llm.types import AssistantMessage, Request, Usage


@value
class Live:
    """What of the prefix is still in the cache, and where."""

    read: int = 0
    """Tokens of the longest prefix that should be found."""
    end: Place | None = None
    """Where the request before was marked, whether that lives or not."""
    warm: bool = False
    """Whether that lives for certain."""
    anchor: Anchor | None = None
    risk: float = 0.0


def plan(
    request: Request,
    model: ModelSpec,
    live: Live,
    seen: Seen,
    ttls: Mapping[Segment, Ttl],
    gaps: Gaps,
) -> CachePlan:
    """Marks within the vendor's rules, for as long as pays (wire.md 1.12)."""
    kind = model.cache
    last = next(places(request.messages), None) if seen.tokens >= kind.min_tokens else None
    found = _marks(request, kind, live, last, seen)
    long, risk = _decide(model, live, seen, ttls, gaps)
    marks = _with_ttls(found, kind, ttls, live.anchor, long=long)
    sizes = [_size(mark, request, seen) for mark in marks]
    anchor = _anchor(marks, sizes, live, seen)
    return CachePlan(
        marks=marks,
        key=request.key if kind.key else "",
        expected=_expected(marks, sizes, live, seen),
        life=SECONDS[marks[-1].ttl] if marks else None,
        seen=seen,
        anchor=anchor,
        risk=0.0 if anchor and anchor.tokens == seen.tokens else risk,
    )


def live(
    request: Request, before: CachePlan | None, previous: CachePlan | None, seen: Seen
) -> Live:
    """What is left of `before`, which this request continues, or of an epoch's stable head."""
    old = before.seen if before else None
    if before is None or old is None:
        return _head(previous, seen)
    end = next((mark.place for mark in before.marks if mark.segment == "latest"), None)
    told = _reported(request, old)
    if told is not None and old.tokens and not told.prompt - told.input:
        return Live(end=end)  # marks got lost on the way: nothing was written, nothing read
    anchor = _still(before.anchor, seen.at)
    if anchor and anchor.place == end:
        sure = told is None or told.cache_write_1h > 0 or anchor.at < old.at
        anchor = replace(anchor, tokens=ended(old, seen), sure=anchor.sure and sure)
    warm = end is not None and seen.at - old.at < SECONDS["5m"]
    kept = anchor.tokens if anchor and anchor.sure else 0
    read = min(ended(old, seen) if warm else kept, seen.tokens)
    if not read and before is not previous:
        read = _head(previous, seen).read
    return Live(read, end, warm, anchor, before.risk if read else 0.0)


def _still(anchor: Anchor | None, now: float) -> Anchor | None:
    return anchor if anchor and now - anchor.at < SECONDS["1h"] else None


def _reported(request: Request, old: Seen) -> Usage | None:
    """What the provider said of the request before."""
    reply = request.messages[old.count] if old.count < len(request.messages) else None
    own = isinstance(reply, AssistantMessage) and reply.model == old.model
    return reply.usage if own and isinstance(reply, AssistantMessage) else None


def _head(previous: CachePlan | None, seen: Seen) -> Live:
    """A new epoch begins with the tools and the system of the one before."""
    old = previous.seen if previous else None
    if previous is None or old is None or not same_head(old, seen):
        return Live()
    anchor = _still(previous.anchor, seen.at)
    marked = any(mark.segment == "memory" for mark in previous.marks)
    warm = marked and seen.at - old.at < SECONDS["5m"]
    lives = warm or (anchor is not None and anchor.place == HEAD)
    return Live(read=seen.head_tokens if lives else 0)


def _marks(
    request: Request, kind: CacheKind, live: Live, last: Place | None, seen: Seen
) -> tuple[Mark, ...]:
    """In the order of their place, at most `kind.max_marks`, the most useful ones.

    A final request marks only what is read of its messages: a write would never be read.
    """
    wanted: list[Mark] = []
    if last is not None:
        kept = live.anchor.place if live.anchor else None
        older = [live.end, kept] if live.warm else [kept, live.end]
        if request.final:
            older = older[:1] if live.read else []
        else:
            wanted.append(Mark("latest", "5m", *last))
        spots = [p for p in dict.fromkeys(older) if p is not None and HEAD < p < last]
        wanted += [Mark("history", "5m", *place) for place in spots]
    if seen.head_tokens >= kind.min_tokens and any(part.strip() for part in request.system):
        wanted.append(Mark("memory"))
    goal = None if request.final else last
    between = bridge(request, goal, live.end) if goal is not None else None
    if between is not None:
        wanted.append(Mark("history", "5m", *between))
    if request.tools and tokens_of_tools(request.tools) >= kind.min_tokens:
        wanted.append(Mark("tools"))
    return tuple(sorted(wanted[: kind.max_marks], key=lambda mark: mark.place))


def _decide(
    model: ModelSpec,
    live: Live,
    seen: Seen,
    ttls: Mapping[Segment, Ttl],
    gaps: Gaps,
) -> tuple[bool, float]:
    """Whether what is new is kept for an hour, and the loss run up without that.

    It is as soon as the losses expected since the last anchor reach what the hour costs more: so
    an anchor is set often where pauses are frequent, and on a request that adds little.
    """
    price, asked = rates(model), ttls.get("latest") or ttls.get("history")
    exposed = seen.tokens - (live.anchor.tokens if live.anchor else 0)
    risk = live.risk + loss(exposed, gaps, price)
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
        asked = "1h" in kind.ttls and _asked(mark, ttls) == "1h"
        kept = anchor is not None and mark.place <= anchor.place
        hour = hour or asked or kept or (long and mark.segment == "latest")
        done.append(replace(mark, ttl="1h" if hour else "5m"))
    return tuple(reversed(done))


def _asked(mark: Mark, ttls: Mapping[Segment, Ttl]) -> Ttl | None:
    """The mark at the end of the context serves the system before it too."""
    asked = ttls.get(mark.segment)
    return asked or ttls.get("system") if mark.segment == "memory" else asked


def _size(mark: Mark, request: Request, seen: Seen) -> int:
    """Tokens up to a mark; 0 for those in the history, which stand in what was read."""
    match mark.segment:
        case "latest":
            return seen.tokens
        case "tools":
            return round(tokens_of_tools(request.tools) * seen.counted.scale)
        case "history":
            return 0
        case _:
            return seen.head_tokens


def _anchor(marks: tuple[Mark, ...], sizes: list[int], live: Live, seen: Seen) -> Anchor | None:
    """What lives for an hour from now on; nothing read from a shorter entry does (1.12.7)."""
    for mark, size in zip(reversed(marks), reversed(sizes), strict=True):
        if mark.ttl == "1h" and size > live.read:
            return Anchor(mark.place, size, seen.at)
    if live.anchor is None:
        return None
    marked = live.anchor.place in [mark.place for mark in marks]
    return replace(live.anchor, at=seen.at) if marked else live.anchor


def _expected(marks: tuple[Mark, ...], sizes: list[int], live: Live, seen: Seen) -> Usage:
    """The bill by wire.md 1.12.8: up to the hit read, up to the last mark written."""
    end = hour = live.read
    for mark, size in zip(marks, sizes, strict=True):
        end = max(end, size)
        hour = max(hour, size if mark.ttl == "1h" else 0)
    return Usage(seen.tokens - end, 0, live.read, end - hour, hour - live.read)
