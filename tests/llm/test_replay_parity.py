"""What was recorded of a session and is played again costs what the provider billed for it."""

import asyncio
import json

import pytest

from agentcli.llm.client import Client
from agentcli.llm.http import Http, InProcess
from agentcli.llm.providers import PROVIDERS, resolve
from agentcli.llm.simulator import VENDORS, SimulatedProvider, Think, Turn, Use, says
from agentcli.llm.simulator.recorded import recorded
from agentcli.llm.simulator.replay import play
from agentcli.llm.types import Request, Text, ToolOutput, ToolSpec, UserMessage

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
READ = ToolSpec("Read", "Read a file.", SCHEMA | {"additionalProperties": False})
PLACES = {
    "AWS_REGION": "eu-west-1",
    "AWS_BEARER_TOKEN_BEDROCK": "k",
    "GOOGLE_CLOUD_PROJECT": "p",
    "GOOGLE_OAUTH_ACCESS_TOKEN": "t",
    "VERTEX_ACCESS_TOKEN": "t",
}
ROUTES = {
    "anthropic": "claude-sonnet-5-5",
    "openai": "gpt-6.1-sol",
    "gemini": "gemini-3.8-flash",
    "deepseek": "deepseek-v4-pro",
    "deepseek-anthropic": "deepseek-v4-pro",
    "moonshot": "kimi-k3",
    "mistral": "mistral-large-4",
    "dashscope": "qwen3.8-max",
    "zai": "glm-5.3",
    "groq": "openai/gpt-oss-120b",
    "openrouter": "anthropic/claude-sonnet-5.5",
    "bedrock": "anthropic.claude-sonnet-4-6",
    "anthropic-bedrock": "claude-sonnet-4-6",
    "old openai": "gpt-5",
}


class Session:
    """The real client on a simulated provider, and everything it sent."""

    def __init__(self, name, script):
        model, name = ROUTES[name], name.removeprefix("old ")
        row = PROVIDERS[name]
        keys = {key: "k" for key in (*row.key_env, *row.lent_env)[:1]}
        route = resolve(f"{name}/{model}", PLACES | keys, [row])
        self.now = 1_000.0
        self.lines = []
        self.provider = SimulatedProvider(script, clock=lambda: self.now, vendor=VENDORS.get(name))
        http = Http(transport=InProcess(self.handle))
        self.client = Client(lambda _: route, http, clock=lambda: self.now, attempts=1)
        self.messages = (UserMessage((Text("Go. " * 100),)),)
        self.model = model

    def handle(self, method, url, headers, body):
        line = {"url": url, "headers": dict(headers), "body": json.loads(body), "at": self.now}
        self.lines.append(json.dumps(line))
        return self.provider.handle(method, url, headers, body)

    def step(self, after=10, words="", tools=(READ,)):
        self.now += after
        if words:
            self.messages += (UserMessage((Text(words),)),)
        reply = asyncio.run(self._step(tools))
        self.messages += (reply,)
        if reply.tool_calls:
            outputs = tuple(ToolOutput(c.id, (Text("ok " * 400),)) for c in reply.tool_calls)
            self.messages += (UserMessage(outputs, "tool"),)
        return reply.usage

    async def _step(self, tools):
        system = ("You are an agent. " * 1500, "Memory.")
        request = Request(self.model, system, tools, self.messages, session="s")
        async with self.client.stream(request) as reply:
            async for _ in reply:
                pass
        return reply.message

    def played(self):
        return list(play(recorded(self.lines, "it")))


@pytest.mark.parametrize("name", ROUTES)
def test_what_is_played_reads_and_writes_what_was_billed(name):
    work = [Turn((Think("so"), Use("Read", raw=f'{{"path": "{n}"}}'))) for n in range(9)]
    session = Session(name, [*work, says("done"), says("more"), says("late"), says("end")])
    billed = [session.step() for _ in range(10)]
    billed += [session.step(words="go on"), session.step(after=400, words="later")]
    billed += [session.step(after=4000, words="much later")]
    found = session.played()
    assert [played.refused for played in found] == [""] * 13
    for played, usage in zip(found, billed, strict=True):
        mine = played.usage
        assert (mine.cache_read, mine.prompt) == (usage.cache_read, usage.prompt), played
        written = usage.cache_write_5m + usage.cache_write_1h
        assert mine.cache_write_5m + mine.cache_write_1h == written, played
    assert found[0].reason == "first"
    assert [played.why for played in found[1:11]] == [""] * 10


def test_what_was_missed_has_the_ledgers_reason():
    session = Session("anthropic", [says(f"{n}") for n in range(6)])
    both = (READ, ToolSpec("Write", "Write a file.", SCHEMA))
    session.step()
    session.step(words="a " * 2000)
    session.step(words="b", tools=both)
    session.step(words="c", after=4000, tools=both)
    session.messages = (UserMessage((Text("Go. " * 99),)), *session.messages[1:])
    session.step(words="d", tools=both)
    session.messages = session.messages[:1]
    session.step(tools=both)
    assert [(played.reason, played.why) for played in session.played()] == [
        ("first", "first request"),
        ("", ""),
        ("tools", "tools changed: Write added"),
        ("expired", "expired 62 min ago (kept for 5 min)"),
        ("messages", "message 1 edited"),
        ("messages", "8 messages were taken back"),
    ]
