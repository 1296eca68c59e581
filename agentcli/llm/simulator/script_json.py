"""Scripts as JSON, for servers in a process of their own.

A script is a list of steps, or {"steps", "rules", "delta", "chunk"}. A step is
- a text, or {"text", "thinking", "calls": [{"name", "input", "id", "raw"}]} or {"parts": [...]},
  with "stop", "usage" (null for none reported), "wait", "pause" and at most one trouble:
  "cut": bytes, "reset": bytes, "cut": "call", "malformed": deltas, "error": the vendor's word
  (with "after": deltas);
- {"fault": name, "retry_after": seconds}, {"fault": "drop"}, {"fault": "hang"};
- {"status", "headers", "body"}: any answer;
- {"when": {field: text}, "then": step}: only for requests that hold the text in `latest`,
  `results`, `system`, `texts` or `model`; {"not": {...}} instead for those that do not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast, get_args

from agentcli.llm.simulator.script import (
    Asked,
    Drop,
    Failure,
    Fault,
    FaultName,
    Hang,
    Part,
    Say,
    Script,
    Step,
    Think,
    Trouble,
    Turn,
    Use,
    When,
)
from agentcli.llm.types import JsonObject

TURN_FIELDS = (
    "text",
    "thinking",
    "calls",
    "parts",
    "stop",
    "usage",
    "wait",
    "pause",
    "cut",
    "reset",
    "malformed",
    "error",
    "after",
)
PLACES: dict[str, Callable[[Asked], str]] = {
    "latest": lambda asked: asked.latest,
    "results": lambda asked: "\n".join(asked.results),
    "system": lambda asked: asked.system,
    "texts": lambda asked: "\n".join(asked.texts),
    "model": lambda asked: asked.model,
}


class ScriptInvalid(ValueError):
    """A script in JSON that says what we do not understand."""


def parse_script(text: str | bytes) -> Script:
    """Raises ScriptInvalid, with the place, for what is no script."""
    try:
        value: Any = json.loads(text)
    except ValueError as error:
        raise ScriptInvalid(f"the script is no JSON: {error}") from None
    whole: JsonObject = {"steps": value} if isinstance(value, list) else _object(value, "script")
    _only(whole, ("steps", "rules", "delta", "chunk"), "script")
    steps = [_step(v, f"steps[{i}]") for i, v in enumerate(_list(whole, "steps"))]
    rules = [_rule(v, f"rules[{i}]") for i, v in enumerate(_list(whole, "rules"))]
    usual = Script()
    delta, chunk = whole.get("delta", usual.delta), whole.get("chunk", usual.chunk)
    if not isinstance(delta, int) or not isinstance(chunk, int) or delta < 1 or chunk < 0:
        raise ScriptInvalid("delta must be a number from 1 on, chunk one from 0 on")
    return Script(tuple(steps), tuple(rules), delta, chunk)


def _rule(value: Any, where: str) -> When:
    step = _step(value, where)
    if not isinstance(step, When):
        raise ScriptInvalid(f'{where}: a rule needs "when" or "not"')
    return step


def _step(value: Any, where: str) -> Step:
    if isinstance(value, str):
        return Turn((Say(value),))
    step = _object(value, where)
    if "then" in step:
        return _condition(step, where)
    if "fault" in step:
        return _fault(step, where)
    if "status" in step:
        return _answer(step, where)
    return _turn(step, where)


def _condition(step: JsonObject, where: str) -> When:
    _only(step, ("when", "not", "then"), where)
    wanted = step.get("when", step.get("not"))
    places = _object(wanted, f"{where}.when")
    _only(places, tuple(PLACES), f"{where}.when")
    positive = "when" in step

    def test(asked: Asked) -> bool:
        return all(str(text) in PLACES[place](asked) for place, text in places.items()) == positive

    return When(test, _step(step["then"], f"{where}.then"))


def _fault(step: JsonObject, where: str) -> Step:
    _only(step, ("fault", "retry_after"), where)
    name = step["fault"]
    if name == "drop":
        return Drop()
    if name == "hang":
        return Hang()
    if name not in get_args(FaultName):
        raise ScriptInvalid(f"{where}: there is no fault {name!r}")
    return Fault(name, step.get("retry_after"))


def _answer(step: JsonObject, where: str) -> Failure:
    _only(step, ("status", "headers", "body"), where)
    body: Any = step.get("body", "")
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {"content-type": "application/json"} if text is not body else {}
    headers |= {str(k): str(v) for k, v in _object(step.get("headers", {}), where).items()}
    return Failure(int(step["status"]), text.encode(), headers)


def _turn(step: JsonObject, where: str) -> Turn:
    _only(step, TURN_FIELDS, where)
    parts: list[Part] = [
        *([Think(str(step["thinking"]))] if "thinking" in step else []),
        *([Say(str(step["text"]))] if "text" in step else []),
        *(_call(_object(v, f"{where}.calls")) for v in _list(step, "calls")),
        *(_part(_object(v, f"{where}.parts"), where) for v in _list(step, "parts")),
    ]
    usage = step.get("usage", {})
    return Turn(
        tuple(parts),
        stop=str(step.get("stop", "")),
        usage=usage or None,
        reports_usage=usage is not None,
        trouble=_trouble(step),
        wait=float(step.get("wait", 0)),
        pause=float(step.get("pause", 0)),
    )


def _part(value: JsonObject, where: str) -> Part:
    match value:
        case {"text": str(text)}:
            return Say(text)
        case {"thinking": str(text)}:
            return Think(text, bool(value.get("redacted")))
        case {"call": dict()}:
            return _call(value["call"])
        case _:
            raise ScriptInvalid(f"{where}: a part is a text, a thinking or a call")


def _call(value: JsonObject) -> Use:
    _only(value, ("name", "input", "id", "raw"), "a call")
    arguments = _object(value.get("input", {}), "a call's input")
    return Use(str(value.get("name", "")), arguments, str(value.get("id", "")), value.get("raw"))


def _trouble(step: JsonObject) -> Trouble | None:
    after = int(step.get("after", 1))
    match step:
        case {"cut": "call"}:
            return Trouble("cut_in_call")
        case {"cut": int(count)}:
            return Trouble("cut", count)
        case {"reset": int(count)}:
            return Trouble("reset", count)
        case {"malformed": int(count)}:
            return Trouble("malformed", count)
        case {"error": str(word)}:
            return Trouble("error", after, word)
        case _:
            return None


def _object(value: Any, where: str) -> JsonObject:
    if not isinstance(value, dict):
        raise ScriptInvalid(f"{where}: expected an object")
    return cast("JsonObject", value)


def _list(value: JsonObject, name: str) -> list[Any]:
    found = value.get(name, [])
    if not isinstance(found, list):
        raise ScriptInvalid(f"{name}: expected a list")
    return cast("list[Any]", found)


def _only(value: JsonObject, known: tuple[str, ...], where: str) -> None:
    for name in value:
        if name not in known:
            raise ScriptInvalid(f"{where}: unknown field {name!r}; known are {', '.join(known)}")
