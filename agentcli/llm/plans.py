"""The cache plans that were answered to: by session and by deployment, each with its own cache."""

from __future__ import annotations

from typing import TypeAlias

from agentcli.lib.value import replace
from agentcli.llm.gaps import UNKNOWN
from agentcli.llm.marks import CachePlan
from agentcli.llm.router import Key
from agentcli.llm.types import Request

PlanKey: TypeAlias = tuple[str, Key]
"""A session, and a route."""


class Plans:
    """The last plan of each."""

    def __init__(self) -> None:
        self._plans: dict[PlanKey, tuple[CachePlan, float]] = {}
        self._latest: dict[tuple[str, str], PlanKey] = {}

    def answered(self, key: PlanKey, model: str, plan: CachePlan, at: float) -> None:
        """A model began to answer to a request that was sent `at` (clock seconds)."""
        self._plans[key] = (plan, at)
        self._latest[key[0], model] = key

    def before(self, request: Request, key: PlanKey) -> CachePlan | None:
        """The plan before this one; of a new session, that of the one it shares its head with.

        How long that one's person pauses teaches nothing about this one.
        """
        known = self._plans.get(key)
        if known is not None:
            return known[0]
        head = self._plans.get((request.parent, key[1])) if request.parent else None
        return replace(head[0], gaps=UNKNOWN) if head else None

    def state(self, session: str, model: str) -> tuple[CachePlan, float] | None:
        """The last plan a session's model answered to, whichever deployment it was."""
        key = self._latest.get((session, model))
        return self._plans[key] if key is not None else None

    def forget(self, session: str) -> None:
        for key in [key for key in self._plans if key[0] == session]:
            del self._plans[key]
        for asked in [asked for asked in self._latest if asked[0] == session]:
            del self._latest[asked]
