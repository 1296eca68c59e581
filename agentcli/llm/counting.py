"""How long a prompt is before it is sent: our own count, corrected by what was reported."""

from __future__ import annotations

from agentcli.lib.value import replace, value
from agentcli.llm.estimate import tokens_of, tokens_of_block, tokens_of_tools
from agentcli.llm.types import AssistantMessage, Message, Request, Thinking

TRUSTED = (0.5, 2.0)
"""A report further from our count than this is no report: a proxy dropped some of its fields."""


@value
class Counted:
    """A prompt's tokens, so counted that the next one needs only what it adds."""

    tokens: int
    """Of the whole prompt."""
    head: int
    """Of tools and system."""
    answered: int = 0
    """Of the prompt that the last reply answered, as reported; 0 when nothing was."""
    scale: float = 1.0
    """Reported tokens over ours, for what we count ourselves."""
    text: int = 0
    """Our own count of everything but the replies."""
    replies: int = 0
    """Reported tokens of the replies."""


def counted(request: Request, model: str, before: Counted | None, known: int) -> Counted:
    """Count a request whose first `known` messages are in `before`."""
    found = before or _head(request)
    for message in request.messages[known if before else 0 :]:
        found = _with(found, message, model)
    return found


def _head(request: Request) -> Counted:
    head = tokens_of_tools(request.tools) + sum(tokens_of(part) for part in request.system)
    return Counted(tokens=head, head=head, text=head)


def _with(found: Counted, message: Message, model: str) -> Counted:
    usage = None
    if isinstance(message, AssistantMessage) and message.model == model:
        usage = message.usage
    if usage is None:
        size = _sent(message)
        tokens = found.tokens + round(size * found.scale)
        return replace(found, tokens=tokens, text=found.text + size)
    replies = found.replies + usage.output
    scale = (usage.prompt - found.replies) / found.text if found.text else 0.0
    if not TRUSTED[0] <= scale <= TRUSTED[1]:
        return replace(found, tokens=found.tokens + usage.output, answered=0, replies=replies)
    head = round(found.head / found.scale * scale)
    return Counted(usage.prompt + usage.output, head, usage.prompt, scale, found.text, replies)


def _sent(message: Message) -> int:
    """Our own count; what another model thought does not go back."""
    blocks = (block for block in message.content if not isinstance(block, Thinking))
    return sum(tokens_of_block(block) for block in blocks)
