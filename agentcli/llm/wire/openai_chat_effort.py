"""How each Chat vendor is told how hard to think (wire.md 5)."""

from __future__ import annotations

from agentcli.llm.efforts import BUDGETS, asked, is_defaulted, is_switched
from agentcli.llm.providers import Route
from agentcli.llm.types import Effort, JsonObject


def effort_fields(effort: Effort | None, route: Route) -> JsonObject:
    """The fields that ask for `effort`, in this vendor's words; none where none are taken."""
    quirks, model = route.provider.quirks, route.model
    apart = quirks.parsed and bool(model.thinking) and "gpt-oss" not in model.id
    return _asking(asked(effort, route), route) | ({"reasoning_format": "parsed"} if apart else {})


def _asking(word: Effort | None, route: Route) -> JsonObject:
    quirks, model = route.provider.quirks, route.model
    if quirks.switch == "thinking" and (word or model.thinking or model.efforts):
        return {"thinking": {"type": _switched(word)} | quirks.kept}
    if word is None:
        return {}
    match quirks.switch:
        case "reasoning":
            return {"reasoning": {"effort": word}}
        case "reasoning_effort" if is_switched(model, quirks) or (word == "none" and quirks.off):
            return {"thinking": {"type": _switched(word)}}
        case "reasoning_effort" if is_defaulted(model, quirks):
            return {"reasoning_effort": "none" if word == "none" else "default"}
        case "reasoning_effort":
            return {"reasoning_effort": word}
        case "enable_thinking" if word == "none":
            return {"enable_thinking": False}
        case "enable_thinking":
            return {"enable_thinking": True, "thinking_budget": BUDGETS[word]}
        case "template":
            return {"chat_template_kwargs": _template(word)}
        case "both":
            return {"reasoning_effort": word, "chat_template_kwargs": _template(word)}
        case _:
            return {}


def _switched(word: Effort | None) -> str:
    return "disabled" if word == "none" else "enabled"


def _template(word: Effort) -> JsonObject:
    """What templates know: Qwen's and GLM's switch, and gpt-oss's word; the others ignore them."""
    if word == "none":
        return {"enable_thinking": False}
    return {"enable_thinking": True, "reasoning_effort": word}
