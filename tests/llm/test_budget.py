"""Money before it is spent: bounds no bill exceeds, purses that hold, replies cut to fit."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.budget import (
    Bound,
    Grant,
    Purse,
    Refusal,
    expected_tokens,
    hold,
    reserve,
    rewrite_cost,
    settle,
    upper_bound,
)
from agentcli.llm.cache import CachePlan, Mark
from agentcli.llm.cost import price
from agentcli.llm.marks import HEAD, Anchor
from agentcli.llm.miss import Sent
from agentcli.llm.models import CacheKind, ModelSpec, Prices
from agentcli.llm.shape import chain, shape
from agentcli.llm.types import AssistantMessage, Request, Text, ToolSpec, Usage, UserMessage

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SONNET = models.find("claude-sonnet-5-5", "anthropic")
PLAIN = ModelSpec("m", "p", max_output=8_000, prices=(Prices("1", "10"),))


def usd(text):
    return Decimal(text)


def purse(limit, spent="0", held="0", scope="session"):
    return Purse(scope, usd(limit), usd(spent), usd(held))


def test_the_bound_is_the_dearest_write_and_all_of_the_output():
    bound = upper_bound(10_000, None, SONNET, NOW)
    assert bound.prompt == usd("0.04")
    assert bound.output == 32_000
    assert bound.total == usd("0.04") + usd("0.32")


@pytest.mark.parametrize(
    "usage",
    [
        Usage(10_000, 32_000),
        Usage(0, 32_000, cache_write_1h=10_000),
        Usage(0, 32_000, cache_write_5m=10_000),
        Usage(0, 10, cache_read=10_000),
    ],
)
@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("anthropic", "claude-sonnet-5-5"),
        ("anthropic", "claude-haiku-5-5"),
        ("openai", "gpt-6.1-sol"),
        ("xai", "grok-4.7"),
        ("deepseek", "deepseek-v4-pro"),
    ],
)
def test_no_bill_exceeds_its_bound(provider, name, usage):
    model = models.find(name, provider)
    bound = upper_bound(usage.prompt, None, model, NOW)
    assert price(usage, model, at=NOW).total <= bound.total


def test_a_tier_within_reach_of_the_estimate_is_counted():
    cliff = replace(PLAIN, prices=(Prices("1", "10"), Prices("3", "30", above=1000)))
    assert upper_bound(1000, 100, cliff, NOW).total == usd("0.001") + usd("0.001")
    assert upper_bound(1001, 100, cliff, NOW).total == usd("0.003003") + usd("0.003")


def test_the_limits_of_request_and_model_bound_the_output():
    assert upper_bound(1, 500, PLAIN, NOW).output == 500
    assert upper_bound(1, None, PLAIN, NOW).output == 8_000
    assert upper_bound(1, 90_000, PLAIN, NOW).output == 8_000


def test_an_unknown_price_has_no_bound():
    assert upper_bound(1, 1, models.unknown("x", "p"), NOW) is None


BOUND = Bound(1000, usd("0.10"), 10_000, usd("0.0001"))
"""A prompt of 10 cents and a reply of up to 1 dollar."""


def test_without_budgets_everything_may_go():
    assert reserve((), BOUND) == Grant(usd("0"))


def test_a_request_that_fits_is_held_whole():
    assert reserve((purse("1.10"),), BOUND) == Grant(usd("1.10"))


def test_the_tightest_purse_counts_and_what_is_held_is_taken():
    taken = (purse("50"), purse("9", spent="7", held="1.5", scope="day"))
    grant = reserve(taken, BOUND)
    assert grant == Grant(usd("0.5"), 4_000)


def test_a_reply_is_cut_down_to_the_shortest_and_no_further():
    assert reserve((purse("0.2024"),), BOUND) == Grant(usd("0.2024"), 1_024)
    refused = reserve((purse("0.2023"),), BOUND)
    assert refused == Refusal(purse("0.2023"), usd("0.2024"))


def test_a_short_reply_is_not_refused_for_being_short():
    short = replace(BOUND, output=500)
    assert reserve((purse("0.15"),), short) == Grant(usd("0.15"))
    assert reserve((purse("0.14"),), short) == Refusal(purse("0.14"), usd("0.15"))


def test_a_spent_purse_holds_nothing():
    assert isinstance(reserve((purse("1", spent="1.2"),), BOUND), Refusal)


def test_two_at_once_cannot_promise_the_same_money():
    purses = (purse("1.5"),)
    first = reserve(purses, BOUND)
    purses = hold(purses, first.held)
    second = reserve(purses, BOUND)
    assert second.held == usd("0.4")
    assert first.held + second.held <= usd("1.5")
    purses = settle(hold(purses, second.held), first.held, usd("0.02"))
    assert purses == (purse("1.5", spent="0.02", held="0.4"),)


def test_a_promise_taken_back_leaves_nothing_held():
    assert hold(hold((purse("1"),), usd("0.3")), usd("-0.3")) == (purse("1"),)


@pytest.mark.parametrize(("spent", "low"), [("0.79", False), ("0.80", True), ("2", True)])
def test_four_fifths_are_low(spent, low):
    assert purse("1", spent=spent).is_low is low


def user(text):
    return UserMessage((Text(text),))


def reply(text, usage=None):
    return AssistantMessage((Text(text),), "m", "end_turn", usage=usage)


FIRST = Request("m", ("be good",), (), (user("the " * 1_000),))
USAGE = Usage(input=7, output=40, cache_read=9_000, cache_write_5m=1_000)
LATER = replace(FIRST, messages=(*FIRST.messages, reply("y", USAGE), user("the " * 100)))


def sent(usage=USAGE, ttl="5m", kind=SONNET.cache, at=0.0):
    links = chain(FIRST)
    life = 3600 if ttl == "1h" else 300
    plan = CachePlan((Mark("latest", ttl, 0, 0),), life=life)
    last = FIRST.messages[-1]
    return Sent(shape(FIRST, links), "p", at, usage, plan, kind, links.links, last)


def test_a_first_prompt_is_estimated_with_room():
    expected, most = expected_tokens(FIRST, None)
    assert 1_000 <= expected <= 1_010
    assert most >= expected * Decimal("1.5")


def test_what_a_provider_adds_for_tools_is_within_the_bound():
    tools = replace(FIRST, tools=(ToolSpec("Read", "reads", {}),))
    assert expected_tokens(tools, None)[1] - expected_tokens(FIRST, None)[1] > 500


def test_reported_counts_correct_the_estimate():
    expected, most = expected_tokens(LATER, sent())
    assert 10_047 + 100 <= expected <= 10_047 + 110
    assert expected < most < expected + 200


def test_another_conversation_is_estimated_from_scratch():
    edited = replace(LATER, messages=(user("other"), *LATER.messages[1:]))
    assert expected_tokens(edited, sent())[0] < 200
    assert expected_tokens(LATER, sent(usage=None))[0] < 1_300


def test_a_warm_cache_rewrites_nothing():
    assert rewrite_cost(sent(), SONNET, 299.9) is None
    assert rewrite_cost(None, SONNET, 9_999.0) is None


@pytest.mark.parametrize(("ttl", "life", "cost"), [("5m", 300, "0.025"), ("1h", 3600, "0.04")])
def test_a_lapsed_cache_is_written_again_at_the_price_of_its_life(ttl, life, cost):
    rewrite = rewrite_cost(sent(ttl=ttl), SONNET, float(life))
    assert (rewrite.tokens, rewrite.usd) == (10_000, usd(cost))
    assert rewrite.extra == usd(cost) - usd("0.001")


def test_what_is_kept_for_an_hour_is_not_written_again():
    before = sent()
    kept = replace(before, plan=replace(before.plan, anchor=Anchor(HEAD, 7_000, 0.0)))
    assert rewrite_cost(kept, SONNET, 301.0).tokens == 3_000
    assert rewrite_cost(kept, SONNET, 3_601.0).tokens == 10_000
    unsure = replace(kept, plan=replace(kept.plan, anchor=Anchor(HEAD, 7_000, 0.0, sure=False)))
    assert rewrite_cost(unsure, SONNET, 301.0).tokens == 10_000
    whole = replace(kept, plan=replace(kept.plan, anchor=Anchor(HEAD, 10_000, 0.0)))
    assert rewrite_cost(whole, SONNET, 301.0) is None


def test_without_a_promised_life_nothing_is_foretold():
    free = replace(sent(), plan=CachePlan())
    assert rewrite_cost(free, SONNET, 9_999.0) is None


def test_the_price_of_a_rewrite_may_be_unknown():
    rewrite = rewrite_cost(sent(kind=CacheKind("explicit")), models.unknown("x", "p"), 301.0)
    assert (rewrite.tokens, rewrite.usd, rewrite.extra) == (10_000, None, None)
