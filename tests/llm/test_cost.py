"""Bills counted by hand: tiers, writes of two lives, dates, peak hours, and what is unknown."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from agentcli.llm import models
from agentcli.llm.cost import Cost, format_usd, price
from agentcli.llm.models import ModelSpec, Prices
from agentcli.llm.types import Usage

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def bill(provider, name, usage, at=NOW, reported=None):
    return price(usage, models.find(name, provider), at=at, reported=reported)


def test_a_turn_with_reads_and_writes_of_both_lives():
    usage = Usage(1000, 2000, 50_000, 3000, 4000, reasoning=1500)
    cost = bill("anthropic", "claude-sonnet-5-5", usage)
    assert cost.input == Decimal("0.002")
    assert cost.output == Decimal("0.02")
    assert cost.cache_read == Decimal("0.005")
    assert cost.cache_write == Decimal("0.0235")
    assert cost.total == Decimal("0.0505")
    assert cost.saved == Decimal("0.116") + Decimal("0.02") - cost.total
    assert not cost.exact


def test_a_first_request_that_only_writes_saves_less_than_nothing():
    cost = bill("anthropic", "claude-opus-5-5", Usage(cache_write_5m=10_000))
    assert cost.saved == Decimal("-0.01")


@pytest.mark.parametrize(("read", "total"), [(99_000, "0.00109"), (99_001, "0.00545005")])
def test_haiku_counts_cached_tokens_towards_its_tier(read, total):
    usage = Usage(input=1000, cache_read=read)
    assert bill("anthropic", "claude-haiku-5-5", usage).total == Decimal(total)


def test_gpt_writes_and_long_prompts():
    short = bill("openai", "gpt-6.1-sol", Usage(0, 1000, 100_000, 10_000))
    assert short.total == Decimal("0.01") + Decimal("0.025") + Decimal("0.01")
    long = bill("openai", "gpt-6.1-sol", Usage(input=272_001, output=1000))
    assert long.total == Decimal("1.088004") + Decimal("0.015")


@pytest.mark.parametrize(("prompt", "rate"), [(199_999, "2"), (200_000, "4")])
def test_xai_doubles_at_200k_not_past_it(prompt, rate):
    cost = bill("xai", "grok-4.7", Usage(input=prompt))
    assert cost.total == prompt * Decimal(rate) / 1_000_000


def test_a_dated_price_follows_the_utc_day_of_the_request():
    usage = Usage(input=1_000_000)
    eve = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    assert bill("gemini", "gemini-4-argon", usage, eve).total == 2
    assert bill("gemini", "gemini-4-argon", usage, eve + timedelta(seconds=1)).total == 4
    tokyo = datetime(2026, 12, 1, 8, 59, tzinfo=timezone(timedelta(hours=9)))
    assert bill("gemini", "gemini-4-argon", usage, tokyo).total == 2


@pytest.mark.parametrize(
    ("at", "total"),
    [
        (datetime(2026, 11, 24, 0, 59, tzinfo=UTC), "0.66"),
        (datetime(2026, 11, 24, 1, tzinfo=UTC), "1.32"),
        (datetime(2026, 11, 24, 4, tzinfo=UTC), "0.66"),
        (datetime(2026, 11, 24, 9, 59, tzinfo=UTC), "1.32"),
        (datetime(2026, 11, 28, 9, tzinfo=UTC), "0.66"),
    ],
)
def test_deepseek_peak_hours_on_working_days(at, total):
    assert bill("deepseek", "deepseek-v4-pro", Usage(input=1_000_000), at).total == Decimal(total)


def test_unknown_is_not_zero():
    assert price(Usage(1, 1), models.unknown("claude-opus-9", "anthropic"), at=NOW) is None
    assert bill("anthropic", "claude-opus-5-5", None) is None


def test_a_missing_read_or_write_price_is_the_input_price():
    bare = ModelSpec("m", "p", prices=(Prices("3", "9"),))
    cost = price(Usage(0, 0, 1000, 1000, 1000), bare, at=NOW)
    assert cost.total == Decimal("0.009")
    assert cost.saved == 0


def test_what_the_provider_says_wins_and_is_exact():
    cost = bill("anthropic", "claude-opus-5-5", Usage(input=10), reported="0.25")
    assert (cost.total, cost.exact) == (Decimal("0.25"), True)
    alone = price(None, models.unknown("x", "openrouter"), at=NOW, reported="0.5")
    assert (alone.total, alone.exact) == (Decimal("0.5"), True)


@pytest.mark.parametrize("said", ["NaN", "-1", "Infinity", "", "free"])
def test_a_reported_cost_that_is_no_amount_of_money_is_not_believed(said):
    cost = bill("anthropic", "claude-opus-5-5", Usage(input=1_000_000), reported=said)
    assert (cost.total, cost.exact) == (4, False)


def test_a_proxys_zero_for_a_model_it_cannot_price_is_unknown():
    model = models.unknown("gpt-9", "litellm")
    assert price(Usage(100, 100), model, at=NOW, reported="0.0") is None


def test_a_sum_is_exact_only_if_all_of_it_is():
    assert not (Cost(total=Decimal(1), exact=True) + Cost(total=Decimal(1))).exact


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "$0.00"), ("0.00005", "<$0.0001"), ("0.0031", "$0.0031"), ("1.239", "$1.24")],
)
def test_money_in_one_line(amount, text):
    assert format_usd(Decimal(amount)) == text
