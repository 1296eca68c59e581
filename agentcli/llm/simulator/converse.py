"""Converse requests as Messages requests: Bedrock asks Claude in Claude's words (wire.md 4.2)."""

from __future__ import annotations

from collections.abc import Sequence

from agentcli.llm.simulator.claude_hosted import plain_name
from agentcli.llm.simulator.refusal import as_object
from agentcli.llm.simulator.tokens import compact, objects
from agentcli.llm.types import JsonObject

USUAL_LIMIT = 64_000
"""Tokens of output where a request names no limit; Bedrock then takes the model's own."""

NAMES = {
    "searchResult": "search_result",
    "toolAddition": "tool_addition",
    "toolRemoval": "tool_removal",
}
"""Blocks that only Claude knows, in the Messages API's words."""


def as_messages(body: JsonObject, model: str) -> JsonObject:
    """The same request for the Messages API; cache points become marks on what they follow."""
    config, tools = as_object(body.get("inferenceConfig")), as_object(body.get("toolConfig"))
    own = dict(as_object(body.get("additionalModelRequestFields")))
    own.pop("anthropic_beta", None)
    asked: JsonObject = {
        "model": plain_name(model),
        "max_tokens": config.get("maxTokens") or USUAL_LIMIT,
        **own,
        "messages": [
            {"role": message["role"], "content": _blocks(objects(message["content"]))}
            for message in objects(body.get("messages"))
        ],
    }
    if tools.get("tools"):
        asked["tools"] = _blocks(objects(tools["tools"]))
    if tools.get("toolChoice"):
        asked["tool_choice"] = _choice(as_object(tools["toolChoice"]))
    if body.get("system"):
        asked["system"] = _blocks(objects(body["system"]))
    output = as_object(body.get("outputConfig"))
    if "effort" in output:
        asked["output_config"] = {**as_object(own.get("output_config")), "effort": output["effort"]}
    return asked | _sampling(config)


def beta_of(body: JsonObject) -> str:
    betas = as_object(body.get("additionalModelRequestFields")).get("anthropic_beta") or ()
    return ",".join(str(beta) for beta in betas)


def _sampling(config: JsonObject) -> JsonObject:
    names = {"temperature": "temperature", "topP": "top_p", "stopSequences": "stop_sequences"}
    return {names[name]: config[name] for name in names if name in config}


def _choice(choice: JsonObject) -> JsonObject:
    kind = next(iter(choice), "auto")
    return {"type": kind, **as_object(choice.get(kind))}


def _blocks(blocks: Sequence[JsonObject]) -> list[JsonObject]:
    found: list[JsonObject] = []
    for block in blocks:
        if "cachePoint" in block:
            ttl = str(as_object(block["cachePoint"]).get("ttl") or "5m")
            found[-1]["cache_control"] = {"type": "ephemeral", "ttl": ttl}
        else:
            found.append(_block(block))
    return found


def _block(block: JsonObject) -> JsonObject:
    kind = next(iter(block))
    value = as_object(block[kind])
    match kind:
        case "text":
            return {"type": "text", "text": block["text"]}
        case "image":
            return {"type": "image", "source": _picture(value)}
        case "toolUse":
            return {
                "type": "tool_use",
                "id": value["toolUseId"],
                "name": value["name"],
                "input": value["input"],
            }
        case "toolResult":
            result: JsonObject = {"type": "tool_result", "tool_use_id": value["toolUseId"]}
            result["content"] = [_block(part) for part in objects(value["content"])]
            return result | ({"is_error": True} if value.get("status") == "error" else {})
        case "reasoningContent":
            return _reasoning(value)
        case "toolSpec":
            tool = {"name": value["name"], "description": value.get("description")}
            return {k: v for k, v in tool.items() if v} | {
                "input_schema": value["inputSchema"]["json"]
            }
        case "json":
            return {"type": "text", "text": compact(block["json"])}
        case _:
            return {"type": NAMES.get(kind, kind), **value}


def _picture(image: JsonObject) -> JsonObject:
    source = as_object(image["source"])
    if "bytes" not in source:
        return {"type": "url", "url": as_object(source["s3Location"]).get("uri")}
    return {"type": "base64", "media_type": f"image/{image['format']}", "data": source["bytes"]}


def _reasoning(value: JsonObject) -> JsonObject:
    if "redactedContent" in value:
        return {"type": "redacted_thinking", "data": value["redactedContent"]}
    text = as_object(value.get("reasoningText"))
    signed = str(text.get("signature") or "")
    return {"type": "thinking", "thinking": text.get("text", ""), "signature": signed}


def as_converse(block: JsonObject) -> JsonObject:
    """A block of Claude's reply in Converse's words."""
    match block["type"]:
        case "thinking":
            text = {"text": block["thinking"], "signature": block["signature"]}
            return {"reasoningContent": {"reasoningText": text}}
        case "redacted_thinking":
            return {"reasoningContent": {"redactedContent": block["data"]}}
        case "tool_use":
            named = {"toolUseId": block["id"], "name": block["name"]}
            return {"toolUse": named | {"input": block["input"]}}
        case _:
            return {"text": block["text"]}
