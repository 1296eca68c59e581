"""A running agent as front-ends and commands see it: prompt it, stop it, switch things."""

from __future__ import annotations

import asyncio
import os
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from agentcli import __version__
from agentcli.agent.events import Frontend, Notice, TurnEnd, TurnReason
from agentcli.app import pins as pinning
from agentcli.app import switching
from agentcli.app import talk as talks
from agentcli.app.gate import gate_from
from agentcli.app.options import DEMO, Options
from agentcli.app.remote import remote
from agentcli.app.reports import permissions_text, proxy_lines
from agentcli.app.routing import Choice, choose, know_prices, router
from agentcli.app.talk import Ground, Talk, too_late
from agentcli.app.uncompact import uncompact
from agentcli.config import Config, places
from agentcli.context.compaction import outcome
from agentcli.context.mentions import mentioned
from agentcli.lib.errors import UserError
from agentcli.lib.process import hardened_env
from agentcli.lib.terminal import columns
from agentcli.lib.value import replace, value
from agentcli.llm.budget import Rewrite
from agentcli.llm.cost import Cost
from agentcli.llm.errors import LLMError
from agentcli.llm.providers import Route, default_model, reachable
from agentcli.llm.types import Image, Text, Usage
from agentcli.policy.permissions import Mode
from agentcli.policy.secrets import scrub_env
from agentcli.session.store import SessionInfo, folder, listing

if TYPE_CHECKING:
    from agentcli.app.engine import Engine
    from agentcli.llm.http import Http


@value
class Status:
    """What a status line shows."""

    model: str
    mode: Mode
    session_id: str
    context_used: int
    context: int | None
    cost: Cost
    unpriced: int
    """Requests whose price is unknown, which `cost` leaves out."""
    cache_expires: float | None
    rewrite: Rewrite | None = None
    """What the next message sends anew, because the cache was left alone for too long."""
    with_summary: Decimal | None = None
    """USD that the next step costs with /compact before it, where `rewrite` makes that worth it."""


NO_MODEL = """No model is set up. Do one of these:
  export ANTHROPIC_API_KEY=...    (or OPENAI_API_KEY, or another provider's; `agent models` lists)
  agent --model ollama/NAME       a model on this machine
  agent demo                      see it work offline, with a scripted model"""


class App:
    """Holds the parts; heavy ones are built at the first prompt, or by `warm_up` before it."""

    version = __version__

    def __init__(
        self,
        options: Options,
        config: Config,
        frontend: Frontend,
        *,
        root: Path,
        env: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        http: Callable[[Route], Http] | None = None,
    ) -> None:
        self.root = root
        self.options = options
        self.config = config
        self.frontend = frontend
        self.env = dict(os.environ if env is None else env)
        self.ground = Ground(root, places(self.env), __version__, self.env, clock, http)
        self._tool_env = hardened_env(scrub_env(self.env))
        resumed = options.resume_last or bool(options.resume)
        know_prices(self.env)
        if not resumed:
            self._choice = self._choose(self._model_name(""))
        self.talk = self._open_talk()
        if resumed:
            self._choice = self._choose(self._model_name(self.talk.model))
        self._planner = {r: self._choose(name) for r, name in config.roles.items()}.get("plan")
        self.gate = gate_from(options, config, self.ground, frontend)
        seen = (lambda: self.talk, lambda: self.engine().frames.choose(), lambda: self.model)
        self.remote = remote(config, self.ground, self._tool_env, frontend, *seen)
        self._engine: Engine | None = None
        self._source = ("fork" if options.fork_session else "resume") if resumed else "startup"
        """How the session begins, until its hooks were told."""

    @property
    def chosen(self) -> Choice:
        """The model that is asked next: in plan mode the one for planning, if there is one."""
        return self._planner if self._planner and self.mode == "plan" else self._choice

    @property
    def route(self) -> Route:
        return self.chosen.route

    @property
    def model(self) -> str:
        return self.route.model.id

    @property
    def mode(self) -> Mode:
        return self.gate.mode

    @property
    def busy(self) -> bool:
        return self._engine is not None and self._engine.agent.busy

    def status(self) -> Status:
        total = self.talk.ledger.total()
        scripted = " (scripted)" if self.route.provider.name == DEMO else ""
        return Status(
            model=f"{self.model}{scripted}",
            mode=self.mode,
            session_id=self.talk.id,
            context_used=self.talk.used,
            context=self.route.model.context,
            cost=total.cost,
            unpriced=total.unpriced,
            cache_expires=self._engine.cache_expires() if self._engine else None,
            rewrite=self._engine.billing.rewrite() if self._engine else None,
            with_summary=self._engine.compaction.offer.price() if self._engine else None,
        )

    def models(self) -> tuple[str, ...]:
        """Names worth offering: what the keys in the environment reach."""
        return reachable(self.env, self.config.providers)

    async def warm_up(self) -> None:
        """Load what the first request needs while the person still types."""
        await asyncio.to_thread(_import_engine)
        self.engine()
        self.remote.open()

    def engine(self) -> Engine:
        """Everything between a prompt and the network, built once for each conversation."""
        if self._engine is None:
            from agentcli.app.engine import Site, build  # door: httpx

            site = Site(
                ground=self.ground,
                options=self.options,
                config=self.config,
                frontend=self.frontend,
                gate=self.gate,
                talk=self.talk,
                route=lambda: self.route,
                fit=self._fit,
                router=router(
                    lambda: self.chosen,
                    self.options,
                    self.config,
                    self.env,
                    seed=self.talk.key,
                    on_return=self._returned,
                ),
                tool_env=self._tool_env,
                log_bug=self.log_bug,
                remote=self.remote,
            )
            self._engine = build(site)
        return self._engine

    async def prompt(self, text: str) -> TurnEnd:
        """One turn; events go to the front-end. Raises nothing a front-end must handle."""
        engine = self.engine()
        context: list[str] = []
        if self._source:
            source, self._source = self._source, ""
            late = too_late(self.talk, self.options)
            if late:
                self.frontend.emit(Notice("warning", late))
            context.append((await engine.hooks.on_start(source, self.model)).context)
        answer = await engine.hooks.on_prompt(text)
        if answer.decision == "deny" or answer.stop:
            self.frontend.emit(Notice("warning", f"A hook refused the prompt: {answer.reason}"))
            return TurnEnd("stopped", 0, Usage(), Cost())
        context.append(answer.context)
        await self.remote.settle()
        self._begin_file()
        engine.billing.budgets.begin_turn()
        content = (Text(text), *await self._mentions(text))
        try:
            ended = await engine.agent.prompt(content, *(c for c in context if c))
            engine.titles.after(ended)
            return ended
        except Exception as error:  # a bug: keep the session, log it, tell the person
            self.log_bug(error)
            self.frontend.emit(Notice("error", f"Internal error: {error!r}. See {self._log}."))
            end = TurnEnd("error", 0, Usage(), Cost(), repr(error))
            self.frontend.emit(end)
            return end

    def steer(self, text: str) -> None:
        self.engine().agent.steer(text)

    def take_queued(self) -> tuple[str, ...]:
        """Words of `steer` that were not delivered, because the turn ended first."""
        return self.engine().agent.take_queued()

    def interrupt(self, reason: TurnReason = "interrupted") -> None:
        if self._engine is not None:
            self._engine.agent.interrupt(reason)

    async def run_shell(self, line: str) -> None:
        """The person's own command: run, shown, and told to the model with the next prompt."""
        await self.remote.settle()
        self._begin_file()
        await self.engine().run_shell(line)

    def set_model(self, name: str) -> str:
        """Switch from the next request on; returns what to tell, with the price of the switch."""
        before = self.model
        self._choice = self._choose(name)
        return self._switched(before)

    def set_mode(self, mode: Mode) -> None:
        """From the next request on; plan mode may have a model of its own, which is told."""
        before = self.model
        self.gate.set_mode(mode)
        if self.model != before:
            self.frontend.emit(Notice("info", self._switched(before)))

    def _switched(self, before: str) -> str:
        """Who answers from now on, and what it takes to tell that one of the conversation."""
        if self._engine is not None:
            self._engine.switch_model()
        told = f"Model is now {self.model} ({self.route.provider.name})."
        if not self.talk.used or self.model == before:
            return told
        losses = switching.losses(self.talk, self.route.model, self.config.compaction.at)
        return " ".join((told, f"The next message {self._rereads(self.route)}.", *losses))

    def _rereads(self, route: Route) -> str:
        """`sends 83,000 tokens uncached: $0.25`."""
        used = self.talk.used
        unread = self._engine.billing.unread(route.model) if self._engine else used
        return switching.rereads(used, unread, route.model)

    def _returned(self, route: Route) -> None:
        """The chosen model answers again after others did."""
        name = f"{route.provider.name}/{route.model.id}"
        self.frontend.emit(Notice("info", f"{name} answers again; it {self._rereads(route)}."))

    def cost_report(self) -> str:
        from agentcli.app.spending import spent_table

        proxy = self._engine.client.proxy_of(self.route) if self._engine else None
        table = spent_table(self.talk.ledger, columns=columns())
        return "\n\n".join((table, *(proxy_lines(proxy) if proxy else ())))

    def context_report(self) -> str:
        from agentcli.app.context_report import context_table

        request = self.engine().frames.now().request(self.talk.transcript)
        used, model = self.talk.used, self.route.model
        return context_table(request, used, model, self._now(), columns=columns())

    def mcp_report(self, arguments: str) -> str:
        """The MCP servers, one of them, or one started again; raises UserError."""
        return self.remote.report(arguments, self.route.model)

    def permissions_report(self) -> str:
        return permissions_text(self.gate.policy)

    async def clear(self) -> None:
        """A new session with an empty context; the old one stays on disk."""
        await self._end_talk("clear")
        options = replace(self.options, session_id=None)
        self.talk = talks.open_new(self.ground, options, self._tool_env)
        self._source = "clear"

    async def resume(self, session_id: str) -> None:
        """Go on with another session of this folder; raises UserError."""
        options = replace(self.options, resume=session_id, resume_last=False, fork_session=False)
        path = talks.find_saved(self.ground, options)
        await self._end_talk("resume")
        self.talk = talks.open_saved(self.ground, options, path)
        with suppress(UserError):  # a model without a key now: the chosen one goes on
            self._choice = self._choose(self._model_name(self.talk.model))
        self._source = "resume"

    async def compact(self, instructions: str) -> str:
        """Begin a new epoch with a summary; raises UserError when the model gives none."""
        try:
            done = await self.engine().compaction.now("manual", instructions)
        except LLMError as error:
            raise UserError(f"Nothing was compacted: {error}") from None
        if done is None:
            return "Nothing was compacted."
        return outcome(done.before, done.after, done.cost, done.pays_after)

    def undo_compaction(self) -> str:
        """The conversation as it was, and what was said since; raises UserError."""
        frames = self.engine().frames
        told = uncompact(self.talk, frames.now(), self.route.model, self.config.compaction.at)
        frames.choose()
        return told

    def pins(self) -> str:
        """What is pinned, to show."""
        return pinning.pin_list(self.talk)

    def pin(self, note: str) -> str:
        """Tell the model now, and after every compaction again; raises UserError."""
        self._begin_file()
        return pinning.pin(self.talk, note)

    def unpin(self, number: str) -> str:
        """Take a note back; raises UserError when there is none of that number."""
        return pinning.unpin(self.talk, number)

    def sessions(self) -> tuple[SessionInfo, ...]:
        return listing(folder(self.ground.places.data, self.root))

    async def close(self) -> None:
        """End the session: hooks told, background jobs killed, files closed."""
        await self._end_talk("exit")
        await self.remote.close()

    def log_bug(self, error: BaseException) -> None:
        """Bugs go to the log with their traceback."""
        self._log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} agent {__version__}\n")
            log.write("".join(traceback.format_exception(error)) + "\n")

    @property
    def _log(self) -> Path:
        return self.ground.places.log

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.ground.clock(), UTC)

    def _model_name(self, before: str) -> str:
        name = self.options.model or before or self.config.model or default_model(self.env)
        if not name:
            raise UserError(NO_MODEL)
        return name

    def _fit(self, route: Route) -> None:
        self._choice = self._choice.fitted(route)
        self._planner = self._planner and self._planner.fitted(route)

    def _choose(self, name: str) -> Choice:
        return choose(name, self.config, self.env)

    def _open_talk(self) -> Talk:
        if not (self.options.resume_last or self.options.resume):
            return talks.open_new(self.ground, self.options, self._tool_env)
        path = talks.find_saved(self.ground, self.options)
        return talks.open_saved(self.ground, self.options, path)

    def _begin_file(self) -> None:
        if not self.talk.transcript.messages:
            self.engine()  # settles the prefix
            self.talk.begin(self.ground, self.model)

    async def _mentions(self, text: str) -> tuple[Text | Image, ...]:
        paths = mentioned(text, self.root)
        return await self.engine().read_files(paths) if paths else ()

    async def _end_talk(self, why: str) -> None:
        if self._engine is not None:
            await self._engine.close("" if self._source else why)
            self._engine = None
        self.talk.close()


def _import_engine() -> None:
    import_module("agentcli.app.engine")  # door: httpx
