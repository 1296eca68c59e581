"""How hard to think: the words that a model takes where it is asked, and the nearest of them."""

from __future__ import annotations

import re
from typing import get_args

from agentcli.llm.models import ModelSpec
from agentcli.llm.route import Quirks, Route
from agentcli.llm.types import Effort

SCALE: tuple[Effort, ...] = get_args(Effort)
USUAL = SCALE.index("high")
COMMON: tuple[Effort, ...] = ("low", "medium", "high")
"""What every server that takes an effort knows."""
BUDGETS: dict[Effort, int] = {
    "minimal": 1024,
    "low": 4096,
    "medium": 10_000,
    "high": 20_000,
    "xhigh": 32_000,
}
"""Thinking tokens, for the models that take a budget instead of a word."""
_BY_BUDGET = re.compile(r"gemini-[12]\b")


def asked(effort: Effort | None, route: Route) -> Effort | None:
    """The effort that is asked for; None where nothing is said, so that the model decides."""
    words = offered(route)
    return nearest(effort, words) if effort and words else None


def instead(effort: Effort | None, route: Route) -> str:
    """One sentence where another effort is asked for than the person's; "" where it is the same."""
    words, model = offered(route), route.model.id
    if not effort or effort in words:
        return ""
    if not words:
        return f"{model} has no effort to choose; {effort!r} is not asked for."
    known = ", ".join(words)
    return f"{model} knows the efforts {known}; {nearest(effort, words)!r} is asked for."


def offered(route: Route) -> tuple[Effort, ...]:
    """The efforts that a model tells apart at this address, the least first; none: no choice."""
    quirks, model = route.provider.quirks, route.model
    if quirks.switch == "reasoning":
        return SCALE[:-1]
    if model.known and not (model.thinking or model.efforts):
        return ()
    match route.wire or route.provider.wire:
        case "openai-chat":
            return _by_switch(quirks, model)
        case "gemini":
            return _by_generation(model)
        case "openai-responses":
            return model.efforts if model.known else ("none", *COMMON)
        case _ if model.thinking == "budget":
            return ("none", *BUDGETS)
        case "bedrock":
            return model.efforts
        case _ if model.thinking == "adaptive":
            return model.efforts
        case _ if is_new_claude(model):
            return COMMON
        case _:
            return _stopped(quirks, quirks.efforts or tuple(BUDGETS))


def _by_switch(quirks: Quirks, model: ModelSpec) -> tuple[Effort, ...]:
    """What the field by which a Chat server is told knows."""
    if is_switched(model, quirks) or is_defaulted(model, quirks):
        return ("none", "high")
    if quirks.efforts:
        return _stopped(quirks, quirks.efforts)
    match quirks.switch:
        case "enable_thinking":
            return ("none", *BUDGETS)
        case "template" | "both":
            return ("none", *COMMON)
        case "reasoning_effort":
            own = model.efforts if model.known else ("none", *COMMON)
            return tuple(word for word in own if word != "max" or "gpt-6.2" not in model.id)
        case _:
            return ()


def is_switched(model: ModelSpec, quirks: Quirks) -> bool:
    """Whether this model's thinking is on or off, by `thinking.type`, whatever the others know."""
    return quirks.switch == "thinking" or model.id.startswith(quirks.switched)


def is_defaulted(model: ModelSpec, quirks: Quirks) -> bool:
    """Whether this model knows no word but `none` and `default`."""
    return bool(quirks.defaulted) and quirks.defaulted in model.id


def is_new_claude(model: ModelSpec) -> bool:
    """A Claude newer than our table, which then decides for itself when it thinks (wire.md 1.6)."""
    return not model.known and "claude" in model.id


def _stopped(quirks: Quirks, words: tuple[Effort, ...]) -> tuple[Effort, ...]:
    return ("none", *words) if quirks.off else words


def _by_generation(model: ModelSpec) -> tuple[Effort, ...]:
    """A level since Gemini 3, a budget before."""
    return ("none", *BUDGETS) if _BY_BUDGET.search(model.id) else model.efforts or COMMON


def nearest(effort: Effort, words: tuple[Effort, ...]) -> Effort:
    """The word nearest on the scale; of two, the one nearer to the usual."""

    def distance(word: Effort) -> tuple[int, int]:
        place = SCALE.index(word)
        return abs(place - SCALE.index(effort)), abs(place - USUAL)

    return min(words, key=distance)
