"""What the tools of the measured sessions bring, and how many tokens real tokenizers make of it.

The simulator counts four bytes a token, which no vendor does. Here it counts each text at the rate
that tiktoken 0.14 (o200k, for GPT) and Claude's published tokenizer (for all others) have for text
of its kind, so that our own count, which knows neither, is judged by figures it was not made from.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agentcli.llm.simulator import tokens

Maker = Callable[[int], str]
"""A piece of such text, different for each number."""


def _digest(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def _code(number: int) -> str:
    name = _digest(number).hex()[:5].translate(str.maketrans("0123456789", "ghijklmnop"))
    return (
        f"    def {name}_total(self, lines: list[Line], *, percent: int = {number % 97}) -> "
        "Decimal:\n"
        f'        """What the lines of {name} cost together, less the discount."""\n'
        f"        return sum((line.price for line in lines), Decimal(0)) * percent / 100\n\n"
    )


def _log(number: int) -> str:
    return (
        f"2025-11-25 09:{number % 60:02}:07,{number % 1000:03} INFO server.worker-{number % 4} "
        f"GET /api/v1/items/{number * 37} 200 {number * 13} bytes in {number % 9}ms\n"
    )


def _json(number: int) -> str:
    row = {"id": number, "name": f"part_{number}", "tags": ["a", "b"], "price": number / 8}
    return json.dumps(row, separators=(",", ":")) + ",\n"


def _chinese(number: int) -> str:
    return f"第{number}条:缓存的前缀必须逐字节相同,否则整个提示都会按全价重新计费。\n"


def _base64(number: int) -> str:
    return base64.b64encode(_digest(number) * 2).decode() + "\n"


def _numbers(number: int) -> str:
    return f"{number},{number * number * 7919 % 99991 / 1000:.3f},{number * 104729 % 1000003}\n"


KINDS: dict[str, Maker] = {
    "py": _code,
    "log": _log,
    "json": _json,
    "zh": _chinese,
    "b64": _base64,
    "csv": _numbers,
}
"""By the ending of the file that holds it."""
CLAUDE = {"py": 3.50, "log": 2.47, "json": 2.57, "zh": 1.23, "b64": 1.48, "csv": 2.09}
GPT = {"py": 3.49, "log": 2.30, "json": 2.37, "zh": 1.37, "b64": 1.51, "csv": 1.84}
"""Characters a token, with the numbers that Read puts before the lines."""
PLAIN = {"claude": 4.2, "gpt": 4.4}
"""The same of prose and of the definitions of tools."""


def content(kind: str, seed: int, chars: int) -> str:
    """A file of that kind and about that length, which says in its first line what it is."""
    pieces, size, number = [f"# {kind} {seed}\n"], 0, seed * 1_000
    while size < chars:
        pieces.append(KINDS[kind](number))
        size += len(pieces[-1])
        number += 1
    return "".join(pieces)


@contextmanager
def counted_as(name: str) -> Iterator[None]:
    """The simulator counts as the tokenizers of "gpt" or "claude" do."""
    rates, plain, before = GPT if name == "gpt" else CLAUDE, PLAIN[name], tokens.count

    def count(text: str) -> int:
        words = text[:40].split(maxsplit=3)
        kind = words[2] if len(words) == 4 and words[:2] == ["1", "#"] else ""
        return round(len(text) / rates.get(kind, plain))

    tokens.count = count
    try:
        yield
    finally:
        tokens.count = before
