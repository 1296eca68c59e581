"""The price list that genai-prices publishes as JSON (wire.md 7.1), read with suspicion."""

from __future__ import annotations

import json
from datetime import date, time
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, NoReturn, cast

from agentcli.llm.catalogue.genai import Listed, listed

URL = (
    "https://raw.githubusercontent.com/pydantic/genai-prices/refs/heads/main"
    "/prices/new_data/v2/data.json"
)
MUST_HAVE = ("anthropic", "google", "openai")
"""A list without these is none, or of another shape."""


def read(data: bytes) -> dict[tuple[str, str], Listed]:
    """Prices by (provider, model) of the list. Raises ValueError for what is no price list."""
    raw = json.loads(data, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number)
    if not isinstance(raw, list):
        raise ValueError("it is no list of providers")
    try:
        found = listed(_boxed(raw))
    except (AttributeError, TypeError, ArithmeticError) as error:
        raise ValueError(f"it has another shape than expected ({error})") from None
    missing = [name for name in MUST_HAVE if not any(key[0] == name for key in found)]
    if missing:
        raise ValueError(f"it has no prices of {', '.join(missing)}")
    return found


def _boxed(node: Any, key: str = "") -> Any:
    """JSON as the objects `genai.listed` reads; dates and times are made of their texts."""
    if isinstance(node, dict):
        fields = cast("dict[str, Any]", node)
        box = SimpleNamespace(**{name: _boxed(value, name) for name, value in fields.items()})
        if "prices" in fields and "id" not in fields and not hasattr(box, "constraint"):
            box.constraint = None
        return box
    if isinstance(node, list):
        return [_boxed(part, key) for part in cast("list[Any]", node)]
    if isinstance(node, Decimal) and node < 0:
        raise ValueError(f"{key} is {node}")
    if key == "start_date":
        return date.fromisoformat(str(node))
    return time.fromisoformat(str(node)) if key in ("start_time", "end_time") else node


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no price")
