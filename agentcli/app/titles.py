"""Titles of sessions, made beside the talk where a small model is configured for such work."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agentcli.agent.events import TurnEnd
from agentcli.app.billing import Billing, Paid
from agentcli.app.lines import Lines
from agentcli.context.title import title_of, title_request
from agentcli.lib.errors import UserError
from agentcli.llm.errors import LLMError

if TYPE_CHECKING:
    from agentcli.app.engine import Site

PATIENCE = 3.0
"""Seconds that the end of a session waits for a title that is on its way."""


class Titles:
    """Asks once, after the first turn of a new session; the person waits for nothing."""

    def __init__(self, site: Site, lines: Lines, billing: Billing) -> None:
        self._site = site
        self._lines = lines
        self._billing = billing
        self._task: asyncio.Task[None] | None = None

    def after(self, end: TurnEnd) -> None:
        """A turn has ended. Without a small model, nothing is sent."""
        talk, name = self._site.talk, self._site.config.roles.get("small", "")
        kept = talk.file is not None and not talk.bills
        if name and kept and not talk.title and self._task is None and end.reason == "done":
            self._task = asyncio.ensure_future(self._make(name))

    async def close(self) -> None:
        if self._task is not None:
            await asyncio.wait([self._task], timeout=PATIENCE)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _make(self, name: str) -> None:
        """What fails goes to the log: a session is none the worse without a title."""
        talk = self._site.talk
        session = f"{talk.id}/title"
        try:
            line = self._lines.to(name, alone=True)
            if line is None:
                return
            request = title_request(talk.transcript.messages, line.route().model, session)
            client = Paid(line.asks, self._billing, "title", line.route, asks=False)
            async with client.stream(request) as reply:
                async for _ in reply:
                    pass
        except (LLMError, UserError) as error:
            self._site.log_bug(error)
            return
        title = title_of(reply.message.text)
        if title and reply.message.stop != "refusal":
            talk.name(title)
