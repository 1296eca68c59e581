"""Numbers of usage objects as providers, and proxies before them, really send them."""

from __future__ import annotations

from math import isfinite

from agentcli.llm.types import JsonObject

MOST = 10**9
"""Tokens that no request has: a count that says more, or NaN, says nothing (`stream.credible`)."""


def count(holder: JsonObject, key: str) -> int:
    """Tokens, also in a float or a string; 0 for what is no count, MOST for what can't be one."""
    value = _read(holder.get(key))
    if value is None:
        return 0
    bounded = isinstance(value, int) or isfinite(value)
    return min(max(0, int(value)), MOST) if bounded else MOST


def is_told(usage: JsonObject, *keys: str) -> bool:
    """Whether a count was reported under any of `keys`, be it zero.

    Usage that does not tell how long the prompt was is unknown, not a prompt of nothing.
    """
    found = (_read(usage.get(key)) for key in keys)
    return any(number is not None and number < MOST for number in found)


def merged(before: JsonObject, usage: JsonObject) -> JsonObject:
    """What is known after one more usage event: of each field its last value (wire.md 1.3)."""
    return before | {key: value for key, value in usage.items() if _is_said(value)}


def _is_said(value: object) -> bool:
    negative = isinstance(value, int | float) and value < 0
    return value is not None and not negative


def _read(value: object) -> float | None:
    """A number, also one in a string of a few digits."""
    if isinstance(value, str) and len(value) < len(str(MOST)) * 2:
        try:
            return float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value
