"""What makes us compact unasked, as configured."""

from __future__ import annotations

from agentcli.lib.value import value

THRESHOLD = 0.85


@value
class Triggers:
    at: float = THRESHOLD
    """The share of the window, less room for the reply, past which a summary is due."""
    by_cost: bool = False
    """Whether also where the cache is cold and a summary is cheaper; it loses detail."""
