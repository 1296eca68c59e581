"""Numbers of usage objects as providers, and proxies before them, really send them."""

from __future__ import annotations

from math import isfinite

from agentcli.llm.types import JsonObject

MOST = 10**9
"""Tokens that no request has: a count that says more, or NaN, says nothing (`stream.credible`)."""


def count(holder: JsonObject, key: str) -> int:
    """Tokens, also in a float or a string; 0 for what is no count, MOST for what can't be one."""
    value = holder.get(key)
    if isinstance(value, str):
        value = _number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    if not isfinite(value):
        return MOST
    return min(max(0, int(value)), MOST)


def merged(before: JsonObject, usage: JsonObject) -> JsonObject:
    """What is known after one more usage event: of each field its last value (wire.md 1.3)."""
    return before | {key: value for key, value in usage.items() if _is_said(value)}


def _is_said(value: object) -> bool:
    negative = isinstance(value, int | float) and value < 0
    return value is not None and not negative


def _number(text: str) -> float | None:
    """The number that a string of a few digits holds."""
    try:
        return float(text) if len(text) < len(str(MOST)) * 2 else None
    except ValueError:
        return None
