"""MCP servers as the app has them: nothing of them is loaded where none is configured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING

from agentcli.agent.events import Frontend
from agentcli.app.talk import Ground, Talk
from agentcli.config import Config
from agentcli.llm.models import ModelSpec
from agentcli.tools.base import Tool

if TYPE_CHECKING:
    from agentcli.app.servers import Servers

WAIT = 3.0
"""Seconds that a person waits for servers before the first request."""
NONE = (
    "No MCP server is configured: write [mcp.NAME] tables in config.toml, or .mcp.json in the "
    "project."
)


@dataclass(slots=True)
class Remote:
    """The tools a conversation has from elsewhere, and who answers for them."""

    talk: Callable[[], Talk]
    renew: Callable[[], None]
    """Has the tools of requests chosen anew."""
    model: Callable[[], str]
    servers: Servers | None = None
    _settled: str = ""
    """The conversation whose tools were looked at last."""

    def tools(self) -> Mapping[str, Tool]:
        """Those of this conversation, also where their server is not configured any more."""
        sent = self.talk().remote
        if not sent:
            return {}
        from agentcli.app.servers import remote_tools

        return remote_tools(sent, self.servers)

    def open(self) -> None:
        """Begin to connect, in the background."""
        if self.servers is not None:
            self.servers.open()

    async def settle(self, usual: float = WAIT, most: float = inf) -> None:
        """Freeze which tools a new conversation has; may wait for servers: seconds, unless
        configured, and the most of them."""
        talk = self.talk()
        if self.servers is None:
            return
        if talk.remote is None:
            talk.remote = await self.servers.settle(usual, most)
            self.renew()
            if talk.transcript.messages:  # a note was pinned before anything was asked
                talk.begin_epoch(self.model(), talk.transcript.messages)
            self._settled = talk.id
        elif self._settled != talk.id:
            self._settled = talk.id
            self.servers.tell_other()

    async def join(self) -> None:
        """An epoch begins: servers that came late join."""
        if self.servers is not None:
            self.talk().remote = await self.servers.join()
            self.renew()

    def states(self) -> list[dict[str, str]]:
        """Name and status of each configured server."""
        servers = self.servers
        if servers is None:
            return []
        return [{"name": name, "status": servers.status(name)} for name in servers.config.servers]

    def report(self, arguments: str, model: ModelSpec) -> str:
        """What `/mcp` shows: all servers, one of them, or `restart NAME`. Raises UserError."""
        if self.servers is None:
            return NONE
        from agentcli.app.server_report import one_server, server_table

        now = datetime.now(UTC)
        words = arguments.split()
        match words:
            case []:
                return server_table(self.servers, self.talk().remote or (), model, now)
            case ["restart", name]:
                return self.servers.restart(name)
            case _:
                return one_server(self.servers, " ".join(words), self.talk().remote or ())

    async def close(self) -> None:
        if self.servers is not None:
            await self.servers.close()


def remote(
    config: Config,
    ground: Ground,
    env: Mapping[str, str],
    frontend: Frontend,
    talk: Callable[[], Talk],
    renew: Callable[[], None],
    model: Callable[[], str],
) -> Remote:
    """`env` is what servers that are started here may see."""
    if not config.servers:
        return Remote(talk, renew, model)
    from agentcli.app.servers import Servers  # only where one is configured

    servers = Servers(config, ground, env, frontend, lambda: talk().remote)
    return Remote(talk, renew, model, servers)
