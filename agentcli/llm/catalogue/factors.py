"""What a service tier or a region does to every rate of a request (wire.md 6.1, 6.2, 6.5)."""

from __future__ import annotations

import re

from agentcli.llm.types import JsonObject

FACTORS: dict[str, JsonObject] = {
    "anthropic": {"batch": "0.5", "us": "1.1", "regional": "1.1", "gov": "1.2"},
    "openai": {"flex": "0.5", "batch": "0.5", "priority": "2", "fast": "2"},
    "gemini": {"flex": "0.5", "batch": "0.5", "priority": "1.8"},
    "mistral": {"batch": "0.5"},
    "groq": {"batch": "0.5"},
    "xai": {"batch": "0.8"},
}
"""By provider. `regional` is a Bedrock or Vertex endpoint that is not global, `gov` Bedrock's for
the government; `us` and `eu` are Anthropic's `inference_geo` and OpenAI's regional hosts (cost
facts 4)."""

OWN: dict[str, tuple[tuple[str, JsonObject], ...]] = {
    "anthropic": (
        (r"claude-((fable|mythos)-5-2|opus-(4-8|5|5-5))", {"fast": "2"}),
        (r"claude-(opus-4-[01]|sonnet-4-0)", {"us": "1", "regional": "1"}),
        (r"claude-(opus|sonnet|haiku)-4-5", {"us": "1"}),
    ),
    "openai": (
        (r"gpt-4\.1(-mini)?|o3", {"priority": "1.75", "fast": "1.75"}),
        (r"gpt-4o", {"priority": "1.7", "fast": "1.7"}),
        (r"gpt-5-mini", {"priority": "1.8", "fast": "1.8"}),
        (r"gpt-5\.5", {"priority": "2.5", "fast": "2.5"}),
        (r"gpt-(5\.[4-9]|6).*", {"us": "1.1", "eu": "1.1", "regional": "1.1"}),
        (r"gpt-6-astra|gpt-6\.1-sol", {"ultrafast": "6"}),
    ),
    "gemini": ((r"gemini-(3\.1-flash-lite|3\.[5-8]-flash.*|4-.*)", {"regional": "1.1"}),),
}
"""Models that differ from their provider's rule; the packages agree on these."""


def own_factors(provider: str, model: str) -> JsonObject:
    """What one model adds to the factors of its provider, or has otherwise."""
    found: JsonObject = {}
    for pattern, factors in OWN.get(provider, ()):
        if re.fullmatch(pattern, model):
            found |= factors
    return found
