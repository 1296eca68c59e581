"""A conversation on a virtual clock: the real loop and client against the simulated provider."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any, cast

from agentcli.agent.events import AgentEvent, TurnReason
from agentcli.agent.loop import Frame, run_turn
from agentcli.agent.transcript import Transcript
from agentcli.app.servers import remote_tools
from agentcli.context.compaction import new_epoch, summary_request
from agentcli.context.system_prompt import prompt
from agentcli.lib.value import value
from agentcli.llm.cache import CachePlan, plan
from agentcli.llm.client import Client
from agentcli.llm.gaps import observed
from agentcli.llm.http import Http, InProcess
from agentcli.llm.models import find
from agentcli.llm.providers import PROVIDERS
from agentcli.llm.route import Route
from agentcli.llm.simulator import Asked, Say, Script, SimulatedProvider, Think, Turn, Use, When
from agentcli.llm.stream import Reply
from agentcli.llm.types import (
    AssistantMessage,
    JsonObject,
    Request,
    Text,
    ToolOutput,
    Usage,
    UserMessage,
)
from agentcli.tools.registry import toolbox

TUESDAY = 1_764_061_200.0
"""2025-11-25 09:00 UTC, when every virtual day begins."""
THINKING, TOOL = 7.0, 5.0
"""Seconds a reply takes, and the tools after it."""
REPO = "Keep functions short, test behaviour, and write what the next reader needs to know. " * 70


@value
class Step:
    """One reply of the model: how many calls it makes, and how much each of them brings."""

    calls: int = 1
    chars: int = 3_600
    text: str = "I'll look at the next part of it."


@value
class Bill:
    """One request as it was sent and billed."""

    at: float
    model: str
    body: JsonObject
    beta: str
    plan: CachePlan
    usage: Usage


@dataclass
class World:
    """The provider with its cache, the time, and every request so far."""

    model: str = "claude-opus-5-5"
    provider_name: str = "anthropic"
    now: float = TUESDAY
    bills: list[Bill] = field(default_factory=list)
    waiting: deque[Turn] = field(default_factory=deque)

    def __post_init__(self) -> None:
        rules = (When(lambda _: True, self._reply),)
        self.provider = SimulatedProvider(Script(rules=rules, delta=4_000), clock=self.clock)

    def clock(self) -> float:
        return self.now

    def client(self) -> Client:
        http = Http(transport=InProcess(self.provider.handle))
        times = [bill.at for bill in self.bills]
        last = times[-1] if times else -inf
        planner = partial(plan, prior=observed(times), last=last)
        return Client(self._route, http, clock=self.clock, planner=planner)

    def book(self, talk: Talk, at: float, reply: Reply) -> None:
        received = self.provider.received[-1]
        state = talk.client.cache_state(talk.name, talk.model)
        usage = reply.message.usage
        assert received.status == 200, received
        assert state is not None
        assert usage is not None
        body = cast("JsonObject", received.json)
        beta = received.headers.get("anthropic-beta", "")
        self.bills.append(Bill(at, talk.model, body, beta, state[0], usage))

    def _route(self, model: str) -> Route:
        provider = PROVIDERS[self.provider_name]
        spec = find(model, self.provider_name)
        assert spec is not None, model
        return Route(provider, spec, provider.url, "test-key", provider.wire, provider.auth)

    def _reply(self, _: Asked) -> Turn:
        return self.waiting.popleft()


@dataclass
class Talk:
    """One session of an agent. `client` is the process it runs in; `resume` starts another."""

    world: World
    name: str = "s1"
    remote: tuple[JsonObject, ...] = ()
    """The MCP tools of this epoch, as a session keeps them."""
    model: str = ""
    transcript: Transcript = field(default_factory=Transcript)
    count: int = 0
    steps: deque[Step] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.model = self.model or self.world.model
        self.client = self.world.client()

    def resume(self) -> None:
        """The process ends; another one takes the conversation from its file."""
        self.client = self.world.client()

    def pause(self, minutes: float) -> None:
        self.world.now += minutes * 60

    async def turn(self, words: str, *steps: Step, answer: str = "Done; the tests pass.") -> None:
        """One turn of the person: the steps, then a closing word."""
        self.transcript.append(UserMessage((Text(words),)))
        self.steps = deque(steps)
        self.world.waiting.extend(_reply(step, self.count + n) for n, step in enumerate(steps))
        self.world.waiting.append(Turn((Think("What is left? " * 20), Say(answer * 4))))
        self.count += len(steps)
        await run_turn(self.frame, self.transcript, self, self)

    async def compact(self) -> None:
        """As the agent does it: the request appended to the live prefix, then a new epoch."""
        self.world.waiting.append(Turn((Say("We repaired the shop, step by step. " * 60),)))
        request = summary_request(self.frame().request(self.transcript), "")
        async with self.stream(request) as reply:
            async for _ in reply:
                pass
        self.transcript.restart(new_epoch(reply.message.text, ()))

    def frame(self) -> Frame:
        tools = toolbox(remote=remote_tools(self.remote, None)).specs()
        return Frame(self.model, (prompt("system"), REPO), tools, self.name)

    @asynccontextmanager
    async def stream(self, request: Request, **options: Any) -> AsyncGenerator[Reply]:
        """The client's reply; its request is written down when it is over, and takes its time."""
        at = self.world.now
        async with self.client.stream(request, **options) as reply:
            yield reply
        self.world.book(self, at, reply)
        self.world.now += THINKING

    def emit(self, event: AgentEvent) -> None: ...
    def billed(self, message: AssistantMessage) -> None: ...
    def take_queued(self) -> tuple[str, ...]:
        return ()

    async def before(self) -> TurnReason | None:
        return None

    async def make_room(self) -> bool:
        return False

    async def at_end(self, message: AssistantMessage) -> str:
        return ""

    async def run_tools(self, message: AssistantMessage) -> bool:
        step = self.steps.popleft()
        outputs = [
            ToolOutput(c.id, (Text(output(c.input["path"], step.chars)),))
            for c in message.tool_calls
        ]
        self.transcript.append(UserMessage(tuple(outputs), "tool"))
        self.world.now += TOOL
        return False


def output(seed: str, chars: int) -> str:
    """What a tool printed: different for each call, of about the wanted length."""
    size = chars * (3 + sum(map(ord, seed)) % 5) // 5
    line = f"    total = part_{seed}(value, percent=10)  # see the note on discounts\n"
    return (line * (size // len(line) + 1))[:size]


def _reply(step: Step, number: int) -> Turn:
    thought = Think(f"Part {number} may be where it goes wrong; the caller rounds twice. " * 4)
    uses = [Use("Read", {"path": f"src/part_{number}_{n}.py"}) for n in range(step.calls)]
    return Turn((thought, Say(step.text), *uses))
