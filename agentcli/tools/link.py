"""The way to one MCP server: a task of its own connects, keeps and ends the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from agentcli.lib.errors import UserError
from agentcli.llm.types import JsonObject
from agentcli.tools.base import ToolContext, ToolError, ToolResult
from agentcli.tools.remote import Offer
from agentcli.tools.server import Server, Setting

if TYPE_CHECKING:
    from agentcli.tools.mcp import Connection

State = Literal["idle", "connecting", "connected", "failed", "ended"]
CONNECT = 30.0
"""Seconds until a server must have answered; whoever waits for it may give up sooner."""
GOODBYE = 8.0
"""Seconds for a server to end when it is asked to; the library kills it after four."""
Wish = Literal["list", "end"]


class Link:
    """Everything about a connection happens in `_own`; others put wishes into its queue."""

    def __init__(self, server: Server, setting: Setting, told: Callable[[Link], None]) -> None:
        self.server = server
        self.state: State = "idle"
        self.why = ""
        """What went wrong."""
        self.offers: tuple[Offer, ...] | None = None
        """What it listed last; None before it ever did."""
        self._setting = setting
        self._told = told
        self._wishes: asyncio.Queue[Wish] = asyncio.Queue()
        self._settled = asyncio.Event()
        self._connection: Connection | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_words = ""
        self.restarted = False
        """Started again since it last answered: this is done once."""

    def start(self) -> None:
        """Connect in the background, unless that was begun before."""
        if self.state == "idle":
            self._begin()

    def restart(self) -> None:
        """Connect anew where there is no connection and none is being made."""
        if self.state not in ("connecting", "connected"):
            self.restarted = False
            self._begin()

    async def settled(self) -> None:
        """Wait until it is connected or has failed."""
        await self._settled.wait()

    async def call(self, tool: str, ctx: ToolContext, input: JsonObject) -> ToolResult:
        """Connects first where that is due. Raises ToolError."""
        connection = await self._ready()
        from agentcli.tools.mcp import Expired, Gone  # door: open by now

        try:
            try:
                result = await connection.call(tool, ctx, input)
            except Expired:
                self._lost(connection)
                connection = await self._ready()
                result = await connection.call(tool, ctx, input)
        except Gone:
            self._lost(connection)
            again = "" if self.restarted else " The next call starts it again."
            raise ToolError(
                f"The MCP server {self.server.name} ended during this call, which may or may not "
                f"have been done.{again}{self._words()}"
            ) from None
        self.restarted = False
        return result

    async def close(self) -> None:
        """Let go of the server; one that was started here is ended."""
        late = set(self._tasks)
        if late and self.state != "connecting":
            self._wishes.put_nowait("end")
            _, late = await asyncio.wait(late, timeout=GOODBYE)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=GOODBYE)

    def _begin(self) -> None:
        self.state, self.why, self._last_words = "connecting", "", ""
        self._settled.clear()
        self._wishes = asyncio.Queue()
        task = asyncio.ensure_future(self._own(self._wishes))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ready(self) -> Connection:
        if self.state == "ended" and not self.restarted:
            self.restarted = True
            self._begin()
        self.start()
        await self._settled.wait()
        if self._connection is None:
            raise ToolError(f"The MCP server {self.server.name} can't be reached: {self.why}.")
        return self._connection

    async def _own(self, wishes: asyncio.Queue[Wish]) -> None:
        """The life of one connection, entered and left in this task."""
        try:
            await asyncio.to_thread(import_module, "agentcli.tools.mcp")  # door: mcp
            await self._live(wishes)
            self._over(wishes, "it was closed")
        except asyncio.CancelledError:
            self._over(wishes, "it was closed")
        except UserError as error:
            self._over(wishes, str(error).rstrip("."))
        except Exception as error:  # whatever a stranger's server does ends here
            from agentcli.tools.mcp import reason

            self._over(wishes, f"{reason(error).rstrip('.')}.{self._words()}".rstrip("."))

    async def _live(self, wishes: asyncio.Queue[Wish]) -> None:
        from agentcli.tools.mcp import connected

        async with asyncio.timeout(CONNECT) as patience:
            async with connected(
                self.server.filled(self._setting.given),
                self._setting,
                lambda: wishes.put_nowait("list"),
                self._overhear,
            ) as connection:
                self.offers = await connection.offers()
                patience.reschedule(None)
                self._connection, self.state = connection, "connected"
                self._settled.set()
                self._told(self)
                while await _newest(wishes) == "list":
                    self.offers = await connection.offers()
                    self._told(self)

    def _over(self, wishes: asyncio.Queue[Wish], why: str) -> None:
        """This connection is at its end; another one may have begun meanwhile."""
        if wishes is not self._wishes:
            return
        never = self.state == "connecting"
        self.state = "failed" if never else "ended"
        self._connection, self.why = None, self.why or why
        self._settled.set()
        if never:
            self._told(self)

    def _lost(self, connection: Connection) -> None:
        """The server is no more: its connection is left, in its own task."""
        if self._connection is connection:
            self._connection, self.state = None, "ended"
            self.why = f"it ended.{self._words()}".rstrip(".")
            self._wishes.put_nowait("end")

    def _overhear(self, words: str) -> None:
        self._last_words = words

    def _words(self) -> str:
        lines = [line.strip() for line in self._last_words.splitlines() if line.strip()]
        return f" Its last words: {lines[-1][:300]}" if lines else ""


async def _newest(wishes: asyncio.Queue[Wish]) -> Wish:
    """The next wish; of several that wait to be listed anew, one."""
    wish = await wishes.get()
    while wish == "list" and not wishes.empty():
        wish = wishes.get_nowait()
    return wish
