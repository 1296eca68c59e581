"""The wiring of one conversation, in order: tools, gate, hooks, client, agent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import cast

from agentcli.agent.agent import Agent
from agentcli.agent.events import (
    AgentEvent,
    Frontend,
    Notice,
    ToolEnd,
    ToolProgress,
    ToolStart,
)
from agentcli.agent.execute import INTERRUPTED, Executor
from agentcli.agent.hooks import TurnHooks
from agentcli.agent.loop import Frame
from agentcli.agent.turn import Limits, Surroundings
from agentcli.app.accounts import Accounts
from agentcli.app.billing import Billing, Paid
from agentcli.app.compact import Compaction
from agentcli.app.compaction_offer import Offer
from agentcli.app.gate import PolicyGate
from agentcli.app.lines import Lines, client_to
from agentcli.app.local_server import Attentive
from agentcli.app.options import Options
from agentcli.app.remote import Remote
from agentcli.app.subagents import Shared, starting
from agentcli.app.talk import Ground, Talk
from agentcli.app.titles import Titles
from agentcli.app.transport import connect
from agentcli.app.watch import Watch
from agentcli.config import Config
from agentcli.context.agents import Roster, folders, load
from agentcli.lib.errors import UserError
from agentcli.lib.value import replace, value
from agentcli.llm.cache import expires, plan
from agentcli.llm.client import Client, Planner
from agentcli.llm.efforts import instead
from agentcli.llm.gaps import observed
from agentcli.llm.providers import Route
from agentcli.llm.router import Router
from agentcli.llm.types import Effort, Image, JsonObject, Text, ToolCall, UserMessage
from agentcli.policy.hooks import Hooks, hook_spec
from agentcli.policy.secrets import known_values, mask
from agentcli.tools.base import ToolContext, ToolError, text_result
from agentcli.tools.jobs import kill_all
from agentcli.tools.registry import Toolbox, toolbox
from agentcli.tools.task import KINDS, ListedTask


@value
class Site:
    """What is given: the conversation, who looks on, what was asked for and allowed."""

    ground: Ground
    options: Options
    config: Config
    frontend: Frontend
    gate: PolicyGate
    talk: Talk
    route: Callable[[], Route]
    fit: Callable[[Route], None]
    """Takes a route with what its server said of it."""
    router: Router
    tool_env: Mapping[str, str]
    log_bug: Callable[[Exception], None]
    remote: Remote


@dataclass(slots=True)
class Engine:
    """What a conversation runs on, once built."""

    agent: Agent
    hooks: TurnHooks
    compaction: Compaction
    client: Client
    context: ToolContext
    site: Site
    frames: Frames
    cache_expires: Callable[[], float | None]
    remind: Callable[[], None]
    billing: Billing
    lines: Lines
    titles: Titles

    def switch_model(self) -> None:
        self.frames.choose()

    async def read_files(self, paths: tuple[Path, ...]) -> tuple[Text | Image, ...]:
        """Files a person named with @, as the Read tool shows them."""
        blocks: list[Text | Image] = []
        for path in paths:
            try:
                result = await self.frames.tools.get("Read").run(self.context, {"path": str(path)})
            except ToolError as error:
                blocks.append(Text(f"{path}: {error}"))
                continue
            content = self.agent.around.executor.masked(result.content)
            blocks += [Text(f"{path}:"), *content]
        return tuple(blocks)

    async def run_shell(self, line: str) -> None:
        """A command the person typed: not asked about, shown, and told to the model."""
        call = ToolCall("shell", "Bash", {"command": line})
        tool = self.frames.tools.get("Bash")
        emit = self.site.frontend.emit
        emit(ToolStart(call, tool.action(self.context, call.input)))
        started = time.monotonic()

        def progress(text: str) -> None:
            emit(ToolProgress(call.id, text))

        result = text_result(INTERRUPTED, is_error=True)
        try:
            result = await tool.run(replace(self.context, progress=progress), call.input)
        except ToolError as error:
            result = text_result(str(error), is_error=True)
            return
        finally:
            emit(ToolEnd(call, result, time.monotonic() - started))
        said = Text(f"The person ran `{line}` themselves; its output:")
        content = self.agent.around.executor.masked((said, *result.content))
        self.site.talk.transcript.append(UserMessage(content, "reminder"))

    async def close(self, reason: str) -> None:
        if reason:
            await self.hooks.on_end(reason)
        await kill_all(self.site.talk.workspace)
        await self.titles.close()
        await self.client.aclose()
        await self.lines.aclose()
        await self.billing.close()


class Frames:
    """The frozen head of requests; chosen anew when the model is switched or an epoch begins."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._task = ListedTask(site.talk.agents or KINDS)
        self._schema = read_schema(site.options.json_schema)
        self._told: set[str] = set()
        self.choose()

    def choose(self) -> None:
        self.tools = self.box(self._site.route())
        self._specs = self.tools.specs()

    def box(self, route: Route) -> Toolbox:
        """The session's tools, with the way of editing that suits a model."""
        return toolbox(edit=route.model.edit, task=self._task, remote=self._site.remote.tools())

    @property
    def effort(self) -> Effort | None:
        return cast("Effort | None", self._site.options.effort or self._site.config.effort)

    def tell(self, emit: Callable[[AgentEvent], None]) -> None:
        """Says, once of each model, that it does not know the effort the person wants."""
        said = instead(self.effort, self._site.route())
        if said and said not in self._told:
            self._told.add(said)
            emit(Notice("warning", said))

    def now(self) -> Frame:
        site = self._site
        return Frame(
            model=site.route().model.id,
            system=site.talk.system,
            tools=self._specs,
            session=site.talk.id,
            cache_key=site.talk.key,
            effort=self.effort,
            output_schema=self._schema,
        )


def build(site: Site) -> Engine:
    """Wire one conversation. Nothing here touches the network."""
    talk = site.talk
    watch = Watch(site)
    roster = _roster(site, watch)
    frames = Frames(site)
    http = site.ground.http or connect(site.ground.env)
    planner = _checked(_planner(site), site.ground.env)
    client = client_to(site.router, http, planner, site.ground)
    lines = Lines(site, client, http, planner, watch)
    context = ToolContext(
        root=site.ground.root,
        workspace=talk.workspace,
        outputs=_outputs(site),
        env=site.tool_env,
        caps=site.config.caps,
    )
    hooks = TurnHooks(_hooks(site), watch)

    def expiry() -> float | None:
        state = client.cache_state(talk.id, site.route().model.id)
        return expires(*state) if state else None

    accounts = Accounts(site.ground, site.options, site.config, site.frontend, talk)
    billing = accounts.open(site.router, lines.state, expiry, watch)
    paid = Paid(client, billing, "compaction")
    offer = Offer(talk, frames.now, site.route, billing)
    sides = (billing, hooks, watch, watch.renew, site.config.compaction, offer, site.remote.join)
    compact = Compaction(talk, paid, frames.now, site.route, *sides)

    executor = _executor(site, frames, context, hooks, watch)
    limits = _limits(site)
    shared = Shared(site, frames, executor, client, lines, billing, hooks.hooks, watch, limits)
    around = _surroundings(site, starting(shared, roster), watch, compact, frames)
    attentive = Attentive(Paid(client, billing), site.router.pick, site.fit, http, watch)
    agent = Agent(attentive, around, frames.now, lambda: limits)
    parts = (agent, hooks, compact, client, context, site, frames, expiry, watch.remind)
    return Engine(*parts, billing=billing, lines=lines, titles=Titles(site, lines, billing))


def _roster(site: Site, watch: Watch) -> Roster:
    """The kinds of subagents; which of them the model is told of is settled with the prefix."""
    here = folders(site.ground.root, site.ground.places.config, trusted=site.config.trusted)
    roster, problems = load(here)
    for problem in problems:
        watch(Notice("warning", problem))
    if site.talk.agents is None:
        site.talk.agents = roster.listing()
    return roster


def _outputs(site: Site) -> Path:
    """Where outputs too long to show are kept; the model may read there without asking."""
    folder = site.ground.places.data / "outputs" / site.talk.id
    site.gate.policy = replace(site.gate.policy, outputs=folder)
    return folder


def _surroundings(
    site: Site, executor: Executor, watch: Watch, compact: Compaction, frames: Frames
) -> Surroundings:
    async def prepare() -> None:
        await compact.if_due()
        watch.remind()
        frames.tell(watch)

    return Surroundings(
        transcript=site.talk.transcript,
        executor=executor,
        emit=watch,
        spend=compact.billing.spend,
        spent=compact.billing.total,
        prepare=prepare,
        make_room=compact.make_room,
        beside=watch.beside,
        stop_hook=compact.hooks,
        bug=site.log_bug,
    )


def _checked(planner: Planner, env: Mapping[str, str]) -> Planner:
    if env.get("AGENT_CHECK_PREFIX", "0") == "0":
        return planner
    from agentcli.llm.prefix_check import Insistent

    return Insistent(planner)


def _planner(site: Site) -> Planner:
    """Plans the cache as configured; of a resumed conversation it knows when it was at work."""
    times = site.talk.times
    last = times[-1] if times else -inf
    return partial(plan, ttls=site.config.cache, prior=observed(times), last=last)


def _executor(
    site: Site, frames: Frames, context: ToolContext, hooks: TurnHooks, watch: Watch
) -> Executor:
    env = site.ground.env
    given = (server.given(env) for server in site.config.servers.values())
    values = known_values(env, *given)
    return Executor(
        find=lambda name: frames.tools.get(name),
        context=context,
        gate=site.gate,
        hooks=hooks,
        emit=watch,
        mask=lambda text: mask(text, values),
    )


def _limits(site: Site) -> Limits:
    options = site.options
    return Limits(
        steps=options.max_turns,
        deadline=time.monotonic() + options.deadline if options.deadline is not None else None,
    )


def _hooks(site: Site) -> Hooks:
    specs = [hook_spec(h.event, h.table, h.path) for h in site.config.hooks]

    def facts() -> dict[str, object]:
        total = site.talk.ledger.total()
        usage = total.usage
        return {
            "session_id": site.talk.id,
            "transcript_path": str(site.talk.file.path) if site.talk.file else "",
            "cwd": str(site.talk.workspace.cwd),
            "permission_mode": site.gate.mode,
            "model": site.route().model.id,
            "usage": {
                "input": usage.input,
                "cache_read": usage.cache_read,
                "cache_write": usage.cache_write_5m + usage.cache_write_1h,
                "output": usage.output,
            },
            "cost_usd": None if total.unpriced else float(total.cost.total),
            "context_used": site.talk.used,
        }

    return Hooks(specs, facts=facts, env=site.ground.env, cwd=site.ground.root)


def read_schema(text: str | None) -> JsonObject | None:
    """A JSON schema given as a file or as JSON; raises UserError."""
    if text is None:
        return None
    try:
        raw = text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8")
        schema = json.loads(raw)
    except (OSError, ValueError) as error:
        raise UserError(f"--json-schema: {error}.") from None
    if not isinstance(schema, dict):
        raise UserError("--json-schema: a JSON object is wanted.")
    return cast("JsonObject", schema)
