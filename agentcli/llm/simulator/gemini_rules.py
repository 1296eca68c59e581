"""The Gemini API's rules as tables: generations, fields, cache minimums, failures (wire.md 3)."""

from __future__ import annotations

import re

from agentcli.llm.simulator.refusal import Refused

FIELDS = (
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "generationConfig",
    "safetySettings",
    "cachedContent",
    "serviceTier",
    "labels",
    "continuationToken",
    "store",
    "model",
)
CONFIG_FIELDS = (
    "maxOutputTokens",
    "thinkingConfig",
    "temperature",
    "topP",
    "topK",
    "stopSequences",
    "candidateCount",
    "seed",
    "presencePenalty",
    "frequencyPenalty",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "responseModalities",
    "mediaResolution",
)
LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")
MODES = ("AUTO", "ANY", "NONE", "VALIDATED")
SCHEMA_FIELDS = (
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "items",
    "maxItems",
    "minItems",
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "anyOf",
    "propertyOrdering",
    "default",
    "example",
)
"""wire.md 3.2: `parameters` is a subset of OpenAPI; JSON Schema goes into another field."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
SENTINELS = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
"""wire.md 3.4: what stands for the signature of a call that another model made."""
SIGNS = (3, 0)
"""wire.md 3.4: from here on calls must come back signed; their ids exist, too."""
THINKS = (2, 5)
CACHES = (2, 5)
"""wire.md 3.6: implicit caching is on from here."""
MINIMUMS = {"gemini-2.5-flash": 1_024, "gemini-3-flash": 1_024}
"""wire.md 3.6: tokens below which nothing is cached; 4,096 for the others."""
OTHER_MINIMUM = 4_096
IMPLICIT_LIFE = 300.0
"""Seconds an unused prefix is kept here: undocumented, "minutes" (wire.md 3.6, 9)."""
EXPLICIT_LIFE = 3_600.0
"""wire.md 3.6: of an explicit cache that asks for none."""
MAX_OUTPUT = 65_536
LEAST_BUDGET_OF_PRO = 128
STOPS = {
    "end_turn": "STOP",
    "tool_use": "STOP",
    "max_tokens": "MAX_TOKENS",
    "refusal": "SAFETY",
    "pause": "CONTINUATION",
    "error": "OTHER",
}
FAULTS: dict[str, tuple[int, str, str]] = {
    "rate_limited": (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted."),
    "quota": (402, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."),
    "overloaded": (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    "context_overflow": (
        400,
        "INVALID_ARGUMENT",
        "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
    ),
    "unauthorized": (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    "no_key": (403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers."),
    "server_error": (500, "INTERNAL", "An internal error has occurred."),
}
"""(code, status, message), wire.md 3.7."""

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_NEWEST = (4, 0)


def version(model: str) -> tuple[int, int]:
    """(3, 8) of `gemini-3.8-flash`; a name without a number is of the newest."""
    found = _VERSION.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else _NEWEST


def minimum(model: str) -> int:
    """The longest name in the table that `model` begins with decides; `-lite` is a model apart."""
    short = model.rpartition("/")[2].removesuffix("-preview")
    return MINIMUMS.get(short, OTHER_MINIMUM)


def failure(name: str, model: str) -> Refused:
    if name == "model_not_found":
        message = f"models/{model} is not found for API version v1beta."
        return Refused(message, status=404, kind="NOT_FOUND")
    status, kind, message = FAULTS[name]
    reason = "API_KEY_INVALID" if name == "unauthorized" else None
    return Refused(message, status=status, kind=kind, code=reason)


def need(holds: bool, message: str) -> None:
    """Raises Refused (400 INVALID_ARGUMENT) unless it holds."""
    if not holds:
        raise Refused(message, kind="INVALID_ARGUMENT")
