"""A ledger and sessions that are damaged in every way: nothing is raised, no readable bill lost."""

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from copy import deepcopy
from decimal import Decimal

import pytest
from test_ledger import BILL, EXACT, UNKNOWN, booked

from agentcli.lib.value import replace
from agentcli.session import ledger_db as db
from agentcli.session.bills import bill_to_json
from agentcli.session.ledger import Ledger, newest, replay
from agentcli.session.ledger_rebuild import catch_up, rebuild, renew
from agentcli.session.ledger_sums import WAYS, ready, sums
from agentcli.session.ledger_writer import LedgerWriter
from agentcli.session.promises import Promises

RUBBISH = (
    *(None, True, -1, 10**40, 1e300, float("nan"), float("inf"), "", "NaN", "x", "9" * 400),
    *([], [1], {}, {"input": 10**30}, {"total": "NaN"}, {"total": "1e300"}),
)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "sessions/p").mkdir(parents=True)
    return tmp_path / "ledger.db"


def keep(path, *lines, name="s-1"):
    """A session file that holds these bills as JSON."""
    text = "".join(
        json.dumps({"id": str(n), "parent": "", "at": 5.0, "kind": "spent", "data": data}) + "\n"
        for n, data in enumerate(lines)
    )
    (path.parent / f"sessions/p/{name}.jsonl").write_text(text)


def spoilt(data, dice):
    """The bill with one or two of its fields, or of what they hold, replaced."""
    data = json.loads(json.dumps(data))
    for _ in range(dice.randint(1, 2)):
        holder = data
        name = dice.choice(list(holder))
        if isinstance(holder[name], dict) and holder[name] and dice.random() < 0.7:
            holder = holder[name]
            name = dice.choice(list(holder))
        holder[name] = deepcopy(dice.choice(RUBBISH))
    return data


@pytest.mark.parametrize("seed", range(8))
def test_bills_that_nobody_wrote_break_nothing(path, seed):
    dice = random.Random(seed)
    good = [bill_to_json(bill) for bill in (BILL, UNKNOWN, EXACT)]
    lines = [spoilt(dice.choice(good), dice) for _ in range(300)]
    keep(path, *good, *lines)
    assert rebuild(path, path.parent / "sessions") >= 3
    for way in WAYS:
        sums(path, way)
    assert {bill.id for bill in db.of_session(path, "s-1")} >= {"b1", "b2", "b3"}
    ledger = Ledger()
    replay(ledger, lines)
    assert ledger.total().cost.total.is_finite()
    list(newest(lines, "s-1"))


def test_a_ledger_with_other_columns_is_made_anew(path):
    keep(path, bill_to_json(BILL))
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE requests (a)")
        base.execute(f"PRAGMA user_version = {db.VERSION}")
    assert "made anew" in ready(path, path.parent / "sessions")
    assert booked(path) == [BILL]


def test_a_table_of_the_same_name_without_a_version_is_made_anew(path):
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE requests (a)")
    writer = LedgerWriter(path, path.parent / "sessions")
    writer.book(BILL)
    writer.close()
    assert "made anew" in writer.take_problem()
    assert booked(path) == [BILL]


def test_what_only_a_damaged_ledger_knew_is_saved_as_far_as_it_is_legible(path):
    """Requests of --no-session-persistence, or of sessions that were deleted, have no file."""
    lone = [replace(BILL, id=f"x{n}", session="lone") for n in range(400)]
    keep(path, bill_to_json(EXACT))
    db.add(path, [*lone, EXACT])
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size - 4096 * 5)
        file.write(b"\xaa" * 4096 * 5)
    before = len(list(db.legible(path)))
    assert "made anew" in renew(path, path.parent / "sessions")
    assert len(db.of_session(path, "lone")) >= before - 1
    assert before > 100
    assert db.of_session(path, "s-1") == [EXACT]


def test_a_broken_ledger_is_made_anew_before_a_budget_of_the_day_looks_at_it(path):
    keep(path, bill_to_json(BILL), bill_to_json(UNKNOWN))
    path.write_bytes(b"no database " * 500)
    promises = Promises(path)
    most = db.Taken(Decimal(1), Decimal(1))
    before = promises.reserve(
        promises.name(), (db.day_of(BILL.at), BILL.repo), Decimal("0.5"), most
    )
    promises.end()
    assert before.day == Decimal("0.25422")
    assert "made anew" in promises.take_problem()
    assert promises.take_problem() == ""


def test_what_a_killed_process_left_counts_before_the_first_promise(path):
    keep(path, bill_to_json(UNKNOWN))
    promises = Promises(path)
    most = db.Taken(Decimal(1), Decimal(1))
    taken_before = promises.reserve("", (db.day_of(UNKNOWN.at), UNKNOWN.repo), Decimal(0), most)
    assert taken_before.day == UNKNOWN.guess


def test_a_clock_that_was_ahead_hides_no_session_for_ever(path):
    """The stamp of the last look is of tomorrow; a file of today is looked at all the same."""
    catch_up(path, path.parent / "sessions")
    tomorrow = time.time() + 86_400
    os.utime(path.with_suffix(".caught-up"), (tomorrow, tomorrow))
    keep(path, bill_to_json(BILL))
    catch_up(path, path.parent / "sessions")
    assert booked(path) == [BILL]


def test_a_locked_ledger_can_be_read(path, monkeypatch):
    monkeypatch.setattr(db, "PATIENCE", 0.05)
    db.add(path, [BILL])
    keep(path, bill_to_json(UNKNOWN))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    told = ready(path, path.parent / "sessions")
    assert "may be missing" in told
    assert "locked" in told
    assert [line.requests for line in sums(path, "model")] == [1]
    holder.execute("ROLLBACK")
    holder.close()
    assert ready(path, path.parent / "sessions") == ""
    assert [line.requests for line in sums(path, "session")] == [2]


READ = """
import os, sys
from pathlib import Path
from agentcli.session.ledger_sums import ready, sums
path = Path(sys.argv[1])
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
print(ready(path, path.parent / "sessions"))
print([line.requests for line in sums(path, "model")])
"""


def test_a_folder_that_may_not_be_written_can_be_read(path):
    db.add(path, [BILL])
    path.chmod(0o644)
    for folder in path.parents:
        if folder.stat().st_mode & 0o055 != 0o055:
            folder.chmod(0o755)
    path.parent.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    path.parent.chmod(0o755)
    assert done.stdout.endswith("[1]\n"), done.stderr
    assert booked(path) == [BILL]
