"""The cache plan: which places of a request are marked, for how long, and what should be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from agentcli.lib.value import replace, value
from agentcli.llm.estimate import tokens_of, tokens_of_message, tokens_of_tools
from agentcli.llm.models import CacheKind, ModelSpec
from agentcli.llm.types import Message, Request, Text, ToolSpec, UserMessage

Segment = Literal["tools", "system", "memory", "history", "latest"]
Ttl = Literal["5m", "1h"]
SECONDS = {"5m": 300, "30m": 1800, "1h": 3600, "12h": 43_200}
REACH = 15
"""Blocks between two marks: under the 20 positions a look-up goes back (wire.md 1.12.5)."""


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


@value
class Seen:
    """What a planned request held, so that the next plan knows what is new."""

    model: str
    system: tuple[str, ...]
    tools: tuple[ToolSpec, ...]
    count: int
    """Messages."""
    last: Message | None
    head_tokens: int
    """Tools and system, estimated."""
    tokens: int
    """The whole prompt, estimated."""
    at: float
    """When it was planned, in seconds of the caller's clock."""


@value
class CachePlan:
    marks: tuple[Mark, ...] = ()
    key: str = ""
    """`prompt_cache_key`, where the provider routes by one."""
    expected_read: int = 0
    """Tokens this request should read from cache (our estimate)."""
    life: int | None = None
    """Seconds the cached prompt lives after its last use; None where nobody promises any."""
    seen: Seen | None = None


NO_PLAN = CachePlan()


def plan(
    request: Request,
    model: ModelSpec,
    previous: CachePlan | None,
    now: float,
    *,
    ttls: Mapping[Segment, Ttl] | None = None,
) -> CachePlan:
    """Plan one request. Pure: equal arguments give equal plans.

    `previous` is the plan of the request before, whose messages this one's begin with; when they
    do not (a compaction, another model), this is a first request. `now` is in seconds and of the
    same clock as before. `ttls` asks for a life by segment; 5 minutes where it says nothing.
    """
    kind = model.cache
    if kind.mode == "none":
        return NO_PLAN
    before = _before(previous, request)
    seen = _look(request, before.seen if before else None, now)
    marks: tuple[Mark, ...] = ()
    if kind.mode == "explicit":
        marks = _with_ttls(_marks(request, kind, before, seen), kind, ttls or {})
    return CachePlan(
        marks=marks,
        key=request.session if kind.key else "",
        expected_read=_expected(kind, before, now),
        life=_life(kind, marks),
        seen=seen,
    )


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


def _look(request: Request, seen: Seen | None, now: float) -> Seen:
    """Count the request, going only through what the previous one did not hold."""
    head = seen.head_tokens if seen else _head_tokens(request)
    counted = seen.count if seen else 0
    tokens = sum(tokens_of_message(message) for message in request.messages[counted:])
    return Seen(
        model=request.model,
        system=request.system,
        tools=request.tools,
        count=len(request.messages),
        last=request.messages[-1] if request.messages else None,
        head_tokens=head,
        tokens=tokens + (seen.tokens if seen else head),
        at=now,
    )


def _head_tokens(request: Request) -> int:
    return tokens_of_tools(request.tools) + sum(tokens_of(part) for part in request.system)


def _marks(
    request: Request, kind: CacheKind, before: CachePlan | None, seen: Seen
) -> tuple[Mark, ...]:
    """In the order of their place, at most `kind.max_marks`; none where the prefix is too short."""
    old = _message_mark(before)
    spots = tuple(_spots(request))
    found = _head_marks(request, kind, seen)
    if old is not None and spots and old != spots[-1]:
        found.append(Mark("history", message=old[0], block=old[1]))
    if spots and seen.tokens >= kind.min_tokens:
        found.append(Mark("latest", message=spots[-1][0], block=spots[-1][1]))
        extra = _bridge(request, spots, old)
        if extra is not None:
            found.insert(-1, Mark("history", message=extra[0], block=extra[1]))
    return _fit(tuple(found), kind.max_marks)


def _head_marks(request: Request, kind: CacheKind, seen: Seen) -> list[Mark]:
    marks: list[Mark] = []
    if request.tools and tokens_of_tools(request.tools) >= kind.min_tokens:
        marks.append(Mark("tools"))
    if any(part.strip() for part in request.system) and seen.head_tokens >= kind.min_tokens:
        marks.append(Mark("memory"))
    return marks


def _message_mark(before: CachePlan | None) -> tuple[int, int] | None:
    """Where the previous request's last block was marked."""
    placed = [mark for mark in before.marks if mark.message >= 0] if before else []
    return (placed[-1].message, placed[-1].block) if placed else None


def _spots(request: Request) -> Iterator[tuple[int, int]]:
    """The places in messages where a mark may stand (an empty text may not be marked)."""
    for index, message in enumerate(request.messages):
        if isinstance(message, UserMessage):
            for block, content in enumerate(message.content):
                if not isinstance(content, Text) or content.text.strip():
                    yield index, block


def _bridge(
    request: Request, spots: tuple[tuple[int, int], ...], old: tuple[int, int] | None
) -> tuple[int, int] | None:
    """A place between, when more than REACH blocks came at once; look-ups end after 20."""
    first, last = (old[0] if old else 0), spots[-1]
    starts: dict[int, int] = {}
    count = 0
    for index in range(first, last[0] + 1):
        starts[index] = count
        count += max(1, len(request.messages[index].content))
    begin = old[1] if old else -1
    end = starts[last[0]] + last[1]
    if end - begin <= REACH:
        return None
    between = [spot for spot in spots if (old or (-1, -1)) < spot < last]
    near = [spot for spot in between if end - (starts[spot[0]] + spot[1]) <= REACH]
    return near[0] if near else None


def _fit(marks: tuple[Mark, ...], most: int) -> tuple[Mark, ...]:
    """Within the vendor's limit: the end of the system gives way first, then what comes first."""
    kept = list(marks)
    while len(kept) > most:
        system = [mark for mark in kept if mark.segment == "memory"]
        kept.remove(system[0] if system else kept[0])
    return tuple(kept)


def _with_ttls(
    marks: tuple[Mark, ...], kind: CacheKind, ttls: Mapping[Segment, Ttl]
) -> tuple[Mark, ...]:
    """Lives by segment; all before a 1h mark are 1h too, as the API demands (wire.md 1.12.8)."""
    long = False
    done: list[Mark] = []
    for mark in reversed(marks):
        long = long or (ttls.get(mark.segment) == "1h" and "1h" in kind.ttls)
        done.append(replace(mark, ttl="1h" if long else "5m"))
    return tuple(reversed(done))


def _expected(kind: CacheKind, before: CachePlan | None, now: float) -> int:
    """What the previous request left in the cache, if it still lives."""
    seen = before.seen if before else None
    if before is None or seen is None or seen.tokens < kind.min_tokens:
        return 0
    age = now - seen.at
    if kind.mode == "automatic":
        return seen.tokens if before.life is None or age < before.life else 0
    living = [mark for mark in before.marks if age < SECONDS[mark.ttl]]
    if any(mark.message >= 0 for mark in living):
        return seen.tokens
    return seen.head_tokens if any(mark.segment == "memory" for mark in living) else 0


def _life(kind: CacheKind, marks: tuple[Mark, ...]) -> int | None:
    if kind.mode == "explicit":
        return SECONDS[marks[-1].ttl] if marks else None
    return SECONDS.get(kind.ttls[0]) if kind.ttls else None
