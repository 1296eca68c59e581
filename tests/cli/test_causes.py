"""`agent cost --by tool` and `--by file`, run as a person runs them."""

import csv
import io
import json
import os
import time
from decimal import Decimal

import pytest

from agentcli.cli.commands import run_typer
from agentcli.llm.cost import Cost
from agentcli.llm.types import AssistantMessage, Text, ToolCall, ToolOutput, Usage, UserMessage
from agentcli.session.bills import Bill, bill_to_json
from agentcli.session.store import SessionFile, header


def run(capsys, *words):
    """(exit code, standard output)"""
    code = run_typer(list(words))
    return code, capsys.readouterr().out


def bill(session, cost):
    return Bill(f"{session}-1", time.time(), session, "/", "m", "p", "main", Usage(5_000, 10), cost)


@pytest.fixture
def session(tmp_path, monkeypatch):
    """A session in the working folder that read sixteen files, the first the longest."""
    monkeypatch.setenv("AGENT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("AGENT_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    file = SessionFile(tmp_path / "data/sessions/here/s.jsonl", "s")
    file.append("header", header("s", tmp_path, "1"))
    file.append("epoch", {"model": "m", "system": ["be brief"], "messages": []})
    file.message(UserMessage((Text("look"),)))
    for number in range(16):
        call = ToolCall(f"c{number}", "Read", {"path": f"src/f{number:02}.py"})
        output = ToolOutput(call.id, (Text("line " * (2_000 - 100 * number)),))
        file.message(AssistantMessage((call,), "m", "tool_use"))
        file.message(UserMessage((output,), "tool"))
    file.append("spent", bill_to_json(bill("s", Cost(Decimal("0.5"), Decimal("0.1")))))
    file.append("spent", bill_to_json(bill("s2", None)))
    file.close()
    with file.path.open("ab") as lines:
        lines.write(b'{"id": "cut\n[]\n')
    return file.path


def test_the_dearest_files_are_named_as_seen_from_here_and_the_rest_is_one_line(session, capsys):
    code, out = run(capsys, "cost", "--by", "file")
    assert code == 0
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["file", "src/f00.py", "src/f01.py"]
    assert lines[16].split()[:2] in (["system", "and"], ["others", "1"])
    assert "$0.5000 in all" in out
    assert "1 request of unknown cost" in out
    assert len(lines) == 19


def test_json_and_csv_hold_every_cause_and_the_exact_sum(session, capsys):
    found = json.loads(run(capsys, "cost", "--by", "file", "--json")[1])
    assert len(found) == 18
    assert sum(Decimal(record["cost_usd"]) for record in found) == Decimal("0.5")
    table = list(csv.DictReader(io.StringIO(run(capsys, "cost", "--by", "tool", "--csv")[1])))
    assert {row["tool"] for row in table} == {"Read", "system and tools", "your words"}
    assert sum(Decimal(row["cost_usd"]) for row in table) == Decimal("0.5")


def test_sessions_from_before_then_are_left_out(session, capsys):
    os.utime(session, (0, 0))
    assert run(capsys, "cost", "--by", "tool", "--since", "1d")[1] == (
        "Nothing has been spent in this time.\n"
    )
    assert json.loads(run(capsys, "cost", "--by", "tool", "--since", "1d", "--json")[1]) == []


def test_the_ways_to_sum_are_named(session, capsys):
    assert run_typer(["cost", "--by", "colour"]) == 2
    assert "role, tool, file" in capsys.readouterr().err
