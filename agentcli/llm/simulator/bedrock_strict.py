"""What Converse refuses before it reads the messages: fields, tools, cache points (wire.md 4.2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from agentcli.llm.simulator.aws import need
from agentcli.llm.simulator.bedrock_rules import (
    CACHES,
    EFFORTS,
    FIELDS,
    TOOL_NAME,
    family,
    lives_of,
)
from agentcli.llm.simulator.refusal import as_object
from agentcli.llm.simulator.tokens import objects
from agentcli.llm.types import JsonObject

CONFIG_FIELDS = ("maxTokens", "temperature", "topP", "stopSequences")
LISTS = {"tools": ("toolSpec", "systemTool", "cachePoint"), "system": ("text", "cachePoint")}


def only(value: JsonObject, known: Collection[str], where: str) -> None:
    for name in value:
        need(name in known, f"Unknown parameter in {where or 'input'}: {name!r}")


def check_fields(body: JsonObject) -> None:
    only(body, FIELDS, "")
    config = as_object(body.get("inferenceConfig"))
    only(config, CONFIG_FIELDS, "inferenceConfig")
    limit = config.get("maxTokens", 1)
    need(
        isinstance(limit, int) and limit >= 1,
        f"Value '{limit}' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must "
        "have value greater than or equal to 1",
    )
    output = as_object(body.get("outputConfig"))
    only(output, ("effort", "textFormat"), "outputConfig")
    effort = output.get("effort", "high")
    need(effort in EFFORTS, f"Value '{effort}' at 'outputConfig.effort' is no known effort")
    for index, block in enumerate(objects(body.get("system"))):
        kind = kind_of(block, LISTS["system"], f"system.{index}")
        need(
            kind != "text" or bool(str(block["text"]).strip()),
            f"The text field in the SystemContentBlock object at system.{index} is blank. Add text "
            "to the text field, and try again.",
        )


def kind_of(block: JsonObject, kinds: Sequence[str], where: str) -> str:
    """The one key of a block."""
    known = [name for name in block if name in kinds]
    need(
        len(block) == 1 and len(known) == 1,
        f"Invalid number of parameters set for tagged union structure {where}. Can only set one of "
        f"the following keys: {', '.join(kinds)}.",
    )
    return known[0]


def check_tools(body: JsonObject) -> None:
    """Names and schemas; calls in the history demand the field at all (wire.md 4.2)."""
    config = as_object(body.get("toolConfig"))
    uses = any(
        "toolUse" in block or "toolResult" in block
        for message in objects(body.get("messages"))
        for block in objects(message.get("content"))
    )
    need(
        bool(config) or not uses,
        "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
    )
    if not config:
        return
    only(config, ("tools", "toolChoice"), "toolConfig")
    need(bool(config.get("tools")), "toolConfig.tools: length must be at least 1")
    names: list[str] = []
    for index, tool in enumerate(objects(config["tools"])):
        if kind_of(tool, LISTS["tools"], f"toolConfig.tools.{index}") == "toolSpec":
            names.append(_checked_spec(as_object(tool["toolSpec"]), f"toolConfig.tools.{index}"))
    for index, name in enumerate(names):
        need(name not in names[:index], f"toolConfig.tools: the name {name} is used twice")
    _check_choice(as_object(config.get("toolChoice")), names)


def _checked_spec(spec: JsonObject, where: str) -> str:
    only(spec, ("name", "description", "inputSchema", "strict"), f"{where}.toolSpec")
    name = str(spec.get("name", ""))
    need(
        TOOL_NAME.fullmatch(name) is not None,
        f"Value '{name}' at '{where}.member.toolSpec.name' failed to satisfy constraint: Member "
        "must satisfy regular expression pattern: [a-zA-Z0-9_-]{1,64}",
    )
    need(
        spec.get("description") != "",
        f"{where}.toolSpec.description: length must be at least 1",
    )
    schema = as_object(as_object(spec.get("inputSchema")).get("json"))
    need(
        schema.get("type") == "object",
        f"The value at {where}.toolSpec.inputSchema.json.type must be one of the following: "
        "object.",
    )
    return name


def _check_choice(choice: JsonObject, names: Collection[str]) -> None:
    """There is no `none` (wire.md 4.2)."""
    if not choice:
        return
    kind = kind_of(choice, ("auto", "any", "tool"), "toolConfig.toolChoice")
    wanted = as_object(choice["tool"]).get("name") if kind == "tool" else None
    need(wanted is None or wanted in names, f"toolChoice names no tool of the request: {wanted}")


def check_points(body: JsonObject, model: str) -> None:
    """Where cache points may stand, how many, and how long they may ask for (wire.md 4.5)."""
    rule, lives = CACHES.get(family(model)), lives_of(model)
    points = _points(body)
    for place, path, point in points:
        need(
            rule is not None and place in rule.places,
            f"{path}: You invoked an unsupported model or your request did not allow prompt "
            "caching. See the documentation for more information.",
        )
        only(as_object(point), ("type", "ttl"), path)
        need(as_object(point).get("type") == "default", f"{path}.type: must be default")
        ttl = as_object(point).get("ttl", "5m")
        need(ttl in lives, f"{path}.ttl: {ttl} is not supported by this model")
    need(
        rule is None or len(points) <= rule.points,
        f"A maximum of {rule.points if rule else 0} cache points may be provided. Found "
        f"{len(points)}.",
    )


def _points(body: JsonObject) -> list[tuple[str, str, Any]]:
    """(place, path, cache point), in prefix order; each must follow what it closes."""
    lists = [
        ("tools", "toolConfig.tools", objects(as_object(body.get("toolConfig")).get("tools"))),
        ("system", "system", objects(body.get("system"))),
    ]
    for index, message in enumerate(objects(body.get("messages"))):
        path = f"messages.{index}.content"
        lists.append(("messages", path, objects(message.get("content"))))
    found: list[tuple[str, str, Any]] = []
    for place, path, blocks in lists:
        for index, block in enumerate(blocks):
            if "cachePoint" in block:
                follows = index > 0 and "cachePoint" not in blocks[index - 1]
                need(follows, f"{path}.{index}: a cachePoint must follow the block it caches")
                found.append((place, f"{path}.{index}.cachePoint", block["cachePoint"]))
    return found
