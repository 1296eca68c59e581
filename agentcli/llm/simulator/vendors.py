"""Who is simulated behind Chat Completions: what each takes, refuses and reports."""

from __future__ import annotations

import re
from typing import Literal

from agentcli.lib.value import value

CacheRule = Literal["openai", "units", "none"]


@value
class Vendor:
    """Departures from OpenAI's Chat Completions; each field names who has it."""

    name: str
    cache: CacheRule = "none"
    """How prompts are cached: OpenAI's rules, DeepSeek's whole units, or not at all."""
    checks_fields: bool = False
    """Refuses fields it does not know (OpenAI)."""
    new_limit: bool = False
    """Refuses `max_tokens` for reasoning models (OpenAI, wire.md 2.5)."""
    images_in_results: bool = True
    """Takes images in tool messages (not OpenAI, wire.md 2.5)."""
    reasoning_field: str = ""
    """The delta field reasoning is streamed in (DeepSeek, Kimi); "" for hidden."""
    wants_reasoning: bool = False
    """Refuses a history whose turns with calls lack their reasoning (DeepSeek, wire.md 5.1)."""
    hit_fields: bool = False
    """Reports `prompt_cache_hit_tokens` (DeepSeek)."""


VENDORS = {
    row.name: row
    for row in (
        Vendor("openai", "openai", checks_fields=True, new_limit=True, images_in_results=False),
        Vendor(
            "deepseek",
            "units",
            reasoning_field="reasoning_content",
            wants_reasoning=True,
            hit_fields=True,
        ),
        Vendor("moonshot", "units", reasoning_field="reasoning_content"),
        Vendor("compatible", reasoning_field="reasoning"),
    )
}
_FAMILIES = {"gpt": "openai", "chatgpt": "openai", "deepseek": "deepseek", "kimi": "moonshot"}
_O_SERIES = re.compile(r"o\d")
_GPT = re.compile(r"gpt-(\d+)(?:\.(\d+))?")


def vendor_of(model: str) -> Vendor:
    """Who makes a model of this name; `compatible` for names that say nothing."""
    short = model.rpartition("/")[2]
    if short.startswith("gpt-oss"):
        return VENDORS["compatible"]
    if _O_SERIES.match(short):
        return VENDORS["openai"]
    return VENDORS[_FAMILIES.get(short.partition("-")[0], "compatible")]


def gpt_version(model: str) -> tuple[int, int]:
    """(6, 2) of `gpt-6.2-sol`; (0, 0) for what is no GPT."""
    found = _GPT.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def reasons(model: str) -> bool:
    """Whether an OpenAI model thinks: the o series and everything since GPT-5."""
    short = model.rpartition("/")[2]
    return bool(_O_SERIES.match(short)) or gpt_version(short) >= (5, 0)
