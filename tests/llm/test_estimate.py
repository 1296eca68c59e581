"""The rough count is near enough to plan by, and never reads a conversation as nothing."""

import base64
import hashlib
import json

import pytest

from agentcli.llm.estimate import IMAGE_TOKENS, tokens_of, tokens_of_message, tokens_of_tools
from agentcli.llm.types import (
    AssistantMessage,
    Image,
    Text,
    ToolCall,
    ToolOutput,
    ToolSpec,
    Usage,
    UserMessage,
)

RANDOM = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(94))[:3000]
ROWS = [{"id": n, "name": f"part_{n}", "tags": ["a", "b"], "price": n / 8} for n in range(100)]
CODE = (
    "    def total_{n}(self, lines: list[Line], *, percent: int = {n}) -> Decimal:\n"
    "        return sum((line.price for line in lines), Decimal(0)) * percent / 100\n\n"
)
LOG = (
    "2025-11-25 09:{m:02}:07,{n:03} INFO server.worker-{w} GET /api/v1/items/{i} 200 {b} bytes in "
    "{s}.{t}ms"
)
SAMPLES = {
    "base64": (base64.b64encode(RANDOM).decode(), 2847, 2711, 2791),
    "hex": (RANDOM.hex(), 3381, 3396, 3471),
    "numbers": (
        "\n".join(
            f"{n},{n * n * 7919 % 99991 / 1000:.3f},{n * 104729 % 1000003}" for n in range(300)
        ),
        *(2698, 2698, 2857),
    ),
    "one number": (str(3**8000), 1273, 1273, 1599),
    "JSON": (json.dumps(ROWS, separators=(",", ":")), 2202, 2302, 2202),
    "code": ("".join(CODE.format(n=n) for n in range(40)), 1800, 1800, 1761),
    "a file with line numbers": (
        "\n".join(
            f"{n:6}\t    total = part_{n}(value, percent=10)  # see the note on discounts"
            for n in range(1, 120)
        ),
        *(2736, 2736, 2618),
    ),
    "prose": (
        "Keep functions short, test behaviour, and write what the next reader needs to know. " * 40,
        *(681, 681, 681),
    ),
    "Chinese": ("缓存的前缀必须逐字节相同,否则整个提示都会按全价重新计费。" * 40, 1240, 920, 1120),
    "log": (
        "\n".join(
            LOG.format(m=n % 60, n=n, w=n % 4, i=n * 37, b=n * 13, s=n % 9, t=n % 10)
            for n in range(120)
        ),
        *(4814, 4814, 4723),
    ),
}
"""A text, and how many tokens it is to cl100k, o200k (tiktoken 0.14) and Claude's published one."""


@pytest.mark.parametrize("name", SAMPLES)
def test_the_count_is_near_that_of_real_tokenizers_whatever_the_text_is(name):
    text, *real = SAMPLES[name]
    counted = tokens_of(text)
    assert min(real) * 0.8 <= counted <= max(real) * 1.25


@pytest.mark.parametrize(
    "text", [" " * 200_000, "\n" * 200_000, "a" * 200_000, "😀" * 9, "\x00\x7f"]
)
def test_what_hardly_is_a_text_still_counts(text):
    assert tokens_of(text) > len(text) // 100


def test_chinese_is_about_one_character_a_token():
    assert 900 <= tokens_of("字" * 1000) <= 1100


def test_broken_surrogates_are_counted_too():
    assert tokens_of("\ud800" * 30) > 0


def test_outputs_images_and_tools_count():
    image = Image("image/png", "A" * 100_000)
    shown = UserMessage((ToolOutput("c", (Text("the " * 1000), image)),), "tool")
    assert IMAGE_TOKENS + 1000 < tokens_of_message(shown) < IMAGE_TOKENS + 1200
    assert tokens_of_tools((ToolSpec("Read", "the " * 100, {"type": "object"}),)) > 100


def test_a_call_counts_its_arguments_and_a_reported_reply_its_report():
    call = ToolCall("c", "Write", {"text": "the " * 1000})
    assert tokens_of_message(AssistantMessage((call,), "m", "tool_use")) > 1000
    reported = AssistantMessage((call,), "m", "tool_use", Usage(output=7))
    assert tokens_of_message(reported) == 7
