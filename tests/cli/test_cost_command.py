"""`agent cost`, `agent cache explain` and `agent debug price`, run as a person runs them."""

import csv
import io
import json
import os
import time
from decimal import Decimal

import pytest

from agentcli.app.spending import BAR, segments
from agentcli.cli.commands import run_typer
from agentcli.cli.cost_commands import moment
from agentcli.lib.errors import UserError
from agentcli.llm.cost import Cost
from agentcli.llm.miss import Miss
from agentcli.llm.types import Usage
from agentcli.session import ledger_db as db
from agentcli.session.bills import Bill, bill_to_json
from agentcli.session.store import SessionFile, header

NOW = 1_764_100_000.0
DAY = 86_400


def bill(number, age, usd, session="s-1", model="sonnet", **more):
    cost = None if usd is None else Cost(total=Decimal(usd), saved=Decimal("0.5"))
    usage = Usage(100, 20, 700, 150, 50) if usd is not None else None
    fields = {"repo": "/here", "provider": "p", "role": "main", **more}
    return Bill(
        f"b{number}",
        time.time() - age,
        session,
        model=model,
        usage=usage,
        cost=cost,
        guess=Decimal("0.25") if usd is None else None,
        **fields,
    )


BILLS = [
    bill(1, 10 * DAY, "1.5", "s-1"),
    bill(2, 2 * DAY, "0.25", "s-2", "gpt"),
    bill(3, 60, None, "s-2", "gpt", role="compaction"),
    bill(4, 30, "0.003", "s-2", "gpt", miss=Miss("tools", "tools changed: Web added", 4_321)),
]


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("AGENT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("AGENT_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "data"


@pytest.fixture
def ledger(data):
    db.add(data / "ledger.db", BILLS)
    return data / "ledger.db"


def run(capsys, *words):
    """(exit code, standard output, standard error)"""
    code = run_typer(list(words))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def rows(text):
    return [line.split() for line in text.splitlines()]


def test_the_table_has_a_row_for_each_and_a_sum(ledger, capsys):
    code, out, _ = run(capsys, "cost")
    assert code == 0
    head, sonnet, gpt, total, note = rows(out)
    assert head[0] == "model"
    assert (sonnet[:2], sonnet[-2]) == (["sonnet", "1"], "$1.50")
    assert (gpt[:2], gpt[-2]) == (["gpt", "3"], "$0.2530")
    assert (total[:2], total[-2]) == (["total", "4"], "$1.75")
    assert " ".join(note) == (
        "1 request(s) of unknown cost are not in the sum (about $0.2500 by our estimate)."
    )
    assert "█" not in out


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("session", ["s-1", "s-2"]),
        ("role", ["main", "compaction"]),
        ("repo", ["/here"]),
        ("day", sorted({db.day_of(bill.at) for bill in BILLS})),
    ],
)
def test_other_sums(ledger, capsys, by, keys):
    _, out, _ = run(capsys, "cost", "--by", by, "--json")
    assert [record[by] for record in json.loads(out)] == keys


def test_json_has_exact_dollars(ledger, capsys):
    _, out, _ = run(capsys, "cost", "--json")
    gpt = json.loads(out)[1]
    assert gpt["cost_usd"] == "0.253"
    assert gpt["estimated_unknown_usd"] == "0.25"
    assert gpt["unknown_requests"] == 1
    assert gpt["usage"]["cache_read"] == 1_400


def test_csv_is_a_table_of_the_same(ledger, capsys):
    _, out, _ = run(capsys, "cost", "--csv")
    table = list(csv.DictReader(io.StringIO(out)))
    assert [(row["model"], row["cost_usd"]) for row in table] == [
        ("sonnet", "1.5"),
        ("gpt", "0.253"),
    ]


@pytest.mark.parametrize(("since", "count"), [("7d", 3), ("2h", 2), ("52w", 4), ("2019-01-01", 4)])
def test_since_leaves_out_what_is_older(ledger, capsys, since, count):
    _, out, _ = run(capsys, "cost", "--since", since, "--json")
    assert sum(record["requests"] for record in json.loads(out)) == count


def test_a_date_begins_at_its_midnight_here():
    assert moment("2026-11-25", NOW) == time.mktime((2026, 11, 25, 0, 0, 0, 0, 0, -1))
    with pytest.raises(UserError):
        moment("soon", NOW)


@pytest.mark.parametrize(
    "words",
    [["cost", "--by", "colour"], ["cost", "--since", "ever"], ["cache", "explain", "zz"]],
)
def test_a_mistake_is_one_sentence(ledger, capsys, words):
    code, out, err = run(capsys, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_nothing_spent_is_said(data, capsys):
    assert run(capsys, "cost")[1] == "Nothing has been spent in this time.\n"
    assert json.loads(run(capsys, "cost", "--json")[1]) == []
    assert run(capsys, "cost", "--csv")[1].startswith("model,requests,")


def keep(data, *bills):
    file = SessionFile(data / "sessions" / "here" / "s.jsonl", "s")
    file.append("header", header("s", data, "1"))
    for item in bills:
        file.append("spent", bill_to_json(item))
    file.close()


def test_without_a_ledger_the_sessions_are_asked(data, capsys):
    keep(data, *BILLS)
    _, out, err = run(capsys, "cost", "--json")
    assert sum(record["requests"] for record in json.loads(out)) == 4
    assert err == ""


def test_what_a_killed_process_left_in_its_session_is_booked(ledger, data, capsys):
    run(capsys, "cost")
    keep(data, bill(9, 5, "0.1"), BILLS[0])
    _, out, err = run(capsys, "cost", "--json")
    assert sum(record["requests"] for record in json.loads(out)) == 5
    assert err == ""


def test_a_session_that_did_not_change_is_not_read_again(ledger, data, capsys):
    keep(data, *BILLS)
    run(capsys, "cost")
    (path,) = data.rglob("*.jsonl")
    os.utime(path, (NOW, NOW))
    with db.opened(ledger) as base:
        base.execute("DELETE FROM requests")
    assert run(capsys, "cost")[1] == "Nothing has been spent in this time.\n"
    assert "booked" in run(capsys, "cost", "--rebuild")[2]
    assert "$1.75" in run(capsys, "cost")[1]


def test_a_rebuild_books_what_was_missed(ledger, data, capsys):
    keep(data, bill(9, 5, "0.1"), BILLS[0])
    _, out, err = run(capsys, "cost", "--rebuild", "--json")
    assert sum(record["requests"] for record in json.loads(out)) == 5
    assert err == "agent: The sessions hold 2 requests; all of them are booked.\n"


def test_a_broken_ledger_is_made_anew_and_this_is_said(data, capsys):
    keep(data, *BILLS)
    (data / "ledger.db").write_text("rubbish " * 500)
    code, out, err = run(capsys, "cost", "--json")
    assert code == 0
    assert sum(record["requests"] for record in json.loads(out)) == 4
    assert "moved to" in err


def test_each_request_is_explained(ledger, capsys):
    _, out, _ = run(capsys, "cache", "explain", "s-2")
    lines = out.splitlines()
    assert lines[0] == "Session s-2 in /here"
    assert lines[3] == "gpt (p)"
    assert "700 read · 200 written · 100 uncached · $0.2500" in lines[4]
    assert "the provider reported no usage, about $0.2500" in lines[5]
    assert lines[-1].strip() == "tools changed: Web added, 4,321 tokens anew"


def test_the_newest_session_of_the_repository_is_explained(ledger, capsys, tmp_path, monkeypatch):
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    db.add(ledger, [bill(7, 20 * DAY, "1", "s-old", repo=str(work))])
    _, out, _ = run(capsys, "cache", "explain", "--json")
    assert [record["session"] for record in json.loads(out)] == ["s-old"]


@pytest.mark.parametrize(
    ("usage", "most", "bar"),
    [
        (Usage(input=1, cache_read=90, cache_write_5m=9), 100, "█" * 21 + "▓▓░"),
        (Usage(cache_read=50), 100, "█" * 12),
        (Usage(input=100), 100, "░" * BAR),
        (Usage(), 100, ""),
    ],
)
def test_a_bar_has_the_parts_in_proportion(usage, most, bar):
    assert segments(usage, most).rstrip() == bar


def price(capsys, tmp_path, model, usage, *options):
    file = tmp_path / "usage.json"
    file.write_text(json.dumps(usage))
    code, out, err = run(capsys, "debug", "price", model, str(file), *options)
    assert (code, err) == (0, "")
    return json.loads(out)


OURS = {"uncached_input": 1000, "cache_read": 50_000, "cache_write_5m": 3000, "output": 2000}


def test_a_usage_of_ours_is_priced_by_class(data, capsys, tmp_path):
    found = price(capsys, tmp_path, "claude-sonnet-5-5", OURS | {"cache_write_1h": 4000})
    assert found["cost"] == {
        "uncached_input": "0.002",
        "cache_write_5m": "0.0075",
        "cache_write_1h": "0.016",
        "cache_read": "0.005",
        "output": "0.02",
    }
    assert (found["total"], found["basis"]) == ("0.0505", "computed")
    assert found["prompt_tokens"] == 58_000


ANTHROPIC = {
    "input_tokens": 1000,
    "cache_read_input_tokens": 50_000,
    "cache_creation_input_tokens": 3000,
    "output_tokens": 2000,
}
RESPONSES = {
    "input_tokens": 54_000,
    "input_tokens_details": {"cached_tokens": 50_000, "cache_write_tokens": 3000},
    "output_tokens": 2000,
}
CHAT = {
    "prompt_tokens": 54_000,
    "prompt_tokens_details": {"cached_tokens": 50_000, "cache_write_tokens": 3000},
    "completion_tokens": 2000,
}
BEDROCK = {
    "inputTokens": 1000,
    "cacheReadInputTokens": 50_000,
    "cacheWriteInputTokens": 3000,
    "outputTokens": 2000,
}


@pytest.mark.parametrize("usage", [ANTHROPIC, RESPONSES, CHAT, BEDROCK, {"usage": ANTHROPIC}])
def test_a_providers_own_usage_is_known_by_its_fields(data, capsys, tmp_path, usage):
    found = price(capsys, tmp_path, "claude-sonnet-5-5", usage)
    assert found["total"] == "0.0345"


def test_thinking_tokens_do_not_make_a_claude_a_gpt(data, capsys, tmp_path):
    usage = ANTHROPIC | {"output_tokens_details": {"thinking_tokens": 500}}
    found = price(capsys, tmp_path, "claude-sonnet-5-5", usage)
    assert (found["total"], found["usage"]["reasoning"]) == ("0.0345", 500)


@pytest.mark.parametrize("usage", [{"usage": None}, {"input_tokens": None, "output_tokens": None}])
def test_counts_that_are_null_are_unknown(data, capsys, tmp_path, usage):
    found = price(capsys, tmp_path, "claude-sonnet-5-5", usage)
    assert (found["usage"], found["total"], found["basis"]) == (None, None, "unknown")


def test_a_whole_answer_tells_its_tier(data, capsys, tmp_path):
    body = {"usage": RESPONSES, "service_tier": "flex", "output": []}
    plain = price(capsys, tmp_path, "gpt-6.1-sol", RESPONSES)
    for said in (body, {"type": "response.completed", "response": body}):
        found = price(capsys, tmp_path, "gpt-6.1-sol", said)
        assert Decimal(found["total"]) == Decimal(plain["total"]) / 2


def test_the_wire_decides_where_it_is_named(data, capsys, tmp_path):
    bare = {"input_tokens": 1000, "output_tokens": 10}
    found = price(capsys, tmp_path, "gpt-6.1-sol", bare, "--wire", "openai-responses")
    assert found["usage"]["uncached_input"] == 1000


def test_the_parts_add_up_to_what_the_provider_states(data, capsys, tmp_path):
    usage = CHAT | {"cost": 0.25}
    found = price(capsys, tmp_path, "openrouter/anthropic/claude-sonnet-5.5", usage)
    assert (found["total"], found["basis"]) == ("0.25", "exact")
    assert sum(map(Decimal, found["cost"].values())) == Decimal("0.25")
    assert found["cost"]["as_stated"] == "0.2155"


def test_a_name_nobody_knows_has_no_provider(data, capsys, tmp_path):
    assert price(capsys, tmp_path, "gpt-9-nonexistent", OURS)["provider"] is None


def test_what_the_provider_states_is_the_total(data, capsys, tmp_path):
    found = price(capsys, tmp_path, "openrouter/some/model", CHAT | {"cost": 0.25})
    assert (found["total"], found["basis"], found["cost"]) == ("0.25", "exact", None)


@pytest.mark.parametrize(("model", "usage"), [("claude-nova-9", OURS), ("claude-sonnet-5-5", None)])
def test_what_nobody_knows_is_null(data, capsys, tmp_path, model, usage):
    found = price(capsys, tmp_path, model, usage)
    assert (found["total"], found["basis"]) == (None, "unknown")


@pytest.mark.parametrize(
    ("options", "multipliers", "total"),
    [
        ([], {}, "0.035"),
        (["--tier", "flex"], {"flex": "0.5"}, "0.0175"),
        (["--tier", "priority"], {"priority": "2"}, "0.07"),
        (["--tier", "default"], {}, "0.035"),
    ],
)
def test_tiers_multiply(data, capsys, tmp_path, options, multipliers, total):
    usage = {"uncached_input": 5000, "cache_read": 50_000, "output": 2000}
    found = price(capsys, tmp_path, "gpt-6.1-sol", usage, *options)
    assert (found["multipliers"], found["total"]) == (multipliers, total)


def test_the_answers_own_words_choose_tier_and_region(data, capsys, tmp_path):
    said = ANTHROPIC | {"inference_geo": "us", "service_tier": "batch"}
    found = price(capsys, tmp_path, "claude-sonnet-5-5", said)
    assert found["multipliers"] == {"batch": "0.5", "us": "1.1"}
    assert found["total"] == "0.018975"
    assert sum(map(Decimal, found["cost"].values())) == Decimal(found["total"])


@pytest.mark.parametrize(
    ("at", "total"), [("2026-11-30", "2"), ("2026-12-01", "4"), ("2026-12-01T08:59+09:00", "2")]
)
def test_the_price_is_that_of_the_day(data, capsys, tmp_path, at, total):
    usage = {"uncached_input": 1_000_000}
    found = price(capsys, tmp_path, "gemini-4-argon", usage, "--at", at)
    assert found["total"] == total


def test_a_long_prompt_says_which_row_it_reached(data, capsys, tmp_path):
    found = price(capsys, tmp_path, "gpt-6.1-sol", {"uncached_input": 272_001})
    assert found["multipliers"] == {"row": {"prompt_above": 272_000}}
    assert found["rates_per_million"]["output"] == "15"


def test_a_local_model_costs_nothing(data, capsys, tmp_path):
    found = price(capsys, tmp_path, "ollama/whatever", OURS)
    assert (found["total"], found["basis"]) == ("0", "computed")


def test_prices_of_the_configuration_count(data, capsys, tmp_path):
    (tmp_path / "config").mkdir()
    text = '[models."claude-nova-9"]\ninput = "1"\noutput = "10"\n'
    (tmp_path / "config/config.toml").write_text(text)
    found = price(capsys, tmp_path, "claude-nova-9", {"uncached_input": 1000, "output": 100})
    assert found["total"] == "0.002"


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("[1]", []),
        ("{", []),
        ("{}", []),
        ('{"uncached_input": "many", "output": 1}', []),
        ('{"uncached_input": 1, "output": 1, "colour": 2}', []),
        ("", []),
        ("NaN", []),
        ('{"usage": [1]}', []),
        ('{"uncached_input": 1.5}', []),
        ('{"uncached_input": true}', []),
        ('{"uncached_input": 10000000000000000}', []),
        ('{"output_tokens": 10}', []),
        ('{"input_tokens": "many", "output_tokens": 1}', []),
        ('{"input_tokens": NaN, "output_tokens": 1}', []),
        ('{"prompt_tokens": 1e999, "completion_tokens": 1}', []),
        ('{"uncached_input": 1}', ["--wire", "gemini"]),
        ('{"uncached_input": 1}', ["--tier", "flax"]),
        ('{"uncached_input": 1}', ["--tier", "us"]),
        ('{"input_tokens": 1}', ["--wire", "morse"]),
        ('{"input_tokens": 1}', ["--at", "soon"]),
    ],
)
def test_what_is_no_usage_is_refused_in_a_sentence(data, capsys, tmp_path, text, options):
    file = tmp_path / "usage.json"
    file.write_text(text)
    code, out, err = run(capsys, "debug", "price", "sonnet", str(file), *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert run(capsys, "debug", "price", "sonnet", str(tmp_path / "none"))[0] == 2


def test_negative_counts_are_none(data, capsys, tmp_path):
    found = price(capsys, tmp_path, "sonnet", {"uncached_input": -5, "output": 10})
    assert (found["usage"]["uncached_input"], found["total"]) == (0, "0.0001")
