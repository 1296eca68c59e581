"""When a summary pays: the arithmetic, by hand."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from agentcli.lib.value import replace
from agentcli.llm.breakeven import Standing, break_even
from agentcli.llm.models import CacheKind, ModelSpec, Prices

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
RATES = Prices("10", "50", cache_read="1", cache_write_5m="12.5", cache_write_1h="20")
MODEL = ModelSpec("m", "p", prices=(RATES,), cache=CacheKind("explicit"))
FULL = Standing(used=100_000, head=10_000, summary=2_000)


def usd(text):
    return Decimal(text)


def test_while_it_is_warm_the_summary_reads_everything_and_pays_later():
    found = break_even(FULL, MODEL, NOON)
    assert found.compact.now == usd("0.2")  # 100k read, 2k said
    assert found.compact.first == usd("0.035")  # 10k read, 2k written
    assert found.compact.each == usd("0.012")
    assert (found.go_on.now, found.go_on.first, found.go_on.each) == (0, usd("0.1"), usd("0.1"))
    assert found.steps == 3
    assert found.compact.after(2) > found.go_on.after(2)
    assert found.compact.after(3) <= found.go_on.after(3)


def test_when_it_is_cold_only_the_head_is_written_and_the_summary_pays_at_once():
    found = break_even(replace(FULL, warm=False), MODEL, NOON)
    assert found.compact.now == usd("0.125") + usd("0.9") + usd("0.1")
    assert found.compact.first == usd("0.035")
    assert found.go_on.first == usd("1.25")
    assert found.steps == 1


def test_what_is_kept_for_an_hour_is_dearer_to_write():
    found = break_even(replace(FULL, warm=False, long=True), MODEL, NOON)
    assert found.go_on.first == usd("2")


def test_without_a_cache_every_step_costs_the_whole():
    found = break_even(FULL, replace(MODEL, cache=CacheKind()), NOON)
    assert (found.go_on.first, found.go_on.each) == (usd("1"), usd("1"))
    assert found.compact.first == found.compact.each == usd("0.12")


def test_vendors_that_cache_by_themselves_ask_the_plain_price_for_what_is_new():
    cold = replace(FULL, warm=False)
    plain = (replace(MODEL.prices[0], cache_write_5m=None, cache_write_1h=None),)
    found = break_even(cold, replace(MODEL, prices=plain, cache=CacheKind("automatic")), NOON)
    assert (found.go_on.first, found.go_on.each) == (usd("1"), usd("0.1"))


def test_a_vendor_that_bills_what_it_writes_by_itself_writes_all_of_it():
    """Also for the summary of what is cold: there nobody asks for it (wire.md 2.8.7)."""
    found = break_even(
        replace(FULL, warm=False), replace(MODEL, cache=CacheKind("automatic")), NOON
    )
    assert found.go_on.first == usd("1.25")
    assert found.compact.now == usd("1.25") + usd("0.1")


def test_where_openai_keeps_the_head_alone_the_rest_of_what_is_cold_is_not_written():
    model = replace(MODEL, provider="openai", cache=CacheKind("automatic"))
    found = break_even(replace(FULL, warm=False), model, NOON)
    assert found.compact.now == usd("0.125") + usd("0.9") + usd("0.1")
    assert found.go_on.first == usd("1.25")


def test_what_the_summary_did_cost_counts():
    assert break_even(FULL, MODEL, NOON, paid=usd("2")).steps == 23


@pytest.mark.parametrize("warm", [True, False])
def test_what_is_no_longer_than_its_summary_never_pays(warm):
    assert break_even(replace(FULL, used=11_000, warm=warm), MODEL, NOON).steps is None


def test_an_unknown_price_says_nothing():
    assert break_even(FULL, replace(MODEL, prices=()), NOON) is None


@pytest.mark.parametrize(("steps", "pays"), [(2.9, False), (3.0, True), (40.0, True)])
def test_it_pays_within_as_many_steps_as_a_turn_has(steps, pays):
    assert break_even(FULL, MODEL, NOON).pays_within(steps) is pays
