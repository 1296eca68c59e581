"""Bills: every request of every role once, its price of the moment, and why a cache was missed."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from till import ALL_READ, COLD, GPT, SONNET, WARM, Till, talk

from agentcli.agent.events import Spent
from agentcli.app.billing import Paid, extra_cost, miss_text
from agentcli.app.spending import spent_table
from agentcli.lib.value import replace
from agentcli.llm.budget import OverBudget
from agentcli.llm.cache import CachePlan, Mark
from agentcli.llm.client import Retry
from agentcli.llm.errors import Overloaded, StreamCut
from agentcli.llm.miss import Miss
from agentcli.llm.models import Prices
from agentcli.llm.testing import Said, Scripted, cut_after, fails, says
from agentcli.llm.types import Finished, Request, TextDelta, Usage
from agentcli.session import ledger_db as db
from agentcli.session.bills import Bill, bill_to_json
from agentcli.session.ledger import Ledger, newest, replay
from agentcli.ui.outputs import event_json


@pytest.fixture
def till(tmp_path):
    return lambda *script, **more: Till(tmp_path, script, **more)


def test_a_request_is_priced_at_the_moment_it_was_sent(till):
    here = till(says("Hi.", usage=WARM))
    spent = asyncio.run(here.ask("one"))
    (bill,) = here.close()
    assert bill.at == here.now
    assert bill.cost == spent.cost
    assert (bill.model, bill.provider, bill.repo) == ("claude-sonnet-5-5", "anthropic", "/repo")
    assert (bill.marks, bill.life) == ("latest@0.0:5m", 300)


def test_unreported_usage_is_unknown_and_budgets_count_the_estimate(till):
    limits = {"session": Decimal(1)}
    here = till(says("Hi.", usage=None), limits=limits)
    spent = asyncio.run(here.ask("the " * 10_000))
    (bill,) = here.close()
    assert (spent.usage, spent.cost) == (None, None)
    assert (bill.basis, bill.miss.kind) == ("unknown", "unknown")
    assert Decimal("0.025") < bill.guess < Decimal("0.026")
    assert here.billing.budgets.purses[0].spent == bill.guess
    assert here.talk.ledger.total().unpriced == 1


def test_a_request_that_nobody_answered_is_not_booked(till):
    here = till(fails(Overloaded("busy")), limits={"session": Decimal(1)})
    with pytest.raises(Overloaded):
        asyncio.run(here.ask("one"))
    assert here.close() == []
    (purse,) = here.billing.budgets.purses
    assert (purse.held, purse.spent) == (0, 0)


def test_a_reply_that_broke_off_is_booked_and_its_repetition_is_a_retry(till):
    broken = cut_after(says("Half a word", usage=WARM), 1)
    here = till(broken, says("Whole.", usage=WARM), says("More.", usage=WARM))

    async def main():
        with pytest.raises(StreamCut):
            await here.ask("one")
        await here.ask("one")
        await here.ask("one", "Whole.", "two")

    asyncio.run(main())
    bills = here.close()
    assert [bill.role for bill in bills] == ["main", "retry", "main"]
    assert bills[0].basis == "unknown"


def test_a_reply_nobody_waited_for_is_booked(till):
    here = till(says("A long answer", usage=WARM))

    async def main():
        request = Request("m", (), (), talk("one"), session="s")
        async with Paid(here.model, here.billing).stream(request) as reply:
            async for delta in reply:
                if isinstance(delta, TextDelta):
                    break

    asyncio.run(main())
    (bill,) = here.close()
    assert bill.counted > 0


def test_an_empty_answer_without_usage_is_booked_as_unknown(till):
    here = till(Said((Finished("end_turn", None),)))
    spent = asyncio.run(here.ask("one"))
    assert spent.cost is None
    assert [bill.basis for bill in here.close()] == ["unknown"]


def test_a_request_left_alone_before_the_first_word_counts_with_its_estimate(till):
    here = till(says("Never heard.", usage=WARM), limits={"session": Decimal(1)})

    async def main():
        request = Request("m", (), (), talk("the " * 1_000), session="s")
        replies = []

        async def wait():
            async with Paid(here.model, here.billing).stream(request) as reply:
                replies.append(reply)
                await asyncio.sleep(60)

        task = asyncio.create_task(wait())
        while not replies:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return here.billing.spend(replies[0].message)

    spent = asyncio.run(main())
    (bill,) = here.close()
    assert spent.usage is None
    assert here.billing.budgets.purses[0].spent == bill.guess > Decimal("0.002")


def test_what_was_estimated_counts_after_a_resume_too():
    ledger = Ledger()
    unknown = replace(bill_of("m", "main", 1.0), guess=Decimal("0.25"))
    replay(ledger, (bill_to_json(unknown), bill_to_json(unknown)))
    total = ledger.total()
    assert (total.unpriced, total.guessed, total.cost.total) == (2, Decimal("0.5"), 0)
    assert "2 request(s) of unknown cost are not in the sum (about $0.5000" in spent_table(ledger)


def moves(said, instead):
    """The reply of another model, after the first one failed for good."""

    class Moving(Scripted):
        def stream(self, request, *, on_retry=lambda _: None):
            on_retry(Retry(1, 0.0, Overloaded("busy"), instead, 1000))
            return super().stream(request, on_retry=on_retry)

    return Moving([said])


def test_what_another_model_answered_has_that_models_price(till):
    here = till()
    here.model = moves(says("Hi.", usage=Usage(1000, 100)), GPT)
    here.billing.stands_in = lambda route: route is GPT
    spent = asyncio.run(here.ask("one"))
    (bill,) = here.close()
    assert (bill.role, bill.model, spent.model) == ("fallback", GPT.model.id, GPT.model.id)
    assert bill.cost.total == Decimal("0.003")


def test_a_model_too_dear_for_the_budget_does_not_answer_instead(till):
    here = till(limits={"session": Decimal("0.34")})
    dear = replace(GPT, model=replace(GPT.model, prices=(Prices("10", "50"),)))
    here.model = moves(says("never"), dear)
    with pytest.raises(OverBudget, match="No budget is left for gpt"):
        asyncio.run(here.ask("one"))
    (purse,) = here.billing.budgets.purses
    assert (purse.held, purse.spent, here.close()) == (0, 0, [])


def test_an_expired_cache_is_told_with_its_price_when_it_is_worth_it(till):
    here = till(says("Hi.", usage=WARM), says("Hi again.", usage=COLD))

    async def main():
        await here.ask("one")
        assert here.billing.rewrite() is None
        here.now += 720
        foretold = here.billing.rewrite()
        assert (foretold.tokens, foretold.extra) == (10_000, Decimal("0.024"))
        return await here.ask("one", "Hi.", "two")

    spent = asyncio.run(main())
    assert spent.miss == (
        "cache miss: expired 7 min ago (kept for 5 min), 10,000 tokens anew (+$0.0240)"
    )
    assert [bill.miss.kind for bill in here.close()] == ["first", "expired"]


def test_a_miss_is_a_line_of_the_json_stream_and_no_miss_is_none():
    spent = Spent("m", "main", WARM, None, 0, None, None, "cache miss: system changed")
    assert event_json(spent, False) == {
        "type": "system",
        "subtype": "cache_miss",
        "model": "m",
        "reason": "cache miss: system changed",
    }
    assert event_json(replace(spent, miss=""), False) is None


@pytest.mark.parametrize(("lost", "told"), [(1_000, False), (1_001, True)])
def test_a_small_miss_is_in_the_ledger_alone(lost, told):
    miss = Miss("routed", "routed elsewhere", lost)
    assert bool(miss_text(miss, SONNET.model, 0.0)) is told


def test_a_miss_without_a_price_is_told_without_one():
    bare = replace(SONNET.model, prices=())
    text = miss_text(Miss("routed", "routed elsewhere", 5_000), bare, 0.0)
    assert text == "cache miss: routed elsewhere, 5,000 tokens anew"
    assert extra_cost(1, bare, datetime(2026, 11, 25, tzinfo=UTC)) is None


def test_a_resumed_session_knows_what_was_cached_before(till, tmp_path):
    first = till(says("Hi.", usage=WARM))
    asyncio.run(first.ask("one"))
    bills = first.close()
    for words, kind in ((("one", "Hi.", "two"), "expired"), (("uno", "Hi.", "two"), "messages")):
        here = till(says("Again.", usage=COLD), bills=bills)
        here.now += 400
        asyncio.run(here.ask(*words))
        here.close()
        newest = max(db.of_session(here.path, "s"), key=lambda bill: bill.at)
        assert newest.miss.kind == kind
        with db.opened(here.path) as base:
            base.execute("DELETE FROM requests WHERE id = ?", (newest.id,))


def test_a_summary_goes_on_from_the_talk_and_a_title_does_not(till):
    here = till(says("x", usage=WARM), *[says("x", usage=ALL_READ)] * 2)

    async def main():
        await here.ask("one")
        await here.ask("one", "x", "sum up", role="compaction")
        await here.ask("a title for one", role="title", session="s-title")

    asyncio.run(main())
    bills = here.close()
    assert [(bill.role, bill.miss and bill.miss.kind) for bill in bills] == [
        ("main", "first"),
        ("compaction", None),
        ("title", "first"),
    ]
    assert here.talk.used == WARM.prompt + WARM.output


def test_marks_that_get_lost_on_the_way_are_said_once(till):
    lost = Usage(input=9_000, output=5)
    here = till(*[says("x", usage=lost)] * 5)

    async def main():
        words = ["one"]
        for number in range(5):
            await here.ask(*words)
            assert len(here.notices()) == (number >= 2)
            words += ["x", "more"]

    asyncio.run(main())
    assert [bill.miss.kind for bill in here.close()] == ["marks"] * 5
    assert "a proxy" in here.notices()[0]


def test_an_hour_cut_to_five_minutes_is_said_once_and_counted_as_such(till):
    here = till(says("x", usage=COLD), says("y", usage=replace(COLD, cache_write_5m=12_500)))
    here.plan = CachePlan((Mark("latest", "1h", 0, 0),), life=3600)

    async def main():
        await here.ask("one")
        here.now += 400
        await here.ask("one", "x", "two")

    asyncio.run(main())
    bills = here.close()
    assert [bill.life for bill in bills] == [300, 300]
    assert bills[1].miss.kind == "expired"
    (told,) = here.notices()
    assert "Five minutes are counted" in told


def test_bills_at_once_are_told_to_whom_they_belong(till):
    here = till(says("One.", usage=WARM), says("Two.", usage=COLD))

    async def main():
        request = Request("m", (), (), talk("one"), session="s")
        other = replace(request, session="s-sub")
        paid = Paid(here.model, here.billing)
        sub = Paid(here.model, here.billing, "subagent")
        async with paid.stream(request) as one, sub.stream(other) as two:
            async for _ in one:
                pass
            async for _ in two:
                pass
        return here.billing.spend(one.message), here.billing.spend(two.message)

    one, two = asyncio.run(main())
    here.close()
    assert (one.role, one.usage) == ("main", WARM)
    assert (two.role, two.usage) == ("subagent", COLD)


def test_what_the_provider_states_is_exact(till):
    stated = Said((TextDelta("Hi."), Finished("end_turn", WARM, cost_usd="0.5")))
    here = till(stated)
    asyncio.run(here.ask("one"))
    (bill,) = here.close()
    assert (bill.basis, bill.cost.total) == ("exact", Decimal("0.5"))


def bill_of(model, role, at):
    return Bill("b", at, "s", "/repo", model, "p", role, WARM, None)


def test_bills_that_cannot_be_read_are_left_out():
    odd = {"usage": 3, "cost": None, "model": "m", "role": "x"}
    lines = ({"model": "m"}, odd, bill_to_json(bill_of("m", "main", 1.0)))
    ledger = Ledger()
    replay(ledger, lines)
    assert ledger.total().requests == 1
    assert [bill.at for bill in newest(lines, "s")] == [1.0]


def test_the_newest_bill_of_each_model_and_role_is_remembered():
    wanted = [("m", "main", 1.0), ("n", "main", 2.0), ("m", "main", 3.0), ("m", "title", 4.0)]
    bills = [bill_to_json(bill_of(*words)) for words in wanted]
    assert [bill.at for bill in newest(bills, "s")] == [2.0, 3.0, 4.0]
