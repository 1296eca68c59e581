"""Who answers: one of a model's deployments, or the next model of a chain while it rests.

Values and times are passed in; the client reports what became of each route.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from math import inf

from agentcli.lib.value import value
from agentcli.llm.cost import Cost, price
from agentcli.llm.errors import ContextOverflow, LLMError
from agentcli.llm.models import ModelSpec
from agentcli.llm.route import Route
from agentcli.llm.types import Usage

REST = {
    "overloaded": 60.0,
    "rate_limit": 60.0,
    "connection": 60.0,
    "server": 120.0,
    "context_overflow": 600.0,
    "quota": 3600.0,
    "auth": inf,
    "model_not_found": inf,
}
"""Seconds a route rests after a failure that no retry helped, where the server names none."""


@value
class Deployment:
    """One way to reach a model; of several the heavier is taken more often."""

    route: Route
    weight: int = 1


class Router:
    """Picks a route for each request, and another one when it fails.

    A route is kept as long as it works, because its cache is warm; requests at the same time are
    spread over the deployments by how busy each is for its weight.
    """

    def __init__(
        self,
        main: Callable[[], Sequence[Deployment]],
        fallback: Sequence[Route] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._main = main
        self._fallback = tuple(fallback)
        self._clock = clock
        self._busy: Counter[Key] = Counter()
        self._rests: dict[Key, float] = {}
        self._kept: dict[str, Key] = {}

    def pick(self, _: str = "") -> Route:
        """The route for the next request: the first model of the chain that does not rest."""
        for link in self._chain():
            awake = [one for one in link if not self._is_resting(one.route)]
            if awake:
                return self._least_busy(awake)
        return min((one.route for one in self._chain()[0]), key=self._wakes)

    def instead(self, route: Route, error: LLMError) -> Route | None:
        """Who answers instead of a route that failed for good; None when nobody can."""
        rest = REST.get(error.kind)
        if rest is None:
            return None
        self._rests[key_of(route)] = self._clock() + (error.retry_after or rest)
        for link in self._chain():
            for one in link:
                if not self._is_resting(one.route) and _can(one.route, route, error):
                    return one.route
        return None

    def began(self, route: Route) -> None:
        self._busy[key_of(route)] += 1

    def ended(self, route: Route) -> None:
        self._busy[key_of(route)] -= 1

    def _chain(self) -> list[Sequence[Deployment]]:
        return [self._main(), *((Deployment(route),) for route in self._fallback)]

    def _least_busy(self, awake: Sequence[Deployment]) -> Route:
        model = awake[0].route.model.id

        def load(one: Deployment) -> tuple[float, bool, int]:
            key = key_of(one.route)
            return self._busy[key] / one.weight, self._kept.get(model) != key, -one.weight

        chosen = min(awake, key=load).route
        self._kept[model] = key_of(chosen)
        return chosen

    def _is_resting(self, route: Route) -> bool:
        return self._wakes(route) > self._clock()

    def _wakes(self, route: Route) -> float:
        return self._rests.get(key_of(route), -inf)


Key = tuple[str, str, str]


def key_of(route: Route) -> Key:
    """What tells routes apart: address, model and key."""
    return route.url, route.model.id, route.key or ""


def _can(other: Route, failed: Route, error: LLMError) -> bool:
    """Whether another route may do what this one could not."""
    if not isinstance(error, ContextOverflow):
        return True
    return (other.model.context or 0) > (failed.model.context or inf)


def reprime(tokens: int, model: ModelSpec, at: datetime) -> Cost | None:
    """What it costs to send a prompt of so many tokens to a model that has none of it cached."""
    writes = model.cache.mode == "explicit"
    usage = Usage(cache_write_5m=tokens) if writes else Usage(input=tokens)
    return price(usage, model, at=at)
