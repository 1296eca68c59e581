"""The shipped model table says what the vendors' price lists say, and names find their models."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.cost import price
from agentcli.llm.providers import PROVIDERS, resolve
from agentcli.llm.types import Usage

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def money(text):
    return None if text in ("-", None) else Decimal(text)


SOME_OF_EACH = Usage(input=100_000, output=100_000, cache_read=100_000, cache_write_1h=100_000)


@pytest.mark.parametrize(
    ("provider", "name", "said", "factor"),
    [
        ("openai", "gpt-6.1-sol", {"tier": "flex"}, "0.5"),
        ("openai", "gpt-6.1-sol", {"tier": "priority"}, "2"),
        ("openai", "gpt-6.1-sol", {"tier": "default"}, "1"),
        ("openai", "gpt-5.5", {"tier": "priority"}, "2.5"),
        ("openai", "gpt-6.1-sol", {"tier": "ultrafast", "geo": "us"}, "6.6"),
        ("openai", "gpt-6-astra", {"tier": "ultrafast"}, "6"),
        ("openai", "gpt-5.4", {"tier": "batch", "geo": "eu"}, "0.55"),
        ("openai", "gpt-5", {"tier": "auto", "geo": "eu"}, "1"),
        ("anthropic", "claude-opus-5-5", {"tier": "fast", "geo": "us"}, "2.2"),
        ("anthropic", "claude-sonnet-5-5", {"tier": "standard", "geo": "global"}, "1"),
        ("anthropic", "claude-sonnet-5-5", {"tier": "batch"}, "0.5"),
        ("anthropic", "claude-opus-4-6", {"tier": "batch", "geo": "us"}, "0.55"),
        ("anthropic", "claude-sonnet-4-5", {"geo": "us"}, "1"),
        ("anthropic", "claude-haiku-5-5", {"geo": "regional"}, "1.1"),
        ("gemini", "gemini-2.5-pro", {"tier": "ON_DEMAND_PRIORITY"}, "1.8"),
        ("gemini", "gemini-3.8-flash", {"tier": "ON_DEMAND_FLEX"}, "0.5"),
        ("gemini", "gemini-3.8-flash", {"tier": "ON_DEMAND"}, "1"),
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


def test_what_is_said_to_be_cached_has_a_price_for_reads():
    specs = [models.find(name, p) for p in models.shipped()["models"] for name in models.names(p)]
    free = [
        s.id for s in specs if s.cache.mode != "none" and not any(r.cache_read for r in s.prices)
    ]
    assert free == []
    assert models.find("gpt-5.5-pro", "openai").cache.mode == "none"
    assert models.unknown("gpt-9", "openai").cache.mode == "automatic"


def test_rates_are_plain_decimals():
    assert (
        broken(lambda _, row: any("e" in (getattr(row, c) or "").lower() for c in models.RATES))
        == []
    )


def test_a_tier_raises_every_class_of_its_base():
    classes = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
    bases = {(n, r.since, r.hours): r for n, r in LINES if not r.above}

    def falls_short(name, row):
        base = bases[name, row.since, row.hours]
        return row.above and any(
            getattr(base, c) and money(getattr(row, c) or "0") <= money(getattr(base, c))
            for c in classes
        )

    assert broken(falls_short) == []
