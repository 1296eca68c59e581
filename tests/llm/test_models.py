"""The shipped model table says what the vendors' price lists say, and names find their models."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.cost import price, rates_for
from agentcli.llm.providers import PROVIDERS, resolve
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


SOME_OF_EACH = Usage(input=100_000, output=100_000, cache_read=100_000, cache_write_1h=100_000)


@pytest.mark.parametrize(
    ("provider", "name", "said", "factor"),
    [
        ("openai", "gpt-6.1-sol", {"tier": "flex"}, "0.5"),
        ("openai", "gpt-6.1-sol", {"tier": "priority"}, "2"),
        ("openai", "gpt-6.1-sol", {"tier": "default"}, "1"),
        ("openai", "gpt-5.5", {"tier": "priority"}, "2.5"),
        ("openai", "gpt-5", {"tier": "batch", "geo": "eu"}, "0.55"),
        ("anthropic", "claude-opus-5-5", {"tier": "fast", "geo": "us"}, "2.2"),
        ("anthropic", "claude-sonnet-5-5", {"tier": "standard", "geo": "global"}, "1"),
        ("anthropic", "claude-sonnet-5-5", {"tier": "batch"}, "0.5"),
        ("anthropic", "claude-haiku-5-5", {"geo": "regional"}, "1.1"),
        ("gemini", "gemini-2.5-pro", {"tier": "ON_DEMAND_PRIORITY"}, "1.8"),
        ("deepseek", "deepseek-v4-pro", {"tier": "flex"}, "1"),
    ],
)
def test_tiers_and_regions_multiply_every_class(provider, name, said, factor):
    spec = models.find(name, provider)
    plain = price(SOME_OF_EACH, spec, at=NOW)
    asked = price(SOME_OF_EACH, spec, at=NOW, **said)
    for part in ("input", "output", "cache_read", "cache_write", "total", "saved"):
        assert getattr(asked, part) == getattr(plain, part) * Decimal(factor), part


def test_a_tier_does_not_touch_what_the_provider_stated():
    spec = models.find("gpt-5", "openai")
    assert price(Usage(input=5), spec, at=NOW, tier="flex", reported="0.125").total == Decimal(
        "0.125"
    )


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("gpt-6.1-sol", "patch"),
        ("openai/gpt-5.6-sol", "patch"),
        ("openai.gpt-oss-120b-1:0", "patch"),
        ("accounts/fireworks/models/gpt-oss-120b", "patch"),
        ("team-gpt-5", "patch"),
        ("o3", "patch"),
        ("o4-mini", "patch"),
        ("claude-opus-5-5", "replace"),
        ("anthropic/claude-sonnet-5.5", "replace"),
        ("qwen3.8-max", "replace"),
        ("moo3", "replace"),
    ],
)
def test_models_of_openai_patch_and_others_replace(name, tool):
    assert models.unknown(name, "corp").edit == tool


def test_the_edit_column_follows_the_family_at_every_provider():
    wrong = [
        (provider, name)
        for provider in ROWS
        for name in models.names(provider)
        if models.find(name, provider).edit != ("patch" if is_gpt(name) else "replace")
    ]
    assert wrong == []


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
@pytest.mark.parametrize(("family", "tool"), [("gpt-6.1-sol", "patch"), ("claude-9", "replace")])
def test_every_route_carries_the_tool_of_the_family(provider, family, tool):
    row = PROVIDERS[provider]
    settings = dict.fromkeys(("AWS_REGION", "GOOGLE_CLOUD_PROJECT", "CLOUDFLARE_ACCOUNT_ID"), "x")
    env = settings | {"A_KEY": "k"}
    moved = replace(row, url="http://x.invalid/v1", key_env=("A_KEY",), keyless=True)
    assert resolve(f"{provider}/{family}", env, (moved,)).model.edit == tool


def is_gpt(name):
    last = name.rpartition("/")[2]
    return last.startswith(("gpt-", "o3", "o4", "codex"))


ROWS = ("anthropic", "openai", "openrouter", "groq", "together", "fireworks", "cerebras")


LINES = [
    (f"{provider}/{name}", row)
    for provider, rows in models.shipped()["models"].items()
    for name in rows
    for row in models.find(name, provider).prices
]


def broken(check):
    return [(name, row) for name, row in LINES if check(name, row)]


def test_no_price_is_free_and_no_read_costs_more_than_what_it_saves():
    assert broken(lambda _, row: not Decimal(row.output) or not Decimal(row.input)) == []
    assert broken(lambda _, row: Decimal(row.cache_read or 0) >= Decimal(row.input)) == []


def test_no_write_costs_less_than_plain_input_or_a_shorter_one():
    def cheap(_, row):
        short = money(row.cache_write_5m or row.input)
        return short < money(row.input) or money(row.cache_write_1h or "999") < short

    assert broken(cheap) == []


def test_a_claude_has_a_price_for_either_write_and_for_reads():
    classes = ("cache_write_5m", "cache_write_1h", "cache_read")
    assert broken(lambda n, row: "claude" in n and not all(getattr(row, c) for c in classes)) == []


def test_a_tier_raises_every_class_of_its_base():
    classes = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
    bases = {(n, r.since, r.hours): r for n, r in LINES if not r.above}

    def falls_short(name, row):
        base = bases[name, row.since, row.hours]
        return row.above and any(
            getattr(base, c) and money(getattr(row, c) or "0") < money(getattr(base, c))
            for c in classes
        )

    assert broken(falls_short) == []
