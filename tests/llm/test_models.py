"""The shipped model table says what the vendors' price lists say, and names find their models."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from agentcli.llm import models
from agentcli.llm.cost import rates_for
from agentcli.llm.types import Usage

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

ANTHROPIC = """
claude-fable-5-2 8 10 16 0.20 40 1000000 128000 512
claude-mythos-5-2 8 10 16 0.20 40 1000000 128000 512
claude-fable-5-1 10 12.5 20 0.25 50 1000000 128000 512
claude-mythos-5-1 10 12.5 20 0.25 50 1000000 128000 512
claude-fable-5 10 12.5 20 1.00 50 1000000 128000 512
claude-mythos-5 10 12.5 20 1.00 50 1000000 128000 512
claude-opus-5-5 4 5 8 0.20 20 1000000 128000 512
claude-opus-5 5 6.25 10 0.50 25 1000000 128000 512
claude-opus-4-8 5 6.25 10 0.50 25 1000000 128000 1024
claude-opus-4-7 5 6.25 10 0.50 25 1000000 128000 2048
claude-opus-4-6 5 6.25 10 0.50 25 1000000 128000 4096
claude-opus-4-5 5 6.25 10 0.50 25 200000 64000 4096
claude-sonnet-5-5 2 2.5 4 0.10 10 1000000 128000 512
claude-sonnet-5 2 2.5 4 0.20 10 1000000 128000 1024
claude-sonnet-4-6 3 3.75 6 0.30 15 1000000 128000 1024
claude-sonnet-4-5 3 3.75 6 0.30 15 200000 64000 1024
claude-haiku-5-5 0.10 0.125 0.20 0.01 0.50 1000000 128000 512
claude-haiku-4-5 1 1.25 2 0.10 5 200000 64000 4096
"""
OPENAI = """
gpt-6.2-astra 8 10 0.40 40 1050000 tier
gpt-6.2-sol 2 2.5 0.10 10 1050000 tier
gpt-6-astra 10 12.5 1.00 50 1050000 tier
gpt-6.1-sol 2 2.5 0.10 10 1050000 tier
gpt-6.1-terra 1 1.25 0.05 5 1050000 tier
gpt-6-sol 2 2.5 0.20 10 1050000 tier
gpt-6-luna 0.10 0.125 0.01 0.50 1050000 tier
gpt-5.6-sol 4 5 0.40 20 1050000 tier
gpt-5.6-terra 2 2.5 0.20 12 1050000 tier
gpt-5.6-luna 0.20 0.25 0.02 1.20 1050000 tier
gpt-5.5 5 - 0.50 30 1050000 tier
gpt-5.5-pro 30 - - 180 1050000 tier
gpt-5.4 2.5 - 0.25 15 1050000 tier
gpt-5.4-mini 0.75 - 0.075 4.5 400000 flat
gpt-5.3-codex 1.75 - 0.175 14 400000 flat
gpt-5 1.25 - 0.125 10 400000 flat
gpt-5-mini 0.25 - 0.025 2 400000 flat
gpt-4.1 2 - 0.50 8 1047576 flat
o3 2 - 0.50 8 200000 flat
"""


def lines(table):
    return [line.split() for line in table.strip().splitlines()]


def money(text):
    return None if text in ("-", None) else Decimal(text)


def rates(spec, prompt=1):
    row = rates_for(Usage(input=prompt), spec, NOW)
    names = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
    return {name: money(getattr(row, name)) for name in names}


@pytest.mark.parametrize("line", lines(ANTHROPIC), ids=lambda line: line[0])
def test_anthropic_rows(line):
    name, fresh, short, long, read, out, context, most, minimum = line
    spec = models.find(name, "anthropic")
    assert spec is not None
    assert rates(spec) == {
        "input": money(fresh),
        "cache_write_5m": money(short),
        "cache_write_1h": money(long),
        "cache_read": money(read),
        "output": money(out),
    }
    assert (spec.context, spec.max_output) == (int(context), int(most))
    assert (spec.cache.mode, spec.cache.min_tokens) == ("explicit", int(minimum))
    assert (spec.cache.max_marks, spec.cache.ttls) == (4, ("5m", "1h"))


def test_haiku_5_5_is_dearer_as_a_whole_past_100k():
    spec = models.find("claude-haiku-5-5", "anthropic")
    assert rates(spec, 100_000)["input"] == Decimal("0.10")
    past = rates(spec, 100_001)
    assert [str(past[n]) for n in ("input", "cache_write_5m", "cache_read", "output")] == [
        "0.5",
        "0.625",
        "0.05",
        "2.5",
    ]
    assert past["cache_write_1h"] == 1


@pytest.mark.parametrize("line", lines(OPENAI), ids=lambda line: line[0])
def test_openai_rows(line):
    name, fresh, write, read, out, context, tier = line
    spec = models.find(name, "openai")
    assert spec is not None
    base = rates(spec, 272_000)
    assert [base[n] for n in ("input", "cache_write_5m", "cache_read", "output")] == [
        money(fresh),
        money(write),
        money(read),
        money(out),
    ]
    assert spec.context == int(context)
    long = rates(spec, 272_001)
    if tier == "flat":
        assert long == base
        return
    for key, factor in {
        "input": "2",
        "cache_write_5m": "2",
        "cache_read": "2",
        "output": "1.5",
    }.items():
        assert long[key] == (None if base[key] is None else base[key] * Decimal(factor)), key
