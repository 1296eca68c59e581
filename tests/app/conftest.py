"""Whole apps in a small project, over HTTP against the strict provider, in this process."""

import asyncio
import os
from contextlib import asynccontextmanager

import pytest
from strict_server import serve

from agentcli.app.app import App
from agentcli.app.options import Options
from agentcli.config import load
from agentcli.llm.simulator import Script, SimulatedProvider


class Person:
    """A front-end: keeps the events, gives the answers in turn."""

    def __init__(self, answers):
        self.events = []
        self.answers = list(answers)
        self.react = lambda event: None

    def emit(self, event):
        self.events.append(event)
        self.react(event)

    async def ask(self, question):
        await asyncio.sleep(0)
        return self.answers.pop(0)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


class House:
    """A project, a provider with a script, and apps that open there one after the other."""

    def __init__(self, root, env, server):
        self.root = root
        self.env = env
        self.server = server

    @asynccontextmanager
    async def app(self, *answers, **options):
        chosen = Options(**{"permission_mode": "bypass", **options})
        config = load(self.root, self.env, trusted=True)
        app = App(chosen, config, Person(answers), root=self.root, env=self.env)
        try:
            yield app
        finally:
            await app.close()

    def hook(self, event, command):
        """A hook of the project."""
        (self.root / ".agent").mkdir(exist_ok=True)
        with (self.root / ".agent/hooks.toml").open("a") as file:
            file.write(f"[[hooks.{event}]]\ncommand = '''{command}'''\n")

    def sent(self, number=-1):
        """The messages of a request, oldest first: (role, texts)."""
        body = self.server.requests[number].body
        return [(m["role"], texts(m["content"])) for m in body["messages"]]

    def said(self, number=-1):
        """All words of a request's messages as one string."""
        return "\n".join(text for _, found in self.sent(number) for text in found)


def texts(content):
    """Every text in a message's content, in tool results too."""
    if isinstance(content, str):
        return [content]
    found = []
    for block in content:
        if block["type"] == "text":
            found.append(block["text"])
        elif block["type"] == "tool_result":
            found += texts(block["content"])
    return found


@pytest.fixture
def house(tmp_path):
    """`house(script, …, rules=…)` opens a provider and returns the house that asks it."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "a.txt").write_text("alpha\n")
    opened = []

    def start(*script, rules=()):
        context = serve(SimulatedProvider(Script(script, tuple(rules))))
        server = context.__enter__()
        opened.append(context)
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "ANTHROPIC_BASE_URL": server.url,
            "ANTHROPIC_API_KEY": "sk-the-key-of-the-person",
            "AGENT_MODEL": "claude-sonnet-5-5",
        }
        return House(root, env, server)

    yield start
    for context in opened:
        context.__exit__(None, None, None)
