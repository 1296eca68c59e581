"""An agent on a stage: a scripted model, real tools in a project, a person who answers."""

import asyncio
import os
from contextlib import asynccontextmanager
from decimal import Decimal

from agentcli.agent.agent import Agent
from agentcli.agent.events import Spent
from agentcli.agent.execute import Executor
from agentcli.agent.hooks import TurnHooks
from agentcli.agent.loop import Frame
from agentcli.agent.transcript import Transcript
from agentcli.agent.turn import Limits, Surroundings
from agentcli.app.gate import PolicyGate
from agentcli.lib.process import hardened_env
from agentcli.llm.cost import Cost
from agentcli.llm.stream import Reply
from agentcli.llm.testing import WIRE, Scripted
from agentcli.llm.types import Text, ToolOutput, UserMessage
from agentcli.policy.hooks import Hooks, HookSpec
from agentcli.policy.permissions import Policy
from agentcli.policy.rules import parse_rule
from agentcli.tools.base import ToolContext
from agentcli.tools.registry import toolbox
from agentcli.tools.workspace import Workspace

CENT = Cost(total=Decimal("0.01"))


class FakeFrontend:
    """Keeps the events, gives the answers in turn; `react` sees each event as it comes."""

    def __init__(self, *answers):
        self.events = []
        self.questions = []
        self.answers = list(answers)
        self.react = lambda event: None
        self.open = self.most_open = 0

    def emit(self, event):
        self.events.append(event)
        self.react(event)

    async def ask(self, question):
        self.questions.append(question)
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            self.react(question)
            await asyncio.sleep(0.001)
            return self.answers.pop(0)
        finally:
            self.open -= 1


class Breathing:
    """A scripted model whose words come one by one, so that an interrupt can fall between two."""

    def __init__(self, scripted):
        self._scripted = scripted

    @asynccontextmanager
    async def stream(self, request, *, on_retry=lambda _: None):
        async with self._scripted.stream(request, on_retry=on_retry) as reply:
            yield Reply(_slowly(reply), model=request.model, wire=WIRE)


async def _slowly(deltas):
    async for delta in deltas:
        yield delta
        await asyncio.sleep(0)


class Stage:
    """Everything a turn touches, real but for the model and the person."""

    def __init__(self, root, script, *answers, **options):
        self.root = root
        self.model = Scripted(script)
        self.front = FakeFrontend(*answers)
        self.transcript = Transcript()
        self.bugs = []
        self.kept_rules = []
        self.cents = 0
        self.now = 0.0
        self.own = {tool.spec.name: tool for tool in options.get("tools", ())}
        self.box = toolbox()
        self.hooks = self._hooks(options.get("hooks", ()))
        self.gate = self._gate(options.get("mode", "default"), options.get("rules", ()))
        around = Surroundings(
            transcript=self.transcript,
            executor=self._executor(),
            emit=self.front.emit,
            spend=self.spend,
            spent=lambda: Decimal(self.cents) / 100,
            prepare=lambda: options.get("prepare", _nothing)(self),
            stop_hook=self.hooks,
            clock=lambda: self.now,
            bug=self.bugs.append,
        )
        specs = (*self.box.specs(), *(tool.spec for tool in self.own.values()))
        frame = Frame("m-1", ("be good",), specs, "s")
        limits = options.get("limits", Limits())
        self.agent = Agent(Breathing(self.model), around, lambda: frame, lambda: limits)

    def _hooks(self, wanted):
        specs = [HookSpec(event, command, **more) for event, command, more in wanted]
        facts = {"session_id": "s"}
        hooks = Hooks(specs, facts=lambda: facts, env=dict(os.environ), cwd=self.root)
        return TurnHooks(hooks, self.front.emit)

    def _gate(self, mode, rules):
        parsed = tuple(parse_rule(text, verdict, self.root) for text, verdict in rules)
        policy = Policy(mode, parsed, self.root)
        return PolicyGate(policy, self.front, self.kept_rules.append)

    def _executor(self):
        env = hardened_env(os.environ)
        workspace = Workspace(self.root)
        outputs = self.root.parent / "outputs"
        return Executor(
            find=lambda name: self.own.get(name) or self.box.get(name),
            context=ToolContext(self.root, workspace, outputs, env),
            gate=self.gate,
            hooks=self.hooks,
            emit=self.front.emit,
        )

    def spend(self, message):
        self.cents += 1
        return Spent("m-1", "main", message.usage, CENT, 0, None, None)

    def run(self, *prompts):
        """The ends of these turns; afterwards the model's script must be used up."""
        return asyncio.run(self.turns(*prompts))

    async def turns(self, *prompts):
        ends = [await self.agent.prompt((Text(words),)) for words in prompts]
        assert self.model.steps_left == 0
        return ends[0] if len(ends) == 1 else ends

    def of(self, kind):
        return [event for event in self.front.events if isinstance(event, kind)]

    def outputs(self):
        """All answers to calls in the conversation: (call id, text, whether it is an error)."""
        return [
            (block.call_id, said(block), block.is_error)
            for message in self.transcript.messages
            for block in message.content
            if isinstance(block, ToolOutput)
        ]

    def words(self):
        """The conversation as (origin, text); replies are from "model", answers are left out."""
        return [
            (origin(message), said(message))
            for message in self.transcript.messages
            if origin(message) != "tool"
        ]


async def _nothing(stage):
    pass


def origin(message):
    return message.origin if isinstance(message, UserMessage) else "model"


def said(message):
    return "".join(block.text for block in message.content if isinstance(block, Text))
