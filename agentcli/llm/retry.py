"""When a failed request is sent again, and how long the server asks us to wait (wire.md 0.3)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, cast

from agentcli.llm.errors import LLMError
from agentcli.llm.types import JsonObject

ATTEMPTS = 5
"""Tries in all, the first one included."""
FIRST = 0.5
LONGEST = 30.0
PATIENCE = 60.0
"""Seconds; a server that asks for more is told to the person instead of slept through."""
_AGAIN = re.compile(
    r"(?:try again|retry|resets?) (?:in|after)[: ]+((?:\d+(?:\.\d+)?\s*"
    r"(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)\b\s*|"
    r"\d+(?:\.\d+)?(?:ms|[smhd]))+)",
    re.IGNORECASE,
)
"""How messages name a wait: `Please try again in 6m0s`, `Try again in 5 seconds`."""
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|milli|[smhd])", re.IGNORECASE)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"milli": 0.001, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def next_delay(
    error: LLMError,
    attempt: int,
    *,
    rng: Callable[[], float],
    limit: float = PATIENCE,
    attempts: int = ATTEMPTS,
) -> float | None:
    """Seconds to wait after failed try number `attempt` (from 1), or None to give up.

    What the server asks for wins; more than `limit` is not slept. `rng` gives 0 to 1.
    """
    if not error.retryable or attempt >= min(attempts, error.tries or attempts):
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= limit else None
    return min(LONGEST, FIRST * 2 ** min(attempt - 1, 10)) * (1 - 0.25 * rng())


WAITS = (
    ("retry-after-ms", 0.001),
    ("retry-after", 1.0),
    ("llm_provider-retry-after-ms", 0.001),
    ("llm_provider-retry-after", 1.0),
)
"""Headers and their unit in seconds; a LiteLLM proxy passes its provider's on under a prefix."""


def retry_after(
    headers: Mapping[str, str],
    error: JsonObject,
    status: int,
    *,
    message: str = "",
    now: Callable[[], float] = time.time,
) -> float | None:
    """Seconds the server asks for; None when it names none. `headers` in lower case."""
    for name, scale in WAITS:
        found = _wait(headers.get(name, ""), scale, headers.get("date", ""), now)
        if found is not None:
            return found
    found = _retry_info(error)
    if found is None and status == 429:
        found = _reset(headers)
    return _named(message) if found is None else found


def _named(message: str) -> float | None:
    """The wait that a message names."""
    found = _AGAIN.search(message)
    if found is None:
        return None
    return sum(float(n) * _SECONDS[unit.lower()] for n, unit in _PART.findall(found[1]))


def _wait(value: str, scale: float, date: str, now: Callable[[], float]) -> float | None:
    """A number, or an HTTP date, counted from the server's own clock where it tells it."""
    value = value.strip()
    if not value:
        return None
    try:
        seconds = float(value) * scale
    except ValueError:
        return _until(value, date, now)
    return max(0.0, seconds) if isfinite(seconds) else None


def _until(value: str, date: str, now: Callable[[], float]) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        then = parsedate_to_datetime(value).timestamp()
        since = parsedate_to_datetime(date).timestamp() if date else now()
    except (ValueError, TypeError):
        return None
    return max(0.0, then - since)


def _retry_info(error: JsonObject) -> float | None:
    """Google's RetryInfo (wire.md 3.7)."""
    details: Any = error.get("details")
    for detail in cast("list[Any]", details) if isinstance(details, list) else ():
        if isinstance(detail, dict) and "retryDelay" in detail:
            return duration(str(cast("JsonObject", detail)["retryDelay"]))
    return None


def _reset(headers: Mapping[str, str]) -> float | None:
    """When the exhausted limit is refilled; the nearest one when none is said to be exhausted."""
    resets: dict[bool, list[float]] = {True: [], False: []}
    for name, value in headers.items():
        if not name.startswith("x-ratelimit-reset-"):
            continue
        seconds = duration(value)
        if seconds is not None:
            left = headers.get(name.replace("-reset-", "-remaining-"), "")
            resets[left.strip() == "0"].append(seconds)
    if resets[True]:
        return max(resets[True])
    return min(resets[False], default=None)


def duration(text: str) -> float | None:
    """`6m0s`, `17ms`, `37s` or a bare number of seconds; None for anything else."""
    text = text.strip()
    parts = _DURATION.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    try:
        seconds = float(text)
    except ValueError:
        return None
    # A larger number is a point in time, by a clock that need not be ours.
    return seconds if 0 <= seconds < 10_000_000 else None


def spoken(seconds: float) -> str:
    """A wait as a person says it: `45 s`, `6 min`, `3 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
