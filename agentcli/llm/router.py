"""Who answers: one of a model's deployments, or the next model of a chain while it rests.

Values and times are passed in; the client reports what became of each route.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from math import inf, log

from agentcli.lib.value import value
from agentcli.llm.cost import Cost, anew, price
from agentcli.llm.errors import ContextOverflow, LLMError
from agentcli.llm.models import ModelSpec
from agentcli.llm.route import Route

REST = {
    "overloaded": 60.0,
    "rate_limit": 60.0,
    "connection": 60.0,
    "stream_cut": 60.0,
    "stream_malformed": 120.0,
    "server": 120.0,
    "context_overflow": 600.0,
    "quota": 3600.0,
    "auth": inf,
    "model_not_found": inf,
    "wrong_endpoint": inf,
}
"""Seconds a route rests after a failure that no retry helped, where the server names none."""
TOO_SOON = 5.0
"""Seconds; a server that failed again and again after so short a wait is not taken at its word."""


@value
class Deployment:
    """One way to reach a model; of several the heavier is taken more often."""

    route: Route
    weight: int = 1


def unheard(_: Route) -> None:
    pass


class Router:
    """Picks a route for each request, and another one when it fails.

    A route is kept as long as it works, because its cache is warm; requests at the same time are
    spread over the deployments by how busy each is for its weight, and conversations by `seed`: the
    same one begins with the same deployment again. `on_return` hears when the chosen model answers
    again after others did.
    """

    def __init__(
        self,
        main: Callable[[], Sequence[Deployment]],
        fallback: Sequence[Sequence[Deployment]] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
        seed: str = "",
        on_return: Callable[[Route], None] = unheard,
    ) -> None:
        self._main = main
        self._fallback = tuple(fallback)
        self._clock = clock
        self._seed = seed
        self._on_return = on_return
        self._stood_in = ""
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

    def instead(self, route: Route, error: LLMError, size: int = 0) -> Route | None:
        """Who answers instead of a route that failed for good; None when nobody can.

        A prompt of more than `size` tokens goes to nobody whose window is known to be smaller.
        """
        rest = REST.get(error.kind)
        if rest is None:
            return None
        asked = error.retry_after or 0.0
        self._rests[key_of(route)] = self._clock() + (asked if asked > TOO_SOON else rest)
        for link in self._chain():
            able = [
                one
                for one in link
                if not self._is_resting(one.route) and _can(one.route, route, error, size)
            ]
            if able:
                return self._least_busy(able)
        return None

    def is_shared(self, route: Route) -> bool:
        """Whether another deployment of the same model could answer at once."""
        mine = key_of(route)
        for link in self._chain():
            keys = [key_of(one.route) for one in link]
            if mine in keys:
                others = (one.route for one in link if key_of(one.route) != mine)
                return any(not self._is_resting(other) for other in others)
        return False

    def stands_in(self, route: Route) -> bool:
        """Whether it answers in the place of the chosen model."""
        return key_of(route) not in (key_of(one.route) for one in self._main())

    def began(self, route: Route) -> None:
        self._busy[key_of(route)] += 1
        chosen = self._main()[0].route.model.id
        if self.stands_in(route):
            self._stood_in = chosen
        elif self._stood_in:
            returned, self._stood_in = self._stood_in == chosen, ""
            if returned:
                self._on_return(route)

    def ended(self, route: Route) -> None:
        self._busy[key_of(route)] -= 1

    def _chain(self) -> list[Sequence[Deployment]]:
        return [self._main(), *self._fallback]

    def _least_busy(self, awake: Sequence[Deployment]) -> Route:
        model = awake[0].route.model.id

        def load(one: Deployment) -> tuple[float, bool, float]:
            key = key_of(one.route)
            lot = _lot(self._seed, one) if len(awake) > 1 else 0.0
            return self._busy[key] / one.weight, self._kept.get(model) != key, -lot

        chosen = min(awake, key=load).route
        self._kept[model] = key_of(chosen)
        return chosen

    def _is_resting(self, route: Route) -> bool:
        return self._wakes(route) > self._clock()

    def _wakes(self, route: Route) -> float:
        return self._rests.get(key_of(route), -inf)


def _lot(seed: str, one: Deployment) -> float:
    """The largest wins: over many seeds as often as its weight says, for one always the same."""
    if not seed:
        return one.weight
    from hashlib import blake2b

    route = one.route
    name = f"{seed} {route.provider.name} {route.model.id} {route.key}".encode()
    drawn = int.from_bytes(blake2b(name, digest_size=8).digest()) + 0.5
    return one.weight / -log(drawn / 2**64)


Key = tuple[str, str, str]


def key_of(route: Route) -> Key:
    """What tells routes apart: address, model and key."""
    return route.url, route.model.id, route.key or ""


def _can(other: Route, failed: Route, error: LLMError, size: int) -> bool:
    """Whether another route may do what this one could not."""
    if not isinstance(error, ContextOverflow):
        return size <= (other.model.context or inf)
    return (other.model.context or 0) > (failed.model.context or inf)


def reprime(tokens: int, model: ModelSpec, at: datetime) -> Cost | None:
    """What it costs to send a prompt of so many tokens to a model that has none of it cached."""
    return price(anew(tokens, model), model, at=at)
