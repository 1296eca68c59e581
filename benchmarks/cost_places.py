"""The places of a request as it went over the wire: each prefix, its tokens, what may be marked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from agentcli.lib.value import value
from agentcli.llm.simulator.claude_cache import Position, may_carry_mark, prompt
from agentcli.llm.simulator.claude_talk import readable
from agentcli.llm.simulator.converse import as_messages, beta_of
from agentcli.llm.simulator.gpt_cache import places_of
from agentcli.llm.simulator.gpt_prompt import (
    GptPrompt,
    chat_prompt,
    responses_blocks,
    responses_prompt,
)
from agentcli.llm.simulator.prefix import flatten
from agentcli.llm.types import JsonObject

PARTS = {"system": "system", "user": "messages", "output": "messages", "tool": "tools"}
"""Where others mark on Chat, by the role; what else is said there are replies and tools."""


@value
class Place:
    digest: str
    """Of everything up to here; marks do not count."""
    tokens: int
    part: str
    """"system" and "messages" may be marked; "reply" is what a model said before."""


def places(body: JsonObject, path: str, beta: str) -> Iterable[Place]:
    """All of them, first to last, whatever the wire is."""
    if path.endswith("/converse-stream"):
        model = unquote(path.split("/")[2])
        return _blocks(as_messages(body, model), beta_of(body))
    if path.endswith("/messages"):
        return _blocks(body, beta)
    if path.endswith("/responses"):
        return _pieces(responses_prompt(body, responses_blocks(body)))
    return _pieces(chat_prompt(body))


def _blocks(body: JsonObject, beta: str) -> Iterator[Place]:
    kept = readable(body, flatten(body), beta)[0]
    positions: tuple[Position, ...] = prompt(body, beta=beta, blocks=kept).positions
    for block, position in zip(kept, positions, strict=True):
        part = block.part if may_carry_mark(block) else ""
        yield Place(position.digest, position.tokens, part)


def _pieces(prompt: GptPrompt) -> Iterator[Place]:
    for piece, (digest, tokens) in zip(prompt.pieces, places_of(prompt), strict=True):
        yield Place(digest, tokens, PARTS.get(json.loads(piece.head)[0], "reply"))
