"""One conversation and what belongs to it: file, transcript, frozen prefix, bills."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agentcli.agent.transcript import Transcript
from agentcli.app.options import Options
from agentcli.config import Places
from agentcli.context import memory
from agentcli.context.reminders import Reminders
from agentcli.context.repo import RepoFacts, RepoLook
from agentcli.context.system_prompt import system_parts
from agentcli.lib.errors import UserError
from agentcli.lib.value import value
from agentcli.llm.route import Route
from agentcli.llm.types import AssistantMessage, JsonObject, Message
from agentcli.session import store
from agentcli.session.codec import message_to_json
from agentcli.session.ledger import Ledger, newest, replay
from agentcli.tools.workspace import Workspace

if TYPE_CHECKING:
    from agentcli.llm.http import Http

BESIDE = ("subagent", "title")
"""Roles of requests that are no part of the talk."""
_ID = re.compile(r"\w[\w-]{0,99}")


@value
class Ground:
    """Where a conversation takes place."""

    root: Path
    places: Places
    version: str
    env: Mapping[str, str]
    clock: Callable[[], float] = time.time
    """Unix seconds."""
    http: Callable[[Route], Http] | None = None
    """Where requests go, if not to the network."""


@dataclass(slots=True)
class Talk:
    id: str
    transcript: Transcript
    workspace: Workspace
    file: store.SessionFile | None
    system: tuple[str, ...] = ()
    """The frozen prefix; empty until `freeze`."""
    look: RepoLook | None = None
    """A look at the repository under way, for a conversation that has not begun."""
    ledger: Ledger = field(default_factory=Ledger)
    bills: tuple[JsonObject, ...] = ()
    """Those of before a session was resumed."""
    used: int = 0
    """Tokens of the newest prompt and its reply."""
    model: str = ""
    """What a resumed session was last talking to."""
    pins: tuple[str, ...] = ()
    """Notes of the person that outlive every summary."""
    agents: dict[str, str] | None = None
    """The subagents that the model is told of: frozen like the prefix, None until it is."""
    title: str = ""
    """What it is called, where anybody gave it a name."""
    key: str = ""
    """By what some providers find its cache; a fork keeps that of its origin."""
    remote: tuple[JsonObject, ...] | None = None
    """The MCP tools of this epoch, as they are sent; None until they are settled."""

    def __post_init__(self) -> None:
        self.key = self.key or self.id

    @property
    def times(self) -> list[float]:
        """When each request of the talk itself was sent before, in Unix seconds."""
        own = (bill for bill in self.bills if bill.get("role") not in BESIDE)
        times = (bill.get("at") for bill in own)
        return [float(at) for at in times if isinstance(at, int | float)]

    def freeze(
        self, ground: Ground, options: Options, transcript: Transcript | None = None
    ) -> Reminders:
        """Settle the prefix: read instructions and repository facts, once a conversation.

        The reminders are for the talk, or for a subagent's own `transcript`.
        """
        top = memory.repository_root(ground.root)
        known = memory.load(top, ground.root, ground.places.config)
        if not self.system:
            self.system = system_parts(
                ground.root,
                self._looked(),
                known,
                replace=options.system_prompt,
                append=options.append_system_prompt,
            )
        said = (self.transcript if transcript is None else transcript).messages
        return Reminders(ground.root, {file.path for file in known}, said)

    def close(self) -> None:
        """Let go of the file, and of a look at the repository that nobody waited for."""
        self._looked(timeout=0)
        if self.file is not None:
            self.file.close()

    def _looked(self, timeout: float = 3.0) -> RepoFacts | None:
        look, self.look = self.look, None
        return look.result(timeout) if look else None

    def begin(self, ground: Ground, model: str) -> None:
        """Open the file with its header and first epoch."""
        if self.file is not None:
            self.file.append("header", store.header(self.id, ground.root, ground.version))
            self.begin_epoch(model)

    def begin_epoch(
        self, model: str, messages: tuple[Message, ...] = (), restores: str = ""
    ) -> None:
        """Record the frozen prefix, and the messages that an epoch after compaction starts with.

        `restores` is the entry of the epoch that this one goes on with.
        """
        if self.file is None:
            return
        data: JsonObject = {
            "model": model,
            "system": list(self.system),
            "messages": [message_to_json(message) for message in messages],
        }
        if self.agents is not None:
            data["agents"] = self.agents
        if self.remote:
            data["remote"] = list(self.remote)
        if restores:
            data["restores"] = restores
        self.file.append("epoch", data, durable=bool(messages))

    def name(self, title: str) -> None:
        """Call it so, in every list from now on."""
        self.title = title
        if self.file is not None:
            self.file.append("title", {"title": title})

    def pin(self, notes: tuple[str, ...]) -> None:
        """Keep these notes, and no others, from now on."""
        self.pins = notes
        if self.file is not None:
            self.file.append("pins", {"notes": list(notes)}, durable=True)


def open_new(ground: Ground, options: Options, tool_env: Mapping[str, str]) -> Talk:
    """A conversation that has not begun: its file appears with the first message."""
    session_id = _chosen_id(ground, options)
    look = RepoLook(ground.root, tool_env)
    talk = _talk(ground, options, session_id)
    talk.look = look
    return talk


def _chosen_id(ground: Ground, options: Options) -> str:
    """The person's id for a new session, or one of ours; raises UserError when it can't be had."""
    wanted = options.session_id
    if wanted is None:
        return store.new_id(ground.clock())
    if not _ID.fullmatch(wanted):
        raise UserError(f"{wanted[:100]!r} is no id for a session: letters, digits, - and _ are.")
    if (store.folder(ground.places.data, ground.root) / f"{wanted}.jsonl").exists():
        raise UserError(f"There is a session {wanted} already; --resume {wanted} goes on with it.")
    return wanted


def open_saved(ground: Ground, options: Options, path: Path) -> Talk:
    """A conversation read back, with the prefix and the bills it had."""
    saved, last, count = store.read(path)
    session_id = store.new_id(ground.clock()) if options.fork_session else saved.id
    talk = _talk(ground, options, session_id, saved.messages)
    talk.system, talk.key, talk.remote = saved.system, saved.key, saved.remote
    replied = [m.model for m in saved.messages if isinstance(m, AssistantMessage)]
    talk.model = replied[-1] if replied else saved.model
    talk.bills, talk.pins, talk.agents = saved.bills, saved.pins, saved.agents
    talk.title = saved.title
    talk.workspace.todos = saved.todos
    talk.used = _used(talk)
    replay(talk.ledger, talk.bills)
    if talk.file is not None and options.fork_session:
        head = store.header(session_id, ground.root, ground.version, key=saved.key)
        talk.file.append("header", head)
        talk.begin_epoch(talk.model, saved.messages)
        for bill in talk.bills:
            talk.file.append("spent", bill)
        if talk.pins:
            talk.pin(talk.pins)
        if talk.title:
            talk.name(talk.title)
    elif talk.file is not None:
        talk.file.open_existing(last, count)
    return talk


def too_late(talk: Talk, options: Options) -> str:
    """What to tell who asks for another system prompt than a session has; "" for nothing."""
    flags = {
        "--system-prompt": options.system_prompt,
        "--append-system-prompt": options.append_system_prompt,
    }
    first = talk.system[0] if talk.system else ""
    unused = [name for name, text in flags.items() if first and text and text not in first]
    if not unused:
        return ""
    return f"{' and '.join(unused)} comes too late: this session has its system prompt already."


def _used(talk: Talk) -> int:
    """How full the window was; 0 when the last request does not tell."""
    own = [bill for bill in talk.bills if bill.get("role") not in BESIDE]
    last = next(iter(newest(own[-1:], talk.id)), None)
    if last is None or last.usage is None or last.role not in ("main", "retry", "fallback"):
        return 0
    return last.usage.prompt + last.usage.output


def find_saved(ground: Ground, options: Options) -> Path:
    """The file that --continue or --resume means; raises UserError when there is none."""
    folder = store.folder(ground.places.data, ground.root)
    if options.resume_last:
        newest = store.listing(folder, limit=1)
        if not newest:
            raise UserError("There is no earlier session in this folder to continue.")
        return newest[0].path
    name = options.resume or ""
    found = [p for p in folder.glob("*.jsonl") if p.stem == name or p.stem.startswith(name)]
    if len(found) != 1:
        what = "matches several sessions" if found else "is no session of this folder"
        raise UserError(f"{name!r} {what}; `agent sessions` lists them.")
    return found[0]


def _talk(
    ground: Ground, options: Options, session_id: str, messages: tuple[Message, ...] = ()
) -> Talk:
    file = None
    if options.session_persistence:
        folder = store.folder(ground.places.data, ground.root)
        file = store.SessionFile(folder / f"{session_id}.jsonl", session_id, clock=ground.clock)
    transcript = Transcript(messages, on_append=file.message if file else lambda _: None)
    return Talk(session_id, transcript, Workspace(ground.root), file)
