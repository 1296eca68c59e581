"""Subagents at work: each an agent with a conversation of its own on what the session runs on."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentcli.agent.agent import Agent
from agentcli.agent.events import AgentEvent, Notice, Streamed, TurnReason
from agentcli.agent.execute import Executor
from agentcli.agent.hooks import TurnHooks
from agentcli.agent.loop import Client as Asks
from agentcli.agent.loop import Frame
from agentcli.agent.subagents import Ear, KindGate, allowed, outcome
from agentcli.agent.transcript import Transcript
from agentcli.agent.turn import Limits, Surroundings
from agentcli.app.billing import Billing, Paid
from agentcli.app.lines import Line, Lines
from agentcli.app.watch import News, Watch
from agentcli.context.agents import Kind, Roster, briefing
from agentcli.lib.errors import UserError
from agentcli.lib.value import replace, value
from agentcli.llm.types import Text
from agentcli.policy.hooks import Hooks
from agentcli.session.subagents import Record
from agentcli.tools.base import Assignment, ToolContext, ToolError, ToolResult
from agentcli.tools.output import fitted
from agentcli.tools.workspace import Workspace

if TYPE_CHECKING:
    from agentcli.app.engine import Frames, Site


@value
class Shared:
    """What subagents have in common with the conversation that starts them."""

    site: Site
    frames: Frames
    executor: Executor
    """Its own, whose parts are replaced."""
    client: Asks
    """The one that asks the session's model."""
    lines: Lines
    billing: Billing
    hooks: Hooks
    watch: Watch
    limits: Limits


@dataclass(slots=True)
class Subagents:
    """Starts them for one conversation: so many at once, the others wait."""

    shared: Shared
    roster: Roster
    _free: asyncio.Semaphore | None = None

    async def run(self, ctx: ToolContext, assignment: Assignment) -> ToolResult:
        """Have the work done; satisfies `tools.base.Spawn`. Raises ToolError."""
        kind = self.roster.find(assignment.agent)
        if self._free is None:
            self._free = asyncio.Semaphore(self.shared.site.config.subagents.at_once)
        async with self._free:
            return await Subagent(self.shared, kind, assignment, ctx).work()


def starting(shared: Shared, roster: Roster) -> Executor:
    """The executor of the conversation, whose Task tool can start subagents."""
    plain = shared.executor
    spawn = Subagents(shared, roster).run
    return replace(plain, context=replace(plain.context, spawn=spawn))


class Subagent:
    """One of them, from its assignment to its end."""

    def __init__(
        self, shared: Shared, kind: Kind, assignment: Assignment, ctx: ToolContext
    ) -> None:
        self._shared = shared
        self._kind = kind
        self._assignment = assignment
        self._ctx = ctx
        self._id = secrets.token_hex(4)
        self._session = f"{shared.site.talk.id}/{self._id}"
        self._line = _line(shared, kind)
        frames = shared.frames
        self._tools = frames.box(self._line.route()) if self._line else frames.tools
        self._record = Record(shared.site.talk.file, self._id)
        self._transcript = Transcript(on_append=self._record.message)
        self._news = News(shared.site, self._transcript)
        self._ear = Ear(assignment, shared.watch, ctx.progress)
        facts = {"agent_id": self._id, "agent_type": kind.name}
        self._hooks = TurnHooks(shared.hooks, self._emit, facts)

    async def work(self) -> ToolResult:
        """Raises ToolError when it does not come to its end."""
        shared, kind, task = self._shared, self._kind, self._assignment
        answer = await self._hooks.on_subagent()
        if answer.decision == "deny" or answer.stop:
            raise ToolError(f"A hook refused to start the {kind.name} agent: {answer.reason}")
        facts = {"type": kind.name, "description": task.description}
        self._record.begin(call=task.call_id, model=self._frame().model, **facts)
        most = min(n for n in (shared.site.config.subagents.steps, shared.limits.steps) if n)
        limits = replace(shared.limits, steps=most)
        agent = Agent(self._client(), self._around(), self._frame, lambda: limits)
        reason: TurnReason = "interrupted"
        try:
            if self._line is not None:
                await self._line.lead.turn()
            first = (Text(briefing(kind, task.prompt)),)
            end = await agent.prompt(first, *(text for text in (answer.context,) if text))
            reason = end.reason
        finally:
            self._begun()
            self._record.end(reason)
            shared.billing.forget(self._session)
            shared.lines.forget(self._session)
        if len(self._ear.said) > self._ctx.caps.output:
            self._ear.said = fitted(self._ctx, self._ear.said)
        return outcome(kind, end, self._ear, most)

    def _emit(self, event: AgentEvent) -> None:
        if isinstance(event, Streamed):
            self._begun()
        self._news.see(event)
        self._ear(event)

    def _begun(self) -> None:
        if self._line is not None:
            self._line.lead.begun()

    def _frame(self) -> Frame:
        """The session's own to the byte, but for another model."""
        whole = self._shared.frames.now()
        mine = replace(whole, session=self._session, output_schema=None)
        if self._line is None:
            return replace(mine, parent=whole.session)
        return replace(mine, model=self._line.route().model.id, tools=self._tools.specs())

    def _client(self) -> Paid:
        billing = self._shared.billing
        if self._line is None:
            return Paid(self._shared.client, billing, "subagent")
        return Paid(self._line.asks, billing, "subagent", self._line.route)

    def _around(self) -> Surroundings:
        billing = self._shared.billing

        async def prepare() -> None:
            self._news.remind()

        return Surroundings(
            transcript=self._transcript,
            executor=self._executor(),
            emit=self._emit,
            spend=billing.spend,
            spent=billing.total,
            prepare=prepare,
            stop_hook=self._hooks,
            bug=self._shared.site.log_bug,
        )

    def _executor(self) -> Executor:
        """With a shell and a memory of files of its own; background jobs are the session's."""
        whole, gate = self._shared.executor, self._shared.site.gate
        before = whole.context.workspace
        workspace = Workspace(before.cwd, jobs=before.jobs)
        label = f"{self._kind.name}: {self._assignment.description}"
        return replace(
            whole,
            find=allowed(self._kind, self._tools.get),
            context=replace(whole.context, workspace=workspace),
            gate=KindGate(gate, self._kind, gate.changes, label),
            hooks=self._hooks,
            emit=self._emit,
        )


def _line(shared: Shared, kind: Kind) -> Line | None:
    """The way to the model of a kind, or of the role; None for the session's own.

    One that nobody can reach is told, and the session's model does the work.
    """
    try:
        return shared.lines.to(kind.model or shared.site.config.roles.get("subagent", ""))
    except UserError as error:
        instead = shared.site.route().model.id
        shared.watch(Notice("warning", f"The {kind.name} agent works with {instead}: {error}"))
        return None
