"""Usage objects that are no usage: of whatever is wrong with them, nothing is counted as if it
were right, and no answer is lost for it."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module

import pytest

from agentcli.llm.cost import price
from agentcli.llm.models import ModelSpec, Prices
from agentcli.llm.stream import credible
from agentcli.llm.types import Usage
from agentcli.llm.wire.counts import MOST, count, merged
from agentcli.llm.wire.openai_chat_usage import reported_cost

WIRES = {
    "anthropic_decode": ("input_tokens", "output_tokens"),
    "openai_chat_usage": ("prompt_tokens", "completion_tokens"),
    "openai_responses_decode": ("input_tokens", "output_tokens"),
    "gemini_decode": ("promptTokenCount", "candidatesTokenCount"),
    "bedrock_decode": ("inputTokens", "outputTokens"),
}


@pytest.fixture(params=WIRES)
def usage_of(request):
    """`usage_of(prompt, output)` as one wire reads it, and the conversation believes it."""
    module = import_module(f"agentcli.llm.wire.{request.param}")

    def read(*values):
        given = dict(zip(WIRES[request.param], values, strict=True))
        return credible(module.usage_from(json.loads(json.dumps(given))))

    return read


@pytest.mark.parametrize("number", ["1200", 1200.0, "1200.0", " 1200 "])
def test_a_number_is_a_number_in_whatever_dress(usage_of, number):
    assert usage_of(number, 7) == Usage(1200, 7)


@pytest.mark.parametrize("rubbish", [None, True, "many", "", [5], {"a": 1}, "9" * 5000])
def test_what_is_no_number_is_not_counted(usage_of, rubbish):
    assert usage_of(rubbish, 7) is None
    assert usage_of(7, rubbish) == Usage(7, 0)


@pytest.mark.parametrize("below", [-5, "-5"])
def test_what_is_below_zero_is_none(usage_of, below):
    assert usage_of(below, 7) == Usage(0, 7)


@pytest.mark.parametrize("absurd", [float("nan"), float("inf"), 10**30, 1e300, "1e12"])
def test_a_report_with_an_absurd_count_is_unknown(usage_of, absurd):
    assert usage_of(12, absurd) is None
    assert usage_of(absurd, 12) is None


def test_a_report_of_nothing_at_all_is_unknown_not_free(usage_of):
    assert usage_of(0, 0) is None


def test_the_last_value_of_each_field_counts_once():
    events = ({"a": 5, "b": 1}, {"a": 9, "b": None}, {"a": 9}, {"a": -1}, {"c": {"d": 2}})
    usage = {}
    for event in events:
        usage = merged(usage, event)
    assert usage == {"a": 9, "b": 1, "c": {"d": 2}}


def test_a_count_is_bounded():
    assert count({"n": MOST * 5}, "n") == MOST


@pytest.mark.parametrize(
    "usage",
    [
        {"cost": float("nan")},
        {"cost": float("inf")},
        {"cost": "dear"},
        {"cost": True},
        {"cost": 10**400},
        {"cost_in_usd_ticks": float("nan")},
        {"cost": {"total_cost": None}},
    ],
)
def test_what_is_no_amount_is_not_stated(usage):
    assert reported_cost(usage) is None


@pytest.mark.parametrize(("stated", "total"), [("0.5", "0.5"), (0.25, "0.25"), (-3, "-3")])
def test_an_amount_is_read_as_it_stands(stated, total):
    assert Decimal(reported_cost({"cost": stated})) == Decimal(total)


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PAID = ModelSpec("m", "openrouter", prices=(Prices("1", "10"),))
PLAIN = Usage(1_000_000, 0)


@pytest.mark.parametrize("stated", ["-3", "NaN", "Infinity", "1e300", "10001", "0", "x"])
def test_a_stated_cost_that_none_can_be_leaves_the_computed_one(stated):
    cost = price(PLAIN, PAID, at=NOW, reported=stated)
    assert (cost.total, cost.exact) == (Decimal(1), False)


@pytest.mark.parametrize(("stated", "exact"), [("0", True), ("-3", None), ("1e300", None)])
def test_a_stated_cost_without_a_price_of_ours(stated, exact):
    cost = price(PLAIN, ModelSpec("m", "openrouter"), at=NOW, reported=stated)
    assert (cost and cost.exact) == exact


def test_a_machine_of_ones_own_costs_nothing_though_it_reports_nothing():
    own = ModelSpec("m", "ollama", prices=(Prices("0", "0"),))
    assert price(None, own, at=NOW).total == 0
