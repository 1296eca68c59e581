"""A real LiteLLM proxy between us and a strict provider: three endpoints, bills, errors.

The proxy runs on loopback in a Python of its own; behind it stands the simulated provider, which
speaks the vendor's wire and checks what LiteLLM makes of our requests.
"""

import asyncio
import json
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from litellm_program import needs_litellm, program
from strict_server import serve

from agentcli import acomplete, complete, stream
from agentcli.app.app import App
from agentcli.app.options import Options
from agentcli.config import Config
from agentcli.library import Provider, Text, TextDelta, ToolOutput, ToolSpec
from agentcli.llm import models
from agentcli.llm.cost import price
from agentcli.llm.errors import BadRequest, ContextOverflow, LLMError
from agentcli.llm.simulator import Fault, Script, SimulatedProvider, When, calls, says, thinks

pytestmark = [needs_litellm, pytest.mark.xdist_group("litellm")]
"""One proxy for all: it takes seconds to start."""
KEY = "sk-proxy"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = ToolSpec("weather", "The weather in a city.", CITY)
LOOK = thinks(
    "Hm.", calls(("weather", {"city": "Bergen"}), ("weather", {"city": "Ålesund"}), text="I look.")
)
RULES = (
    When(lambda asked: "too long" in asked.latest, Fault("context_overflow")),
    When(lambda asked: bool(asked.results), says("Yes: rain ☔.")),
    When(lambda asked: "weather" in str(asked.body.get("tools")), LOOK),
    When(lambda asked: True, says("Hello.")),
)
MAKERS = {"claude-sonnet-5-5": "anthropic", "gpt-6.1-sol": "openai"}
ENDPOINTS = {"anthropic": "", "openai-chat": "/v1", "openai-responses": "/v1"}
"""Our wire, and what its base URL adds to the proxy's."""


def configuration(upstream):
    """JSON is YAML too."""
    real = {
        "claude-sonnet-5-5": {"model": "anthropic/claude-sonnet-5-5", "api_base": upstream},
        "gpt-6.1-sol": {"model": "openai/gpt-6.1-sol", "api_base": f"{upstream}/v1"},
        "mock": {"model": "openai/gpt-4.1", "mock_response": "Hello from the mock."},
    }
    rows = [
        {"model_name": name, "litellm_params": row | {"api_key": "upstream"}}
        for name, row in real.items()
    ]
    return {
        "model_list": rows,
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"include_cost_in_streaming_usage": True, "num_retries": 0},
        "router_settings": {"num_retries": 0},
    }


@contextmanager
def running(folder, upstream):
    """The proxy's URL, once it answers."""
    config, log = folder / "config.yaml", folder / "litellm.log"
    config.write_text(json.dumps(configuration(upstream)))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command, env = program("litellm")
    words = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen([command, *words], stdout=output, stderr=output, env=env)
    try:
        wait(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def wait(url, process, log):
    for _ in range(3000):
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{url}/health/liveliness", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def upstream():
    with serve(SimulatedProvider(Script(rules=RULES), key="upstream")) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(upstream, tmp_path_factory):
    with running(tmp_path_factory.mktemp("litellm"), upstream.url) as url:
        yield url


@pytest.fixture
def asked(upstream):
    """The bodies that reach the provider in this test."""
    before = len(upstream.requests)
    return lambda: [request.body for request in upstream.requests[before:]]


def options(proxy, wire, **more):
    row = Provider("litellm", proxy + ENDPOINTS[wire], wire, key_env=("LITELLM_API_KEY",))
    given = {"providers": [row], "keys": {"litellm": KEY}, "timeout": 60}
    return given | {"system": "Be short."} | more


def vendors_price(model, usage):
    """What the maker's price list says; the proxy is told no other."""
    return price(usage, models.find(model, MAKERS[model]), at=datetime.now(UTC)).total


@pytest.mark.parametrize("model", MAKERS)
@pytest.mark.parametrize("wire", ENDPOINTS)
def test_a_session_with_tools(proxy, asked, wire, model):
    given = options(proxy, wire, tools=[WEATHER], effort="low")
    talk = ["Do I need an umbrella?"]
    first = complete(f"litellm/{model}", talk, **given)
    assert (first.text, first.stop) == ("I look.", "tool_use")
    assert [call.input for call in first.tool_calls] == [{"city": "Bergen"}, {"city": "Ålesund"}]
    talk += [first.message, *(ToolOutput(call.id, (Text("Rain."),)) for call in first.tool_calls)]
    last = complete(f"litellm/{model}", talk, **given)
    assert (last.text, last.stop) == ("Yes: rain ☔.", "end_turn")
    assert last.usage.prompt > first.usage.prompt > 0
    assert len(asked()) == 2
    assert json.dumps(asked()[1]).count("Rain.") == 2
    assert "Be short." in json.dumps(asked()[1])


@pytest.mark.parametrize("wire", ["anthropic", "openai-chat"])
def test_what_claude_thought_reaches_it_again(proxy, asked, wire):
    """Signed, and only there: the Responses endpoint of the proxy drops Claude's signatures."""
    given = options(proxy, wire, tools=[WEATHER], effort="low")
    first = complete("litellm/claude-sonnet-5-5", ["Rain?"], **given)
    results = [ToolOutput(call.id, (Text("Rain."),)) for call in first.tool_calls]
    complete("litellm/claude-sonnet-5-5", ["Rain?", first.message, *results], **given)
    thought, *rest = asked()[1]["messages"][1]["content"]
    assert thought["type"] == "thinking"
    assert thought["signature"]
    assert [block["type"] for block in rest] == ["text", "tool_use", "tool_use"]


@pytest.mark.parametrize("model", MAKERS)
@pytest.mark.parametrize("wire", ENDPOINTS)
def test_the_bill_of_the_proxy_wins_and_is_exact(proxy, wire, model):
    result = complete(f"litellm/{model}", "Hello?", **options(proxy, wire))
    assert result.cost_is_exact
    assert abs(result.cost - vendors_price(model, result.usage)) < Decimal("1e-9")


@pytest.mark.parametrize(
    ("model", "path", "sign"),
    [
        ("claude-sonnet-5-5", "/v1/messages", "cache_control"),
        ("gpt-6.1-sol", "/v1/responses", "prompt_cache_key"),
    ],
)
def test_our_row_speaks_the_makers_own_wire_and_says_whose_request_it_is(
    proxy, upstream, model, path, sign
):
    before = len(upstream.requests)
    env = {"LITELLM_BASE_URL": f"{proxy}/v1", "LITELLM_API_KEY": KEY}
    talk = ["Rain?"]
    for _ in range(2):
        said = complete(
            f"litellm/{model}", talk, env=env, tools=[WEATHER], system="x " * 3000, session="s-1"
        )
        results = [ToolOutput(call.id, (Text("Rain."),)) for call in said.tool_calls]
        talk += [said.message, *results] if results else [said.message, "And now?"]
    sent = [r for r in upstream.requests[before:] if r.method == "POST"]
    assert [request.path for request in sent] == [path] * 2
    assert all(sign in request.raw.decode() for request in sent)
    assert said.usage.cache_read > 1000


def test_in_openai_s_place_it_hands_on_the_mark_at_the_end_of_the_system(proxy, asked):
    env = {"OPENAI_BASE_URL": f"{proxy}/v1", "OPENAI_API_KEY": KEY}
    given = {"env": env, "system": ("x " * 3000, "The folder is /src."), "session": "s-2"}
    complete("openai/gpt-6.1-sol", "Hello?", **given)
    anew = complete("openai/gpt-6.1-sol", "Something else.", **given)
    assert anew.usage.cache_read > 1000
    assert ["prompt_cache_breakpoint" in json.dumps(body) for body in asked()] == [True, True]


def test_the_agent_shows_what_the_proxy_says_of_itself(proxy, tmp_path):
    env = {"LITELLM_BASE_URL": f"{proxy}/v1", "LITELLM_API_KEY": KEY, "HOME": str(tmp_path)}
    seen = []

    class Front:
        emit = staticmethod(seen.append)

        async def ask(self, question):
            raise AssertionError(question)

    async def session():
        app = App(Options(model="litellm/gpt-6.1-sol"), Config(), Front(), root=tmp_path, env=env)
        end = await app.prompt("Hello?")
        report = app.cost_report()
        await app.close()
        return end, report

    end, report = asyncio.run(session())
    assert end.reason == "done", seen
    assert "The proxy answers with openai/gpt-6.1-sol." in report
    assert "Its key has spent $0" in report


def test_a_budget_holds_behind_the_proxy_which_knows_the_price(proxy, tmp_path):
    env = {"LITELLM_BASE_URL": f"{proxy}/v1", "LITELLM_API_KEY": KEY, "HOME": str(tmp_path)}
    seen = []

    class Front:
        emit = staticmethod(seen.append)

        async def ask(self, question):
            raise AssertionError(question)

    async def session(limit):
        options = Options(model="litellm/claude-sonnet-5-5", max_cost=limit)
        app = App(options, Config(), Front(), root=tmp_path, env=env)
        end = await app.prompt("Hello?")
        await app.close()
        return end, app.route.model

    end, model = asyncio.run(session("0.50"))
    assert end.reason == "done", seen
    assert (model.context, model.prices[0].input) == (1_000_000, "2")


def test_an_answer_comes_in_pieces(proxy):
    with stream("litellm/mock", "Hello?", **options(proxy, "openai-chat")) as answer:
        pieces = [delta.text for delta in answer if isinstance(delta, TextDelta)]
    assert "".join(pieces) == answer.result.text == "Hello from the mock."
    assert len(pieces) > 1
    assert answer.result.cost_is_exact
    assert answer.result.cost > 0


def test_answers_side_by_side(proxy):
    async def both():
        wires = (("anthropic", "gpt-6.1-sol"), ("openai-responses", "claude-sonnet-5-5"))
        return await asyncio.gather(
            *(acomplete(f"litellm/{model}", "Hi", **options(proxy, w)) for w, model in wires)
        )

    assert [result.text for result in asyncio.run(both())] == ["Hello.", "Hello."]


@pytest.mark.parametrize("wire", ENDPOINTS)
def test_a_key_it_does_not_know_is_refused(proxy, wire):
    """Without a database it looks no key up, and says 400 and what it lacks."""
    with pytest.raises(LLMError, match="No connected db") as caught:
        complete("litellm/mock", "Hi", **options(proxy, wire, keys={"litellm": "sk-wrong"}))
    assert (caught.value.status, caught.value.provider) == (400, "litellm")


@pytest.mark.parametrize("wire", ENDPOINTS)
def test_a_model_it_does_not_have_is_told(proxy, wire):
    with pytest.raises(BadRequest, match="no-such-model"):
        complete("litellm/no-such-model", "Hi", **options(proxy, wire))


@pytest.mark.parametrize("model", MAKERS)
@pytest.mark.parametrize("wire", ENDPOINTS)
def test_a_prompt_too_long_for_the_model_is_known_for_what_it_is(proxy, wire, model):
    with pytest.raises(ContextOverflow):
        complete(f"litellm/{model}", "too long", **options(proxy, wire))
