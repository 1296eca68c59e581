"""An answer that was asked to follow a JSON schema, checked against it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from agentcli.llm.types import JsonObject

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def structured(text: str, schema: str | None) -> tuple[Any, str]:
    """The answer as a value, and what is wrong with it ("" when it follows the schema)."""
    body = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```").strip()
    try:
        value = json.loads(body)
    except ValueError as error:
        return None, f"The answer is not JSON: {error}."
    raw = schema or "{}"
    wanted = json.loads(raw if raw.lstrip().startswith("{") else Path(raw).read_text("utf-8"))
    return value, _mismatch(value, wanted, "answer")


def _mismatch(value: Any, schema: JsonObject, where: str) -> str:
    """The first departure from type, enum, required, properties or items."""
    kinds = schema.get("type")
    names = cast("list[str]", [kinds] if isinstance(kinds, str) else kinds or [])
    if names and not any(_is(value, name) for name in names):
        return f"{where} is not of type {' or '.join(names)}."
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} is not one of {schema['enum']}."
    if isinstance(value, dict):
        return _object_mismatch(cast("JsonObject", value), schema, where)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        found = (
            _mismatch(item, schema["items"], f"{where}[{n}]")
            for n, item in enumerate(cast("list[Any]", value))
        )
        return next((text for text in found if text), "")
    return ""


def _object_mismatch(value: JsonObject, schema: JsonObject, where: str) -> str:
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        return f"{where} lacks {', '.join(missing)}."
    properties = schema.get("properties", {})
    extra = [name for name in value if name not in properties]
    if extra and schema.get("additionalProperties") is False:
        return f"{where} has {', '.join(extra)}, which the schema does not know."
    found = (
        _mismatch(value[name], part, f"{where}.{name}")
        for name, part in properties.items()
        if name in value
    )
    return next((text for text in found if text), "")


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES.get(name, (object,)))
