"""The sink of events on their way to the front-end, and what the model is told as news."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agentcli.agent.events import AgentEvent, OfSubagent, Spent, ToolStart
from agentcli.agent.transcript import Transcript
from agentcli.app.billing import OF_THE_TALK

if TYPE_CHECKING:
    from agentcli.app.engine import Site


class News:
    """Sees which files the model of one conversation touches, and appends what is news to it."""

    def __init__(self, site: Site, transcript: Transcript) -> None:
        self._site = site
        self._transcript = transcript
        self._touched: list[Path] = []
        self.forget()

    def see(self, event: AgentEvent) -> None:
        if isinstance(event, ToolStart) and event.action.kind in ("read", "edit"):
            self._touched.append(Path(event.action.target))

    def forget(self) -> None:
        """The model knows nothing any more of what it was told."""
        site = self._site
        self._reminders = site.talk.freeze(site.ground, site.options, self._transcript)

    def remind(self) -> None:
        """Append what has become news to the conversation."""
        touched = tuple(self._touched)
        self._touched.clear()
        for message in self._reminders.due(
            self._site.ground.clock(), self._site.gate.mode, touched
        ):
            self._transcript.append(message)


class Watch:
    """Where every event goes; keeps the bills of requests beside the talk."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._news = News(site, site.talk.transcript)
        self._beside: list[Spent] = []
        self.remind = self._news.remind

    def __call__(self, event: AgentEvent) -> None:
        self._news.see(event)
        inner = event.event if isinstance(event, OfSubagent) else event
        if isinstance(inner, Spent) and inner.role not in OF_THE_TALK:
            self._beside.append(inner)
        self._site.frontend.emit(event)

    def beside(self) -> tuple[Spent, ...]:
        """Bills of requests beside the talk since this was last asked."""
        bills, self._beside = tuple(self._beside), []
        return bills

    def renew(self) -> None:
        """A new epoch knows nothing of what was told in the one before."""
        self._news.forget()
        self.remind()
