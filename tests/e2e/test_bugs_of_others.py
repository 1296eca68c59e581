"""Bugs about money that other agents shipped, each with a test of its name.

| bug | tests |
|---|---|
| double counting with several usage events | `test_double_counting_with_several_usage_events` |
| cost reset on resume | `test_cost_reset_on_resume`, `test_cost_of_processes.py` |
| writes reported as 0 | `test_writes_reported_as_zero` |
| an unknown model priced as another | `test_an_unknown_model_priced_as_another` |
| a compaction that missed the cache | `test_a_compaction_that_missed_the_cache` |
| the cost of subagents left out | `test_the_cost_of_subagents_left_out` |
| 1h silently downgraded | `test_1h_silently_downgraded` |
| the TTL lost | `test_the_ttl_lost` |
| marks removed by a gateway | `test_reasons_of_misses.py`, `app/test_billing.py` |
| cache fields dropped by a proxy | `app/test_suspicions.py` |
| the date in the system prompt | `test_the_date_in_the_system_prompt` |
| the order of tools varying | `test_the_order_of_tools_varying` |
| a resumed session missing the cache with MCP on | `test_tools_in_another_order_on_resume` |
"""

import asyncio
import json
import os
import subprocess
import sys
from decimal import Decimal

import pytest

from agentcli.agent.transcript import Transcript
from agentcli.app.billing import Billing, Paid
from agentcli.app.budgets import Budgets
from agentcli.app.suspicions import SHORTENED
from agentcli.app.talk import Talk
from agentcli.lib.value import replace
from agentcli.llm.cache import CachePlan, Mark
from agentcli.llm.providers import resolve
from agentcli.llm.simulator import SimulatedProvider, calls
from agentcli.llm.simulator import says as answers
from agentcli.llm.testing import Scripted, says
from agentcli.llm.types import Finished, Request, Text, Usage, UserMessage
from agentcli.llm.wire import load
from agentcli.session import ledger_db as db
from agentcli.session.ledger_writer import LedgerWriter
from agentcli.tools.registry import Toolbox, toolbox
from agentcli.tools.workspace import Workspace
from agentcli.ui.facts import Facts

SONNET = resolve("claude-sonnet-5-5", {"ANTHROPIC_API_KEY": "k"})
READ = ("Read", {"path": "a.txt"})
USAGE = Usage(input=10, output=500, cache_read=8_000, cache_write_5m=2_000)


def sse(*events):
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def start(**usage):
    head = {"type": "message", "role": "assistant", "model": "m", "content": []}
    return {"type": "message_start", "message": {"id": "1", **head, "usage": usage}}


def delta(**usage):
    return {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}


def chunk(usage, **choice):
    choices = [{"index": 0, "delta": {"content": "x"}, **choice}]
    return {"id": "1", "object": "chat.completion.chunk", "choices": choices, "usage": usage}


def gemini(output, **more):
    parts = {"content": {"role": "model", "parts": [{"text": "x"}]}, **more}
    usage = {"promptTokenCount": 100, "candidatesTokenCount": output}
    return {"candidates": [parts], "usageMetadata": usage}


STREAMS = {
    "anthropic": (
        "claude-sonnet-5-5",
        sse(
            start(input_tokens=100, output_tokens=1),
            delta(input_tokens=100, output_tokens=20),
            delta(output_tokens=40),
            delta(output_tokens=40),
            {"type": "message_stop"},
        ),
    ),
    "openai-chat": (
        "deepseek/deepseek-v4-pro",
        sse(
            chunk({"prompt_tokens": 100, "completion_tokens": 20}),
            chunk({"prompt_tokens": 100, "completion_tokens": 40}),
            chunk({"prompt_tokens": 100, "completion_tokens": 40}, finish_reason="stop"),
        )
        + b"data: [DONE]\n\n",
    ),
    "gemini": (
        "gemini-3.8-flash",
        sse(gemini(20), gemini(40), gemini(40, finishReason="STOP")),
    ),
}


def finished(wire, stream, model="claude-sonnet-5-5"):
    keys = dict.fromkeys(("ANTHROPIC_API_KEY", "DEEPSEEK_API_KEY", "GEMINI_API_KEY"), "k")
    decoder = load(wire).decoder(resolve(model, keys))
    deltas = [*decoder.feed(stream), *decoder.close()]
    return next(d for d in deltas if isinstance(d, Finished))


@pytest.mark.parametrize("wire", STREAMS)
def test_double_counting_with_several_usage_events(wire):
    """They are running totals, and some come twice."""
    model, stream = STREAMS[wire]
    assert finished(wire, stream, model).usage == Usage(100, 40)


def test_the_ttl_lost():
    """What is told at the end has the sum of the writes without their lives (wire.md 1.3)."""
    lives = {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 900}
    begun = start(input_tokens=5, cache_creation_input_tokens=1_000, cache_creation=lives)
    ended = delta(input_tokens=5, cache_creation_input_tokens=1_000, output_tokens=7)
    usage = finished("anthropic", sse(begun, ended, {"type": "message_stop"})).usage
    assert usage == Usage(5, 7, cache_write_5m=100, cache_write_1h=900)


@pytest.mark.parametrize(
    "usage",
    [
        {"cache_creation_input_tokens": 900},
        {"cache_creation": {"ephemeral_5m_input_tokens": 900}},
        {"cache_creation_input_tokens": 0, "cache_creation": {"ephemeral_5m_input_tokens": 900}},
        {"cache_creation_input_tokens": "900", "cache_creation": None},
    ],
)
def test_writes_reported_as_zero(usage):
    events = start(input_tokens=5, **usage), delta(output_tokens=7), {"type": "message_stop"}
    assert finished("anthropic", sse(*events)).usage == Usage(5, 7, cache_write_5m=900)


def test_cost_reset_on_resume(project, provider):
    provider([answers("One."), answers("Two."), answers("Three.")])
    costs = []
    for words in (["-p", "one"], ["-p", "-c", "two"], ["-p", "-c", "three"]):
        costs.append(project.agent(*words, "--output-format", "json").json["total_cost_usd"])
    assert costs[0] < costs[1] < costs[2]
    (line,) = json.loads(project.agent("cost", "--by", "session", "--json").out)
    assert Decimal(line["cost_usd"]) == Decimal(str(costs[2]))


@pytest.mark.parametrize("name", ["claude-sonnet-9", "claude-opus-5-5-ultra", "gpt-6.1"])
def test_an_unknown_model_priced_as_another(project, provider, name):
    provider([answers("One.")])
    done = project.agent("-p", "hi", "-m", f"anthropic/{name}", "--output-format", "json")
    assert done.json["total_cost_usd"] is None
    assert done.json["model_usage"][name]["cost_usd"] is None
    (line,) = json.loads(project.agent("cost", "--json").out)
    assert (line["cost_usd"], line["unknown_requests"]) == ("0", 1)


def test_a_compaction_that_missed_the_cache(project, provider):
    """The request for the summary goes on the live prefix, and reads all of it."""
    folder = project.root.parent / "home/.config/agentcli"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(
        '[compaction]\nat = 0.1\n[models."claude-*"]\ncontext = 40000\n'
    )
    server = provider(
        [answers("One. " * 3_000), answers("So far: one."), answers("Two."), answers("Three.")]
    )
    assert project.agent("-p", "word " * 5_000).code == 0
    assert project.agent("-p", "-c", "two").code == 0
    bills = json.loads(project.agent("cache", "explain", "--json").out)
    (summary,) = [bill for bill in bills if bill["role"] == "compaction"]
    first = bills[0]["usage"]
    assert summary["usage"]["cache_read"] >= 0.97 * first["cache_write_5m"]
    assert summary["miss"] is None
    assert len(server.requests) == len(bills) == 3


def billing(folder, limits=None):
    """A billing that asks a scripted model, in a folder."""
    talk = Talk("s", Transcript(), Workspace(folder), None)
    budgets = Budgets(
        limits or {},
        Decimal(0),
        folder / "ledger.db",
        ask=None,
        emit=lambda event: None,
        place=lambda: ("d", "/repo"),
        give_back=lambda name: None,
    )
    events = []
    plan = CachePlan((Mark("latest", "1h", 0, 0),), life=3600)
    writer = LedgerWriter(folder / "ledger.db", folder)
    rest = budgets, writer, events.append, "/repo"
    found = Billing(talk, lambda: SONNET, lambda s, m: (plan, 4e9), lambda: None, *rest)
    return found, events


def test_the_cost_of_subagents_left_out(tmp_path):
    """In the sum of the session, the headless result, the budget and the ledger they are in."""
    books, _ = billing(tmp_path, {"session": Decimal(5)})

    async def main():
        for role in ("main", "subagent", "subagent", "compaction", "title"):
            paid = Paid(Scripted([says("x", usage=USAGE)]), books, role)
            said = (UserMessage((Text("go"),)),)
            async with paid.stream(Request("m", (), (), said, session=f"s-{role}")) as reply:
                async for _ in reply:
                    pass
        await books.close()

    asyncio.run(main())
    one = Decimal("0.00002") + Decimal("0.005") + Decimal("0.0008") + Decimal("0.005")
    result = Facts().result("s", books.talk.ledger)
    assert result["total_cost_usd"] == float(5 * one)
    assert result["usage"]["output_tokens"] == 2_500
    assert result["model_usage"]["claude-sonnet-5-5"]["requests"] == 5
    assert books.budgets.purses[0].spent == 5 * one
    roles = [bill.role for bill in db.of_session(tmp_path / "ledger.db", "s")]
    assert roles.count("subagent") == 2


def test_1h_silently_downgraded(tmp_path):
    books, events = billing(tmp_path)

    async def main():
        paid = Paid(Scripted([says("x", usage=replace(USAGE, cache_read=0))]), books)
        said = (UserMessage((Text("go"),)),)
        async with paid.stream(Request("m", (), (), said, session="s")) as reply:
            async for _ in reply:
                pass
        await books.close()

    asyncio.run(main())
    assert [event.text for event in events] == [SHORTENED]
    assert db.of_session(tmp_path / "ledger.db", "s")[0].life == 300


def test_the_date_in_the_system_prompt(project, provider):
    """Neither another day nor another zone changes what was sent before the newest message."""
    server = provider([answers("One."), answers("Two.")])
    assert project.agent("-p", "one", env={"TZ": "Pacific/Kiritimati"}).code == 0
    assert project.agent("-p", "two", env={"TZ": "Pacific/Pago_Pago"}).code == 0
    first, second = server.requests
    assert first.head_bytes == second.head_bytes
    assert b"Today is" not in first.head_bytes


ORDER = """
from agentcli.tools.registry import toolbox
import json
print(json.dumps([(s.name, s.description, s.input_schema) for s in toolbox().specs()]))
"""


def test_the_order_of_tools_varying():
    """The same bytes whatever the process's hashes are."""
    env = {"PATH": os.environ["PATH"]}
    printed = {
        subprocess.run(
            [sys.executable, "-c", ORDER],
            env=env | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(printed) == 1


def test_tools_in_another_order_on_resume():
    """Servers of tools that connect in another order give the same prefix."""
    tools = {spec.name: toolbox().get(spec.name) for spec in toolbox().specs()}
    tools |= {f"mcp__{server}__search": tools["Grep"] for server in ("github", "jira")}
    names = list(tools)
    for turn in range(len(names)):
        other = {name: tools[name] for name in (*names[turn:], *names[:turn])}
        assert Toolbox(other).specs() == Toolbox(tools).specs()


def test_a_session_resumed_with_its_tools_reads_what_it_left(project, provider):
    server = provider([calls(READ), answers("One."), answers("Two.")])
    assert project.agent("-p", "word " * 3_000).code == 0
    assert project.agent("-p", "-c", "two").code == 0
    bills = json.loads(project.agent("cache", "explain", "--json").out)
    left = bills[1]["usage"]["cache_read"] + bills[1]["usage"]["cache_write_5m"]
    assert bills[2]["usage"]["cache_read"] == left
    server.assert_prefix()
    assert isinstance(server.provider, SimulatedProvider)
