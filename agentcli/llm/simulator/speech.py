"""What of a turn is really said: within the request's output limit, counted in tokens."""

from __future__ import annotations

from collections.abc import Iterable

from agentcli.lib.value import replace, value
from agentcli.llm.simulator.script import Part, Say, Think, Use
from agentcli.llm.simulator.tokens import BYTES_PER_TOKEN, compact, count


@value
class Speech:
    parts: tuple[Part, ...]
    output: int
    """Tokens, thinking included."""
    reasoning: int
    cut: bool
    """The limit was reached inside the last part."""


def speech(parts: Iterable[Part], *, limit: int | None, thinks: bool) -> Speech:
    """The parts that fit into `limit` tokens; thoughts only where thinking is on."""
    kept: list[Part] = []
    output = reasoning = 0
    for part in parts:
        if isinstance(part, Think) and not thinks:
            continue
        tokens = count(_text(part))
        left = tokens if limit is None else limit - output
        whole = tokens <= left
        output += min(tokens, left)
        reasoning += min(tokens, left) if isinstance(part, Think) else 0
        kept.append(part if whole else _shortened(part, left))
        if not whole:
            return Speech(tuple(kept), output, reasoning, True)
    return Speech(tuple(kept), max(1, output), reasoning, False)


def arguments(call: Use) -> str:
    """A call's arguments as they go over the wire."""
    return compact(call.input) if call.raw is None else call.raw


def _text(part: Part) -> str:
    return part.name + arguments(part) if isinstance(part, Use) else part.text


def _shortened(part: Part, tokens: int) -> Part:
    room = tokens * BYTES_PER_TOKEN
    match part:
        case Use(name):
            left = max(0, room - len(name.encode()))
            return replace(part, raw=_head(arguments(part), left))
        case Say(text) | Think(text):
            return replace(part, text=_head(text, room))


def _head(text: str, size: int) -> str:
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
