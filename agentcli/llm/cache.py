"""The cache plan: which places of a request are marked, for how long, and what should be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Segment = Literal["tools", "system", "memory", "history", "latest"]
Ttl = Literal["5m", "1h"]


@dataclass(frozen=True, slots=True)
class Mark:
    """One breakpoint. `message` and `block` index the request's messages for history and latest.

    `tools` marks the last tool; `system` the first system part; `memory` the last one. Messages
    are marked only on a UserMessage, whose content blocks map one to one onto wire blocks.
    """

    segment: Segment
    ttl: Ttl = "5m"
    message: int = -1
    block: int = -1


@dataclass(frozen=True, slots=True)
class CachePlan:
    marks: tuple[Mark, ...] = ()
    key: str = ""
    """`prompt_cache_key`, where the provider routes by one."""
    expected_read: int = 0
    """Tokens this request should read from cache (our estimate)."""


NO_PLAN = CachePlan()
