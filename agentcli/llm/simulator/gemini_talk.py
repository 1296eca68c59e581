"""What the Gemini API refuses in the contents: roles, parts, calls, signatures (wire.md 3.4)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from agentcli.llm.simulator.gemini_prompt import parts_of
from agentcli.llm.simulator.gemini_rules import NAME, SENTINELS, SIGNS, need, version
from agentcli.llm.simulator.gemini_strict import only
from agentcli.llm.simulator.refusal import as_object
from agentcli.llm.simulator.seal import is_genuine, seal, unseal
from agentcli.llm.simulator.tokens import compact, objects
from agentcli.llm.types import JsonObject

DATA = (
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
)
"""A part holds exactly one of these."""
PART_FIELDS = (*DATA, "thought", "thoughtSignature", "videoMetadata", "mediaResolution")
ROLES = ("user", "model")


def check_contents(body: JsonObject, model: str, *, vertex: bool) -> None:
    """Roles, parts, and every call answered in its place (wire.md 3.1, 3.2, 3.4)."""
    contents = objects(body["contents"])
    for index, content in enumerate(contents):
        _check_content(content, f"contents[{index}]", model, vertex=vertex)
    need(_role(contents[0]) == "user", "Please ensure that the first content is of role user.")
    need(
        _role(contents[-1]) == "user",
        "Please ensure that multiturn requests end with a user role or a function response.",
    )
    for before, content in zip([None, *contents], contents, strict=False):
        _check_order(before, content, model)
    _check_signatures(contents, model)


def _check_content(content: JsonObject, where: str, model: str, *, vertex: bool) -> None:
    only(content, ("role", "parts"), where)
    need(
        content.get("role", None if vertex else "user") in ROLES,
        "Please use a valid role: user, model.",
    )
    parts = parts_of(content)
    need(bool(parts), f"* GenerateContentRequest.{where}.parts: must not be empty.")
    for index, part in enumerate(parts):
        _check_part(part, f"{where}.parts[{index}]", _role(content), model)
    answers = [part for part in parts if "functionResponse" in part]
    need(
        not answers or len(answers) == len(parts) or version(model) < SIGNS,
        f"{where}: function response parts can not be mixed with other parts.",
    )


def _check_part(part: JsonObject, where: str, role: str, model: str) -> None:
    only(part, PART_FIELDS, where)
    held = [name for name in DATA if name in part]
    need(
        len(held) == 1,
        f"* GenerateContentRequest.{where}.data: required oneof field 'data' must have one "
        "initialized field",
    )
    match held[0]:
        case "text":
            need(isinstance(part["text"], str), f"Invalid value at '{where}.text' (TYPE_STRING)")
        case "inlineData":
            _check_data(as_object(part["inlineData"]), f"{where}.inline_data")
        case "functionCall":
            need(role == "model", f"{where}: function calls are only allowed in role model.")
            _check_call(as_object(part["functionCall"]), f"{where}.function_call", model)
        case "functionResponse":
            need(role == "user", f"{where}: function responses are only allowed in role user.")
            response = as_object(part["functionResponse"])
            _check_response(response, f"{where}.function_response", model)
        case _:
            return


def _check_data(data: JsonObject, where: str) -> None:
    only(data, ("mimeType", "data", "displayName"), where)
    need(bool(data.get("mimeType")), f"* {where}.mime_type: must be set")
    need(_is_base64(data.get("data")), f"Invalid value at '{where}.data' (TYPE_BYTES)")


def _is_base64(text: Any) -> bool:
    try:
        return bool(base64.b64decode(str(text or ""), validate=True))
    except ValueError:
        return False


def _check_call(call: JsonObject, where: str, model: str) -> None:
    """Older models give their calls no id, and ours is not sent to them (wire.md 3.4)."""
    only(call, ("name", "args", *_id_field(model)), where)
    name = str(call.get("name", ""))
    need(NAME.fullmatch(name) is not None, f"Invalid function name at {where}.name: {name!r}")
    args = call.get("args", {})
    need(isinstance(args, dict), f"Invalid value at '{where}.args' (type.googleapis.com/Struct)")


def _check_response(response: JsonObject, where: str, model: str) -> None:
    nested = ("parts",) if version(model) >= SIGNS else ()
    only(response, ("name", "response", *_id_field(model), *nested), where)
    need(
        isinstance(response.get("response"), dict),
        f"Invalid value at '{where}.response' (type.googleapis.com/Struct)",
    )
    for index, part in enumerate(objects(response.get("parts"))):
        only(part, ("inlineData",), f"{where}.parts[{index}]")
        _check_data(as_object(part.get("inlineData")), f"{where}.parts[{index}].inline_data")


def _id_field(model: str) -> tuple[str, ...]:
    return ("id",) if version(model) >= SIGNS else ()


def _role(content: JsonObject) -> str:
    return str(content.get("role", "user"))


def _held(content: JsonObject | None, name: str) -> list[JsonObject]:
    return [as_object(part[name]) for part in parts_of(content) if name in part]


def _check_order(before: JsonObject | None, content: JsonObject, model: str) -> None:
    """A call follows the user, and its answers follow it: all of them, in its order."""
    calls, answers = _held(before, "functionCall"), _held(content, "functionResponse")
    need(
        not _held(content, "functionCall") or (before is not None and _role(before) == "user"),
        "Please ensure that function call turn comes immediately after a user turn or after a "
        "function response turn.",
    )
    need(
        bool(calls) or not answers,
        "Please ensure that function response turn comes immediately after a function call turn.",
    )
    need(
        len(calls) == len(answers),
        "Please ensure that the number of function response parts is equal to the number of "
        "function call parts of the function call turn.",
    )
    for call, answer in zip(calls, answers, strict=True):
        need(
            call.get("name") == answer.get("name") and call.get("id") == answer.get("id"),
            f"Function response {answer.get('name')!r} (id {answer.get('id')!r}) does not match "
            f"function call {call.get('name')!r} (id {call.get('id')!r}) in its place.",
        )


def _check_signatures(contents: Sequence[JsonObject], model: str) -> None:
    """None may be altered; since the last user text each step's first call needs its own (3.4)."""
    spoken = [index for index, content in enumerate(contents) if _is_spoken(content)]
    turn = spoken[-1] if spoken else -1
    for index, content in enumerate(contents):
        parts = parts_of(content)
        for number, part in enumerate(parts):
            where = f"contents[{index}].parts[{number}]"
            need(_is_signed_right(part, model), f"Corrupted thought signature. ({where})")
        calls = [part for part in parts if "functionCall" in part]
        need(
            version(model) < SIGNS
            or index < turn
            or not calls
            or bool(calls[0].get("thoughtSignature")),
            "Function call is missing a thought_signature in functionCall parts. This is required "
            f"for tools to work correctly. (contents[{index}])",
        )


def _is_spoken(content: JsonObject) -> bool:
    return _role(content) == "user" and any("text" in part for part in parts_of(content))


def signature(part: JsonObject, model: str) -> str:
    """The signature of a part as this model made it; the part's content is bound by it."""
    return seal(model, "", "", _signed(part))


def _is_signed_right(part: JsonObject, model: str) -> bool:
    given = str(part.get("thoughtSignature") or "")
    if not given or given in SENTINELS:
        return True
    mine = unseal(given)
    return mine is not None and mine.model == model and is_genuine(mine, _signed(part))


def _signed(part: JsonObject) -> str:
    kept = {k: v for k, v in part.items() if k not in ("thoughtSignature", "thought")}
    return compact(kept)
