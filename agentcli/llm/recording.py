"""A recorded response body, decoded as a client would: `agent debug decode`."""

from __future__ import annotations

from agentcli.llm.errors import LLMError
from agentcli.llm.models import unknown
from agentcli.llm.providers import Provider, Route
from agentcli.llm.stream import Fold
from agentcli.llm.types import AssistantMessage, JsonObject, Thinking, ToolCall, Usage
from agentcli.llm.wire import load


def decode(wire: str, body: bytes, *, chunk: int | None = None) -> JsonObject:
    """What a body of `wire` says, fed in pieces of `chunk` bytes, in the words of wire.md 0.1.

    A call is complete only in a stream that ended to make it; `arguments` are an object then, and
    the raw text received otherwise. Usage that was never reported is null.
    """
    codec = load(wire)
    route = Route(
        Provider("recorded", "http://recorded.invalid", wire), unknown("", "recorded"), ""
    )
    decoder = codec.decoder(route)
    fold = Fold("", wire)
    size = chunk or max(1, len(body))
    error: LLMError | None = None
    try:
        for start in range(0, len(body), size):
            for delta in decoder.feed(body[start : start + size]):
                fold.add(delta)
        for delta in decoder.close():
            fold.add(delta)
    except LLMError as failure:
        error = failure
    message = fold.message()
    return {
        "text": message.text,
        "thinking": "".join(b.text for b in message.content if isinstance(b, Thinking)),
        "tool_calls": _calls(message, fold),
        "usage": _usage(message.usage or decoder.usage),
        "stop_reason": "error" if error or message.stop == "interrupted" else message.stop,
        "error": _error(error),
    }


def _calls(message: AssistantMessage, fold: Fold) -> list[JsonObject]:
    runnable = {call.id for call in message.tool_calls if call.raw is None}
    return [
        {
            "id": block.id,
            "name": block.name,
            "arguments": block.input if block.id in runnable else fold.raw_arguments(block.id),
            "complete": block.id in runnable,
        }
        for block in message.content
        if isinstance(block, ToolCall)
    ]


def _usage(usage: Usage | None) -> JsonObject | None:
    if usage is None:
        return None
    return {
        "uncached_input": usage.input,
        "cache_write_5m": usage.cache_write_5m,
        "cache_write_1h": usage.cache_write_1h,
        "cache_read": usage.cache_read,
        "output": usage.output,
        "reasoning": usage.reasoning,
    }


def _error(error: LLMError | None) -> JsonObject | None:
    if error is None:
        return None
    return {
        "type": error.code or error.kind,
        "message": error.message,
        "retryable": error.retryable,
    }
