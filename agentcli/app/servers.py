"""The MCP servers of a session: started beside it, their tools frozen for an epoch, new ones
joining with the next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from agentcli.agent.events import Frontend, Level, Notice, UserQuestion
from agentcli.app.talk import Ground
from agentcli.config import Config
from agentcli.lib.errors import UserError
from agentcli.lib.text import counted
from agentcli.lib.value import replace
from agentcli.llm.types import JsonObject, ToolSpec
from agentcli.policy.approval import HELD_BACK, TAKEN, approve, question, sift
from agentcli.session import offers as lists
from agentcli.session.offers import Kept
from agentcli.tools.base import ToolContext, ToolError, ToolResult
from agentcli.tools.link import Link
from agentcli.tools.remote import MOST, Definition, Offer, RemoteTool, define, too_large
from agentcli.tools.server import Server, Setting

FRESH = 24 * 3600.0
"""Seconds for which a list on disk is not asked for anew; calls connect when they come."""
JOIN = "at the next compaction or with /clear"
Status = Literal["connected", "cached", "pending", "failed", "disabled"]


@dataclass(slots=True)
class Servers:
    """Holds the links; belongs to the app, outlives conversations."""

    config: Config
    ground: Ground
    env: Mapping[str, str]
    """What servers that are started here may see: no secrets."""
    frontend: Frontend
    sent: Callable[[], tuple[JsonObject, ...] | None]
    """The tools that the conversation has; None before they are settled."""
    clock: Callable[[], float] = time.time
    links: dict[str, Link] = field(default_factory=dict[str, Link])
    kept: dict[str, Kept] = field(default_factory=dict[str, Kept])
    _declined: set[str] = field(default_factory=set[str])
    _heard: dict[str, frozenset[str]] = field(default_factory=dict[str, "frozenset[str]"])
    _opened: bool = False

    def __post_init__(self) -> None:
        ground = self.ground
        setting = Setting(ground.root, self.env, ground.env, ground.version)
        for name, server in sorted(self.config.servers.items()):
            self.kept[name] = lists.read(self._place(server), server)
            if not server.disabled:
                self.links[name] = Link(server, setting, self._told)

    def open(self, *, every: bool = False) -> None:
        """Begin to connect, in the background, to those whose tools are not known well."""
        if self._opened:
            return
        self._opened = True
        for name, link in self.links.items():
            if every or self.clock() - self.kept[name].at > FRESH:
                link.start()

    async def settle(self, usual: float, most: float) -> tuple[JsonObject, ...]:
        """The tools of a conversation that begins: waits for servers, so many seconds usually,
        and in no case longer than `most`."""
        self.open()
        wait = self.config.mcp_wait
        for name in await self.waited(min(most, usual if wait is None else wait)):
            self._say("warning", name, f"is not there yet; its tools can join {JOIN}")
        return await self.join()

    async def waited(self, seconds: float, *, every: bool = False) -> tuple[str, ...]:
        """Wait for those that are being connected to and whose tools nobody knows; who is late."""
        names = [n for n in self.links if every or self._offered(n) is None]
        waits = {n: asyncio.ensure_future(self.links[n].settled()) for n in names}
        if waits:
            await asyncio.wait(waits.values(), timeout=seconds)
        late = tuple(name for name, wait in waits.items() if not wait.done())
        for name in late:
            waits[name].cancel()
        return late

    async def join(self) -> tuple[JsonObject, ...]:
        """A new epoch: the tools of all servers that are known now, approved ones only."""
        offers: list[Offer] = []
        for name, link in self.links.items():
            listed = self._offered(name)
            if listed is not None:
                offers += await self._approved(link.server, listed)
        defined = define(offers)
        self._tell_left_out(offers, defined)
        return tuple(told.to_json() for told in defined[:MOST])

    async def call(self, told: Definition, ctx: ToolContext, input: JsonObject) -> ToolResult:
        """Do what a model asked of a server. Raises ToolError."""
        link = self.links.get(told.server)
        if link is None:
            raise ToolError(f"There is no MCP server {told.server} any more.")
        return await link.call(told.tool, ctx, input)

    def tell_other(self) -> None:
        """Which servers a resumed conversation has other tools of."""
        for name in filter(self.differs, self.links):
            self._say("info", name, f"has other tools now than this conversation; they join {JOIN}")

    def link(self, name: str) -> Link:
        """Raises UserError for a name that is none, and for a server that is disabled."""
        if name not in self.links:
            known = ", ".join(self.links) or "none that is enabled"
            raise UserError(f"There is no MCP server {name}; there are: {known}.")
        return self.links[name]

    def restart(self, name: str) -> str:
        """Connect anew to a server that failed or ended."""
        self.link(name).restart()
        return f"MCP {name}: connecting."

    def status(self, name: str) -> Status:
        link = self.links.get(name)
        if link is None:
            return "disabled"
        match link.state:
            case "connected":
                return "connected"
            case "connecting":
                return "pending"
            case "failed" | "ended":
                return "failed"
            case "idle":
                return "cached"

    async def close(self) -> None:
        await asyncio.gather(*(link.close() for link in self.links.values()))

    def _place(self, server: Server) -> lists.Path:
        return lists.place(self.ground.places.data / "mcp", server)

    def _offered(self, name: str) -> tuple[Offer, ...] | None:
        """The newest list there is, of those tools that the person wants."""
        link, kept = self.links[name], self.kept[name]
        listed = kept.offers if link.offers is None and kept.at else link.offers
        return None if listed is None else tuple(o for o in listed if link.server.takes(o.tool))

    async def _approved(self, server: Server, listed: tuple[Offer, ...]) -> tuple[Offer, ...]:
        kept = self.kept[server.name]
        sifted = sift(listed, kept.approved)
        asked = tuple(o for o in sifted.changed if o.mark not in self._declined)
        taken = sifted.known
        if asked:
            text = question(server.name, asked, kept.approved)
            answer = await self.frontend.ask(UserQuestion(text, (HELD_BACK, TAKEN)))
            if (answer.verdict, answer.text) == ("yes", TAKEN):
                taken = (*taken, *asked)
            else:
                self._declined |= {offer.mark for offer in asked}
                names = ", ".join(offer.tool for offer in asked)
                self._say("warning", server.name, f"changed these tools, left out now: {names}")
        if any(offer.mark not in self._marks(kept, offer) for offer in taken):
            self._keep(server, replace(kept, approved=approve(kept.approved, taken)))
        return taken

    def _marks(self, kept: Kept, offer: Offer) -> tuple[str, ...]:
        known = kept.approved.get(offer.tool)
        return known.marks if known else ()

    def _told(self, link: Link) -> None:
        """A link has connected, failed, or heard that the tools are others now."""
        name = link.server.name
        if link.state == "failed":
            self._say("warning", name, f"can't be reached: {link.why}")
            return
        if link.offers is not None:
            now = self.clock()
            self._keep(link.server, replace(self.kept[name], at=now, offers=link.offers))
        if link.restarted:
            self._say("info", name, "had ended and was started again")
        elif self._is_news(link) and self.differs(name):
            many = counted(len(self._offered(name) or ()), "tool")
            known = tools_of(name, self.sent() or ())
            news = "has changed its tools" if known else f"is connected: {many}"
            self._say("info", name, f"{news}; they join {JOIN}")

    def _is_news(self, link: Link) -> bool:
        """Whether this list was not told of before, however often its server speaks of it."""
        marks = frozenset(offer.mark for offer in link.offers or ())
        before, self._heard[link.server.name] = self._heard.get(link.server.name), marks
        return marks != before

    def differs(self, name: str) -> bool:
        """Whether a server has tools that the conversation could have, and others than it has."""
        sent = self.sent()
        if sent is None:
            return False
        told = [Definition(**each) for each in sent]
        has = {(d.tool, d.description, str(d.schema)) for d in told if d.server == name}
        wanted = [o for o in self._offered(name) or () if o.mark not in self._declined]
        now = define(wanted)
        return {(d.tool, d.description, str(d.schema)) for d in now} != has

    def _keep(self, server: Server, kept: Kept) -> None:
        self.kept[server.name] = kept
        try:
            lists.keep(self._place(server), kept)
        except OSError as error:
            self._say("warning", server.name, f"could not be noted: {error.strerror}")

    def _tell_left_out(self, offers: list[Offer], defined: tuple[Definition, ...]) -> None:
        for offer in offers:
            if too_large(offer):
                self._say("warning", offer.server, f"has too large a schema for {offer.tool}")
        if len(defined) > MOST:
            servers = ", ".join(dict.fromkeys(told.server for told in defined[MOST:]))
            left = counted(len(defined) - MOST, "tool")
            self._say(
                "warning", servers, f"{left} left out: {MOST} are the most; see include_tools"
            )

    def _say(self, level: Level, name: str, words: str) -> None:
        self.frontend.emit(Notice(level, f"MCP {name} {words}."))


def tools_of(server: str, sent: tuple[JsonObject, ...]) -> tuple[ToolSpec, ...]:
    """What a conversation has of one server, as it is sent."""
    return tuple(
        ToolSpec(told["name"], told["description"], told["schema"])
        for told in sent
        if told["server"] == server
    )


def remote_tools(remote: tuple[JsonObject, ...], servers: Servers | None) -> dict[str, RemoteTool]:
    """The tools that a conversation was begun with; where no server is known each call says so."""

    async def gone(told: Definition, ctx: ToolContext, input: JsonObject) -> ToolResult:
        raise ToolError(f"There is no MCP server {told.server} any more.")

    call = servers.call if servers is not None else gone
    return {told["name"]: RemoteTool(Definition(**told), call) for told in remote}
