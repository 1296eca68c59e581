"""The bill of real processes: counted in one ledger, held by one budget, shown by `agent cost`."""

import json
from decimal import Decimal

from agentcli.llm.simulator import calls, says

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
