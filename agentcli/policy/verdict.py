"""The words of a decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["allow", "deny", "ask"]
Mode = Literal["default", "accept-edits", "plan", "dont-ask", "bypass"]
Source = Literal["mode", "rule", "hook", "user", "sandbox"]


@dataclass(frozen=True, slots=True)
class Decision:
    verdict: Verdict
    reason: str
    source: Source
    rules: tuple[str, ...] = ()
    """For `ask`: the exact rules that "always" would store; empty when none can be offered."""
