"""The generator turns both packages' shapes into rows, and says where they disagree."""

from datetime import UTC, date, time
from decimal import Decimal
from types import SimpleNamespace as Box

from agentcli.llm.catalogue.genai import Listed, price_rows
from agentcli.llm.models import TABLE
from agentcli.llm.refresh import build


def rates(fresh, out, read=None, **more):
    return Box(input_mtok=fresh, output_mtok=out, cache_read_mtok=read, **more)


def part(prices, **constraint):
    return Box(prices=prices, constraint=Box(**constraint) if constraint else None)


def test_tiers_dates_and_peak_hours_become_rows():
    tiered = Box(base=Decimal("2.00"), tiers=[Box(start=199_999, price=Decimal(4))])
    assert price_rows(rates(tiered, Decimal(6))) == [
        {"input": "2", "output": "6"},
        {"input": "4", "output": "6", "above": 199_999},
    ]
    morning = {"start_time": time(1, tzinfo=UTC), "end_time": time(4, tzinfo=UTC)}
    later = {"start_time": time(6, tzinfo=UTC), "end_time": time(10, tzinfo=UTC)}
    peak = rates(Decimal(4), Decimal(4))
    rows = price_rows(
        [
            part(rates(Decimal(1), Decimal(1))),
            part(rates(Decimal(2), Decimal(2)), start_date=date(2026, 8, 17)),
            part(peak, **morning),
            part(peak, **later),
        ]
    )
    assert rows[1:] == [
        {"input": "2", "output": "2", "since": "2026-08-17"},
        {"input": "4", "output": "4", "since": "2026-08-17", "hours": [[1, 4], [6, 10]]},
    ]


def test_a_model_without_a_token_price_gives_no_row():
    assert price_rows(rates(None, Decimal(1))) == []
    assert price_rows(rates(Decimal(1), None)) == []


def entry(provider, **more):
    return {
        "litellm_provider": provider,
        "mode": "chat",
        "input_cost_per_token": 3e-06,
        "output_cost_per_token": 1.5e-05,
        "max_input_tokens": 200_000,
        "max_output_tokens": 64_000,
    } | more


def test_what_has_no_output_price_or_is_switched_off_is_left_out():
    free = entry("mistral", output_cost_per_token=None)
    old = entry("mistral", deprecation_date="2020-01-01")
    table = build({"mistral/a": free, "mistral/b": old, "mistral/c": entry("mistral")}, {})
    assert "c" in table["mistral"]
    assert not {"a", "b"} & table["mistral"].keys()


def test_xai_tiers_begin_at_their_size_and_openai_windows_are_whole():
    grok = entry("xai", input_cost_per_token_above_200k_tokens=6e-06, max_input_tokens=500_000)
    gpt = entry("openai", max_input_tokens=272_000, max_output_tokens=128_000)
    table = build({"xai/grok-9": grok, "gpt-5-new": gpt}, {})
    assert table["xai"]["grok-9"]["prices"][1]["above"] == 199_999
    assert table["openai"]["gpt-5-new"]["context"] == 400_000


def test_claude_anywhere_has_a_price_for_an_hour():
    listed = Listed([{"input": "2", "output": "10", "cache_write_5m": "2.5"}], 1_000_000, False)
    table = build({}, {("openrouter", "anthropic/claude-sonnet-5.5"): listed})
    row = table["openrouter"]["anthropic/claude-sonnet-5.5"]
    assert row["prices"][0]["cache_write_1h"] == "4"
    assert row["cache"]["mode"] == "explicit"


def test_a_conflict_with_the_vendors_list_is_told_and_the_list_wins(capsys):
    table = build({"claude-opus-5": entry("anthropic")}, {})
    assert "anthropic/claude-opus-5 input: 3 or 5" in capsys.readouterr().out
    assert table["anthropic"]["claude-opus-5"]["prices"][0]["input"] == "5"


def test_the_shipped_table_is_small():
    assert TABLE.stat().st_size <= 100_000
