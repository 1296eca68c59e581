"""Arguments as models write them: common slips understood, other mistakes told in a line each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from agentcli.llm.types import JsonObject

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_WORDS = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
}
_INTEGER = re.compile(r"\s*-?\d{1,15}\s*")
_NUMBER = re.compile(r"\s*-?\d{1,15}(\.\d{1,15})?\s*")


def lenient(value: Any, schema: JsonObject) -> Any:
    """What models often write instead of what they mean: "3" for 3, a list's JSON as a string."""
    kind = str(schema.get("type", ""))
    if isinstance(value, str):
        return _from_words(value, kind, schema)
    if isinstance(value, float) and kind == "integer" and value.is_integer():
        return int(value)
    if isinstance(value, list) and "items" in schema:
        items = cast("list[Any]", value)
        return [lenient(item, schema["items"]) for item in items]
    if isinstance(value, dict) and "properties" in schema:
        parts, needed = schema["properties"], schema.get("required", ())
        given = cast("JsonObject", value)
        return {
            name: lenient(part, parts.get(name, {}))
            for name, part in given.items()
            if part is not None or name in needed or name not in parts
        }
    return cast("Any", value)


def _from_words(text: str, kind: str, schema: JsonObject) -> Any:
    """The value a string spells, if it is of the kind; else the string."""
    match kind:
        case "integer" if _INTEGER.fullmatch(text):
            return int(text)
        case "number" if _NUMBER.fullmatch(text):
            return float(text)
        case "boolean" if text.strip().lower() in ("true", "false"):
            return text.strip().lower() == "true"
        case "array" | "object":
            try:
                spelled = json.loads(text)
            except (ValueError, RecursionError):
                return text
            return text if isinstance(spelled, str) else lenient(spelled, schema)
        case _:
            return text


def unsendable(input: JsonObject) -> list[str]:
    """A line for each argument that holds half of a surrogate pair: no file can hold it."""
    why = "holds half of a surrogate pair, which is no character"
    return [f"- {name}: {why}" for name, value in input.items() if not _is_sound(value)]


def _is_sound(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False, default=repr).encode()
    except UnicodeEncodeError:
        return False
    return True


def told(error: ErrorDetails, schema: JsonObject) -> str:
    """One mistake: which argument, what is wrong, what was expected."""
    *path, name = error["loc"] or ("",)
    where = _where(error["loc"])
    match error["type"]:
        case "missing":
            return f"- {where}: missing; expected {_expected(_at(schema, error['loc']))}"
        case "extra_forbidden":
            return f"- {where}: no such argument{_instead(str(name), _at(schema, path))}"
        case _:
            got = json.dumps(error["input"], ensure_ascii=False, default=repr)
            got = got.encode("utf-8", "replace").decode()
            got = got if len(got) <= 60 else got[:60] + "…"
            return f"- {where}: expected {_expected(_at(schema, error['loc']))}, got {got}"


def _where(loc: Sequence[int | str]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc]
    return "".join(parts).removeprefix(".")


def _at(schema: JsonObject, loc: Sequence[int | str]) -> JsonObject:
    for part in loc:
        inner = schema.get("items") if isinstance(part, int) else None
        schema = inner or schema.get("properties", {}).get(part, {})
    return schema


def _expected(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(str(word) for word in schema["enum"])
    kind = str(schema.get("type", ""))
    if kind == "array":
        return f"a list of {schema.get('items', {}).get('type', 'value')}s"
    return _WORDS.get(str(kind), "a value")


def _instead(name: str, schema: JsonObject) -> str:
    from difflib import get_close_matches

    known = list(schema.get("properties", {}))
    parts = [part for part in known if part in re.split(r"[_\W]+", name.lower())]
    near = parts or get_close_matches(name.lower(), known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
