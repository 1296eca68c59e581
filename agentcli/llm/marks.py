"""The values of a cache plan: its marks, what it saw, what lives for how long."""

from __future__ import annotations

from typing import Literal

from agentcli.lib.value import value
from agentcli.llm.counting import Counted
from agentcli.llm.gaps import Gaps
from agentcli.llm.places import Place
from agentcli.llm.types import Effort, JsonObject, Message, Request, ToolSpec, Usage

Segment = Literal["tools", "system", "memory", "history", "latest"]
Ttl = Literal["5m", "1h"]
"""What can be asked for; OpenAI's marks live for 30 minutes (wire.md 2.8.5)."""
SECONDS = {"5m": 300, "30m": 1800, "1h": 3600, "12h": 43_200}
TOOLS: Place = (-2, -1)
HEAD: Place = (-1, -1)


@value
class Mark:
    """One breakpoint. `message` and `block` index the request's messages for history and latest.

    `tools` marks the last tool; `system` the first system part; `memory` the last one. Messages
    are marked only on a UserMessage, whose content blocks map one to one onto wire blocks.
    """

    segment: Segment
    ttl: Ttl | Literal["30m"] = "5m"
    message: int = -1
    block: int = -1

    @property
    def place(self) -> Place:
        """What is cached up to here, in the order of the prefix."""
        return TOOLS if self.segment == "tools" else (self.message, self.block)


@value
class Seen:
    """What a planned request held, so that the next plan knows what is new."""

    model: str
    system: tuple[str, ...]
    tools: tuple[ToolSpec, ...]
    effort: Effort | None
    output_schema: JsonObject | None
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
    """The end of a prefix that is kept apart from the newest: the longest one for an hour.

    Where a vendor caches by itself and takes marks besides, the end of tools and system.
    """

    place: Place
    tokens: int
    at: float
    """When it was last written, read or marked."""
    life: int = SECONDS["1h"]
    """Seconds it is kept after that."""
    sure: bool = True
    """Whether the provider reported a write for an hour; some leave that out, some ignore it."""


@value
class CachePlan:
    marks: tuple[Mark, ...] = ()
    only_marked: bool = False
    """Whether a vendor that caches by itself is asked not to."""
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
    turns: tuple[Seen, ...] = ()
    """The last requests of earlier turns, where they may still be cached: for a rewind."""


NO_PLAN = CachePlan()


def ended(old: Seen, seen: Seen) -> int:
    """Tokens of the request before, as reported if it was, else as estimated."""
    return min(seen.counted.answered or old.tokens, seen.tokens)


def same_head(one: Seen, other: Seen | Request) -> bool:
    """Whether model, system and tools are equal: what stands before the messages."""
    return (one.model, one.system, one.tools) == (other.model, other.system, other.tools)


def same_options(one: Seen, other: Seen | Request) -> bool:
    """Whether what else the cache of messages depends on is equal (wire.md 1.12.10, 2.8)."""
    return (one.effort, one.output_schema) == (other.effort, other.output_schema)
