"""`agent cost` and `agent cache explain` in terminals of every width, and where there is none."""

import os
import subprocess
import sys
from decimal import Decimal

import pytest

from agentcli.app.spending import explained, spending_table
from agentcli.llm.cost import Cost
from agentcli.llm.types import Usage
from agentcli.session import ledger_db as db
from agentcli.session.bills import Bill
from agentcli.session.ledger_sums import Line

USAGE = Usage(1_000, 20_000, 5_000_000, 300_000, 5, reasoning=7)
LINES = [
    Line(f"/home/me/a/long/way/down/project-{n}", 10, USAGE, Decimal(n), Decimal(n), 0, Decimal(0))
    for n in (5, 3, 1)
]
BILL = Bill("b", 1e9, "s", "/repo", "m", "p", "main", USAGE, Cost(total=Decimal("0.1")))


@pytest.mark.parametrize("columns", [40, 50, 60, 72, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(columns):
    rows = spending_table(LINES, "repo", columns=columns).splitlines()
    assert max(map(len, rows)) <= columns
    assert "cost" in rows[0]
    assert all(f"${n}.00" in row for n, row in zip((5, 3, 1), rows[1:], strict=False))
    assert all(f"project-{n}" in row for n, row in zip((5, 3, 1), rows[1:], strict=False))


def test_a_wide_terminal_has_every_column_and_bars_in_proportion():
    rows = spending_table(LINES, "repo", columns=200).splitlines()
    assert "saved" in rows[0]
    assert "project-5" in rows[1]
    assert [row.count("█") for row in rows[1:4]] == [24, 14, 4]


def test_without_a_terminal_nothing_is_cut_and_nothing_drawn():
    text = spending_table(LINES, "repo")
    assert "/home/me/a/long/way/down/project-5" in text
    assert "█" not in text


def test_requests_of_a_narrow_terminal_have_their_counts_below():
    narrow = explained([BILL], columns=60).splitlines()
    assert max(map(len, narrow)) <= 64
    assert len(narrow) == len(explained([BILL]).splitlines()) + 1


@pytest.fixture
def home(tmp_path):
    db.add(tmp_path / "ledger.db", [BILL])
    return {"HOME": str(tmp_path), "AGENT_DATA_DIR": str(tmp_path), "PATH": os.environ["PATH"]}


def run(home, *words, **options):
    command = [sys.executable, "-m", "agentcli", *words]
    return subprocess.run(command, env=home, text=True, check=False, **options)


def test_an_output_that_knows_no_blocks_gets_plain_signs(home):
    ascii_only = home | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = run(ascii_only, "cache", "explain", "s", capture_output=True)
    assert done.returncode == 0, done.stderr
    assert "####" in done.stdout
    assert done.stdout.isascii()


def test_an_output_that_is_full_is_said_in_a_sentence(home):
    with open("/dev/full", "w") as full:
        done = run(home, "cost", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == "agent: Standard output can't be written: No space left on device.\n"


def test_two_formats_at_once_are_a_mistake(home):
    done = run(home, "cost", "--json", "--csv", capture_output=True)
    assert (done.returncode, done.stderr) == (2, "agent: --json and --csv: choose one.\n")
