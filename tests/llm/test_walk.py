"""One session walks through every vendor: tools, thinking and pictures, under strict servers."""

import asyncio
from itertools import pairwise

import pytest

from agentcli.llm.client import Client
from agentcli.llm.errors import LLMError
from agentcli.llm.http import Http, InProcess
from agentcli.llm.providers import Provider, resolve
from agentcli.llm.simulator import SimulatedProvider, breaks, calls, says, thinks
from agentcli.llm.simulator.vendors import VENDORS
from agentcli.llm.types import (
    AssistantMessage,
    Image,
    Request,
    Text,
    Thinking,
    ToolOutput,
    ToolSpec,
    UserMessage,
)

ENV = {
    f"{name}_API_KEY": "k"
    for name in (
        *("ANTHROPIC", "OPENAI", "GEMINI", "DEEPSEEK", "MISTRAL", "MOONSHOT", "DASHSCOPE", "ZAI"),
        *("XAI", "GROQ", "OPENROUTER", "MINIMAX"),
    )
} | {"AWS_BEARER_TOKEN_BEDROCK": "k", "AWS_REGION": "us-east-1", "GATEWAY_KEY": "k"}
GATEWAY = Provider("gateway", "https://gateway.example", "anthropic", key_env=("GATEWAY_KEY",))
"""Somebody who serves Claude under its own name: the same wire and model, other secrets."""
WALK = (
    "anthropic/claude-sonnet-5-5",
    "openai/gpt-6.1-sol",
    "gemini/gemini-3.8-flash",
    "deepseek/deepseek-v4-pro",
    "bedrock/us.anthropic.claude-sonnet-5-5",
    "mistral/mistral-large-4",
    "moonshot/kimi-k3",
    "dashscope/qwen3.8-max",
    "gateway/claude-sonnet-5-5",
    "zai/glm-5.3",
    "xai/grok-4.7",
    "minimax/MiniMax-M3",
    "openrouter/anthropic/claude-sonnet-5.5",
    "groq/openai/gpt-oss-120b",
    "anthropic/claude-opus-5-5",
)
SISTERS = [
    ("openai/gpt-6.1-sol", "openai/gpt-6-astra"),
    ("gemini/gemini-3.8-flash", "gemini/gemini-4-argon"),
    ("deepseek/deepseek-v4-pro", "deepseek/deepseek-flash"),
    ("bedrock/us.anthropic.claude-sonnet-5-5", "bedrock/us.anthropic.claude-opus-5-5"),
]
"""Two models of one vendor, over one wire."""
FORGET = ("groq", "dashscope", "gemini")
"""Who need not see the words of their reasoning again (wire.md 3.4, 5); Gemini has signatures."""
AT = {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]}
TOOLS = (ToolSpec("Look", "Look at something.", AT),)
DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
PNG = Image("image/png", DOT)
OPAQUE = ("signature", "data", "encrypted_content", "thoughtSignature", "redactedContent")
TWO = calls(("Look", {"at": "a"}), ("Look", {"at": "b"}))


def secrets(value):
    """What only its author understands, anywhere in a reply's own blocks."""
    if isinstance(value, dict):
        own = {v for k, v in value.items() if k in OPAQUE and isinstance(v, str) and v}
        return own.union(*map(secrets, value.values()))
    return set().union(*map(secrets, value)) if isinstance(value, list | tuple) else set()


class Walker:
    """A conversation whose next request may go to any model."""

    def __init__(self):
        self.talk = []
        self.servers = {}

    async def step(self, name, said):
        """The reply, whole or cut short; every request is looked through."""
        route = resolve(name, ENV, [GATEWAY])
        maker = route.provider.name
        vendor = VENDORS.get(f"{maker}-strict") or VENDORS.get(maker)
        server = SimulatedProvider([said], vendor=vendor)
        client = Client(lambda _: route, Http(transport=InProcess(server.handle)), attempts=1)
        request = Request(
            name, ("be brief", "a repository"), TOOLS, tuple(self.talk), effort="high", session="s"
        )
        async with client.stream(request) as reply:
            try:
                async for _ in reply:
                    pass
            except LLMError:
                assert server.received[-1].status == 200
        await client.aclose()
        self.check(route, server.received[-1].body.decode())
        self.talk.append(reply.message)
        return reply.message

    def check(self, route, sent):
        """Everybody gets back what is their own, and nothing that is another's."""
        assert (DOT in sent) == (route.model.images and DOT in str(self.talk))
        for message in self.talk:
            if not isinstance(message, AssistantMessage) or message.native is None:
                continue
            mine = (message.provider, message.model) == (route.provider.name, route.model.id)
            for secret in secrets(message.native.blocks):
                assert (secret in sent) == mine, f"{message.provider} to {route.provider.name}"
            for thought in message.content:
                if isinstance(thought, Thinking) and route.provider.name not in FORGET:
                    assert (thought.text in sent) == mine, f"{thought} to {route.provider.name}"

    async def turn(self, name):
        """A person's words, a thought with two calls, their results, an answer."""
        number = len(self.talk)
        self.talk.append(UserMessage((Text(f"now {name}"), PNG)))
        message = await self.step(name, thinks(f"thought {number} of {name}", TWO))
        assert len(message.tool_calls) == 2
        results = [
            ToolOutput(call.id, (Text(f"saw it for {name}"), PNG)) for call in message.tool_calls
        ]
        self.talk.append(UserMessage(tuple(results), "tool"))
        answer = says(f"answer of {name}")
        return await self.step(name, thinks(f"so that is {number} it", answer))

    async def interrupted(self, name):
        """A reply that breaks off inside its second call: its words are kept, nothing ran."""
        self.talk.append(UserMessage((Text(f"go on, {name}"),)))
        begun = calls(("Look", {"at": "a" * 300}), text=f"I begin as {name}.")
        message = await self.step(name, breaks(thinks("ending", begun), "cut_in_call"))
        assert message.stop == "interrupted"
        assert not message.tool_calls

    def compacted(self):
        """A summary in the place of all before."""
        self.talk = [UserMessage((Text("What was done so far: a walk."),), "summary")]


def test_a_session_walks_through_every_vendor_and_back():
    walker = Walker()

    async def walk():
        for name in (*WALK, *reversed(WALK[:-1])):
            answer = await walker.turn(name)
            assert answer.text == f"answer of {name}"
            assert answer.provider == name.partition("/")[0]

    asyncio.run(walk())
    authors = {m.provider for m in walker.talk if isinstance(m, AssistantMessage)}
    assert len(authors) == len(WALK) - 1
    hidden = {m.provider for m in walker.talk if isinstance(m, AssistantMessage) and m.native}
    assert hidden == authors


@pytest.mark.parametrize(("first", "then"), [*pairwise([*WALK, WALK[0]]), *SISTERS])
def test_each_step_between_two_vendors_can_be_taken_back(first, then):
    """After a visit elsewhere the first model gets its own reasoning back, still accepted."""
    walker = Walker()

    async def walk():
        for name in (first, then, first, then):
            assert (await walker.turn(name)).text == f"answer of {name}"

    asyncio.run(walk())


@pytest.mark.parametrize(("first", "then"), list(pairwise([*WALK, WALK[0]])))
def test_what_breaks_off_at_one_vendor_is_gone_on_with_at_the_next(first, then):
    walker = Walker()

    async def walk():
        await walker.turn(first)
        await walker.interrupted(first)
        assert (await walker.turn(then)).text == f"answer of {then}"
        await walker.interrupted(then)
        assert (await walker.turn(first)).text == f"answer of {first}"

    asyncio.run(walk())


def test_a_summary_in_between_is_a_new_beginning_for_all():
    walker = Walker()

    async def walk():
        for name in WALK:
            await walker.turn(name)
            walker.compacted()
            assert (await walker.turn(name)).text == f"answer of {name}"

    asyncio.run(walk())


def test_one_vendor_takes_over_between_the_calls_and_their_results():
    """A fallback in the middle of a turn: the calls are one model's, the results another's."""
    walker = Walker()

    async def walk():
        for first, then in pairwise([*WALK, WALK[0]]):
            walker.talk.append(UserMessage((Text("look"),)))
            message = await walker.step(first, thinks(f"{len(walker.talk)} to look", TWO))
            results = [ToolOutput(call.id, (Text("seen"), PNG)) for call in message.tool_calls]
            walker.talk.append(UserMessage(tuple(results), "tool"))
            assert (await walker.step(then, says("I go on."))).text == "I go on."

    asyncio.run(walk())
