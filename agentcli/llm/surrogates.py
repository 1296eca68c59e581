"""Text that UTF-8 can carry: models and files hand out halves of characters."""

from __future__ import annotations

from typing import Any, cast

from agentcli.llm.types import JsonObject


def well_formed(text: str) -> str:
    """Text that UTF-8 can carry: surrogate halves joined, lone ones replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def well_formed_json(value: Any) -> Any:
    """The same object when all its text is well formed."""
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, dict):
        items = cast("JsonObject", value).items()
        clean = {well_formed(name): well_formed_json(inner) for name, inner in items}
        same = all(clean.get(name, clean) is inner for name, inner in items)
        return cast("JsonObject", value) if same else clean
    if isinstance(value, list):
        before = cast("list[Any]", value)
        after = [well_formed_json(inner) for inner in before]
        return before if all(a is b for a, b in zip(after, before, strict=True)) else after
    return value
