"""What a request consisted of, as hashes: enough to say later where the next one differs."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

from agentcli.lib.value import value
from agentcli.llm.types import AssistantMessage, Message, Request, ToolSpec, UserMessage

SIZE = 8
"""Hex digits of one hash: told apart are the requests of one session, not of the world."""


@value
class Shape:
    """`tools` names each tool with its hash; `count` messages hash to `messages` as a chain."""

    model: str
    tools: tuple[tuple[str, str], ...]
    system: str
    memory: str
    options: str
    """Effort and output schema, which vendors hash with the messages (wire.md 1.12.10)."""
    messages: str
    count: int
    begins: str = ""
    """The hash of the first message."""
    summary: bool = False
    """Whether the conversation begins with a summary, which a compaction put there."""


@value
class Chain:
    """The hashes of a request's messages, each of itself and of all before it."""

    messages: tuple[Message, ...] = ()
    links: tuple[str, ...] = ()

    def at(self, count: int) -> str:
        return self.links[count - 1] if count else ""


def chain(request: Request, before: Chain | None = None) -> Chain:
    """Hash what `before` does not hold already: messages are values, so the same one is equal."""
    known = before or Chain()
    same = 0
    for old, new in zip(known.messages, request.messages, strict=False):
        if old is not new:
            break
        same += 1
    links = list(known.links[:same])
    for message in request.messages[same:]:
        links.append(_hash((links[-1] if links else "") + _hash(_plain(message))))
    return Chain(request.messages, tuple(links))


def fresh(old: Chain, new: Chain) -> tuple[str, ...]:
    """The links that the newer chain does not share with the older."""
    pairs = zip(old.links, new.links, strict=False)
    same = next((n for n, (was, is_now) in enumerate(pairs) if was != is_now), None)
    return new.links[min(len(old.links), len(new.links)) if same is None else same :]


def shape(request: Request, links: Chain) -> Shape:
    """The shape of a request whose messages were hashed to `links`."""
    first = request.messages[0] if request.messages else None
    return Shape(
        model=request.model,
        tools=tuple((tool.name, _tool(tool)) for tool in request.tools),
        system=_hash(request.system[:1]),
        memory=_hash(request.system[1:]),
        options=_hash([request.effort, request.output_schema]),
        messages=links.at(len(request.messages)),
        count=len(request.messages),
        begins=links.at(1) if request.messages else "",
        summary=isinstance(first, UserMessage) and first.origin == "summary",
    )


def _tool(tool: ToolSpec) -> str:
    return _hash([tool.name, tool.description, tool.input_schema, tool.grammar])


def _plain(message: Message) -> Any:
    """A message as text; what the provider gave back to replay counts as sent."""
    if isinstance(message, AssistantMessage):
        return repr((message.content, message.native.blocks if message.native else ()))
    return repr(message.content)


def _hash(data: Any) -> str:
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, default=str)
    return blake2b(text.encode("utf-8", "replace"), digest_size=SIZE // 2).hexdigest()
