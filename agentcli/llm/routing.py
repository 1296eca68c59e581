"""What a client tells, and asks, whoever chooses routes; and what it says of a try that failed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from agentcli.lib.value import value
from agentcli.llm.cost import format_usd
from agentcli.llm.errors import LLMError
from agentcli.llm.route import Route
from agentcli.llm.router import reprime


@value
class Retry:
    """A request failed for the `attempt`-th time and is sent again in `delay` seconds."""

    attempt: int
    delay: float
    error: LLMError
    instead: Route | None = None
    """Who is asked now, where it is somebody else."""
    anew: int = 0
    """Tokens that one has to read uncached, estimated."""

    @property
    def why(self) -> str:
        """The failure in one sentence, and who goes on at what price."""
        if self.instead is None:
            return str(self.error)
        return f"{self.error}; {goes_on(self.instead, self.anew)}"


def goes_on(route: Route, anew: int) -> str:
    """`openai/gpt-6.1-sol goes on, reading 41,000 tokens for $0.08`."""
    cost = reprime(anew, route.model, datetime.now(UTC))
    priced = "" if cost is None else f" for {format_usd(cost.total)}"
    return f"{route.provider.name}/{route.model.id} goes on, reading {anew:,} tokens{priced}"


class Routing(Protocol):
    """`router.Router` is one."""

    def began(self, route: Route, /) -> None: ...
    def ended(self, route: Route, /) -> None: ...
    def instead(self, route: Route, error: LLMError, size: int, /) -> Route | None:
        """Who answers instead of a route that failed for good; None when nobody can.

        `size` is the prompt's, in tokens.
        """
        ...

    def is_shared(self, route: Route, /) -> bool:
        """Whether another deployment of the same model could answer at once."""
        ...


class Alone:
    """Nobody else can answer."""

    def began(self, route: Route, /) -> None: ...
    def ended(self, route: Route, /) -> None: ...
    def instead(self, route: Route, error: LLMError, size: int, /) -> Route | None:
        return None

    def is_shared(self, route: Route, /) -> bool:
        return False
