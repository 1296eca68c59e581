"""A session of the real client on a simulated provider, at whatever route."""

import asyncio

from agentcli.llm.client import Client
from agentcli.llm.http import Http, InProcess
from agentcli.llm.simulator import SimulatedProvider
from agentcli.llm.types import Request, Text, ToolOutput, ToolSpec, UserMessage

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
READ = ToolSpec("Read", "Read a file.", SCHEMA)
NOW = ToolSpec("Now", "The time.", {"type": "object", "properties": {}})


class Session:
    """The real client on a simulated provider; one attempt unless more are asked for."""

    def __init__(self, script, route, attempts=1, **options):
        self.now, self.slept = 0.0, []
        self.provider = SimulatedProvider(
            script, clock=lambda: self.now, sleep=self.sleep, key="k", **options
        )
        http = Http(transport=InProcess(self.provider.handle))
        self.client = Client(
            lambda name: route,
            lambda route: http,
            clock=lambda: self.now,
            sleep=self.sleep,
            attempts=attempts,
        )
        self.messages = (UserMessage((Text("Go. " * 100),)),)
        self.partial = None

    async def sleep(self, seconds):
        self.slept.append(seconds)

    def step(self):
        """One request, ten seconds after the last; every call is answered."""
        self.now += 10
        reply = asyncio.run(self._step())
        self.messages += (reply,)
        if reply.tool_calls:
            outputs = tuple(ToolOutput(c.id, (Text("ok " * 200),)) for c in reply.tool_calls)
            self.messages += (UserMessage(outputs, "tool"),)
        return reply

    def say(self, words):
        self.messages += (UserMessage((Text(words),)),)

    async def _step(self):
        request = Request(
            "m",
            ("You are an agent. " * 2000,),
            (READ, NOW),
            self.messages,
            session="s",
            effort="medium",
        )
        async with self.client.stream(request) as reply:
            try:
                async for _ in reply:
                    pass
            finally:
                self.partial = reply.message
        return reply.message
