"""What Chat Completions refuses: fields, tools, messages out of place (wire.md 2.5, 5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from agentcli.llm.simulator.gpt_prompt import parts_of
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
    need_items,
    only_known,
)
from agentcli.llm.simulator.prefix import extend
from agentcli.llm.simulator.refusal import Refused, as_object
from agentcli.llm.simulator.tokens import objects
from agentcli.llm.simulator.vendors import Vendor, gpt_version, reasons
from agentcli.llm.types import JsonObject

FIELDS = (
    "audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens "
    "max_tokens messages metadata modalities model n parallel_tool_calls prediction "
    "presence_penalty prompt_cache_key prompt_cache_options prompt_cache_retention "
    "reasoning_effort response_format safety_identifier seed service_tier stop store stream "
    "stream_options temperature tool_choice tools top_logprobs top_p user verbosity "
    "web_search_options"
)
KNOWN_FIELDS = frozenset(FIELDS.split())
PLAIN = (
    "max_tokens messages model parallel_tool_calls reasoning_effort response_format stop stream "
    "stream_options temperature tool_choice tools top_p"
)
PLAIN_FIELDS = frozenset(PLAIN.split())
"""What every compatible server knows (wire.md 2.5)."""
MESSAGE_FIELDS = {"role", "content", "tool_calls", "tool_call_id", "name", "refusal"}
SHORT_ID = re.compile(r"[a-zA-Z0-9]{9}")
BARE = ("$schema", "$id", "additionalProperties")
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
TOOLS_WANT_NO_EFFORT = (5, 6)
"""wire.md 2.1: from here on function tools in Chat need reasoning_effort "none"."""


def check_fields(body: JsonObject, vendor: Vendor) -> None:
    check_model(body)
    if vendor.checks_fields:
        known = KNOWN_FIELDS
        if not vendor.new_limit:
            known = PLAIN_FIELDS.difference(vendor.refuses.split()).union(vendor.takes.split())
        for name in body:
            if name not in known:
                raise Refused(f"Unrecognized request argument supplied: {name}")
    if vendor.new_limit:
        _check_openai(body)
    _check_efforts(body, vendor)
    need(
        not body.get("stream_options") or bool(body.get("stream")),
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        param="stream_options",
    )
    for name in ("tool_choice", "parallel_tool_calls"):
        need(
            name not in body or bool(body.get("tools")),
            f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.",
            param=name,
            code=None,
        )


def _check_efforts(body: JsonObject, vendor: Vendor) -> None:
    effort, model = body.get("reasoning_effort"), str(body["model"])
    is_defaulted = bool(vendor.defaulted) and vendor.defaulted in model
    is_switched = bool(vendor.switched) and vendor.switched in model
    words = "" if is_switched else "none default" if is_defaulted else vendor.efforts
    need(
        effort is None or not (is_switched or words) or effort in words.split(),
        f"Invalid value: '{effort}'. Supported values are: {words}.",
        param="reasoning_effort",
    )
    need(
        not (is_defaulted and body.get("tools")) or body.get("reasoning_format") == "parsed",
        "reasoning_format must be parsed or hidden beside tools",
        param="reasoning_format",
    )


def _check_openai(body: JsonObject) -> None:
    model = str(body["model"])
    check_sampling(body)
    need(
        "max_tokens" not in body or not reasons(model),
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
        "'max_completion_tokens' instead.",
        param="max_tokens",
        code="unsupported_parameter",
    )
    check_effort(model, body.get("reasoning_effort"), "reasoning_effort")
    functions = any(tool.get("type") == "function" for tool in objects(body.get("tools")))
    need(
        not functions
        or gpt_version(model) < TOOLS_WANT_NO_EFFORT
        or body.get("reasoning_effort") == "none",
        f"Function tools with reasoning_effort are not supported for {model} in "
        "/v1/chat/completions. Use /v1/responses instead.",
        param="reasoning_effort",
        code=None,
    )
    marks = [
        mark
        for index, message in enumerate(objects(body.get("messages")))
        for mark in marked_parts(message.get("content"), f"messages[{index}].content")
    ]
    check_cache_options(body, marks)


def check_tools(body: JsonObject, vendor: Vendor) -> None:
    tools = objects(body.get("tools"))
    need_items(body.get("tools"), "tools")
    names: list[str] = []
    for index, tool in enumerate(tools):
        where = f"tools[{index}]"
        if not tool.get("type"):
            raise missing(f"{where}.type")
        if tool["type"] != "function":
            continue
        function = as_object(tool.get("function"))
        if not function:
            raise missing(f"{where}.function")
        known = ("name", "description", "parameters", "strict")
        only_known(function, known, f"{where}.function")
        check_name(function.get("name"), f"{where}.function.name")
        schema, strict = as_object(function.get("parameters")), bool(function.get("strict"))
        names.append(str(function["name"]))
        if vendor.bare_schemas:
            _check_bare(schema, f"{where}.function.parameters")
        check_schema(schema, names[-1], f"{where}.function.parameters", strict=strict)
    check_unique(names, "tools")


def _check_bare(schema: Any, param: str) -> None:
    for name, inner in as_object(schema).items():
        need(name not in BARE, f"Extra inputs are not permitted: {name}", param=param)
        _check_bare(inner, f"{param}.{name}")


def check_messages(body: JsonObject, vendor: Vendor) -> None:
    """Roles, contents, and that every call is answered at once (wire.md 2.5)."""
    if "messages" not in body:
        raise missing("messages")
    messages = objects(body["messages"])
    need_items(messages, "messages")
    for index, message in enumerate(messages):
        _check_message(index, message, vendor)
    _check_calls(messages)
    roles = [message["role"] for message in messages]
    need(
        not vendor.bridged or ("tool", "user") not in pairwise(roles),
        "Unexpected role 'user' after role 'tool'",
        param="messages",
    )
    if vendor.wants_reasoning and _thinks(body):
        _check_reasoning(messages)


def _check_message(index: int, message: JsonObject, vendor: Vendor) -> None:
    where = f"messages[{index}]"
    role = message.get("role")
    need(
        role in ROLES,
        f"Invalid value: '{role}'. Supported values are: {', '.join(map(repr, ROLES))}.",
        param=f"{where}.role",
    )
    if vendor.checks_fields and not vendor.new_limit:
        extra = {vendor.reasoning_field} if vendor.reasoning_field else set[str]()
        only_known(message, MESSAGE_FIELDS | extra, where)
    if role == "assistant":
        _check_assistant(message, where)
    else:
        content = message.get("content")
        need(
            isinstance(content, str | list),
            f"Invalid value for 'content': expected a string, got {_json_name(content)}.",
            param=f"{where}.content",
            code=None,
        )
        _check_parts(content, where, str(role), images=role == "user" or vendor.images_in_results)
    _check_oddities(message, where, vendor)


def _check_oddities(message: JsonObject, where: str, vendor: Vendor) -> None:
    """What some vendors refuse in any message: foreign ids, marks, altered reasoning."""
    ids = [str(call.get("id")) for call in objects(message.get("tool_calls"))]
    ids += [str(message["tool_call_id"])] if "tool_call_id" in message else []
    for name in ids if vendor.short_ids else ():
        fits = SHORT_ID.fullmatch(name) is not None
        need(fits, f"Tool call id was {name} but must be a-z, A-Z, 0-9, of length 9", param=where)
    for part in parts_of(message.get("content")):
        fits = vendor.marks or not vendor.checks_fields or "cache_control" not in part
        need(fits, "Extra inputs are not permitted: cache_control", param=f"{where}.content")
        fits = part.get("type") != "thinking" or vendor.reasoning_field == "parts"
        need(fits, "Invalid value: 'thinking'.", param=f"{where}.content")
    for name, key in (("reasoning_details", "text"), ("thinking_blocks", "thinking")):
        for item in objects(message.get(name)):
            fits = item.get("signature") == extend("", str(item.get(key)))
            need(fits, f"{name} were altered", param=f"{where}.{name}")


def _check_assistant(message: JsonObject, where: str) -> None:
    calls, content = message.get("tool_calls"), message.get("content")
    need_items(calls, f"{where}.tool_calls")
    need(
        content is not None or bool(calls) or bool(message.get("refusal")),
        "Invalid value for 'content': expected a string, got null.",
        param=f"{where}.content",
        code=None,
    )
    for number, call in enumerate(objects(calls)):
        param = f"{where}.tool_calls[{number}]"
        if not call.get("id"):
            raise missing(f"{param}.id")
        if call.get("type") != "function":
            raise missing(f"{param}.type")
        function = as_object(call.get("function"))
        check_name(function.get("name"), f"{param}.function.name")
        need(
            isinstance(function.get("arguments"), str),
            f"Invalid type for '{param}.function.arguments': expected a string.",
            param=f"{param}.function.arguments",
            code="invalid_type",
        )


def _check_parts(content: Any, where: str, role: str, *, images: bool) -> None:
    need_items(content if isinstance(content, list) else None, f"{where}.content")
    for number, part in enumerate(parts_of(content)):
        param = f"{where}.content[{number}]"
        if part.get("type") == "image_url":
            need(
                images,
                "Image URLs are only allowed for messages with role 'user', but this message with "
                f"role '{role}' contains an image URL.",
                param=where,
            )
        if part.get("type") == "text" and not isinstance(part.get("text"), str):
            raise missing(f"{param}.text")


def _json_name(value: Any) -> str:
    return "null" if value is None else "an object"


def _check_calls(messages: Sequence[JsonObject]) -> None:
    """Directly after its calls come their tool messages, one each, all of them."""
    owed: list[str] = []
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            call = str(message.get("tool_call_id"))
            need(
                call in owed,
                "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
                "message with 'tool_calls'.",
                param=f"messages.[{index}].role",
                code=None,
            )
            owed.remove(call)
            continue
        if owed:
            raise _unanswered(owed, index)
        owed = [str(call["id"]) for call in objects(message.get("tool_calls"))]
    if owed:
        raise _unanswered(owed, len(messages))


def _unanswered(calls: Sequence[str], index: int) -> Refused:
    return Refused(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
        f"{', '.join(calls)}",
        param=f"messages.[{index}].role",
    )


def _thinks(body: JsonObject) -> bool:
    return as_object(body.get("thinking")).get("type") != "disabled"


def _check_reasoning(messages: Sequence[JsonObject]) -> None:
    for message in messages:
        if message.get("tool_calls") and "reasoning_content" not in message:
            raise Refused(
                "The `reasoning_content` in the thinking mode must be passed back to the API."
            )
