"""No bill is larger than its bound, and no hard budget is ever exceeded: random requests, prices
with tiers and hours, tiers and regions of accounts, writes of every life, and reasoning."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from agentcli.llm import models
from agentcli.llm.budget import Grant, Purse, dearest_factor, hold, reserve, settle, upper_bound
from agentcli.llm.cost import price
from agentcli.llm.estimate import most_tokens_of, tokens_of
from agentcli.llm.types import Usage

MODELS = [
    ("anthropic", "claude-haiku-5-5"),
    ("anthropic", "claude-opus-5-5"),
    ("anthropic", "claude-sonnet-4-6"),
    ("openai", "gpt-6.1-sol"),
    ("openai", "gpt-5.5"),
    ("openai", "gpt-5.6-luna"),
    ("openai", "o3"),
    ("gemini", "gemini-4-argon"),
    ("gemini", "gemini-3.1-pro-preview"),
    ("xai", "grok-4.7"),
    ("deepseek", "deepseek-v4-pro"),
    ("deepseek", "deepseek-v4-flash"),
    ("mistral", "mistral-large-4"),
    ("openrouter", "anthropic/claude-haiku-5.5"),
    ("openrouter", "qwen/qwen3.7-flash"),
]
EDGES = (99_999, 100_000, 100_001, 199_999, 200_000, 200_001, 272_000, 272_001, 512_000)
BORDERS = [
    datetime(2026, 11, 24, 0, 59, 59, tzinfo=UTC),
    datetime(2026, 11, 24, 9, 59, 59, tzinfo=UTC),
    datetime(2026, 11, 24, 5, 30, tzinfo=UTC),
    datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 30, tzinfo=UTC),
    datetime(2026, 11, 28, 12, tzinfo=UTC),
]


def drawn(dice, most, output):
    """A usage of at most so many tokens of prompt and output, in random classes."""
    prompt = dice.choice([most, dice.randint(0, most), *(e for e in EDGES if e <= most)])
    cuts = sorted(dice.randint(0, prompt) for _ in range(3))
    parts = [b - a for a, b in zip([0, *cuts], [*cuts, prompt], strict=True)]
    said = dice.choice([output, dice.randint(0, output)])
    return Usage(parts[0], said, *parts[1:], reasoning=dice.randint(0, said))


@pytest.mark.parametrize(("provider", "name"), MODELS)
def test_the_bound_is_never_below_the_bill(provider, name):
    dice = random.Random(name)
    model = models.find(name, provider)
    words = ["", *dict(model.factors)]
    asked = ("us", "eu", "regional", "gov", "fast", "ultrafast")  # by the host, or a request
    tiers = [w for w in words if w not in asked]
    geos = [w for w in words if w in ("", "us", "eu")]
    for _ in range(400):
        at = dice.choice(BORDERS)
        most = dice.choice([*EDGES, dice.randint(1, 1_000_000)])
        bound = upper_bound(most, dice.choice([None, 2_000]), model, at, dearest_factor(model))
        usage = drawn(dice, most, bound.output)
        late = at + timedelta(minutes=dice.randint(0, 59))
        tier, geo = dice.choice(tiers), dice.choice(geos)
        assert price(usage, model, at=late, tier=tier, geo=geo).total <= bound.total


@pytest.mark.parametrize("seed", range(20))
def test_a_hard_budget_is_never_exceeded_whatever_the_usages_are(seed):
    """Requests come and go at random, several at once; some break off, some are never billed."""
    dice = random.Random(seed)
    limit = Decimal(dice.choice(["0", "1e-9", "0.03", "0.5", "3", "40"]))
    purses = (Purse("session", limit), Purse("day", limit * 2, limit / 2))
    under_way: list[tuple] = []
    billed = Decimal(0)
    for _ in range(300):
        if under_way and dice.random() < 0.5:
            held, model, at, most, output = under_way.pop(dice.randrange(len(under_way)))
            usage = drawn(dice, most, output)
            gone = dice.random() < 0.1
            cost = Decimal(0) if gone else price(usage, model, at=at).total
            assert cost <= held
            billed += cost
            purses = settle(purses, held, cost)
        else:
            provider, name = dice.choice(MODELS)
            model, at = models.find(name, provider), dice.choice(BORDERS)
            most = dice.choice([*EDGES, dice.randint(1, 20_000)])
            bound = upper_bound(most, None, model, at)
            answer = reserve(purses, bound)
            if isinstance(answer, Grant):
                purses = hold(purses, answer.held)
                output = answer.max_output or bound.output
                under_way.append((answer.held, model, at, most, output))
        assert billed + sum(one[0] for one in under_way) <= limit
    assert purses[0].spent == billed


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox. " * 50,
        "3.14159265358979 " * 50,
        "deadbeef0123456789abcdef " * 40,
        "日本語の文章です。" * 60,
        "🙂🙃" * 100,
        '{"a":[1,2,3]},' * 80,
        "",
    ],
)
def test_the_most_is_more_than_the_estimate(text):
    assert most_tokens_of(text) >= tokens_of(text)


def test_digits_may_be_a_token_each():
    assert most_tokens_of("1" * 1_000) == 1_000
    assert most_tokens_of("x" * 1_000) == 500
