"""A conversation on a virtual clock: the whole agent against the simulated provider.

Prompts go through `App`, so that tools, reminders, sessions, bills and summaries are the real ones.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from cost_content import content
from cost_places import Place, places

from agentcli.agent.events import AgentEvent, Answer, Compacted, Question, Spent, ToolEnd
from agentcli.app.app import App
from agentcli.app.options import Options
from agentcli.config import load
from agentcli.context.system_prompt import prompt as compaction_words
from agentcli.lib.value import replace, value
from agentcli.llm.cache import CachePlan
from agentcli.llm.http import Http, InProcess
from agentcli.llm.miss import Miss
from agentcli.llm.models import ModelSpec
from agentcli.llm.simulator import (
    VENDORS,
    Asked,
    Say,
    Script,
    SimulatedProvider,
    Think,
    Turn,
    Use,
    When,
)
from agentcli.llm.types import JsonObject, Usage
from agentcli.session.ledger_rebuild import bills_of
from agentcli.tools.remote import Offer, define

TUESDAY = 1_764_061_200.0
"""2025-11-25 09:00 UTC, when every virtual day begins."""
THINKING, TOOL = 7.0, 1.0
"""Seconds a reply takes, and each call after it."""
REPO = "Keep functions short, test behaviour, and write what the next reader needs to know. " * 70
ASKED = compaction_words("compaction")[:40]
KEYS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "DEEPSEEK_API_KEY", "DASHSCOPE_API_KEY")


@value
class Step:
    """One reply of the model: how many calls it makes, and how much each of them brings."""

    calls: int = 1
    chars: int = 3_600
    kind: str = "py"


@value
class Bill:
    """One request as it was sent and billed."""

    at: float
    model: ModelSpec
    places: tuple[Place, ...]
    plan: CachePlan
    usage: Usage
    miss: Miss | None = None


@dataclass
class World:
    """The project, the provider with its cache, the time, and every request so far."""

    root: Path
    model: str
    config: str = ""
    now: float = TUESDAY
    bills: list[Bill] = field(default_factory=list[Bill])
    waiting: deque[Turn] = field(default_factory=deque[Turn])
    files: int = 0
    tools: tuple[Offer, ...] = ()
    """Those of an MCP server that has come up."""

    def __post_init__(self) -> None:
        rules = (When(lambda _: True, self._reply),)
        script = Script(rules=rules, delta=4_000)
        vendor = VENDORS.get(self.model.partition("/")[0])
        self.provider = SimulatedProvider(script, clock=lambda: self.now, vendor=vendor)
        self.http = Http(transport=InProcess(self.provider.handle))
        self.project, settings = self.root / "shop", self.root / ".config/agentcli"
        self.project.mkdir()
        (self.project / "AGENTS.md").write_text(REPO)
        settings.mkdir(parents=True)
        (settings / "config.toml").write_text(self.config)
        aws = {"AWS_BEARER_TOKEN_BEDROCK": "key", "AWS_REGION": "us-east-1"}
        self.env = {"HOME": str(self.root), "PATH": os.environ["PATH"]} | aws
        self.env |= dict.fromkeys(KEYS, "test-key")

    @asynccontextmanager
    async def talk(self) -> AsyncGenerator[Talk]:
        """A session; afterwards its bills know why each request missed."""
        talk = Talk(self)
        yield talk
        await talk.close()
        (path,) = (self.root / ".local/share/agentcli/sessions").rglob("*.jsonl")
        told = [bill.miss for bill in bills_of(path)]
        assert len(told) == len(self.bills)
        self.bills = [replace(b, miss=m) for b, m in zip(self.bills, told, strict=True)]

    def reply(self, step: Step) -> Turn:
        """What the model says, and the files that it will read."""
        uses: list[Use] = []
        for _ in range(step.calls):
            self.files += 1
            size = step.chars * (3 + self.files % 5) // 5
            path = self.project / f"part_{self.files}.{step.kind}"
            path.write_text(content(step.kind, self.files, size))
            uses.append(Use("Read", {"path": path.name}))
        thought = Think(f"Part {self.files} may be where it goes wrong; the caller rounds. " * 4)
        return Turn((thought, Say("I'll look at the next part of it."), *uses))

    def _reply(self, asked: Asked) -> Turn:
        """A request for a summary comes unasked."""
        words = asked.texts[-1] if asked.texts else ""
        return SUMMARY if words.startswith(ASKED) else self.waiting.popleft()


class Talk:
    """One session of an agent; satisfies `Frontend`. `resume` goes on in another process."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.compacted = 0
        self.app = self._open(Options(model=world.model, permission_mode="bypass"))

    async def close(self) -> None:
        await self.app.close()

    async def resume(self) -> None:
        """The process ends; another one takes the conversation from its file."""
        options = replace(self.app.options, resume=self.app.talk.id)
        await self.app.close()
        self.app = self._open(options)
        if self.world.tools:
            self.connect(self.world.tools)

    def pause(self, minutes: float) -> None:
        self.world.now += minutes * 60

    async def turn(self, words: str, *steps: Step, answer: str = "Done; the tests pass.") -> None:
        """One turn of the person: the steps, then a closing word."""
        end = Turn((Think("What is left? " * 20), Say(answer * 4)))
        self.world.waiting.extend([*map(self.world.reply, steps), end])
        done = await self.app.prompt(words)
        assert done.reason == "done", done
        assert not self.world.waiting

    async def compact(self) -> None:
        await self.app.compact("")

    def connect(self, tools: tuple[Offer, ...]) -> None:
        """A server's tools join, as they do when an epoch begins."""
        self.world.tools = tools
        self.app.talk.remote = tuple(told.to_json() for told in define(tools))
        self.app.engine().frames.choose()

    def emit(self, event: AgentEvent) -> None:
        match event:
            case Spent():
                self._book(event)
                self.world.now += THINKING
            case ToolEnd():
                self.world.now += TOOL
            case Compacted():
                self.compacted += 1
            case _:
                pass

    async def ask(self, question: Question) -> Answer:
        raise AssertionError(question)

    def _book(self, spent: Spent) -> None:
        world, app = self.world, self.app
        received, model = world.provider.received[-1], app.route.model
        state = app.engine().client.cache_state(app.talk.id, model.id)
        assert received.status == 200, received
        assert state is not None
        assert spent.usage is not None
        body = cast("JsonObject", received.json)
        beta = received.headers.get("anthropic-beta", "")
        seen = tuple(places(body, received.path, beta))
        world.bills.append(Bill(received.at, model, seen, state[0], spent.usage))

    def _open(self, options: Options) -> App:
        world = self.world
        config = load(world.project, world.env, trusted=True)
        return App(
            options,
            config,
            self,
            root=world.project,
            env=world.env,
            clock=lambda: world.now,
            http=lambda _: world.http,
        )


SUMMARY = Turn((Say("We repaired the shop, step by step. " * 60),))
