"""Our bills against those of genai-prices, to the micro-dollar; where we differ, and why."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from oracle_usages import usages

from agentcli.llm import models
from agentcli.llm.cost import price
from agentcli.llm.types import Usage

genai = pytest.importorskip("genai_prices", reason="the extra `real` is not installed")

THEIRS = {"gemini": "google", "xai": "x-ai", "moonshot": "moonshotai"}
MICRO = Decimal("0.000001")
WORKDAY, SATURDAY = (datetime(2026, 12, day, 8, tzinfo=UTC) for day in (4, 5))
READ, WRITE, LONG = (
    Usage(cache_read=1_000_000),
    Usage(cache_write_1h=1_000_000),
    Usage(input=180_000, cache_read=30_000),
)
DIFFERENT = (
    (
        ("deepseek", "deepseek-v4-pro", Usage(input=1_000_000), SATURDAY),
        ("0.66", "1.32"),
        "DeepSeek's peak is on working days (cost facts 3.5); genai-prices knows hours alone",
    ),
    (
        ("deepseek", "deepseek-flash", Usage(input=1_000_000), SATURDAY),
        ("0.15", "0.30"),
        "the same",
    ),
    (
        ("openrouter", "anthropic/claude-opus-5.5", WRITE, WORKDAY),
        ("8", "5"),
        "an hour's write is twice the input (wire.md 6.1); genai-prices has no 1h price there",
    ),
    (
        ("mistral", "codestral-latest", READ, WORKDAY),
        ("0.03", "0.3"),
        "Mistral reads at a tenth (wire.md 6.4); genai-prices has that under codestral-2508 only",
    ),
    (
        ("anthropic", "claude-sonnet-4-5", LONG, WORKDAY),
        ("0.549", "1.098"),
        "its window is 200,000 tokens (wire.md 6.1); genai-prices keeps the tier of a past beta",
    ),
)
"""(what is asked), (our dollars, theirs), why."""


def ours(provider, model, usage, at):
    cost = price(usage, models.find(model, provider), at=at)
    assert cost is not None, f"{provider}/{model} has no price"
    return cost.total


def theirs(provider, model, usage, at):
    asked = genai.Usage(
        input_tokens=usage.prompt,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write_5m + usage.cache_write_1h,
        cache_write_1h_tokens=usage.cache_write_1h,
        output_tokens=usage.output,
    )
    return genai.calc_price(
        asked, model, provider_id=THEIRS.get(provider, provider), genai_request_timestamp=at
    ).total_price


def test_the_usages_are_what_they_are_said_to_be():
    asked = usages()
    assert len(asked) == 300
    assert len({provider for provider, *_ in asked}) == 8
    assert len({(provider, model) for provider, model, *_ in asked}) == 25
    assert all(min(u.input, u.cache_read, u.cache_write_5m) >= 0 for _, _, u, _ in asked)


def test_300_bills_are_those_of_genai_prices():
    unlike = [
        (*case, ours(*case), theirs(*case))
        for case in usages()
        if abs(ours(*case) - theirs(*case)) >= MICRO
    ]
    assert not unlike


@pytest.mark.parametrize(("case", "bills", "why"), DIFFERENT)
def test_where_genai_prices_is_wrong(case, bills, why):
    assert (ours(*case), theirs(*case)) == tuple(Decimal(bill) for bill in bills), why
