"""What Converse refuses in the messages: roles, blocks, calls and their results (wire.md 4.2)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from agentcli.llm.simulator.aws import need
from agentcli.llm.simulator.bedrock_rules import (
    BLOCKS,
    CALL_ID,
    IMAGE_FORMATS,
    ONLY_ASSISTANT,
    ONLY_USER,
    OTHER_CALL_ID,
    RESULT_PARTS,
    TOOL_NAME,
    family,
)
from agentcli.llm.simulator.bedrock_strict import kind_of, only
from agentcli.llm.simulator.refusal import as_object
from agentcli.llm.simulator.tokens import objects
from agentcli.llm.types import JsonObject


def check_messages(body: JsonObject, model: str) -> None:
    messages = objects(body.get("messages"))
    need(bool(messages), "messages: length must be at least 1")
    for index, message in enumerate(messages):
        _check_message(message, f"messages.{index}", model)
    need(
        messages[0]["role"] == "user",
        "A conversation must start with a user message. Try again with a conversation that starts "
        "with a user message.",
    )
    for index, (before, message) in enumerate(pairwise(messages), 1):
        need(
            before["role"] != message["role"],
            f'messages: roles must alternate between "user" and "assistant", but found multiple '
            f'"{message["role"]}" roles in a row (messages.{index})',
        )
    _check_calls(messages)


def _check_message(message: JsonObject, where: str, model: str) -> None:
    only(message, ("role", "content"), where)
    role = str(message.get("role", ""))
    need(
        role in ("user", "assistant"),
        f"Value '{role}' at '{where}.role' failed to satisfy constraint: Member must satisfy enum "
        "value set: [user, assistant]",
    )
    content = objects(message.get("content"))
    need(bool(content), f"The content field in the Message object at {where} is empty.")
    for index, block in enumerate(content):
        _check_block(block, f"{where}.content.{index}", role, model)


def _check_block(block: JsonObject, where: str, role: str, model: str) -> None:
    kind = kind_of(block, BLOCKS, where)
    value = as_object(block[kind])
    need(role == "user" or kind not in ONLY_USER, f"{where}: {kind} is only for user messages")
    need(
        role == "assistant" or kind not in ONLY_ASSISTANT,
        f"{where}: {kind} is only for assistant messages",
    )
    match kind:
        case "text":
            _check_text(block, where)
        case "image":
            _check_image(value, f"{where}.image")
        case "toolUse":
            _check_use(value, f"{where}.toolUse", model)
        case "toolResult":
            _check_result(value, f"{where}.toolResult", model)
        case "reasoningContent":
            _check_reasoning(value, f"{where}.reasoningContent", model)
        case _:
            return


def _check_text(block: JsonObject, where: str) -> None:
    need(
        bool(str(block["text"]).strip()),
        f"The text field in the ContentBlock object at {where} is blank. Add text to the text "
        "field, and try again.",
    )


def _check_image(image: JsonObject, where: str) -> None:
    only(image, ("format", "source"), where)
    need(image.get("format") in IMAGE_FORMATS, f"{where}.format: {image.get('format')} is unknown")
    source = as_object(image.get("source"))
    kind = kind_of(source, ("bytes", "s3Location"), f"{where}.source")
    need(kind != "bytes" or _is_base64(source["bytes"]), f"{where}.source.bytes: is no base64")


def _is_base64(text: Any) -> bool:
    try:
        return bool(base64.b64decode(str(text), validate=True))
    except ValueError:
        return False


def _check_id(value: JsonObject, where: str, model: str) -> None:
    pattern = CALL_ID if family(model) == "claude" else OTHER_CALL_ID
    call_id = str(value.get("toolUseId", ""))
    need(
        pattern.fullmatch(call_id) is not None,
        f"Value '{call_id}' at '{where}.toolUseId' failed to satisfy constraint: Member must "
        f"satisfy regular expression pattern: {pattern.pattern}",
    )


def _check_use(use: JsonObject, where: str, model: str) -> None:
    only(use, ("toolUseId", "name", "input"), where)
    _check_id(use, where, model)
    name = str(use.get("name", ""))
    need(
        TOOL_NAME.fullmatch(name) is not None,
        f"Value '{name}' at '{where}.name' failed to satisfy constraint: Member must satisfy "
        "regular expression pattern: [a-zA-Z0-9_-]{1,64}",
    )
    need(
        isinstance(use.get("input"), dict),
        f"The format of the value at {where}.input is invalid. Provide a json object for the field "
        "and try again.",
    )


def _check_result(result: JsonObject, where: str, model: str) -> None:
    only(result, ("toolUseId", "content", "status"), where)
    _check_id(result, where, model)
    status = result.get("status", "success")
    need(status in ("success", "error"), f"{where}.status: {status} is unknown")
    need(isinstance(result.get("content"), list), f"{where}.content: is required")
    for index, part in enumerate(objects(result["content"])):
        inner = f"{where}.content.{index}"
        kind = kind_of(part, RESULT_PARTS, inner)
        if kind == "text":
            _check_text(part, inner)
        elif kind == "image":
            _check_image(as_object(part["image"]), f"{inner}.image")


def _check_reasoning(reasoning: JsonObject, where: str, model: str) -> None:
    kind = kind_of(reasoning, ("reasoningText", "redactedContent"), where)
    if kind == "redactedContent":
        need(_is_base64(reasoning[kind]), f"{where}.redactedContent: is no base64")
        return
    text = as_object(reasoning[kind])
    only(text, ("text", "signature"), f"{where}.reasoningText")
    need("text" in text, f"{where}.reasoningText.text: is required")
    need(
        family(model) != "claude" or bool(text.get("signature")),
        f"{where}.reasoningText.signature: Field required",
    )


def _check_calls(messages: Sequence[JsonObject]) -> None:
    """Each call is answered once, first thing in the next message, and nothing else is."""
    owed: list[str] = []
    for index, message in enumerate(messages):
        content = objects(message["content"])
        results = [str(b["toolResult"]["toolUseId"]) for b in content if "toolResult" in b]
        need(
            len(results) <= len(owed),
            f"The number of toolResult blocks at messages.{index}.content exceeds the number of "
            "toolUse blocks of previous turn.",
        )
        missing = [call for call in owed if call not in _leading(content)]
        need(
            not missing and len(set(results)) == len(results),
            f"Expected toolResult blocks at messages.{index}.content for the following Ids: "
            f"{', '.join(missing)}",
        )
        owed = [str(b["toolUse"]["toolUseId"]) for b in content if "toolUse" in b]
    need(
        not owed,
        f"Expected toolResult blocks at messages.{len(messages)}.content for the following Ids: "
        f"{', '.join(owed)}",
    )


def _leading(content: Sequence[JsonObject]) -> list[str]:
    """The calls answered before anything else is said; a cache point may stand between."""
    found: list[str] = []
    for block in content:
        if "toolResult" in block:
            found.append(str(block["toolResult"]["toolUseId"]))
        elif "cachePoint" not in block:
            break
    return found
