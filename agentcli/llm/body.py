"""A request's body as bytes."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, cast

from agentcli.llm.surrogates import well_formed
from agentcli.llm.types import JsonObject


def as_bytes(body: JsonObject) -> bytes:
    """Compact JSON in UTF-8: equal bodies give equal bytes, and nothing in one can't be sent."""
    try:
        text = _dumps(body)
    except ValueError:
        text = _dumps(_finite(body))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return well_formed(text).encode()


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _finite(value: Any) -> Any:
    """Python reads NaN and Infinity in a model's arguments; JSON has no such numbers."""
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in cast("JsonObject", value).items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in cast("list[Any]", value)]
    return None if isinstance(value, float) and not isfinite(value) else value
