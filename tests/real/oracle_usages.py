"""What prices are compared on: 25 models of 8 providers, a dozen usages each, always the same."""

import random
from datetime import UTC, datetime, timedelta

from agentcli.llm.types import Usage

MODELS = {
    "anthropic": (
        "claude-fable-5-2",
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-haiku-5-5",
        "claude-haiku-4-5",
    ),
    "openai": ("gpt-6.1-sol", "gpt-6.1-terra", "gpt-6-luna", "gpt-5.5", "gpt-5.4", "gpt-4.1"),
    "gemini": ("gemini-4-argon", "gemini-3.8-flash", "gemini-3.1-pro-preview", "gemini-2.5-pro"),
    "xai": ("grok-4.7", "grok-4.3", "grok-code-fast-1"),
    "deepseek": ("deepseek-v4-pro", "deepseek-v4-flash"),
    "mistral": ("mistral-large-4", "codestral-2508"),
    "moonshot": ("kimi-k3", "kimi-k3.1-pro"),
    "zai": ("glm-5.3",),
}
EDGES = (99_999, 100_000, 100_001, 199_999, 200_000, 200_001, 272_000, 272_001)
"""Prompts around the sizes at which some vendor's price jumps."""
FIRST = datetime(2026, 11, 2, tzinfo=UTC)
WEEKS = 8
"""Into the next year: prices that change on 1 December are asked for on both sides."""


def usages():
    """(provider, model, usage, moment) 300 times; every moment lies on a working day."""
    numbers = random.Random(2026)
    return [
        (provider, model, _usage(numbers, provider, number), _moment(numbers))
        for provider, names in MODELS.items()
        for model in names
        for number in range(12)
    ]


def _usage(numbers, provider, number):
    """A turn; the first of each model lie on the edges, by what is read from the cache."""
    fresh, output = numbers.choice((0, 3, numbers.randrange(60_000))), numbers.randrange(30_000)
    read = numbers.choice((0, numbers.randrange(400_000)))
    short = numbers.choice((0, numbers.randrange(9_000)))
    long = numbers.choice((0, numbers.randrange(9_000))) if provider == "anthropic" else 0
    if provider not in ("anthropic", "openai"):
        short = 0
    if number < len(EDGES):
        read = EDGES[number] - fresh - short - long
    return Usage(fresh, output, read, short, long)


def _moment(numbers):
    day = FIRST + timedelta(weeks=numbers.randrange(WEEKS), days=numbers.randrange(5))
    return day + timedelta(minutes=numbers.randrange(24 * 60))
