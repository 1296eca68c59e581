"""When a failed request is sent again (wire.md 0.3)."""

from __future__ import annotations

from collections.abc import Callable

from agentcli.llm.errors import LLMError

ATTEMPTS = 5
FIRST = 0.5
LONGEST = 30.0
PATIENCE = 60.0
"""Seconds; a server that asks for more is told to the person instead of slept through."""


def next_delay(
    error: LLMError, attempt: int, *, rng: Callable[[], float], attempts: int = ATTEMPTS
) -> float | None:
    """Seconds to wait after failure number `attempt` (from 1), or None to give up."""
    if not error.retryable or attempt >= attempts:
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= PATIENCE else None
    return min(LONGEST, FIRST * 2 ** (attempt - 1)) * (1 - 0.25 * rng())
