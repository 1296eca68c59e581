"""How each Chat vendor is told how hard to think (wire.md 5)."""

from __future__ import annotations

from agentcli.llm.efforts import nearest
from agentcli.llm.providers import Quirks, Route
from agentcli.llm.types import Effort, JsonObject

BUDGETS = {"minimal": 1024, "low": 4096, "medium": 10_000, "high": 20_000}
"""Thinking tokens by effort, for the vendors that take a budget."""
MOST = 32_000


def effort_fields(effort: Effort | None, route: Route) -> JsonObject:
    """The fields that ask for `effort`, in this vendor's words; none where none are taken."""
    quirks, model = route.provider.quirks, route.model
    word = _word(effort, route)
    match quirks.switch:
        case "reasoning":
            return {"reasoning": {"effort": effort}} if effort else {}
        case "thinking" if model.thinking or model.efforts or (effort and not model.known):
            return {"thinking": {"type": _switched(word)} | quirks.kept}
        case "reasoning_effort" if word == "none" and quirks.off:
            return {"thinking": {"type": "disabled"}}
        case "reasoning_effort" if word:
            return {"reasoning_effort": word}
        case "enable_thinking" if word == "none":
            return {"enable_thinking": False}
        case "enable_thinking" if word:
            return {"enable_thinking": True, "thinking_budget": BUDGETS.get(word, MOST)}
        case "template" if word:
            return {"chat_template_kwargs": {"enable_thinking": word != "none"}}
        case _:
            return {}


def _switched(word: str) -> str:
    return "disabled" if word == "none" else "enabled"


def _word(effort: Effort | None, route: Route) -> str:
    """What is sent for `effort`; "" when nothing is, as for a model known to have no switch."""
    quirks, model = route.provider.quirks, route.model
    thinks = bool(model.thinking or model.efforts) or not model.known
    if effort is None or not thinks:
        return ""
    if effort == "none" and _can_stop(quirks):
        return effort
    if quirks.efforts:
        return nearest(effort, quirks.efforts)
    return effort if effort in model.efforts or not model.known else ""


def _can_stop(quirks: Quirks) -> bool:
    return quirks.off or quirks.switch in ("thinking", "enable_thinking", "template")
