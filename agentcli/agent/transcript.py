"""The conversation as it is sent: it only grows, except when an epoch ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agentcli.llm.types import Message


class Transcript:
    """Append-only messages. Who keeps them (the session file) listens on `on_append`."""

    def __init__(
        self,
        messages: Iterable[Message] = (),
        *,
        on_append: Callable[[Message], None] = lambda _: None,
    ) -> None:
        self._messages = list(messages)
        self._on_append = on_append

    def append(self, message: Message) -> None:
        """Keep it first, then send it: the listener runs before the message is part of us."""
        self._on_append(message)
        self._messages.append(message)

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(self._messages)

    def restart(self, messages: Iterable[Message]) -> None:
        """Begin a new epoch: the one place where earlier messages go (compaction, /clear)."""
        self._messages = list(messages)

    def __len__(self) -> int:
        return len(self._messages)
