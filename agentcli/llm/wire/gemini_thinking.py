"""How a Gemini model is asked to think: by level since Gemini 3, by budget before (wire.md 3.2)."""

from __future__ import annotations

import re

from agentcli.llm.models import ModelSpec
from agentcli.llm.types import Effort, JsonObject

LEVELS = {"none": "MINIMAL", "max": "XHIGH"}
"""Efforts whose level has another name."""
BUDGETS = {"none": 0, "minimal": 1024, "low": 4096, "medium": 10_000}
MOST = 24_576
LEAST = 512
LEAST_OF_PRO = 128
"""Gemini 2.5 Pro cannot stop thinking."""
NEWEST = (3, 0)
_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?")


def generation(model: str) -> int:
    """The number in a model's name; one without (`gemini-flash-latest`) is of the newest."""
    return _version(model)[0]


def thinking_config(effort: Effort | None, model: ModelSpec, limit: int) -> JsonObject:
    """`thinkingConfig`; never both a level and a budget. `limit` holds thoughts and answer.

    `effort` is one that the model offers.
    """
    if not _thinks(model):
        return {}
    if effort is None:
        return {"includeThoughts": True}
    if generation(model.id) >= 3:
        return {"includeThoughts": True, "thinkingLevel": LEVELS.get(effort, effort.upper())}
    budget = BUDGETS.get(effort, MOST)
    if budget:
        budget = max(LEAST, min(budget, limit - 1024))
    elif "pro" in model.id:
        budget = LEAST_OF_PRO
    return {"includeThoughts": budget > 0, "thinkingBudget": budget}


def _thinks(model: ModelSpec) -> bool:
    if model.known:
        return bool(model.thinking)
    return "gemini" in model.id and _version(model.id) >= (2, 5)


def _version(model: str) -> tuple[int, int]:
    found = _VERSION.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else NEWEST
