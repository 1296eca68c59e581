"""What the Gemini API refuses before it reads the contents: fields, tools, config (wire.md 3.2)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from agentcli.llm.models import find
from agentcli.llm.simulator.gemini_rules import (
    CONFIG_FIELDS,
    FIELDS,
    LEAST_BUDGET_OF_PRO,
    LEVELS,
    MAX_OUTPUT,
    MODES,
    NAME,
    SCHEMA_FIELDS,
    SIGNS,
    THINKS,
    need,
    version,
)
from agentcli.llm.simulator.refusal import as_object
from agentcli.llm.simulator.tokens import objects
from agentcli.llm.types import JsonObject

TOOL_FIELDS = (
    "functionDeclarations",
    "googleSearch",
    "codeExecution",
    "urlContext",
    "computerUse",
)
FUNCTION_FIELDS = (
    "name",
    "description",
    "behavior",
    "parameters",
    "parametersJsonSchema",
    "response",
    "responseJsonSchema",
)
THINKING_FIELDS = ("includeThoughts", "thinkingLevel", "thinkingBudget")
EMPTY = {"type", "properties", "required", "additionalProperties", "$schema", "title"}
"""What a schema may hold and still describe no parameter."""


def only(value: JsonObject, known: Collection[str], where: str) -> None:
    for name in value:
        at = f" at '{where}'" if where else ""
        need(
            name in known,
            f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.',
        )


def check_fields(body: JsonObject, model: str) -> None:
    """The top level; a cache in use forbids what it holds already (wire.md 3.6)."""
    only(body, FIELDS, "")
    need(bool(objects(body.get("contents"))), "* GenerateContentRequest.contents: not specified")
    if "cachedContent" in body:
        held = [name for name in ("systemInstruction", "tools", "toolConfig") if name in body]
        need(
            not held,
            "CachedContent can not be used with GenerateContent request setting system_instruction,"
            f" tools or tool_config. Found: {', '.join(held)}",
        )
    if "systemInstruction" in body:
        only(as_object(body["systemInstruction"]), ("role", "parts"), "system_instruction")
        for part in objects(as_object(body["systemInstruction"]).get("parts")):
            need("text" in part, "system_instruction: only text is supported")
    _check_config(as_object(body.get("generationConfig")), model)


def _check_config(config: JsonObject, model: str) -> None:
    only(config, CONFIG_FIELDS, "generation_config")
    limit = config.get("maxOutputTokens", 1)
    spec = find(model, "gemini")
    most = (spec.max_output if spec else None) or MAX_OUTPUT
    need(
        isinstance(limit, int) and 1 <= limit <= most,
        f"Unable to submit request because it has a maxOutputTokens value of {limit} but the "
        f"supported range is from 1 (inclusive) to {most + 1} (exclusive).",
    )
    need(
        "responseJsonSchema" not in config or "responseSchema" not in config,
        "response_schema and response_json_schema are mutually exclusive",
    )
    schema = "responseJsonSchema" in config or "responseSchema" in config
    need(
        not schema or config.get("responseMimeType") == "application/json",
        "response_mime_type must be application/json to use a response schema",
    )
    if "thinkingConfig" in config:
        _check_thinking(as_object(config["thinkingConfig"]), model)


def _check_thinking(thinking: JsonObject, model: str) -> None:
    """A level since Gemini 3, a budget before; never both (wire.md 3.2)."""
    only(thinking, THINKING_FIELDS, "generation_config.thinking_config")
    need(version(model) >= THINKS, "Thinking is not supported by this model.")
    level, budget = thinking.get("thinkingLevel"), thinking.get("thinkingBudget")
    need(
        level is None or budget is None,
        "You can only set only one of thinking budget and thinking level.",
    )
    if level is not None:
        _check_level(level, model)
    if budget is None:
        return
    need(isinstance(budget, int) and budget >= -1, f"Invalid thinking_budget: {budget}")
    least = LEAST_BUDGET_OF_PRO if "pro" in model else 0
    need(
        budget == -1 or budget >= least,
        f"Budget {budget} is invalid. This model only works in thinking mode.",
    )


def _check_level(level: Any, model: str) -> None:
    need(version(model) >= SIGNS, "Thinking level is not supported for this model.")
    need(
        level in LEVELS,
        f"Invalid value at 'generation_config.thinking_config.thinking_level': \"{level}\"",
    )
    spec = find(model, "gemini")
    taken = {effort.upper() for effort in spec.efforts} if spec and spec.efforts else set(LEVELS)
    need(level in taken, f"Thinking level {level} is not supported for this model.")


def check_tools(body: JsonObject) -> None:
    """Names, schemas, and which functions may be asked for (wire.md 3.2)."""
    names: list[str] = []
    for number, tool in enumerate(objects(body.get("tools"))):
        only(tool, TOOL_FIELDS, f"tools[{number}]")
        for index, function in enumerate(objects(tool.get("functionDeclarations"))):
            where = f"tools[{number}].function_declarations[{index}]"
            _check_function(function, where)
            names.append(str(function["name"]))
    for index, name in enumerate(names):
        need(name not in names[:index], f"Duplicate function declaration found: {name}")
    if "toolConfig" in body:
        _check_choice(as_object(body["toolConfig"]), names)


def _check_function(function: JsonObject, where: str) -> None:
    only(function, FUNCTION_FIELDS, where)
    name = function.get("name")
    need(
        isinstance(name, str) and NAME.fullmatch(name) is not None,
        f"Invalid function name at {where}.name. Must start with a letter or an underscore. Must "
        "be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), "
        "with a maximum length of 128.",
    )
    need(
        "parameters" not in function or "parametersJsonSchema" not in function,
        f"{where}: parameters and parameters_json_schema are mutually exclusive",
    )
    if "parameters" in function:
        _check_subset(as_object(function["parameters"]), f"{where}.parameters")
    schema = function.get("parametersJsonSchema")
    if schema is None:
        return
    need(isinstance(schema, dict), f"{where}.parameters_json_schema: should be an object")
    _check_json_schema(as_object(schema), f"{where}.parameters_json_schema")


def _check_json_schema(schema: JsonObject, where: str) -> None:
    need(schema.get("type", "object") == "object", f"{where}: schema should be of type object")
    open_to_more = schema.get("properties") or schema.get("additionalProperties")
    need(
        bool(open_to_more or schema.keys() - EMPTY),
        f"{where}.properties: should be non-empty for OBJECT type",
    )
    wanted: Any = schema.get("required") or []
    need(isinstance(wanted, list), f"{where}.required: should be a list")
    fields = as_object(schema.get("properties"))
    absent = [str(name) for name in cast("list[Any]", wanted) if str(name) not in fields]
    need(not absent, f"{where}.required: property is not defined: {', '.join(absent)}")


def _check_subset(schema: JsonObject, where: str) -> None:
    only(schema, SCHEMA_FIELDS, where)
    kind = str(schema.get("type", ""))
    need(kind.isupper(), f"Invalid value at '{where}.type' (Type), \"{kind}\"")
    fields = as_object(schema.get("properties"))
    need(
        kind != "OBJECT" or bool(fields),
        f"{where}.properties: should be non-empty for OBJECT type",
    )
    for name, inner in fields.items():
        _check_subset(as_object(inner), f"{where}.properties[{name}]")
    if "items" in schema:
        _check_subset(as_object(schema["items"]), f"{where}.items")


def _check_choice(config: JsonObject, names: Collection[str]) -> None:
    only(config, ("functionCallingConfig", "retrievalConfig"), "tool_config")
    calling = as_object(config.get("functionCallingConfig"))
    only(calling, ("mode", "allowedFunctionNames"), "tool_config.function_calling_config")
    mode = calling.get("mode", "AUTO")
    need(mode in MODES, f"Invalid value at 'tool_config.function_calling_config.mode': \"{mode}\"")
    allowed = calling.get("allowedFunctionNames") or ()
    need(
        not allowed or mode in ("ANY", "VALIDATED"),
        "Allowed function names should be set only when mode is ANY or VALIDATED.",
    )
    absent = [name for name in allowed if name not in names]
    need(not absent, f"Allowed function names are not declared: {', '.join(absent)}")
