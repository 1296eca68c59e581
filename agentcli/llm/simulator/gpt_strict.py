"""What OpenAI refuses on both its wires: unknown fields, tools, sampling, cache options."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from agentcli.llm.models import find
from agentcli.llm.simulator.gpt_cache import BILLS_WRITES, LIVES, ONLY_LONG, RETENTIONS
from agentcli.llm.simulator.refusal import Refused, as_object
from agentcli.llm.simulator.tokens import objects
from agentcli.llm.simulator.vendors import gpt_version, reasons
from agentcli.llm.types import JsonObject

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]+")
MAX_NAME = 64
NEVER_SAMPLED = (6, 2)
"""wire.md 2.2: from here on not even without reasoning."""
SAMPLING = {
    **dict.fromkeys(("temperature", "top_p"), (None, 1)),
    **dict.fromkeys(("logprobs", "top_logprobs"), (None, False)),
}
"""What a model that reasons takes: nothing, or what is usual anyway."""
FAULTS: dict[str, tuple[int, str, str | None, str]] = {
    "rate_limited": (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    "quota": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "overloaded": (503, "server_error", "slow_down", "The server is overloaded."),
    "context_overflow": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "Your input exceeds the context window of this model.",
    ),
    "unauthorized": (
        401,
        "invalid_request_error",
        "invalid_api_key",
        "Incorrect API key provided.",
    ),
    "no_key": (401, "invalid_request_error", None, "You didn't provide an API key."),
    "model_not_found": (
        404,
        "invalid_request_error",
        "model_not_found",
        "The model does not exist or you do not have access to it.",
    ),
    "server_error": (500, "server_error", None, "The server had an error."),
}
"""(status, type, code, message), wire.md 2.7."""


def failure(name: str, model: str) -> Refused:
    status, kind, code, message = FAULTS[name]
    if name == "model_not_found":
        message = f"The model `{model}` does not exist or you do not have access to it."
    return Refused(message, status=status, kind=kind, code=code)


def need(holds: bool, message: str, *, param: str, code: str | None = "invalid_value") -> None:
    """Raises Refused (400) about a parameter unless it holds."""
    if not holds:
        raise Refused(message, param=param, code=code)


def missing(param: str) -> Refused:
    code = "missing_required_parameter"
    return Refused(f"Missing required parameter: '{param}'.", param=param, code=code)


def only_known(value: JsonObject, known: Collection[str], where: str = "") -> None:
    for name in value:
        if name not in known:
            param = f"{where}.{name}" if where else name
            raise Refused(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def need_items(value: Any, param: str) -> None:
    """A list that is given must hold something."""
    need(
        value is None or bool(value),
        f"Invalid '{param}': empty array. Expected an array with minimum length 1, but got an "
        "empty array instead.",
        param=param,
        code="empty_array",
    )


def check_model(body: JsonObject) -> None:
    if not isinstance(body.get("model"), str):
        raise Refused("you must provide a model parameter")


def check_sampling(body: JsonObject) -> None:
    """Reasoning models take no temperature, the older ones only while they reason (wire.md 2.2)."""
    model = str(body["model"])
    effort = as_object(body.get("reasoning")).get("effort", body.get("reasoning_effort"))
    if not reasons(model) or (effort == "none" and gpt_version(model) < NEVER_SAMPLED):
        return
    for name, taken in SAMPLING.items():
        need(
            body.get(name) in taken,
            f"Unsupported parameter: '{name}' is not supported with this model.",
            param=name,
            code="unsupported_parameter",
        )


def check_effort(model: str, effort: Any, param: str) -> None:
    spec = find(model, "openai")
    known = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
    taken = spec.efforts if spec and spec.efforts else known
    need(
        effort is None or effort in taken,
        f"Unsupported value: '{effort}' is not supported with the '{model}' model. Supported "
        f"values are: {', '.join(repr(name) for name in taken)}.",
        param=param,
        code="unsupported_value",
    )


def check_name(name: Any, param: str) -> None:
    need(
        isinstance(name, str) and TOOL_NAME.fullmatch(name) is not None,
        f"Invalid '{param}': string does not match pattern. Expected a string that matches the "
        "pattern '^[a-zA-Z0-9_-]+$'.",
        param=param,
    )
    need(
        len(name) <= MAX_NAME,
        f"Invalid '{param}': string too long. Expected a string with maximum length {MAX_NAME}, "
        f"but got a string with length {len(name)} instead.",
        param=param,
        code="string_above_max_length",
    )


def check_schema(schema: JsonObject, name: str, param: str, *, strict: bool) -> None:
    """Parameters are an object; with `strict` everything in it closed and required."""
    bad = f"Invalid schema for function '{name}'"
    code = "invalid_function_parameters"
    need(schema.get("type", "object") == "object", f"{bad}: not an object", param=param, code=code)
    if strict:
        _check_closed(schema, bad, (), param)


def _check_closed(schema: JsonObject, bad: str, path: tuple[str, ...], param: str) -> None:
    fields = as_object(schema.get("properties"))
    code = "invalid_function_parameters"
    if schema.get("type") == "object":
        need(
            schema.get("additionalProperties") is False,
            f"{bad}: In context={path}, 'additionalProperties' is required to be supplied and to "
            "be false.",
            param=param,
            code=code,
        )
        absent = [name for name in fields if name not in (schema.get("required") or ())]
        need(
            not absent,
            f"{bad}: In context={path}, 'required' is required to be supplied and to be an array "
            f"including every key in properties. Missing '{''.join(absent[:1])}'.",
            param=param,
            code=code,
        )
    for name, inner in fields.items():
        _check_closed(as_object(inner), bad, (*path, "properties", name), param)
    if "items" in schema:
        _check_closed(as_object(schema["items"]), bad, (*path, "items"), param)


def check_cache_options(body: JsonObject, marks: list[tuple[str, Any]]) -> None:
    """Breakpoints and their options exist since GPT-5.6 (wire.md 2.8). `marks` are (path, mark)."""
    _check_retention(body)
    options = body.get("prompt_cache_options")
    for param, value in [("prompt_cache_options", options), *marks]:
        if value is None:
            continue
        need(
            gpt_version(str(body["model"])) >= BILLS_WRITES,
            f"Unsupported parameter: '{param}' is not supported with this model.",
            param=param,
            code="unsupported_parameter",
        )
        ttl = as_object(value).get("ttl", "30m")
        need(
            ttl in LIVES,
            f"Invalid value: '{ttl}'. Supported values are: '30m' and '12h'.",
            param=f"{param}.ttl",
        )
    for param, mark in marks:
        kind = as_object(mark).get("mode")
        need(kind == "explicit", f"Invalid value: '{kind}'.", param=f"{param}.mode")
    if options is not None:
        fields = ("mode", "ttl", "prewarm", "comparison_response_id")
        only_known(as_object(options), fields, "prompt_cache_options")
        mode = as_object(options).get("mode", "implicit")
        known = mode in ("implicit", "explicit")
        need(known, f"Invalid value: '{mode}'.", param="prompt_cache_options.mode")


def _check_retention(body: JsonObject) -> None:
    """How long prefixes are kept before GPT-5.6; GPT-5.5 keeps them for a day only."""
    asked, version = body.get("prompt_cache_retention"), gpt_version(str(body["model"]))
    taken = ["24h"] if version == ONLY_LONG else list(RETENTIONS)
    need(
        asked is None or asked in taken,
        f"Invalid value: '{asked}'. Supported values are: {', '.join(map(repr, taken))}.",
        param="prompt_cache_retention",
    )


def check_unique(names: list[str], param: str) -> None:
    for index, name in enumerate(names):
        need(
            name not in names[:index],
            f"Invalid '{param}[{index}].name': the name '{name}' is used twice.",
            param=f"{param}[{index}].name",
        )


def check_window(model: str, tokens: int) -> None:
    """What a reply may need is no room for a prompt since GPT-5 (wire.md 6.2)."""
    spec = find(model, "openai")
    kept = (spec.max_output or 0) if spec and gpt_version(model) >= (5, 0) else 0
    if spec and spec.context and tokens > spec.context - kept:
        raise failure("context_overflow", model)


def marked_parts(content: Any, param: str) -> list[tuple[str, Any]]:
    """Breakpoints on the parts of a content, with their paths."""
    name = "prompt_cache_breakpoint"
    return [
        (f"{param}[{index}].{name}", part[name])
        for index, part in enumerate(objects(content))
        if name in part
    ]
