"""When the cache has gone cold: what going on rewrites, and whether summing up first is cheaper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from agentcli.agent.loop import Frame
from agentcli.app.billing import Billing
from agentcli.app.talk import Talk
from agentcli.context.compaction import pays_text, short, steps_a_turn
from agentcli.lib.value import replace
from agentcli.llm.breakeven import SUMMARY, BreakEven, Standing, break_even
from agentcli.llm.cost import format_usd
from agentcli.llm.estimate import tokens_of, tokens_of_tools
from agentcli.llm.providers import Route
from agentcli.llm.types import AssistantMessage

WORTH = 50_000
"""Tokens below which no summary is offered for its price."""


@dataclass(slots=True)
class Offer:
    """Looks at one conversation; remembers whether the person was told of this cold spell."""

    talk: Talk
    frame: Callable[[], Frame]
    route: Callable[[], Route]
    billing: Billing
    _told: bool = False

    def standing(self) -> Standing:
        """The conversation in tokens, and whether the cache holds it."""
        frame, used = self.frame(), self.talk.used
        head = tokens_of_tools(frame.tools) + sum(tokens_of(part) for part in frame.system)
        state = self.billing.state(self.talk.id, frame.model)
        marks = state[0].marks if state else ()
        return Standing(
            used=used,
            head=min(head, used),
            warm=not self._is_cold(frame.model),
            long=bool(marks) and marks[-1].ttl == "1h",
            summary=min(SUMMARY, used),
        )

    def even(
        self, standing: Standing | None = None, paid: Decimal | None = None
    ) -> BreakEven | None:
        """Both ways from here, priced; None where a price is unknown."""
        model = self.route().model
        at = datetime.fromtimestamp(self.billing.clock(), UTC)
        return break_even(standing or self.standing(), model, at, paid=paid)

    def price(self) -> Decimal | None:
        """What the next step costs with a summary before it; None while none is on offer."""
        found = self.even() if self._is_due() else None
        return found.compact.after(1) if found else None

    def pays(self) -> bool:
        """Whether compacting now is cheaper within a usual turn than sending all of it anew."""
        if not self._is_due():
            return False
        found = self.even()
        usual = steps_a_turn(self.talk.transcript.messages)
        return found is not None and found.pays_within(usual)

    def news(self) -> str:
        """What to tell of a cold cache before the next request; once for each cold spell."""
        if not self._is_due():
            self._told = False
            return ""
        told, self._told = self._told, True
        found = None if told else self.even()
        if found is None:
            return ""
        going, first = (format_usd(way.after(1)) for way in (found.go_on, found.compact))
        return (
            f"The cache no longer holds this conversation: this request sends "
            f"{short(self.talk.used)} tokens anew for {going}; with /compact before it, "
            f"{first}{pays_text(found.steps)}. "
            f"`[compaction] by_cost = true` compacts by itself where that is cheaper."
        )

    def _is_due(self) -> bool:
        model = self.route().model
        cached = model.cache.mode != "none"
        return cached and self.talk.used > WORTH and self._is_cold(model.id)

    def _is_cold(self, model: str) -> bool:
        """Left alone for too long, or never read by this model."""
        messages = reversed(self.talk.transcript.messages)
        known = any(isinstance(m, AssistantMessage) and m.model == model for m in messages)
        return not known or self.billing.rewrite() is not None


def after_summary(standing: Standing, left: int) -> Standing:
    """With what really took the place of the conversation."""
    return replace(standing, summary=max(0, left - standing.head))
