"""When a failed request is sent again, and how long the server asks us to wait (wire.md 0.3)."""

from __future__ import annotations

import re
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
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


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
    if not error.retryable or attempt >= attempts:
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= limit else None
    return min(LONGEST, FIRST * 2 ** min(attempt - 1, 10)) * (1 - 0.25 * rng())


def retry_after(headers: Mapping[str, str], error: JsonObject, status: int) -> float | None:
    """Seconds the server asks for; None when it names none. `headers` in lower case."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        found = _wait(headers.get(name, ""), scale, headers.get("date", ""))
        if found is not None:
            return found
    return _retry_info(error) if status != 429 else _retry_info(error) or _reset(headers)


def _wait(value: str, scale: float, date: str) -> float | None:
    """A number, or an HTTP date, which only counts against the server's own clock."""
    value = value.strip()
    if not value:
        return None
    try:
        seconds = float(value) * scale
    except ValueError:
        return _until(value, date)
    return max(0.0, seconds) if isfinite(seconds) else None


def _until(value: str, date: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        distance = parsedate_to_datetime(value) - parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return None
    return max(0.0, distance.total_seconds())


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
