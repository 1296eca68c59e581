"""The bill of real processes: counted in one ledger, held by one budget, shown by `agent cost`."""

import json
import random
import sqlite3
import time
from contextlib import closing
from decimal import Decimal

import pytest

from agentcli.llm.simulator import Fault, Hang, calls, says

READ = ("Read", {"path": "a.txt"})


def configure(project, text):
    folder = project.root.parent / "home/.config/agentcli"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(text)


def spent(project, *words):
    return json.loads(project.agent("cost", "--json", *words).out)


def test_what_processes_spent_is_shown_by_another(project, provider):
    provider([calls(READ), says("Seen."), says("Again.")])
    first = project.agent("-p", "look", "--output-format", "json").json
    second = project.agent("-p", "again", "-c", "--output-format", "json").json
    (line,) = spent(project, "--by", "session")
    assert line["session"] == first["session_id"]
    assert line["requests"] == 3
    assert Decimal(line["cost_usd"]) == Decimal(str(second["total_cost_usd"]))
    explained = project.agent("cache", "explain").out
    assert explained.count("uncached ·") == 3
    assert "first request" in explained


def test_processes_at_once_are_all_booked(project, provider):
    provider([says("Hello.")] * 4)
    running = [project.begin("-p", "hi") for _ in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    for process in running:
        process.communicate()
    (line,) = spent(project, "--by", "role")
    assert line["requests"] == 4


def test_the_budget_of_a_day_is_shared_by_processes_and_ends_with_code_3(project, provider):
    configure(project, "[budget]\nday = 0.04\n")
    server = provider([says("x" * 10_000), says("never")])
    assert project.agent("-p", "one").code == 0
    done = project.agent("-p", "two", "--output-format", "json")
    assert (done.code, done.json["subtype"]) == (3, "error_max_cost")
    assert "The day budget of $0.0400 is reached" in done.err + done.out
    assert len(server.requests) == 1


def test_the_bound_of_requests_at_once_never_exceeds_the_budget(project, provider):
    configure(project, "[budget]\nday = 0.05\n")
    provider([says("x" * 8_000)] * 6)
    running = [project.begin("-p", "hi") for _ in range(6)]
    codes = sorted(process.wait(60) for process in running)
    for process in running:
        process.communicate()
    assert codes[-1] == 3
    (line,) = spent(project, "--by", "day")
    assert Decimal(line["cost_usd"]) <= Decimal("0.05")


@pytest.mark.parametrize("amount", ["-1", "nan", "inf", "1e400", "abc", ""])
def test_a_limit_that_is_no_amount_is_refused_before_anything_is_sent(project, provider, amount):
    server = provider([says("never")])
    done = project.agent("-p", "hi", "--max-cost", amount)
    assert done.code == 2
    assert "--max-cost" in done.err
    assert server.requests == []


@pytest.mark.parametrize("amount", ["0", "1e-9"])
def test_a_limit_below_any_request_sends_nothing(project, provider, amount):
    server = provider([says("never")])
    done = project.agent("-p", "hi", "--max-cost", amount, "--output-format", "json")
    assert (done.code, done.json["subtype"]) == (3, "error_max_cost")
    assert done.json["total_cost_usd"] == 0
    assert server.requests == []


def test_eight_processes_never_spend_more_than_the_day_has(project, provider):
    """Each could spend up to 35 cents; the day has money for about two."""
    configure(project, "[budget]\nday = 0.5\n")
    server = provider(
        [
            says(
                "x" * 100_000,
            )
            for _ in range(8)
        ]
    )
    running = [project.begin("-p", "hi") for _ in range(8)]
    for process in running:
        process.communicate(timeout=120)
    assert {process.returncode for process in running} == {0, 3}
    assert 1 <= len(server.requests) < 8
    (line,) = spent(project, "--by", "day")
    assert Decimal("0.2") < Decimal(line["cost_usd"]) <= Decimal("0.5")


def test_a_killed_process_gives_its_promise_back(project, provider):
    configure(project, "[budget]\nday = 0.37\n")
    server = provider([Hang(), says("Two.")])
    held = project.begin("-p", "one")
    wait_for(server, 1)
    assert len(promised(project)) == 1
    refused = project.agent("-p", "two")
    assert refused.code == 3
    assert "$0.00 is spent, $0.36" in refused.err
    assert "nearly spent" not in refused.err
    held.kill()
    held.communicate()
    assert project.agent("-p", "two").code == 0
    assert promised(project) == []


def wait_for(server, count, process=None):
    """Until so many requests have come, or the process has ended."""
    while len(server.requests) < count and (process is None or process.poll() is None):
        time.sleep(0.005)


def promised(project):
    (path,) = (project.root.parent / "home").rglob("ledger.db")
    with closing(sqlite3.connect(path)) as base:
        return base.execute("SELECT amount FROM holds").fetchall()


def test_a_dearer_model_may_not_step_in_where_others_hold_the_money(project, provider):
    """What a fallback may cost is asked of the budget that all processes share."""
    configure(project, "[budget]\nday = 0.5\n")
    server = provider([Fault("quota"), says("never")])
    done = project.agent(
        *("-p", "hi", "-m", "claude-sonnet-5-5", "--fallback-model", "claude-opus-5-5"),
        *("--output-format", "json"),
    )
    assert done.code in (1, 3)
    assert "No budget is left for claude-opus-5-5" in done.out + done.err
    assert len(server.requests) == 1


def test_a_resumed_session_counts_its_budget_on(project, provider):
    server = provider([says("x" * 8_000), says("never")])
    assert project.agent("-p", "one", "--max-cost", "0.04").code == 0
    done = project.agent("-p", "-c", "two", "--max-cost", "0.04", "--output-format", "json")
    assert (done.code, done.json["subtype"]) == (3, "error_max_cost")
    assert len(server.requests) == 1
    assert done.json["total_cost_usd"] > 0.02


KILLS = 20


def test_kills_at_any_moment_lose_no_bill_and_book_none_twice(project, provider):
    """Twenty processes on one session die at random; what is in the session is in the ledger."""
    dice = random.Random(7)
    configure(project, "[budget]\nday = 1000\n")
    server = provider([calls(READ) if n % 3 else says("word " * 50) for n in range(4_000)])
    assert project.agent("-p", "begin").code == 0
    for _ in range(KILLS):
        process = project.begin("-p", "-c", "go on", "--max-turns", "30")
        wait_for(server, len(server.requests) + dice.randint(1, 4), process)
        time.sleep(dice.uniform(0, 0.06))
        process.kill()
        process.communicate()
    done = project.agent("-p", "-c", "the end", "--output-format", "json")
    assert done.code == 0, done.err
    bills = [line["data"] for line in project.kept() if line["kind"] == "spent"]
    assert len({bill["id"] for bill in bills}) == len(bills) > KILLS / 2
    before = {way: spent(project, "--by", way) for way in ("session", "model", "role", "day")}
    assert before["session"][0]["requests"] == len(bills) <= len(server.requests)
    total = sum(Decimal(bill["cost"]["total"]) for bill in bills)
    assert Decimal(before["session"][0]["cost_usd"]) == total
    assert Decimal(str(done.json["total_cost_usd"])) == total
    assert promised(project) == []
    for file in (project.root.parent / "home").rglob("ledger.db*"):
        file.unlink()
    project.agent("cost", "--rebuild")
    assert {way: spent(project, "--by", way) for way in before} == before


def test_a_damaged_ledger_costs_no_answer_and_is_made_anew(project, provider):
    provider([says("One."), says("Two.")])
    project.agent("-p", "one")
    (ledger,) = (project.root.parent / "home").rglob("ledger.db")
    ledger.write_text("no database " * 1000)
    done = project.agent("-p", "two")
    assert (done.code, done.out) == (0, "Two.\n")
    assert "moved to" in done.err
    (line,) = spent(project, "--by", "role")
    assert line["requests"] == 2
