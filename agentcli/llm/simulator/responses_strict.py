"""What the Responses API refuses: fields, tools, items out of place (wire.md 2.2, 2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agentcli.llm.simulator.gpt_prompt import CALLS, OUTPUTS, items_of, parts_of
from agentcli.llm.simulator.gpt_strict import (
    check_cache_options,
    check_effort,
    check_model,
    check_name,
    check_sampling,
    check_schema,
    check_unique,
    marked_parts,
    missing,
    need,
    only_known,
)
from agentcli.llm.simulator.prefix import Block
from agentcli.llm.simulator.refusal import Refused, as_object
from agentcli.llm.simulator.seal import thoughts
from agentcli.llm.simulator.tokens import objects
from agentcli.llm.simulator.vendors import gpt_version
from agentcli.llm.types import JsonObject

FIELDS = (
    "background context_management conversation include input instructions max_output_tokens "
    "max_tool_calls metadata model parallel_tool_calls previous_response_id prompt "
    "prompt_cache_key prompt_cache_options prompt_cache_retention reasoning safety_identifier "
    "service_tier store stream stream_options temperature text tool_choice tools top_logprobs "
    "top_p truncation user"
)
KNOWN_FIELDS = frozenset(FIELDS.split())
FUNCTION_FIELDS = frozenset(
    (
        "type",
        "name",
        "description",
        "parameters",
        "strict",
        "defer_loading",
        "async",
        "allowed_callers",
        "output_schema",
    )
)
ROLES = ("user", "assistant", "system", "developer")
INPUT_PARTS = ("input_text", "input_image", "input_file")
OUTPUT_PARTS = ("output_text", "refusal")
MARKABLE = INPUT_PARTS
APPEND_ONLY = (6, 2)
"""wire.md 2.4: from here on reasoning is dropped silently when what stood before it changed."""
LEAST_OUTPUT = 16


def check_fields(body: JsonObject) -> None:
    check_model(body)
    only_known(body, KNOWN_FIELDS)
    if not any(body.get(name) for name in ("input", "prompt", "previous_response_id")):
        raise missing("input")
    need(
        isinstance(body.get("input", ""), str | list),
        "Invalid type for 'input': expected one of an array of input items or a string.",
        param="input",
        code="invalid_type",
    )
    check_sampling(body)
    reasoning = as_object(body.get("reasoning"))
    check_effort(str(body["model"]), reasoning.get("effort"), "reasoning.effort")
    limit = body.get("max_output_tokens")
    need(
        limit is None or isinstance(limit, int),
        "Invalid type for 'max_output_tokens': expected an integer.",
        param="max_output_tokens",
        code="invalid_type",
    )
    need(
        limit is None or limit >= LEAST_OUTPUT,
        f"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= "
        f"{LEAST_OUTPUT}, but got {limit} instead.",
        param="max_output_tokens",
        code="integer_below_min_value",
    )
    marks = [
        mark
        for index, item in enumerate(items_of(body.get("input")))
        for name in ("content", "output")
        for mark in marked_parts(item.get(name), f"input[{index}].{name}")
    ]
    check_cache_options(body, marks)


def check_tools(body: JsonObject) -> None:
    tools = objects(body.get("tools"))
    for index, tool in enumerate(tools):
        where = f"tools[{index}]"
        if not tool.get("type"):
            raise missing(f"{where}.type")
        if tool["type"] in ("function", "custom"):
            if "name" not in tool:
                raise missing(f"{where}.name")
            check_name(tool["name"], f"{where}.name")
        if tool["type"] == "function":
            _check_function(tool, where)
    check_unique([str(tool["name"]) for tool in tools if "name" in tool], "tools")


def _check_function(tool: JsonObject, where: str) -> None:
    only_known(tool, FUNCTION_FIELDS, where)
    for name in ("parameters", "strict"):
        if name not in tool:
            raise missing(f"{where}.{name}")
    schema = as_object(tool["parameters"])
    strict = bool(tool["strict"])
    check_schema(schema, str(tool["name"]), f"{where}.parameters", strict=strict)


def check_items(body: JsonObject) -> None:
    """Every item in itself, then calls and outputs, then reasoning and what must follow it."""
    items = items_of(body.get("input"))
    for index, item in enumerate(items):
        _check_item(item, f"input[{index}]", stored=body.get("store") is not False)
    _check_calls(items)
    _check_reasoning(items)


def _check_item(item: JsonObject, where: str, *, stored: bool) -> None:
    kind = str(item["type"])
    hollow = kind == "item_reference" or (kind == "reasoning" and not item.get("encrypted_content"))
    if hollow and not stored:
        raise Refused(
            f"Item with id '{item.get('id')}' not found. Items are not persisted when `store` is "
            "set to false. Try again with `store` set to true, or remove this item from your "
            "input.",
            status=404,
            param="input",
        )
    if kind == "message":
        _check_message(item, where)
    if kind in (*CALLS, *OUTPUTS) and not isinstance(item.get("call_id"), str):
        raise missing(f"{where}.call_id")
    if kind == "function_call":
        check_name(item.get("name"), f"{where}.name")
        need(
            isinstance(item.get("arguments"), str),
            f"Invalid type for '{where}.arguments': expected a string.",
            param=f"{where}.arguments",
            code="invalid_type",
        )
    if kind in ("function_call_output", "custom_tool_call_output"):
        _check_output(item, where)
    elif kind in OUTPUTS and "output" not in item:
        raise missing(f"{where}.output")
    if kind == "reasoning" and not isinstance(item.get("summary"), list):
        raise missing(f"{where}.summary")


def _check_message(item: JsonObject, where: str) -> None:
    role = item.get("role")
    need(
        role in ROLES,
        f"Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', and "
        "'user'.",
        param=where,
    )
    if not item.get("content"):
        raise missing(f"{where}.content")
    _check_parts(item["content"], OUTPUT_PARTS if role == "assistant" else INPUT_PARTS, where)


def _check_parts(content: Any, known: Sequence[str], where: str) -> None:
    for number, part in enumerate(parts_of(content)):
        if isinstance(content, str):
            return
        param = f"{where}.content[{number}]"
        kind = str(part.get("type"))
        need(
            kind in known,
            f"Invalid value: '{kind}'. Supported values are: {', '.join(map(repr, known))}.",
            param=param,
        )
        if kind.endswith("_text") and not isinstance(part.get("text"), str):
            raise missing(f"{param}.text")
        need(
            "prompt_cache_breakpoint" not in part or kind in MARKABLE,
            f"Unknown parameter: '{param}.prompt_cache_breakpoint'.",
            param=f"{param}.prompt_cache_breakpoint",
            code="unknown_parameter",
        )


def _check_output(item: JsonObject, where: str) -> None:
    output = item.get("output")
    if output is None:
        raise missing(f"{where}.output")
    _check_parts(output, INPUT_PARTS, where)


def _check_calls(items: Sequence[JsonObject]) -> None:
    """Each call has one output after it, each output a call before it."""
    calls: list[str] = []
    answered: set[str] = set()
    for index, item in enumerate(items):
        call = str(item.get("call_id"))
        if item["type"] in CALLS:
            need(
                call not in calls,
                f"Duplicate call_id '{call}'.",
                param=f"input[{index}].call_id",
            )
            calls.append(call)
        elif item["type"] in OUTPUTS:
            if call not in calls or call in answered:
                raise Refused(
                    f"No tool call found for function call output with call_id {call}.",
                    param="input",
                )
            answered.add(call)
    for call in calls:
        if call not in answered:
            raise Refused(f"No tool output found for function call {call}.", param="input")


def _check_reasoning(items: Sequence[JsonObject]) -> None:
    """Reasoning stands before the item it led to (wire.md 2.4)."""
    for index, item in enumerate(items):
        if item["type"] != "reasoning":
            continue
        following = [other for other in items[index + 1 :] if other["type"] != "reasoning"][:1]
        led = [o for o in following if o["type"] in CALLS or o.get("role") == "assistant"]
        if not led:
            raise Refused(
                f"Item '{item.get('id') or f'rs_{index}'}' of type 'reasoning' was provided "
                "without its required following item.",
                param="input",
            )


def readable(body: JsonObject, blocks: Sequence[Block]) -> tuple[list[Block], list[JsonObject]]:
    """The blocks the model reads, and what was dropped and why (wire.md 2.4).

    Raises Refused for reasoning that was not encrypted here.
    """
    model = str(body["model"])
    removed: dict[str, str] = {}
    for thought in thoughts([block for block in blocks if not _is_hollow(block)]):
        if thought.flaw == "altered" or thought.seal is None:
            raise Refused(
                f"The encrypted content for item {thought.block.path} could not be verified.",
                code="invalid_encrypted_content",
            )
        if gpt_version(model) < APPEND_ONLY:
            continue
        if thought.seal.model != model:
            removed[thought.block.path] = "model_mismatch"
        elif thought.flaw == "moved":
            removed[thought.block.path] = "prefix_mismatch"
    kept = [block for block in blocks if block.path not in removed]
    return kept, [
        {"id": path, "action": "removed", "type": "reasoning", "reason": reason}
        for path, reason in removed.items()
    ]


def _is_hollow(block: Block) -> bool:
    return block.is_thought and not block.signature
