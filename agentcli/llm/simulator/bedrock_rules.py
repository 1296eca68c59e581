"""Converse's rules as tables: fields, block kinds, cache points by model (wire.md 4.2, 4.5)."""

from __future__ import annotations

import re
from typing import Literal

from agentcli.lib.value import value
from agentcli.llm.simulator.claude_rules import generation

Family = Literal["claude", "nova", "openai", "other"]
FIELDS = (
    "system",
    "messages",
    "toolConfig",
    "inferenceConfig",
    "additionalModelRequestFields",
    "additionalModelResponseFieldPaths",
    "outputConfig",
    "serviceTier",
    "guardrailConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
)
BLOCKS = (
    "text",
    "image",
    "document",
    "toolUse",
    "toolResult",
    "reasoningContent",
    "cachePoint",
    "searchResult",
    "toolAddition",
    "toolRemoval",
)
"""A content block is exactly one of these."""
ONLY_USER = ("toolResult", "image", "document", "searchResult")
ONLY_ASSISTANT = ("toolUse", "reasoningContent")
RESULT_PARTS = ("text", "json", "image", "document")
IMAGE_FORMATS = ("png", "jpeg", "gif", "webp")
EFFORTS = ("low", "medium", "high", "xhigh", "max")
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CALL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
OTHER_CALL_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
"""Ids of models other than Claude, which write them with more letters."""
ONE_HOUR = (4, 5)
"""Claude from here on can keep a prefix for an hour."""
STOPS = {"pause": "end_turn", "refusal": "content_filtered"} | {
    "context_full": "model_context_window_exceeded",
    "error": "malformed_model_output",
}


@value
class CacheRule:
    """How a family caches where it is asked to (wire.md 4.5)."""

    points: int = 4
    places: tuple[str, ...] = ("tools", "system", "messages")
    ttls: tuple[str, ...] = ("5m",)


NOVA_LEAST, NOVA_MOST = 1_000, 20_000
"""wire.md 4.5: tokens of the shortest and of the longest prefix that is kept."""
CACHES: dict[Family, CacheRule] = {
    "claude": CacheRule(ttls=("5m", "1h")),
    "nova": CacheRule(places=("system", "messages")),
}


def family(model: str) -> Family:
    """Who made the model behind an id in any of Amazon's spellings."""
    for word, found in _FAMILIES.items():
        if word in model:
            return found
    return "other"


_FAMILIES: dict[str, Family] = {"claude": "claude", "amazon.nova": "nova", "openai.": "openai"}


def lives_of(model: str) -> tuple[str, ...]:
    """The lives a cache point may ask for; none where the model takes no points."""
    rule = CACHES.get(family(model))
    if rule is None:
        return ()
    found = generation(model)
    if found is not None and found.version < ONE_HOUR:
        return ("5m",)
    return rule.ttls
