"""Every row of the vendors' price lists (wire.md 6.1 to 6.4), through the bill of a usage."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from agentcli.llm import models
from agentcli.llm.cost import price, rates_for
from agentcli.llm.efforts import offered
from agentcli.llm.providers import resolve
from agentcli.llm.types import Usage

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
"""A Sunday: no peak hour anywhere."""

ROWS = """
anthropic claude-fable-5-2 8 10 16 0.20 40 1000000 128000
anthropic claude-mythos-5-2 8 10 16 0.20 40 1000000 128000
anthropic claude-fable-5-1 10 12.5 20 0.25 50 1000000 128000
anthropic claude-mythos-5-1 10 12.5 20 0.25 50 1000000 128000
anthropic claude-fable-5 10 12.5 20 1.00 50 1000000 128000
anthropic claude-mythos-5 10 12.5 20 1.00 50 1000000 128000
anthropic claude-opus-5-5 4 5 8 0.20 20 1000000 128000
anthropic claude-opus-5 5 6.25 10 0.50 25 1000000 128000
anthropic claude-opus-4-8 5 6.25 10 0.50 25 1000000 128000
anthropic claude-opus-4-7 5 6.25 10 0.50 25 1000000 128000
anthropic claude-opus-4-6 5 6.25 10 0.50 25 1000000 128000
anthropic claude-opus-4-5 5 6.25 10 0.50 25 200000 64000
anthropic claude-sonnet-5-5 2 2.5 4 0.10 10 1000000 128000
anthropic claude-sonnet-5 2 2.5 4 0.20 10 1000000 128000
anthropic claude-sonnet-4-6 3 3.75 6 0.30 15 1000000 128000
anthropic claude-sonnet-4-5 3 3.75 6 0.30 15 200000 64000
anthropic claude-haiku-5-5 0.10 0.125 0.20 0.01 0.50 1000000 128000
anthropic claude-haiku-4-5 1 1.25 2 0.10 5 200000 64000
openai gpt-6.2-astra 8 10 - 0.40 40 1050000 128000
openai gpt-6.2-sol 2 2.5 - 0.10 10 1050000 128000
openai gpt-6-astra 10 12.5 - 1.00 50 1050000 128000
openai gpt-6.1-sol 2 2.5 - 0.10 10 1050000 128000
openai gpt-6.1-terra 1 1.25 - 0.05 5 1050000 128000
openai gpt-6-sol 2 2.5 - 0.20 10 1050000 128000
openai gpt-6-luna 0.10 0.125 - 0.01 0.50 1050000 128000
openai gpt-5.6-sol 4 5 - 0.40 20 1050000 128000
openai gpt-5.6-terra 2 2.5 - 0.20 12 1050000 128000
openai gpt-5.6-luna 0.20 0.25 - 0.02 1.20 1050000 128000
openai gpt-5.5 5 - - 0.50 30 1050000 128000
openai gpt-5.5-pro 30 - - - 180 1050000 128000
openai gpt-5.4 2.5 - - 0.25 15 1050000 128000
openai gpt-5.4-mini 0.75 - - 0.075 4.5 400000 128000
openai gpt-5.3-codex 1.75 - - 0.175 14 400000 128000
openai gpt-5 1.25 - - 0.125 10 400000 128000
openai gpt-5-mini 0.25 - - 0.025 2 400000 128000
openai gpt-4.1 2 - - 0.50 8 1047576 32768
openai o3 2 - - 0.50 8 200000 100000
gemini gemini-4-argon 2 - - 0.10 10 1048576 65536
gemini gemini-3.8-flash 0.75 - - 0.075 3.75 1048576 65536
gemini gemini-3.7-flash 0.75 - - 0.075 3.75 1048576 65536
gemini gemini-3.6-flash 0.75 - - 0.075 3.75 1048576 65536
gemini gemini-3.5-flash 1.5 - - 0.15 9 1048576 65536
gemini gemini-3.5-flash-lite 0.30 - - 0.03 2.5 1048576 65536
gemini gemini-3.1-pro-preview 2 - - 0.20 12 1048576 65536
gemini gemini-3.1-flash-lite 0.25 - - 0.025 1.5 1048576 65536
gemini gemini-3-flash-preview 0.50 - - 0.05 3 1048576 65536
gemini gemini-2.5-pro 1.25 - - 0.125 10 1048576 65536
gemini gemini-2.5-flash 0.30 - - 0.03 2.5 1048576 65536
deepseek deepseek-flash 0.15 - - 0.003 0.60 1000000 393216
deepseek deepseek-v4-flash 0.15 - - 0.003 0.60 1000000 393216
deepseek deepseek-v4-pro 0.66 - - 0.022 1.98 1000000 393216
xai grok-4.7 2 - - 0.50 6 500000 -
xai grok-4.6 2 - - 0.50 6 500000 -
xai grok-4.5 2 - - 0.30 6 500000 -
xai grok-4.3 1.25 - - 0.20 2.5 1000000 -
xai grok-build-0.1 1 - - 0.2 2 256000 -
xai grok-code-fast-1 0.2 - - 0.02 1.5 256000 -
mistral mistral-large-4 0.70 - - 0.07 2.10 1048576 -
mistral mistral-medium-3-5 1.5 - - 0.15 7.5 262144 -
mistral mistral-large-2512 0.5 - - 0.05 1.5 262144 -
mistral mistral-small-latest 0.15 - - 0.015 0.6 262144 -
mistral codestral-latest 0.3 - - 0.03 0.9 256000 -
moonshot kimi-k3 3 3 6 0.30 15 1048576 -
moonshot kimi-k3.1-pro 2 2 4 0.20 10 1048576 -
moonshot kimi-k3.1-pro-highspeed 4 4 8 0.20 20 1048576 -
moonshot kimi-k2.7-code 0.95 - - 0.19 4 262144 -
moonshot kimi-k2.6 0.95 - - 0.16 4 262144 -
zai glm-5.3 1.4 - - 0.26 4.4 1000000 128000
zai glm-5.2 1.4 - - 0.26 4.4 1000000 128000
zai glm-5.1 1.4 - - 0.26 4.4 200000 128000
zai glm-5.3-flash 0.15 - - 0.03 0.5 1048576 128000
zai glm-5.3-flashx 0.37 - - 0.075 1.25 - -
zai glm-5 1 - - 0.2 3.2 200000 128000
zai glm-4.7 0.6 - - 0.11 2.2 200000 128000
dashscope qwen3.8-max 2 - - 0.25 6 991808 131072
dashscope qwen3.7-max 2.5 3.125 - 0.25 7.5 991808 65536
dashscope qwen3.8-flash 0.15 0.2 - 0.016 0.47 991808 131072
groq openai/gpt-oss-120b 0.15 - - 0.075 0.60 131072 65536
groq openai/gpt-oss-20b 0.075 - - 0.0375 0.30 131072 65536
groq qwen/qwen3.8-27b 0.8 - - - 4 131072 16384
groq llama-3.3-70b-versatile 0.59 - - - 0.79 131072 -
"""
CLIFFS = """
anthropic claude-haiku-5-5 100000 5 5
openai gpt-6.2-astra 272000 2 1.5
openai gpt-6.2-sol 272000 2 1.5
openai gpt-6-astra 272000 2 1.5
openai gpt-6.1-sol 272000 2 1.5
openai gpt-6.1-terra 272000 2 1.5
openai gpt-6-sol 272000 2 1.5
openai gpt-6-luna 272000 2 1.5
openai gpt-5.6-sol 272000 2 1.5
openai gpt-5.6-terra 272000 2 1.5
openai gpt-5.6-luna 272000 2 1.5
openai gpt-5.5 272000 2 1.5
openai gpt-5.5-pro 272000 2 1.5
openai gpt-5.4 272000 2 1.5
gemini gemini-3.1-pro-preview 200000 2 1.5
gemini gemini-2.5-pro 200000 2 1.5
xai grok-4.7 199999 2 2
xai grok-4.6 199999 2 2
openrouter x-ai/grok-4.7 199999 2 2
"""
"""The last prompt at the low price, and what input, cache and output then multiply by."""
DATES = """
gemini gemini-4-argon 2026-12-01 2 2
gemini gemini-3.8-flash 2027-01-01 2 2
gemini gemini-3.7-flash 2027-01-01 2 2
gemini gemini-3.6-flash 2027-01-01 2 2
"""
"""From that day (UTC) on."""
LEAST = """
512 anthropic claude-fable-5 claude-fable-5-1 claude-fable-5-2 claude-mythos-5 claude-mythos-5-1
512 anthropic claude-mythos-5-2 claude-opus-5 claude-opus-5-5 claude-sonnet-5-5 claude-haiku-5-5
1024 anthropic claude-opus-4-8 claude-sonnet-5 claude-sonnet-4-6 claude-sonnet-4-5 claude-opus-4-1
1024 anthropic claude-opus-4-0 claude-sonnet-4-0
2048 anthropic claude-opus-4-7
4096 anthropic claude-opus-4-6 claude-opus-4-5 claude-haiku-4-5
1024 openai gpt-6.2-sol gpt-6.1-sol gpt-5.6-sol gpt-5.5 gpt-5 o3
1024 gemini gemini-2.5-flash gemini-3-flash-preview
4096 gemini gemini-2.5-pro gemini-3.1-pro-preview gemini-3.5-flash gemini-3.8-flash gemini-4-argon
1024 dashscope qwen3.7-max qwen3.8-flash
"""
"""Fewest tokens that are cached (wire.md 1.12, 2.8, 3.6, 5.8)."""
CLASSES = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")


def lines(table):
    return [line.split() for line in table.strip().splitlines()]


def found(provider, name):
    spec = models.find(name, provider)
    assert spec is not None, name
    return spec


def bill(spec, field, tokens, at=NOW):
    """What so many tokens of one class cost, USD."""
    return price(Usage(**{field: tokens}), spec, at=at).total


def rates(spec, prompt, at=NOW):
    row = rates_for(Usage(input=prompt), spec, at)
    return {c: Decimal(getattr(row, c)) for c in CLASSES if getattr(row, c) is not None}


@pytest.mark.parametrize("line", lines(ROWS), ids=lambda line: line[1])
def test_each_class_costs_what_the_list_says(line):
    spec = found(*line[:2])
    listed = dict(zip(CLASSES, line[2:7], strict=True))
    for name, rate in listed.items():
        if rate == "-":
            written = listed["cache_write_5m"] if name == "cache_write_1h" else "-"
            rate = listed["input"] if written == "-" else written
        assert bill(spec, name, 1_000) == Decimal(rate) / 1_000, name
        assert (getattr(spec.prices[-1], name) is None) == (listed[name] == "-"), name
    sizes = tuple(None if size == "-" else int(size) for size in line[7:])
    assert (spec.context, spec.max_output) == sizes


def test_a_name_is_listed_once():
    names = [(provider, name) for provider, name, *_ in lines(ROWS)]
    assert len(names) == len(set(names)) == 81


@pytest.mark.parametrize("line", lines(CLIFFS), ids=lambda line: line[1])
def test_a_long_prompt_is_dearer_as_a_whole(line):
    provider, name, last, prompt, output = line
    spec = found(provider, name)
    low, high = rates(spec, int(last)), rates(spec, int(last) + 1)
    assert low == rates(spec, 1)
    assert low.keys() == high.keys()
    for key, rate in low.items():
        assert high[key] == rate * Decimal(output if key == "output" else prompt), key
    cached = Usage(cache_read=int(last) + 1, output=1_000)
    whole = cached.cache_read * high.get("cache_read", high["input"]) + 1_000 * high["output"]
    assert price(cached, spec, at=NOW).total == whole / 1_000_000


@pytest.mark.parametrize("line", lines(DATES), ids=lambda line: line[1])
def test_a_price_changes_with_the_day_of_the_request(line):
    provider, name, day, prompt, output = line
    spec, midnight = found(provider, name), datetime.fromisoformat(day).replace(tzinfo=UTC)
    before, after = rates(spec, 1, midnight - timedelta(seconds=1)), rates(spec, 1, midnight)
    assert before == rates(spec, 1)
    for key, rate in before.items():
        assert after[key] == rate * Decimal(output if key == "output" else prompt), key


@pytest.mark.parametrize("name", ["deepseek-flash", "deepseek-v4-flash", "deepseek-v4-pro"])
@pytest.mark.parametrize("day", range(23, 30))
def test_deepseek_costs_twice_at_its_hours_on_working_days(name, day):
    spec = found("deepseek", name)
    twice = [
        hour
        for hour in range(24)
        if bill(spec, "input", 10**6, datetime(2026, 11, day, hour, 59, tzinfo=UTC))
        == bill(spec, "input", 10**6) * 2
    ]
    assert twice == ([1, 2, 3, 6, 7, 8, 9] if day < 28 else [])


@pytest.mark.parametrize(
    ("least", "provider", "name"),
    [(int(least), where, name) for least, where, *names in lines(LEAST) for name in names],
)
def test_the_fewest_tokens_that_are_cached(least, provider, name):
    cache = found(provider, name).cache
    assert cache.min_tokens == least
    if provider == "anthropic":
        assert (cache.mode, cache.max_marks, cache.ttls) == ("explicit", 4, ("5m", "1h"))


@pytest.mark.parametrize(
    ("provider", "name", "efforts"),
    [
        ("anthropic", "claude-opus-5-5", "low medium high xhigh max"),
        ("openai", "gpt-6.2-sol", "low medium high xhigh max"),
        ("openai", "gpt-6.1-sol", "low medium high xhigh max"),
        ("openai", "gpt-6-astra", "low medium high xhigh max"),
        ("xai", "grok-4.7", "low medium high xhigh"),
        ("deepseek", "deepseek-v4-pro", "none low high max"),
        ("moonshot", "kimi-k3", "low high max"),
        ("moonshot", "kimi-k2.7-code", "low high max"),
        ("mistral", "mistral-large-4", "none high"),
        ("zai", "glm-5.3", "none high"),
        ("groq", "openai/gpt-oss-120b", "low medium high"),
        ("groq", "qwen/qwen3.8-27b", "none high"),
    ],
)
def test_the_efforts_a_model_takes(provider, name, efforts):
    key = {f"{provider.upper()}_API_KEY": "key"}
    assert " ".join(offered(resolve(f"{provider}/{name}", key))) == efforts
