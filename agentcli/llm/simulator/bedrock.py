"""Speaks Bedrock's Converse: its checks, its caches, its binary stream (wire.md 4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from agentcli.lib.value import replace
from agentcli.llm.models import find
from agentcli.llm.simulator import aws, claude_strict, claude_talk
from agentcli.llm.simulator.bedrock_cache import BedrockCache
from agentcli.llm.simulator.bedrock_rules import STOPS, family
from agentcli.llm.simulator.bedrock_strict import check_fields, check_points, check_tools
from agentcli.llm.simulator.bedrock_talk import check_messages
from agentcli.llm.simulator.claude_hosted import plain_name
from agentcli.llm.simulator.claude_reply import reply_blocks, spoken
from agentcli.llm.simulator.converse import as_converse, as_messages, beta_of
from agentcli.llm.simulator.dialect import Call, Heard
from agentcli.llm.simulator.frames import Frame, Role, pieces_of
from agentcli.llm.simulator.prefix import Block, content_blocks, flatten
from agentcli.llm.simulator.refusal import Refused, as_object
from agentcli.llm.simulator.script import Asked, Fault, Turn, Use
from agentcli.llm.simulator.seal import conversation_digest, last_mac
from agentcli.llm.simulator.speech import Speech
from agentcli.llm.simulator.tokens import block_tokens, content_text, objects
from agentcli.llm.types import JsonObject, Usage

VERSION = {"anthropic-version": "2023-06-01"}


class Bedrock:
    """One account's Converse endpoint in one region."""

    wire = "bedrock"
    manner = aws.MANNER

    def __init__(self) -> None:
        self._cache = BedrockCache()

    def hear(self, call: Call) -> Heard:
        body, blocks, kept = _checked(call.body, call.model)
        _check_window(call.model, sum(block_tokens(block.value) for block in kept))
        cache = BedrockCache() if call.cold else self._cache
        charge = cache.look(body, kept, call.model, beta_of(call.body), call.now)
        return Heard(
            asked=_asked(call, body),
            usage=charge.usage,
            publish=charge.publish,
            digest=conversation_digest(blocks),
            last_thought=last_mac(blocks),
            at=call.now,
        )

    def count(self, call: Call) -> JsonObject:
        inner = as_object(as_object(call.body.get("input")).get("converse"))
        aws.need(bool(inner), "input: only converse requests are counted")
        _, _, kept = _checked(inner, call.model)
        return {"inputTokens": sum(block_tokens(block.value) for block in kept)}

    def speak(self, heard: Heard, turn: Turn, delta: int) -> Iterator[Frame]:
        """wire.md 4.3: only calls have a start, and the usage comes after the end."""
        blocks, said = _reply(heard, turn)
        yield aws.event("messageStart", {"role": "assistant"})
        for index, (block, raw) in enumerate(blocks):
            yield from _block_frames(index, block, raw, delta)
        yield aws.event("messageStop", {"stopReason": _stop(turn, said)})
        told: JsonObject = {"metrics": {"latencyMs": 1}}
        if turn.reports_usage:
            told["usage"] = _usage(heard.usage, said.output) | (turn.usage or {})
        yield aws.event("metadata", told)

    def whole(self, heard: Heard, turn: Turn) -> JsonObject:
        blocks, said = _reply(heard, turn)
        content: list[Any] = [as_converse(block) for block, _ in blocks]
        answer: JsonObject = {"output": {"message": {"role": "assistant", "content": content}}}
        answer["stopReason"] = _stop(turn, said)
        if turn.reports_usage:
            answer["usage"] = _usage(heard.usage, said.output) | (turn.usage or {})
        return answer | {"metrics": {"latencyMs": 1}}

    def error(self, refused: Refused, request_id: str) -> JsonObject:
        return aws.error(refused)

    def error_event(self, kind: str) -> Frame:
        return aws.exception(kind)

    def failure(self, fault: Fault, model: str) -> Refused:
        return aws.failure(fault.name, model)


def _checked(asked: JsonObject, model: str) -> tuple[JsonObject, list[Block], list[Block]]:
    """The request in the Messages API's words, its blocks, and those the model reads."""
    check_fields(asked)
    check_messages(asked, model)
    check_tools(asked)
    check_points(asked, model)
    body = as_messages(asked, model)
    blocks = flatten(body)
    if family(model) != "claude":
        return body, blocks, blocks
    try:
        return body, blocks, _as_claude(body, blocks, beta_of(asked))
    except Refused as refused:
        refused.kind = aws.VALIDATION
        raise


def _as_claude(body: JsonObject, blocks: list[Block], beta: str) -> list[Block]:
    """What Claude itself refuses: thinking modes, altered thoughts, lives in a wrong order."""
    claude_strict.check_fields(body, VERSION | {"anthropic-beta": beta}, counting=False)
    claude_talk.check_messages(body, VERSION["anthropic-version"])
    claude_strict.check_marks(body, blocks)
    kept, _ = claude_talk.readable(body, blocks, beta)
    return kept


def _check_window(model: str, tokens: int) -> None:
    spec = find(plain_name(model), "anthropic") or find(model, "bedrock")
    if spec and spec.context and tokens > spec.context:
        raise Refused("Input is too long for requested model.", kind=aws.VALIDATION)


def _asked(call: Call, body: JsonObject) -> Asked:
    users = [content_blocks(m["content"]) for m in objects(body["messages"]) if _is_user(m)]
    latest = users[-1]
    results = [content_text(b.get("content")) for b in latest if b["type"] == "tool_result"]
    return Asked(
        wire=Bedrock.wire,
        model=call.model,
        body=call.body,
        number=call.number,
        system=content_text(body.get("system")),
        texts=tuple(str(b["text"]) for blocks in users for b in blocks if b["type"] == "text"),
        results=tuple(results),
    )


def _is_user(message: JsonObject) -> bool:
    return message["role"] == "user"


def _reply(heard: Heard, turn: Turn) -> tuple[list[tuple[JsonObject, str]], Speech]:
    """The reply in the Messages API's words, and what of the turn it holds."""
    model = heard.asked.model
    body = as_messages(heard.asked.body, model)
    if family(model) in ("openai", "other"):
        body["thinking"] = {"type": "enabled"}
    inner = replace(heard, asked=replace(heard.asked, body=body))
    said = spoken(inner, turn)
    return reply_blocks(inner, said), said


def _block_frames(index: int, block: JsonObject, raw: str, size: int) -> Iterator[Frame]:
    if block["type"] == "tool_use":
        use = {"toolUseId": block["id"], "name": block["name"]}
        start = {"start": {"toolUse": use}, "contentBlockIndex": index}
        yield aws.event("contentBlockStart", start)
    for change, role in _deltas(block, raw, size):
        told = {"contentBlockIndex": index, "delta": change}
        yield aws.event("contentBlockDelta", told, role)
    yield aws.event("contentBlockStop", {"contentBlockIndex": index})


def _deltas(block: JsonObject, raw: str, size: int) -> Iterator[tuple[JsonObject, Role]]:
    match block["type"]:
        case "text":
            for piece in pieces_of(str(block["text"]), size):
                yield {"text": piece}, "delta"
        case "thinking":
            for piece in pieces_of(str(block["thinking"]), size):
                yield {"reasoningContent": {"text": piece}}, "delta"
            yield {"reasoningContent": {"signature": block["signature"]}}, "frame"
        case "redacted_thinking":
            yield {"reasoningContent": {"redactedContent": block["data"]}}, "frame"
        case _:
            for piece in pieces_of("" if raw == "{}" else raw, size):
                yield {"toolUse": {"input": piece}}, "arguments"


def _stop(turn: Turn, said: Speech) -> str:
    calls = any(isinstance(part, Use) for part in said.parts)
    word = turn.stop or ("max_tokens" if said.cut else "tool_use" if calls else "end_turn")
    return STOPS.get(word, word)


def _usage(usage: Usage, output: int) -> JsonObject:
    """wire.md 4.4: what is cached is not part of `inputTokens`."""
    writes = {"5m": usage.cache_write_5m, "1h": usage.cache_write_1h}
    told: JsonObject = {
        "inputTokens": usage.input,
        "outputTokens": output,
        "totalTokens": usage.prompt + output,
        "cacheReadInputTokens": usage.cache_read,
        "cacheWriteInputTokens": sum(writes.values()),
    }
    details = [{"ttl": ttl, "inputTokens": count} for ttl, count in writes.items() if count]
    return told | ({"cacheDetails": cast("list[Any]", details)} if details else {})
