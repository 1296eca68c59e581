"""The exact first request a prompt would cause, not sent: `agent debug request`."""

from __future__ import annotations

import json
from pathlib import Path

from agentcli.agent.events import AgentEvent, Answer, Question
from agentcli.app.app import App
from agentcli.app.options import Options
from agentcli.config import Config
from agentcli.lib.errors import UserError
from agentcli.llm.auth import redact, redact_url
from agentcli.llm.errors import LLMError
from agentcli.llm.types import JsonObject, Text, UserMessage


class Nobody:
    """A front-end for what neither speaks nor asks."""

    def emit(self, event: AgentEvent) -> None:
        pass

    async def ask(self, question: Question) -> Answer:
        return Answer("no")


def preview(options: Options, config: Config, root: Path, prompt: str) -> JsonObject:
    """URL, headers with keys blanked, and body, as they would be sent. Raises UserError."""
    app = App(options, config, Nobody(), root=root)
    engine = app.engine()
    transcript = app.talk.transcript
    transcript.append(UserMessage((Text(prompt),), "human"))
    engine.remind()
    try:
        prepared = engine.client.prepare(engine.frames.now().request(transcript))
    except LLMError as error:
        raise UserError(str(error)) from None
    return {
        "url": redact_url(prepared.url),
        "headers": redact(prepared.headers),
        "body": json.loads(prepared.body),
    }
