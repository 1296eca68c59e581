"""A history made fit for the model it goes to: what only its author understands stays behind.

Call ids and roles are the wires' own business; here is what depends on who answers.
"""

from __future__ import annotations

from collections.abc import Iterator

from agentcli.lib.value import replace
from agentcli.llm.route import Route
from agentcli.llm.types import AssistantMessage, Image, Message, Text, ToolOutput

SIGNED_THOUGHTS = ("reasoning_details", "thinking_blocks")
"""What holds them in a reply on Chat that goes back whole."""
NOT_SEEN = "(an image, left out: this model sees none)"


def handoff(messages: tuple[Message, ...], route: Route) -> tuple[Message, ...]:
    """The messages as `route` may have them; the same object when nothing has to change.

    Native blocks (signatures, encrypted reasoning) go back only to the provider, wire and model
    they came from; wires check the latter two. Images become a word where the model sees none. A
    reply whose thoughts stay behind counts without them, so that the next prompt is not overrated.
    """
    changed = {n: _fit(messages[n]) for n in _unfit(messages, route)}
    fit = tuple(changed.get(n, m) for n, m in enumerate(messages)) if changed else messages
    lighter = {n: _lighter(fit[n]) for n in _forgotten(fit, route)}
    return tuple(lighter.get(n, m) for n, m in enumerate(fit)) if lighter else fit


def _unfit(messages: tuple[Message, ...], route: Route) -> Iterator[int]:
    own = ("", route.provider.name)
    blind = not route.model.images
    for number, message in enumerate(messages):
        if isinstance(message, AssistantMessage):
            if message.native is not None and message.provider not in own:
                yield number
        elif blind and any(_has_image(block) for block in message.content):
            yield number


def _forgotten(messages: tuple[Message, ...], route: Route) -> Iterator[int]:
    """Replies of the same model on Chat, where its provider wants no thoughts back (wire.md 5)."""
    wire = route.wire or route.provider.wire
    if wire != "openai-chat" or route.provider.quirks.reasoning_replay:
        return
    for number, message in enumerate(messages):
        if isinstance(message, AssistantMessage) and message.model == route.model.id:
            usage = message.usage
            thought = usage is not None and 0 < usage.reasoning <= usage.output
            if thought and not _carries_thoughts(message):
                yield number


def _carries_thoughts(message: AssistantMessage) -> bool:
    blocks = message.native.blocks if message.native is not None else ()
    return any(block.get(name) for block in blocks for name in SIGNED_THOUGHTS)


def _lighter(message: Message) -> Message:
    usage = message.usage if isinstance(message, AssistantMessage) else None
    if usage is None:
        return message
    said = replace(usage, output=usage.output - usage.reasoning, reasoning=0)
    return replace(message, usage=said)


class Unsigned:
    """Messages whose signatures were refused: they go back without, ever as the same objects."""

    def __init__(self, messages: tuple[Message, ...]) -> None:
        self._kept = messages  # so that no other message gets the id of one
        self._instead = {id(each): _fit(each) for each in messages if _is_signed(each)}

    def __len__(self) -> int:
        return len(self._instead)

    def fit(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The messages, those that were refused without what their author signed."""
        if not self._instead:
            return messages
        return tuple(self._instead.get(id(message), message) for message in messages)


def _is_signed(message: Message) -> bool:
    return isinstance(message, AssistantMessage) and message.native is not None


def _fit(message: Message) -> Message:
    if isinstance(message, AssistantMessage):
        return replace(message, native=None)
    return replace(message, content=tuple(_worded(block) for block in message.content))


def pictures(messages: tuple[Message, ...]) -> int:
    """How many images a history holds."""
    users = (m for m in messages if not isinstance(m, AssistantMessage))
    return sum(_count(block) for message in users for block in message.content)


def _count(block: Text | Image | ToolOutput) -> int:
    parts = block.content if isinstance(block, ToolOutput) else (block,)
    return sum(isinstance(part, Image) for part in parts)


def _has_image(block: Text | Image | ToolOutput) -> bool:
    return _count(block) > 0


def _worded(block: Text | Image | ToolOutput) -> Text | ToolOutput:
    match block:
        case Image():
            return Text(NOT_SEEN)
        case ToolOutput(_, content):
            words = tuple(Text(NOT_SEEN) if isinstance(p, Image) else p for p in content)
            return replace(block, content=words)
        case Text():
            return block
