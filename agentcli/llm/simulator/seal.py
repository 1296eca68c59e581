"""Signatures of thinking: bound to the model, the exact conversation before it and its content."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, Literal, cast

from agentcli.lib.value import value
from agentcli.llm.simulator.prefix import Block, canonical, extend

Flaw = Literal["altered", "moved"]
_SALT = "agentcli simulator"


@value
class Seal:
    """What a signature says: who thought, after what, and after which earlier thought."""

    model: str
    prefix: str
    before: str
    mac: str


def seal(model: str, prefix: str, before: str, text: str) -> str:
    """Sign a thought. `prefix` digests everything before it, `before` is the last thought's mac."""
    fields = [model, prefix, before, _mac(model, prefix, before, text)]
    return base64.b64encode(json.dumps(fields).encode()).decode()


def unseal(signature: str) -> Seal | None:
    """None for what we did not sign."""
    try:
        fields: Any = json.loads(base64.b64decode(signature, validate=True))
    except ValueError:
        return None
    if not isinstance(fields, list):
        return None
    words = cast("list[Any]", fields)
    if len(words) != 4 or not all(isinstance(word, str) for word in words):
        return None
    return Seal(*cast("list[str]", words))


def is_genuine(found: Seal, text: str) -> bool:
    return found.mac == _mac(found.model, found.prefix, found.before, text)


def _mac(model: str, prefix: str, before: str, text: str) -> str:
    return extend(_SALT, json.dumps([model, prefix, before, text]))[:32]


@value
class Thought:
    """A thinking block found in a request, and what is wrong with it, if anything."""

    block: Block
    seal: Seal | None
    flaw: Flaw | None


def conversation_digest(blocks: Sequence[Block]) -> str:
    """All before a thought that binds it: everything but thoughts and marks (wire.md 1.6)."""
    digest = ""
    for block in blocks:
        if not block.is_thought:
            digest = extend(digest, canonical(block))
    return digest


def thoughts(blocks: Sequence[Block]) -> list[Thought]:
    """Every thinking block with its flaw, judged as a model would that binds prefixes.

    Thoughts may be missing at the start or at the end, or all; a gap in between, another order,
    one put back, and any other text before it count as moved.
    """
    found: list[Thought] = []
    digest, last = "", None
    for block in blocks:
        if not block.is_thought:
            digest = extend(digest, canonical(block))
            continue
        mine = unseal(block.signature)
        flaw: Flaw | None = None
        if mine is None or not is_genuine(mine, str(block.value.get("thinking") or "")):
            flaw = "altered"
        elif mine.prefix != digest or last not in (None, mine.before):
            flaw = "moved"
        found.append(Thought(block, mine, flaw))
        last = mine.mac if mine else None
    return found


def last_mac(blocks: Sequence[Block]) -> str:
    """The mac of the newest thought in a conversation, "" without any."""
    for block in reversed(blocks):
        if block.is_thought:
            mine = unseal(block.signature)
            return mine.mac if mine else ""
    return ""
