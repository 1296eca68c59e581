"""A history made fit for the model it goes to: what only its author understands stays behind.

Call ids and roles are the wires' own business; here is what depends on who answers.
"""

from __future__ import annotations

from agentcli.lib.value import replace
from agentcli.llm.route import Route
from agentcli.llm.types import Image, Message, Text, ToolOutput, UserMessage

NOT_SEEN = "(an image, left out: this model sees none)"


def handoff(messages: tuple[Message, ...], route: Route) -> tuple[Message, ...]:
    """The messages as `route` may have them; the same object when nothing has to change.

    Native blocks (signatures, encrypted reasoning) go back only to the provider, wire and model
    they came from; wires check the latter two. Images become a word where the model sees none.
    """
    fit = tuple(_fit(message, route) for message in messages)
    if all(new is old for new, old in zip(fit, messages, strict=True)):
        return messages
    return fit


def _fit(message: Message, route: Route) -> Message:
    if isinstance(message, UserMessage):
        return message if route.model.images else _without_images(message)
    if message.native is None or message.provider in ("", route.provider.name):
        return message
    return replace(message, native=None)


def _without_images(message: UserMessage) -> UserMessage:
    if not any(_has_image(block) for block in message.content):
        return message
    return replace(message, content=tuple(_worded(block) for block in message.content))


def _has_image(block: Text | Image | ToolOutput) -> bool:
    parts = block.content if isinstance(block, ToolOutput) else (block,)
    return any(isinstance(part, Image) for part in parts)


def _worded(block: Text | Image | ToolOutput) -> Text | ToolOutput:
    match block:
        case Image():
            return Text(NOT_SEEN)
        case ToolOutput(_, content):
            words = tuple(Text(NOT_SEEN) if isinstance(p, Image) else p for p in content)
            return replace(block, content=words)
        case Text():
            return block
