"""What a LiteLLM proxy is told, and what it says of itself."""

import asyncio
from decimal import Decimal

from agentcli.lib.value import replace
from agentcli.llm.client import Client
from agentcli.llm.http import Http, InProcess
from agentcli.llm.providers import Provider, resolve
from agentcli.llm.proxy import Standing, standing
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
