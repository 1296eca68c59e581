"""Tokens without a tokenizer: a rough count, good enough to plan by; one pass over the text."""

from __future__ import annotations

import json

from agentcli.llm.types import (
    AssistantMessage,
    Image,
    Message,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolOutput,
    ToolSpec,
)

IMAGE_TOKENS = 1_600
"""What vendors charge for an image of usual size."""
PER_BLOCK = 4


def tokens_of(text: str) -> int:
    """About a quarter of the UTF-8 bytes for ASCII, near one a character for other scripts."""
    size = len(text)
    if text.isascii():
        return (size * 10 + 37) // 38
    return max(size * 10 // 38, len(text.encode("utf-8", "replace")) // 3)


def tokens_of_block(block: Text | Image | Thinking | ToolCall | ToolOutput) -> int:
    match block:
        case Text(text) | Thinking(text):
            return PER_BLOCK + tokens_of(text)
        case Image():
            return IMAGE_TOKENS
        case ToolCall(_, name, arguments, raw):
            return PER_BLOCK + tokens_of(name) + tokens_of(raw or json.dumps(arguments))
        case ToolOutput(_, content):
            return PER_BLOCK + sum(tokens_of_block(part) for part in content)


def tokens_of_message(message: Message) -> int:
    """Of an assistant message what was reported counts, if anything was."""
    if isinstance(message, AssistantMessage) and message.usage is not None:
        return message.usage.output
    return sum(tokens_of_block(block) for block in message.content)


def tokens_of_request(request: Request) -> int:
    """The whole prompt."""
    head = tokens_of_tools(request.tools) + sum(tokens_of(part) for part in request.system)
    return head + sum(tokens_of_message(message) for message in request.messages)


def tokens_of_tools(tools: tuple[ToolSpec, ...]) -> int:
    return sum(
        tokens_of(tool.name + tool.description) + tokens_of(json.dumps(tool.input_schema))
        for tool in tools
    )
