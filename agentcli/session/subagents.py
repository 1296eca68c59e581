"""What a subagent said and did, kept in the session's file beside the talk it worked for."""

from __future__ import annotations

from agentcli.lib.value import value
from agentcli.llm.types import JsonObject, Message, UserMessage
from agentcli.session.codec import message_to_json
from agentcli.session.store import SessionFile


@value
class Record:
    """One subagent's lines; they say by `agent` whose they are, as several work at once."""

    file: SessionFile | None
    agent: str

    def begin(self, **facts: str) -> None:
        """Who it is: `call`, `type`, `description`, `model`."""
        self._write({"began": facts})

    def message(self, message: Message) -> None:
        """Kept before it is sent, as in the talk itself."""
        said = isinstance(message, UserMessage) and message.origin == "human"
        self._write({"message": message_to_json(message)}, durable=not said)

    def end(self, reason: str) -> None:
        self._write({"ended": reason})

    def _write(self, data: JsonObject, *, durable: bool = False) -> None:
        if self.file is not None:
            self.file.append("subagent", {"agent": self.agent} | data, durable=durable)
