"""How much subagents may do, as configured."""

from __future__ import annotations

from agentcli.lib.value import value


@value
class Delegation:
    at_once: int = 4
    """Subagents that work at the same time; others wait."""
    steps: int = 50
    """Requests one of them may make."""
