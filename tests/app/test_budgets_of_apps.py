"""Budgets hold before money is spent: over turns, sessions, processes, and requests at once."""

import asyncio
import json
import sqlite3
from decimal import Decimal

import pytest

from agentcli.agent.events import Answer, Notice, Spent, UserQuestion
from agentcli.app.accounts import budget_limits
from agentcli.app.budgets import Budgets, Promise
from agentcli.app.options import Options
from agentcli.config import Config
from agentcli.lib.errors import UserError
from agentcli.llm.budget import Bound, OverBudget
from agentcli.llm.simulator import calls, says
from agentcli.session import ledger_db as db

READ = ("Read", {"path": "a.txt"})
NO = Answer("no")


def visit(house, *prompts, answers=(), **options):
    """(front-end, ends) of a session that ends afterwards."""

    async def main():
        async with house.app(*answers, **options) as app:
            ends = [await app.prompt(words) for words in prompts]
            return app.frontend, ends

    return asyncio.run(main())


def configure(house, **budgets):
    (house.root / ".agent").mkdir(exist_ok=True)
    lines = [f"{scope} = {usd}" for scope, usd in budgets.items()]
    (house.root / ".agent/config.toml").write_text("\n".join(["[budget]", *lines]))


def notices(front):
    return [event.text for event in front.of(Notice)]


def booked(house):
    """Every bill in the ledger, by session."""
    data = house.root.parent / ".local/share/agentcli"
    with db.opened(data / "ledger.db") as base:
        return base.execute("SELECT session, role, counted FROM requests ORDER BY at").fetchall()


def test_nothing_is_sent_that_the_budget_cannot_hold(house):
    here = house(says("never"))
    front, (end,) = visit(here, "hi", answers=[NO], max_cost="0.001")
    assert (end.reason, end.steps) == ("budget", 0)
    assert here.server.requests == []
    assert "The session budget of $0.0010 is reached: $0.00 is spent" in notices(front)[-1]


def test_a_reply_is_kept_short_enough_and_this_is_said_once(house):
    here = house(calls(READ), says("Fine."))
    front, (end,) = visit(here, "hi", max_cost="0.1")
    assert end.reason == "done"
    lengths = [request.body["max_tokens"] for request in here.server.requests]
    assert all(1_024 <= length < 10_000 for length in lengths)
    (told,) = notices(front)
    assert f"{lengths[0]:,} tokens instead of 32,000" in told


def test_the_person_may_raise_the_budget(house):
    here = house(says("One."), says("Two."))
    questions = []

    async def main():
        async with here.app(max_cost="0.001") as app:

            async def ask(question):
                questions.append(question)
                return Answer("yes", question.options[1])

            app.frontend.ask = ask
            return [(await app.prompt(words)).reason for words in ("one", "two")]

    assert asyncio.run(main()) == ["done", "done"]
    assert all(isinstance(question, UserQuestion) for question in questions)
    assert questions[0].options[0] == "stop here"


@pytest.mark.parametrize("answer", [Answer("yes", "stop here"), Answer("yes", ""), NO])
def test_any_other_answer_ends_the_turn(house, answer):
    here = house(says("never"))
    _, (end,) = visit(here, "hi", answers=[answer], max_cost="0.001")
    assert end.reason == "budget"
    assert here.server.requests == []


def test_a_budget_of_a_turn_begins_anew_with_each(house):
    here = house(*[says("x" * 4_000)] * 3)
    configure(here, turn="0.03")
    front, ends = visit(here, "one", "two", "three")
    assert [end.reason for end in ends] == ["done"] * 3
    spent = sum(event.cost.total for event in front.of(Spent))
    assert spent > Decimal("0.02")


def test_four_fifths_of_a_budget_are_said_once(house):
    here = house(says("x" * 124_000))
    front, ends = visit(here, "one", "two", "three", answers=[NO, NO], max_cost="0.39")
    assert [end.reason for end in ends] == ["done", "budget", "budget"]
    (told,) = [text for text in notices(front) if "nearly spent" in text]
    assert told.startswith("The session budget is nearly spent: $0.31")


@pytest.mark.parametrize("scope", ["day", "repo"])
def test_other_sessions_spend_from_the_same_budget(house, scope):
    here = house(says("x" * 10_000), says("never"))
    configure(here, **{scope: "0.04"})
    _, (first,) = visit(here, "one")
    front, (second,) = visit(here, "two", answers=[NO])
    assert (first.reason, second.reason) == ("done", "budget")
    assert f"The {scope} budget of $0.0400 is reached: $0.0" in notices(front)[-1]
    assert len(here.server.requests) == 1


def test_a_model_without_a_price_is_refused_under_a_budget(house):
    here = house(says("never"))
    model = "anthropic/claude-nova-9"
    front, (end,) = visit(here, "hi", answers=[NO], model=model, max_cost="5")
    assert end.reason == "budget"
    assert here.server.requests == []
    assert notices(front)[-1] == (
        "The price of claude-nova-9 is unknown, so no budget can be kept with it."
    )


def test_a_model_without_a_price_is_asked_about_once(house):
    here = house(says("One."), says("Two."))
    on = Answer("yes", "go on without a budget")
    options = {"model": "anthropic/claude-nova-9", "max_cost": "5"}
    front, ends = visit(here, "one", "two", answers=[on], **options)
    assert [end.reason for end in ends] == ["done", "done"]
    assert front.answers == []


def test_a_summary_is_not_made_for_money_that_is_not_there(house):
    here = house(says("x" * 4_000))

    async def main():
        async with here.app(NO, max_cost="0.03") as app:
            await app.prompt("one")
            with pytest.raises(UserError, match="The session budget"):
                await app.compact("")

    asyncio.run(main())
    assert len(here.server.requests) == 1


def test_a_summary_is_booked_as_one(house):
    here = house(says("One."), says("So far: one."), says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt("one")
            await app.compact("")
            await app.prompt("two")

    asyncio.run(main())
    assert [role for _, role, _ in booked(here)] == ["main", "compaction", "main"]


def test_a_fork_goes_on_counting_and_is_counted_once(house):
    here = house(says("One."), says("Two."), says("Three."))
    visit(here, "one")
    visit(here, "two", resume_last=True, fork_session=True)

    async def main():
        async with here.app(resume_last=True) as app:
            await app.prompt("three")
            return app.talk.ledger.total()

    total = asyncio.run(main())
    rows = booked(here)
    assert (total.requests, len(rows)) == (3, 3)
    assert db.dollars(sum(counted for *_, counted in rows)) == total.cost.total
    assert len({session for session, *_ in rows}) == 2


def test_estimates_of_before_are_taken_from_the_budget_of_a_resumed_session(house):
    here = house(says("One."), says("never"))
    visit(here, "one")
    (path,) = here.root.parent.rglob("sessions/*/*.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["kind"] == "spent":
            line["data"] |= {"usage": None, "cost": None, "guess": "4.99"}
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    _, (end,) = visit(here, "two", answers=[NO], resume_last=True, max_cost="5")
    assert end.reason == "budget"


def test_a_damaged_bill_does_not_keep_a_session_from_being_resumed(house):
    here = house(says("One."), says("Two."))
    visit(here, "one")
    (path,) = here.root.parent.rglob("sessions/*/*.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["kind"] == "spent":
            line["data"] = {"model": 7}
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    _, (end,) = visit(here, "two", resume_last=True)
    assert end.reason == "done"


@pytest.mark.parametrize("amount", ["-1", "nan", "inf", '"free"'])
def test_a_budget_that_is_no_amount_of_money_is_a_mistake_in_the_file(house, amount):
    here = house()
    configure(here, day=amount)
    with pytest.raises(UserError, match=r"config.toml:2: budget.day"):
        visit(here)


def test_a_limit_of_a_session_that_is_no_amount_of_money_is_one_too(house):
    here = house()
    (here.root / ".agent").mkdir()
    (here.root / ".agent/config.toml").write_text("max_cost = nan")
    with pytest.raises(UserError, match=r"config.toml:1: max_cost"):
        visit(here)


BOUND = Bound(1000, Decimal("0.10"), 10_000, Decimal("0.0001"))


def budgets(path, limits, spent="0"):
    async def ask(question):
        return NO

    return Budgets(
        {scope: Decimal(usd) for scope, usd in limits.items()},
        Decimal(spent),
        path / "ledger.db",
        ask=ask,
        emit=lambda event: None,
        place=lambda: ("2026-11-25", "/repo"),
        give_back=lambda name: db.release(path / "ledger.db", name),
    )


@pytest.mark.parametrize("limits", [{"session": "2"}, {"day": "2"}, {"repo": "2", "turn": "9"}])
def test_requests_at_once_never_spend_the_same_money(tmp_path, limits):
    purses = budgets(tmp_path, limits)

    async def main():
        asked = [purses.reserve(BOUND, "m") for _ in range(4)]
        return await asyncio.gather(*asked, return_exceptions=True)

    done = asyncio.run(main())
    held = [promise.amount for promise in done if not isinstance(promise, OverBudget)]
    assert held == [Decimal("1.1"), Decimal("0.9")]


def test_no_bill_is_larger_than_what_was_promised_for_it(house):
    many = calls(*[READ] * 6)
    script = [calls(READ), says("x" * 3_000), many, says("y"), says("So far."), says("z")]
    here = house(*script)
    (here.root / "a.txt").write_text("{[(1, 'ä')]};\n" * 500)
    settled = []

    async def main():
        async with here.app(max_cost="1000") as app:
            purses = app.engine().billing.budgets
            settle = purses.settle
            purses.settle = lambda promise, spent: (
                settled.append((promise.amount, spent)),
                settle(promise, spent),
            )
            for words in ("one", "two"):
                await app.prompt(words)
            await app.compact("")
            await app.prompt("three")

    asyncio.run(main())
    assert len(settled) == len(script)
    assert all(0 < spent <= promised for promised, spent in settled)


def test_two_processes_never_spend_the_same_money(tmp_path):
    mine, other = (budgets(tmp_path, {"day": "1.5"}) for _ in range(2))
    assert asyncio.run(mine.reserve(BOUND, "m")).amount == Decimal("1.1")
    assert asyncio.run(other.reserve(BOUND, "m")).amount == Decimal("0.4")


def held(path):
    with db.opened(path) as base:
        return base.execute("SELECT COUNT(*) FROM holds").fetchone()[0]


def test_who_stops_waiting_for_a_promise_leaves_none_behind(tmp_path):
    mine, other = (budgets(tmp_path, {"day": "1.5"}) for _ in range(2))

    async def main():
        for turns in range(12):
            task = asyncio.create_task(mine.reserve(BOUND, "m"))
            for _ in range(turns):
                await asyncio.sleep(0.002)
            if not task.done():
                task.cancel()
            for promise in await asyncio.gather(task, return_exceptions=True):
                if not isinstance(promise, asyncio.CancelledError):
                    db.release(tmp_path / "ledger.db", promise.id)
                    mine.settle(promise, Decimal(0))
        while held(tmp_path / "ledger.db"):
            await asyncio.sleep(0.002)
        return await other.reserve(BOUND, "m")

    assert asyncio.run(main()).amount == Decimal("1.1")


def test_who_is_interrupted_while_promising_leaves_nothing_behind(tmp_path):
    purses = budgets(tmp_path, {"day": "1.5"})
    path = tmp_path / "ledger.db"
    db.add(path, [])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def main():
        task = asyncio.create_task(purses._look(Decimal("0.5"), "h"))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        other.execute("ROLLBACK")
        await asyncio.get_running_loop().shutdown_default_executor()
        await asyncio.sleep(0)

    asyncio.run(main())
    other.close()
    assert held(path) == 0


def test_a_low_budget_is_told_once_and_that_of_a_turn_once_a_turn(tmp_path):
    purses = budgets(tmp_path, {"turn": "1", "session": "9"})
    told = []
    purses._emit = told.append
    for _ in range(2):
        purses.settle(Promise(), Decimal("0.85"))
        purses.settle(Promise(), Decimal("0.05"))
        purses.begin_turn()
    assert [event.text for event in told] == [
        "The turn budget is nearly spent: $0.8500 of $1.00."
    ] * 2


def test_requests_at_once_ask_for_more_one_after_the_other(tmp_path):
    purses = budgets(tmp_path, {"session": "0.1"})
    asked = []

    async def ask(question):
        asked.append(question)
        await asyncio.sleep(0.01)
        return Answer("yes", question.options[1])

    purses._ask = ask
    small = Bound(1000, Decimal("0.05"), 1_024, Decimal("0.0001"))

    async def main():
        await asyncio.gather(*(purses.reserve(small, "m") for _ in range(2)))

    asyncio.run(main())
    assert len(asked) == 2


def test_the_flag_wins_over_the_configuration():
    config = Config(max_cost="2", budget={"session": "5", "day": "9"})
    assert budget_limits(Options(), config) == {"session": Decimal(2), "day": Decimal(9)}
    assert budget_limits(Options(max_cost="1"), config)["session"] == 1
    assert budget_limits(Options(), Config(budget={"session": "5"})) == {"session": Decimal(5)}


def test_an_unsent_request_gives_its_money_back(tmp_path):
    purses = budgets(tmp_path, {"session": "1.1"})
    promise = asyncio.run(purses.reserve(BOUND, "m"))
    purses.settle(promise, Decimal(0))
    assert asyncio.run(purses.reserve(BOUND, "m")) == promise


def test_without_the_ledger_a_day_counts_this_session_and_this_is_said(tmp_path):
    (tmp_path / "data").write_text("a file where the folder would be")
    purses = budgets(tmp_path / "data", {"day": "1.2"})
    told = []
    purses._emit = told.append
    first = asyncio.run(purses.reserve(BOUND, "m"))
    purses.settle(first, Decimal("0.9"))
    with pytest.raises(OverBudget, match="The day budget"):
        asyncio.run(purses.reserve(replaced(BOUND), "m"))
    assert len([n for n in told if "this session alone" in n.text]) == 1


def replaced(bound):
    return Bound(bound.tokens, Decimal("0.35"), bound.output, bound.rate)


def test_a_dearer_model_that_answers_instead_must_fit_too(tmp_path):
    purses = budgets(tmp_path, {"session": "2"})
    promise = asyncio.run(purses.reserve(BOUND, "m"))
    dearer = Bound(1000, Decimal("0.2"), 10_000, Decimal("0.00015"))
    assert purses.exchange(promise, dearer, "n").amount == Decimal("1.7")
    dearest = Bound(1000, Decimal("0.2"), 10_000, Decimal("0.0003"))
    with pytest.raises(OverBudget, match="No budget is left for n"):
        purses.exchange(promise, dearest, "n")
    with pytest.raises(OverBudget, match="unknown"):
        purses.exchange(promise, None, "n")
