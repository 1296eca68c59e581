"""Why OpenAI says a request missed its cache, compared with an earlier response (wire.md 2.8.9)."""

from __future__ import annotations

from typing import Any

from agentcli.lib.value import value
from agentcli.llm.simulator.gpt_prompt import items_of, responses_blocks
from agentcli.llm.simulator.prefix import canonical, extend
from agentcli.llm.simulator.refusal import as_object
from agentcli.llm.simulator.tokens import compact
from agentcli.llm.types import JsonObject

KEPT = 256
"""Responses that can be compared with; how long OpenAI remembers them is undocumented."""


@value
class Compared:
    """What of a request is compared: its settings by the reason each gives, its items, its size."""

    before_input: tuple[tuple[str, str], ...]
    items: tuple[str, ...]
    after_input: tuple[tuple[str, str], ...]
    tokens: int


def compared(body: JsonObject, tokens: int) -> Compared:
    text, reasoning = as_object(body.get("text")), as_object(body.get("reasoning"))
    compactions = [item for item in items_of(body.get("input")) if item["type"] == "compaction"]
    return Compared(
        before_input=(
            ("model_changed", compact(body.get("model"))),
            ("prompt_cache_key_changed", compact(body.get("prompt_cache_key"))),
            ("tools_changed", compact(body.get("tools"))),
            ("text_format_changed", compact(text.get("format"))),
            ("reasoning_effort_changed", compact(reasoning.get("effort"))),
            ("verbosity_changed", compact(text.get("verbosity"))),
            ("context_compacted", compact(compactions)),
        ),
        items=tuple(extend("", canonical(b)) for b in responses_blocks(body) if b.part != "tools"),
        after_input=(("service_tier_changed", compact(body.get("service_tier") or "auto")),),
        tokens=tokens,
    )


def diagnosis(now: Compared, before: Compared | None, read: int) -> JsonObject:
    """A hit; a miss with its first reason; or nothing that could be said."""
    if before is None:
        return {"type": "comparison_response_not_found"}
    reason = _reason(now, before)
    missed = max(0, min(now.tokens, before.tokens) - read)
    if reason and missed:
        return {"type": "cache_miss", "reason": reason, "cache_missed_tokens": missed}
    return {"type": "cache_hit" if read else "unavailable"}


def _reason(now: Compared, before: Compared) -> str:
    changed = _changed(now.before_input, before.before_input)
    if not changed and now.items[: len(before.items)] != before.items:
        changed = "input_changed"
    return changed or _changed(now.after_input, before.after_input)


def _changed(now: Any, before: Any) -> str:
    pairs = zip(now, before, strict=True)
    return next((mine[0] for mine, its in pairs if mine != its), "")
