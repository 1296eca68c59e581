"""The words of a decision."""

from __future__ import annotations

from typing import Literal

from agentcli.lib.value import value

Verdict = Literal["allow", "deny", "ask"]
Mode = Literal["default", "accept-edits", "plan", "dont-ask", "bypass"]
Source = Literal["mode", "rule", "hook", "user", "sandbox"]


@value
class Decision:
    verdict: Verdict
    reason: str
    source: Source
    rules: tuple[str, ...] = ()
    """For `ask`: the exact rules that "always" would store; empty when none can be offered."""
