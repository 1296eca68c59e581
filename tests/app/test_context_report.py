"""`/context`: what fills the context and what it costs a step."""

import asyncio
from datetime import UTC, datetime

from agentcli.app.context_report import context_table, items
from agentcli.lib.value import replace
from agentcli.llm.models import CacheKind, ModelSpec, Prices
from agentcli.llm.simulator import calls, says
from agentcli.llm.types import (
    AssistantMessage,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolOutput,
    ToolSpec,
    UserMessage,
)

AT = datetime(2026, 11, 25, tzinfo=UTC)
MODEL = ModelSpec(
    "m",
    "p",
    context=200_000,
    prices=(Prices("10", "50", cache_read="1"),),
    cache=CacheKind("explicit", max_marks=4),
)
CALL = ToolCall("c1", "Read", {"path": "src/big.py"})
REQUEST = Request(
    "m",
    ("be brief", "a repository"),
    (ToolSpec("Read", "Read a file.", {"type": "object"}),),
    (
        UserMessage((Text("look at it"),)),
        AssistantMessage((Thinking("hm"), Text("I look."), CALL), "m", "tool_use"),
        UserMessage((ToolOutput("c1", (Text("x = 1\n" * 4000),)),), "tool"),
        UserMessage((Text("Today is Monday."),), "reminder"),
    ),
)


def test_every_kind_is_counted_once():
    kinds = [item.kind for item in items(REQUEST)]
    assert kinds == [
        "definitions of tools",
        "system prompt",
        "instructions, repository",
        "your words",
        "thinking",
        "answers",
        "calls",
        "results of Read",
        "reminders",
    ]


def test_a_row_is_a_line_of_a_narrow_terminal():
    long = (UserMessage((Text("word " * 30),)),)
    request = replace(REQUEST, messages=(*REQUEST.messages, *long))
    table = context_table(request, 50_000, MODEL, AT, columns=40)
    rows = table.partition("\n")[2].splitlines()
    assert max(map(len, rows)) == 40
    assert "word word…" in table


def test_the_largest_things_have_names_and_a_price_a_step():
    table = context_table(REQUEST, 50_000, MODEL, AT)
    assert table.startswith("50,000 tokens of 200,000; each further step reads them for $0.0500.")
    largest = table.partition("Largest:")[2].strip().splitlines()
    assert largest[0].split()[:2] == ["Read", "src/big.py"]
    assert "your words" in table


def test_without_a_cache_a_step_costs_the_input():
    plain = ModelSpec("m", "p", prices=MODEL.prices)
    assert "for $0.5000" in context_table(REQUEST, 50_000, plain, AT)
    assert "for unknown" in context_table(REQUEST, 50_000, ModelSpec("m", "p"), AT)


def test_it_adds_up_to_what_was_reported(house):
    here = house(calls(("Read", {"path": "a.txt"})), says("Seen."))

    async def main():
        async with here.app() as app:
            await app.prompt("look")
            return app.context_report(), app.status().context_used

    report, used = asyncio.run(main())
    assert report.startswith(f"{used:,} tokens")
    assert "Read a.txt" in report


def test_a_file_named_with_at_is_called_by_its_name():
    content = (Text("look at @big.py"), Text("/shop/big.py:"), Text("x = 1\n" * 900))
    said = Request("m", (), (), (UserMessage(content),))
    largest = max(items(said), key=lambda item: item.tokens)
    assert largest.name == "@/shop/big.py"
