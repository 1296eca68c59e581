"""One session walks through every vendor: tools, thinking and pictures, under strict servers."""

import asyncio
from itertools import pairwise

import pytest

from agentcli.llm.client import Client
from agentcli.llm.http import Http, InProcess
from agentcli.llm.providers import resolve
from agentcli.llm.simulator import SimulatedProvider, calls, says, thinks
from agentcli.llm.simulator.vendors import VENDORS
from agentcli.llm.types import (
    Image,
    Request,
    Text,
    Thinking,
    ToolOutput,
    ToolSpec,
    UserMessage,
)

ENV = {
    "ANTHROPIC_API_KEY": "k",
    "OPENAI_API_KEY": "k",
    "GEMINI_API_KEY": "k",
    "DEEPSEEK_API_KEY": "k",
    "MISTRAL_API_KEY": "k",
    "AWS_BEARER_TOKEN_BEDROCK": "k",
    "AWS_REGION": "us-east-1",
}
WALK = (
    "anthropic/claude-sonnet-5-5",
    "openai/gpt-6.1-sol",
    "gemini/gemini-3.8-flash",
    "deepseek/deepseek-v4-pro",
    "bedrock/us.anthropic.claude-sonnet-5-5",
    "mistral/mistral-large-4",
    "anthropic/claude-opus-5-5",
)
AT = {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]}
TOOLS = (ToolSpec("Look", "Look at something.", AT),)
PNG = Image(
    "image/png",
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
)


class Walker:
    """A conversation whose next request may go to any model."""

    def __init__(self):
        self.talk = []

    async def step(self, name, said):
        route = resolve(name, ENV)
        server = SimulatedProvider([said], vendor=VENDORS.get(route.provider.name))
        client = Client(lambda _: route, Http(transport=InProcess(server.handle)))
        request = Request(
            name, ("be brief", "a repository"), TOOLS, tuple(self.talk), effort="high", session="s"
        )
        async with client.stream(request) as reply:
            async for _ in reply:
                pass
        await client.aclose()
        self.talk.append(reply.message)
        return reply.message

    async def turn(self, name):
        """A person's words, a thought with two calls, their results, an answer."""
        self.talk.append(UserMessage((Text(f"now {name}"),)))
        said = thinks(f"thought of {name}", calls(("Look", {"at": "a"}), ("Look", {"at": "b"})))
        message = await self.step(name, said)
        assert len(message.tool_calls) == 2
        results = [
            ToolOutput(call.id, (Text(f"saw it for {name}"), PNG)) for call in message.tool_calls
        ]
        self.talk.append(UserMessage(tuple(results), "tool"))
        return await self.step(name, thinks("so that is it", says(f"answer of {name}")))


def test_a_session_walks_through_every_vendor_and_back():
    walker = Walker()

    async def walk():
        for name in WALK:
            answer = await walker.turn(name)
            assert answer.text == f"answer of {name}"
            assert answer.provider == name.partition("/")[0]

    asyncio.run(walk())
    thoughts = [b for m in walker.talk for b in m.content if isinstance(b, Thinking)]
    assert len(thoughts) >= len(WALK)


@pytest.mark.parametrize(("first", "then"), list(pairwise([*WALK, WALK[0]])))
def test_each_step_between_two_vendors_can_be_taken_back(first, then):
    """After a visit elsewhere the first model gets its own reasoning back, still accepted."""
    walker = Walker()

    async def walk():
        for name in (first, then, first, then):
            assert (await walker.turn(name)).text == f"answer of {name}"

    asyncio.run(walk())
