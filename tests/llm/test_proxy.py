"""What a LiteLLM proxy is told, and what it says of itself."""

import asyncio
import json
from decimal import Decimal

from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.client import Client
from agentcli.llm.errors import ConnectionFailed
from agentcli.llm.fetch import Answer
from agentcli.llm.http import Http, InProcess
from agentcli.llm.providers import Provider, resolve
from agentcli.llm.proxy import Standing, standing
from agentcli.llm.proxy_models import fitted
from agentcli.llm.simulator import SimulatedProvider, says
from agentcli.llm.types import Request, Text, UserMessage

HEAD = {
    "x-litellm-version": "1.108.7",
    "x-litellm-model-name": "anthropic/claude-sonnet-5-5",
    "x-litellm-key-spend": "12.5",
    "x-litellm-key-max-budget": "None",
}


def test_its_standing_is_read_from_the_head_of_an_answer():
    assert standing(HEAD) == Standing("anthropic/claude-sonnet-5-5", Decimal("12.5"), None)
    limited = HEAD | {"x-litellm-key-max-budget": "50", "x-litellm-key-spend": "nan"}
    assert standing(limited) == Standing("anthropic/claude-sonnet-5-5", None, Decimal(50))
    assert standing({"x-request-id": "r"}) is None


def headers(name, head, session="s-1", rounds=2):
    """Of requests to a server whose answers begin with `head`."""
    row = Provider("corp", "http://c.example", "anthropic", auth="none")
    route = resolve(
        name, {}, [row, Provider("litellm", "http://l.example/v1", "openai-chat", "none")]
    )
    server = SimulatedProvider([says("Hi.")] * rounds)

    def answer(method, url, given, body):
        status, own, pieces = server.handle(method, url, given, body)
        return status, {**own, **head}, pieces

    client = Client(lambda _: route, Http(transport=InProcess(answer)))

    async def run():
        for _ in range(rounds):
            request = Request("m", (), (), (UserMessage((Text("hi"),)),), session=session)
            async with client.stream(request) as reply:
                async for _ in reply:
                    pass
        return client.proxy_of(route)

    found = asyncio.run(run())
    return [r.headers for r in server.received], found


def test_our_row_is_told_from_the_beginning_whose_request_it_is():
    sent, _ = headers("litellm/some-model", {})
    for one in sent:
        assert one["x-litellm-session-id"] == one["x-litellm-trace-id"] == "s-1"
        assert one["x-litellm-num-retries"] == "0"


def test_a_gateway_that_proves_to_be_one_is_told_from_then_on():
    (first, second), found = headers("corp/m", HEAD)
    assert "x-litellm-session-id" not in first
    assert second["x-litellm-session-id"] == "s-1"
    assert found.spent == Decimal("12.5")


def test_nobody_else_is_told():
    sent, found = headers("corp/m", {})
    assert not [name for one in sent for name in one if "litellm" in name]
    assert found is None


def test_headers_of_the_persons_own_win():
    row = Provider("litellm", "http://l.example/v1", "openai-chat", "none")
    row = replace(row, headers={"X-LiteLLM-Num-Retries": "2"})
    route = resolve("litellm/some-model", {}, [row])
    client = Client(lambda _: route, Http())
    prepared = client.prepare(Request("m", (), (), (UserMessage((Text("hi"),)),)))
    assert prepared.headers["x-litellm-num-retries"] == "2"
    assert "x-litellm-session-id" not in prepared.headers


def behind(name, *rows, status=200):
    """The route to a name, by a proxy with these rows: (name, its model, its facts)."""
    route = resolve(f"litellm/{name}", {"LITELLM_API_KEY": "k"})
    data = [
        {"model_name": n, "litellm_params": {"model": m}, "model_info": info} for n, m, info in rows
    ]

    async def fetch(request):
        assert request.url == "http://localhost:4000/model/info"
        assert request.headers == {"authorization": "Bearer k"}
        if status == 0:
            raise ConnectionFailed("no")
        return Answer(status, {}, json.dumps({"data": data}).encode())

    return route, asyncio.run(fitted(route, fetch))


FLAT = {"input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05, "max_input_tokens": 8000}


def test_a_name_of_the_proxys_own_is_known_for_what_stands_behind_it():
    rates = {"input_cost_per_token": 2e-06, "output_cost_per_token": 1e-05}
    info = rates | {"max_input_tokens": 500_000, "max_output_tokens": 9000}
    _, claude = behind("smart", ("smart", "anthropic/claude-sonnet-5-5", info))
    own = models.find("claude-sonnet-5-5", "anthropic")
    assert (claude.wire, claude.model.cache, claude.model.prices) == (
        "anthropic",
        own.cache,
        own.prices,
    )
    assert (claude.model.id, claude.model.provider) == ("smart", "litellm")
    assert (claude.model.context, claude.model.max_output) == (500_000, 9000)
    _, gpt = behind("quick", ("quick", "openai/gpt-6.1-sol", {}))
    assert (gpt.wire, gpt.other_wire, gpt.model.prices) == ("openai-responses", "openai-chat", ())


def test_prices_of_the_proxys_own_win_and_the_smallest_deployment_counts():
    rows = [
        (
            "mix",
            "corp/llama",
            FLAT | {"supports_vision": False, "cache_read_input_token_cost": None},
        ),
        ("mix", "other/llama", FLAT | {"max_input_tokens": 4000}),
        ("not-mine", "x/y", {"max_input_tokens": 5}),
    ]
    _, found = behind("mix", *rows)
    (price,) = found.model.prices
    assert (price.input, price.output, price.cache_read) == ("3", "15", None)
    assert (found.model.context, found.model.images, found.wire) == (4000, False, "openai-chat")
    _, dearer = behind("c", ("c", "anthropic/claude-sonnet-5-5", FLAT))
    assert dearer.model.prices[0].input == "3"


def test_a_proxy_that_says_nothing_changes_nothing():
    free = {"input_cost_per_token": 0, "output_cost_per_token": 0.0}
    for status, rows in ((0, ()), (403, ()), (200, ()), (200, [("other", "x/y", FLAT)])):
        route, found = behind("m", *rows, status=status)
        assert found is route
    _, unpriced = behind("m", ("m", "x/y", free))
    assert unpriced.model.prices == ()
