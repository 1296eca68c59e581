"""The ledger: every bill once, whatever happens to its file or beside it."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from decimal import Decimal

import pytest

from agentcli.lib.value import replace
from agentcli.llm.cost import Cost
from agentcli.llm.miss import Miss
from agentcli.llm.shape import Shape
from agentcli.llm.types import Usage
from agentcli.session import ledger_db as db
from agentcli.session.bills import Bill, bill_from_json, bill_to_json
from agentcli.session.ledger_rebuild import rebuild, renew
from agentcli.session.ledger_writer import LedgerWriter
from agentcli.session.promises import Promises
from agentcli.session.store import SessionFile, header

USAGE = Usage(10, 20, 30_000, 400, 5, reasoning=7)
COST = Cost(*map(Decimal, ("0.00002", "0.0002", "0.003", "0.001", "0.00422", "0.05")))
SHAPE = Shape("m", (("Bash", "aa"), ("mcp__x", "bb")), "s", "e", "o", "ff", 3, "gg", True)
MISS = Miss("tools", "tools changed: MCP x connected", 1234)
BILL = Bill(
    *("b1", 1_764_000_000.5, "s-1", "/repo", "m", "anthropic", "main"),
    USAGE,
    COST,
    expected_read=29_000,
    shape=SHAPE,
    marks="tools:1h",
    life=300,
    miss=MISS,
)
UNKNOWN = replace(BILL, id="b2", at=BILL.at + 1, usage=None, cost=None, guess=Decimal("0.25"))
EXACT = replace(BILL, id="b3", at=BILL.at + 2, cost=replace(COST, exact=True), miss=None, life=None)
ANY = db.Taken(Decimal("Infinity"), Decimal("Infinity"))
DAY = db.day_of(BILL.at)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "ledger.db"


@pytest.fixture
def sessions(tmp_path):
    """A folder with one session of two bills."""
    folder = tmp_path / "data" / "sessions"
    keep(folder / "repo" / "s-1.jsonl", "s-1", BILL, UNKNOWN)
    return folder


def keep(path, session, *bills):
    file = SessionFile(path, session)
    file.append("header", header(session, path.parent, "1"))
    for bill in bills:
        file.append("spent", bill_to_json(bill))
    file.close()


def booked(path, session="s-1"):
    return db.of_session(path, session)


def taken(path, day=DAY, repo="/repo"):
    return db.reserve(path, "look", (day, repo), Decimal(0), db.Taken(Decimal(-1), Decimal(-1)))


def test_a_bill_comes_back_from_the_ledger_as_it_was(path):
    db.add(path, [BILL, UNKNOWN, EXACT])
    assert booked(path) == [BILL, UNKNOWN, EXACT]


def test_a_bill_comes_back_from_a_session_line_as_it_was():
    for bill in (BILL, UNKNOWN, EXACT):
        assert bill_from_json(json.loads(json.dumps(bill_to_json(bill))), {}) == bill


def test_the_smallest_prices_are_kept_exactly(path):
    tiny = replace(BILL, cost=Cost(input=Decimal("0.003625") / 10**6, total=Decimal("1E-12")))
    db.add(path, [tiny])
    assert booked(path)[0].cost == tiny.cost


def test_the_same_bill_is_booked_once(path):
    db.add(path, [BILL])
    db.add(path, [BILL, UNKNOWN])
    assert [bill.id for bill in booked(path)] == ["b1", "b2"]
    db.add(path, [replace(BILL, role="other")])
    assert booked(path)[0] == BILL


def test_a_file_of_this_person_alone(path):
    db.add(path, [BILL])
    assert path.stat().st_mode & 0o077 == 0


def test_budgets_count_the_estimate_where_the_cost_is_unknown(path):
    db.add(path, [BILL, UNKNOWN])
    assert taken(path) == db.Taken(Decimal("0.25422"), Decimal("0.25422"))
    assert taken(path, day="1999-01-01").day == 0
    assert taken(path, repo="/other").repo == 0


@pytest.fixture
def promises(path):
    found = Promises(path)
    yield found
    found.end()


def test_what_is_promised_is_taken_until_it_is_released(path, promises):
    name = promises.name()
    promises.reserve(name, (DAY, "/repo"), Decimal("0.5"), ANY)
    assert taken(path).day == Decimal("0.5")
    db.release(path, name)
    assert taken(path).day == 0


def test_more_than_is_left_is_not_promised(path, promises):
    most = db.Taken(Decimal(1), Decimal("Infinity"))
    for _ in range(2):
        promises.reserve(promises.name(), (DAY, "/repo"), Decimal("0.6"), most)
    assert taken(path).day == Decimal("0.6")


def test_a_promise_may_become_a_larger_one_if_that_is_there(path, promises):
    most = db.Taken(Decimal(1), Decimal(1))
    name, place = promises.name(), (DAY, "/repo")
    for amount in ("0.6", "0.9", "1.1"):
        before = promises.reserve(name, place, Decimal(amount), most)
        assert before.day == 0
    assert taken(path).day == Decimal("0.9")


HOLD = """
import sys, time
from decimal import Decimal
from pathlib import Path
from agentcli.session import ledger_db as db
from agentcli.session.promises import Promises
promises = Promises(Path(sys.argv[1]))
any = db.Taken(Decimal(9), Decimal(9))
promises.reserve(promises.name(), (sys.argv[2], "/repo"), Decimal("0.5"), any)
print("held", flush=True)
time.sleep(60)
"""


def test_a_killed_process_keeps_no_promise_and_a_living_one_does(path):
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), DAY], stdout=subprocess.PIPE, text=True
    )
    with held:
        assert held.stdout.readline() == "held\n"
        assert taken(path).day == Decimal("0.5")
        held.kill()
    assert taken(path).day == 0
    assert list(path.with_name("holders").iterdir()) == []


def test_a_process_of_the_same_number_is_not_taken_for_the_dead_one(path):
    """In containers every agent has one of a few numbers."""
    dead = Promises(path)
    dead.reserve(dead.name(), (DAY, "/repo"), Decimal("0.5"), ANY)
    with db.opened(path) as base:
        assert base.execute("SELECT pid FROM holds").fetchone() == (os.getpid(),)
    dead.end()
    assert taken(path).day == 0


BOOK = """
import sys
from pathlib import Path
from agentcli.lib.value import replace
from agentcli.session import ledger_db as db
from agentcli.session.bills import bill_from_json
import json
bill = bill_from_json(json.loads(sys.argv[2]), {})
for number in range(25):
    db.add(Path(sys.argv[1]), [replace(bill, id=f"{sys.argv[3]}-{number}")])
"""


def test_processes_at_once_lose_nothing(path):
    line = json.dumps(bill_to_json(BILL))
    running = [
        subprocess.Popen([sys.executable, "-c", BOOK, str(path), line, name]) for name in "abc"
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert len(booked(path)) == 75
    assert taken(path).day == 75 * COST.total


def test_threads_at_once_never_promise_the_same_money(path, promises):
    most = db.Taken(Decimal(1), Decimal(1))

    def promise():
        promises.reserve(promises.name(), (DAY, "/repo"), Decimal("0.3"), most)

    threads = [threading.Thread(target=promise) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken(path).day == Decimal("0.9")


def test_the_ledger_is_made_from_the_sessions(path, sessions):
    assert rebuild(path, sessions) == 2
    assert booked(path) == [BILL, UNKNOWN]
    rebuild(path, sessions)
    assert len(booked(path)) == 2


def test_a_fork_that_carries_bills_counts_them_once(path, sessions):
    keep(sessions / "repo" / "s-2.jsonl", "s-2", BILL, UNKNOWN, replace(EXACT, session="s-2"))
    rebuild(path, sessions)
    assert [bill.id for bill in booked(path, "s-1")] == ["b1", "b2"]
    assert [bill.id for bill in booked(path, "s-2")] == ["b3"]
    assert taken(path).repo == 2 * COST.total + Decimal("0.25")


def test_sessions_of_before_and_damaged_lines_are_read_as_far_as_they_go(path, sessions):
    old = {name: bill_to_json(BILL)[name] for name in ("model", "role", "usage", "cost", "exact")}
    file = SessionFile(sessions / "repo" / "old.jsonl", "old")
    file.append("header", header("old", sessions, "0"))
    file.append("spent", {"model": "m"})
    file.append("spent", old)
    file.close()
    with (sessions / "repo" / "old.jsonl").open("a") as lines:
        lines.write('{"kind":"spent", broken\n')
    rebuild(path, sessions)
    (bill,) = booked(path, "old")
    assert (bill.id, bill.usage, bill.repo) == ("old/3", USAGE, str(sessions))


@pytest.mark.parametrize(
    "rubbish", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 999]
)
def test_a_broken_ledger_is_moved_aside_and_made_anew(path, sessions, rubbish):
    path.write_bytes(rubbish)
    writer = LedgerWriter(path, sessions)
    writer.book(EXACT)
    writer.close()
    assert [bill.id for bill in booked(path)] == ["b1", "b2", "b3"]
    (aside,) = path.parent.glob("ledger.db.broken-*")
    assert aside.read_bytes() == rubbish
    problem = writer.take_problem()
    assert str(aside) in problem
    assert writer.take_problem() == ""


def test_a_ledger_broken_in_the_middle_is_made_anew(path, sessions):
    db.add(path, [replace(BILL, id=f"x{n}", session="lost") for n in range(400)])
    content = bytearray(path.read_bytes())
    content[4096 : len(content)] = b"\xaa" * (len(content) - 4096)
    path.write_bytes(content)
    writer = LedgerWriter(path, sessions)
    writer.book(EXACT)
    writer.close()
    assert [bill.id for bill in booked(path)] == ["b1", "b2", "b3"]


def test_a_ledger_that_is_whole_is_not_moved(path, sessions):
    db.add(path, [EXACT])
    assert renew(path, sessions) == ""
    assert booked(path) == [EXACT]


def test_a_locked_ledger_is_said_once_and_written_when_it_is_free(path, sessions, monkeypatch):
    monkeypatch.setattr(db, "PATIENCE", 0.05)
    db.add(path, [])
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    writer = LedgerWriter(path, sessions)
    writer.book(BILL)
    while not (problem := writer.take_problem()):
        pass
    assert "locked" in problem
    assert "books them later" in problem
    holder.execute("ROLLBACK")
    holder.close()
    writer.book(UNKNOWN)
    writer.close()
    assert booked(path) == [BILL, UNKNOWN]
    assert writer.take_problem() == ""


FULL = """
import json, resource, sys
from pathlib import Path
from agentcli.session.bills import bill_from_json
from agentcli.session.ledger_writer import LedgerWriter
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
writer = LedgerWriter(path, path.parent / "sessions")
for _ in range(2):
    writer.book(bill_from_json(json.loads(sys.argv[2]), {}))
writer.close()
print(writer.take_problem(), writer.take_problem())
"""


def test_a_full_disk_is_said_once_and_leaves_the_ledger_whole(path):
    db.add(path, [UNKNOWN])
    line = json.dumps(bill_to_json(BILL))
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path), line], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("can't be written") == 1
    assert booked(path) == [UNKNOWN]


def test_a_folder_that_cannot_be_written_is_said(tmp_path, sessions):
    (tmp_path / "file").write_text("")
    writer = LedgerWriter(tmp_path / "file" / "ledger.db", sessions)
    writer.book(BILL)
    writer.close()
    assert "can't be written" in writer.take_problem()


def test_a_ledger_of_a_newer_agent_is_left_alone(path, sessions):
    db.add(path, [BILL])
    with db.opened(path) as base:
        base.execute(f"PRAGMA user_version = {db.VERSION + 1}")
    before = path.read_bytes()
    writer = LedgerWriter(path, sessions)
    writer.book(UNKNOWN)
    writer.close()
    assert "newer agent" in writer.take_problem()
    assert path.read_bytes() == before


def test_a_promise_ends_when_its_bill_is_booked(path, sessions, promises):
    name = promises.name()
    promises.reserve(name, (DAY, "/repo"), Decimal("0.5"), ANY)
    writer = LedgerWriter(path, sessions)
    assert taken(path).day == Decimal("0.5") + Decimal("0.25422"), "what the sessions knew"
    writer.book(BILL, name)
    writer.close()
    assert taken(path).day == Decimal("0.25422")


def test_nothing_is_opened_for_a_conversation_without_bills(path, sessions):
    writer = LedgerWriter(path, sessions)
    writer.close()
    assert not path.exists()
    assert os.listdir(path.parent) == ["sessions"]
