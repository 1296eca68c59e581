"""What occupies the context: tokens of each kind and each large thing, and what they cost on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from agentcli.lib.text import visible
from agentcli.lib.value import value
from agentcli.llm.cost import format_usd, price
from agentcli.llm.estimate import tokens_of, tokens_of_block, tokens_of_tools
from agentcli.llm.models import ModelSpec
from agentcli.llm.types import (
    AssistantMessage,
    Image,
    Message,
    Origin,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolOutput,
    Usage,
)

LARGEST = 8
LONGEST_NAME, LEAST_NAME = 60, 12
"""Columns of a name, at most and at least."""
WIDE = 100
"""Columns where nobody said how many there are."""
KINDS: dict[Origin, str] = {
    "human": "your words",
    "tool": "notes beside results",
    "reminder": "reminders",
    "hook": "words of hooks",
    "summary": "summary",
}


@value
class Item:
    """One thing in the context; `name` is "" for what is only counted with its kind."""

    kind: str
    tokens: int
    name: str = ""


def items(request: Request) -> Iterator[Item]:
    """Everything the next request will hold, by our own count of tokens."""
    yield Item("definitions of tools", tokens_of_tools(request.tools))
    for kind, part in zip(
        ("system prompt", "instructions, repository"), request.system, strict=False
    ):
        yield Item(kind, tokens_of(part))
    calls: dict[str, ToolCall] = {}
    for message in request.messages:
        yield from _message_items(message, calls)


def _message_items(message: Message, calls: dict[str, ToolCall]) -> Iterator[Item]:
    if isinstance(message, AssistantMessage):
        for block in message.content:
            if isinstance(block, ToolCall):
                calls[block.id] = block
            yield Item(_said(block), tokens_of_block(block))
        return
    file = ""
    for block in message.content:
        if isinstance(block, ToolOutput):
            call = calls.get(block.call_id)
            tool = call.name if call else "a tool"
            yield Item(f"results of {tool}", tokens_of_block(block), title(call) if call else "")
        else:
            named = f"@{file}" if file else _beginning(block)
            yield Item(KINDS[message.origin], tokens_of_block(block), named)
            file = _mention(block)


def _said(block: Text | Thinking | ToolCall) -> str:
    match block:
        case Text():
            return "answers"
        case Thinking():
            return "thinking"
        case ToolCall():
            return "calls"


def title(call: ToolCall) -> str:
    """A call in a few words: its tool and what it worked on."""
    words = [v for v in call.input.values() if isinstance(v, str)]
    return f"{call.name} {words[0] if words else ''}".strip().replace("\n", " ")


def _beginning(block: Text | Image) -> str:
    return " ".join(block.text.split())[:60] if isinstance(block, Text) else "an image"


def _mention(block: Text | Image) -> str:
    """The file whose content comes next, where a person named one with @."""
    text = block.text if isinstance(block, Text) else ""
    return text[:-1] if text.endswith(":") and "\n" not in text and "/" in text else ""


def context_table(
    request: Request, used: int, model: ModelSpec, at: datetime, *, columns: int | None = None
) -> str:
    """A row a kind, then the largest single things; `used` is what was reported last."""
    found = list(items(request))
    counted = sum(item.tokens for item in found) or 1
    scale = Decimal(used) / counted if used else Decimal(1)
    kinds = Counter[str]()
    for item in found:
        kinds[item.kind] += item.tokens
    whole = _row("context", counted, scale, model, at)
    rows = [("", "tokens", "a step")]
    rows += [_row(kind, count, scale, model, at) for kind, count in kinds.most_common() if count]
    named = sorted((i for i in found if i.name), key=lambda item: -item.tokens)[:LARGEST]
    largest = [_row(item.name, item.tokens, scale, model, at) for item in named]
    size = f" of {model.context:,}" if model.context else ""
    head = f"{whole[1]} tokens{size}; each further step reads them for {whole[2]}."
    lines = [head, "", *_aligned(rows, columns)]
    return "\n".join([*lines, "", "Largest:", *_aligned(largest, columns)] if largest else lines)


def _row(
    name: str, tokens: int, scale: Decimal, model: ModelSpec, at: datetime
) -> tuple[str, str, str]:
    count = int(tokens * scale)
    return visible(name), f"{count:,}", step_price(count, model, at)


def step_price(tokens: int, model: ModelSpec, at: datetime) -> str:
    """USD that so many tokens cost with each further step: read from cache where there is one."""
    cached = model.cache.mode != "none"
    cost = price(Usage(cache_read=tokens) if cached else Usage(input=tokens), model, at=at)
    return format_usd(cost.total) if cost else "unknown"


def _aligned(rows: list[tuple[str, str, str]], columns: int | None) -> list[str]:
    """Long names are cut, so that a row is a line of a terminal of so many columns."""
    widths = [max(len(row[n]) for row in rows) for n in range(3)]
    room = (columns or WIDE) - widths[1] - widths[2] - 6
    name_width = max(LEAST_NAME, min(widths[0], LONGEST_NAME, room))
    return [
        f"  {_cut(name, name_width):<{name_width}}  {count:>{widths[1]}}  {cost:>{widths[2]}}"
        for name, count, cost in rows
    ]


def _cut(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
