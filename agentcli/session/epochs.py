"""Back before a summary: what a session's newest one took the place of, read from its file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agentcli.lib.value import value
from agentcli.llm.types import JsonObject, Message, UserMessage
from agentcli.session.codec import message_from_json
from agentcli.session.entries import Entry
from agentcli.session.store import entries_of


@value
class Earlier:
    """A conversation as it was before it was summed up, and what was said since."""

    epoch: str
    """The entry of the epoch that is gone on with."""
    before: tuple[Message, ...]
    since: tuple[Message, ...]
    remote: tuple[JsonObject, ...]
    """The MCP tools it had."""


def earlier(path: Path) -> Earlier | None:
    """What undoing the newest compaction that still counts goes back to; None without one.

    Raises UserError when the file can't be read.
    """
    entries, _ = entries_of(path)
    epochs = [n for n, entry in enumerate(entries) if entry.kind == "epoch"]
    if not epochs:
        return None
    begun = _origin(entries, epochs[-1])
    start = _started_with(entries[begun])
    older = [n for n in epochs if n < begun]
    if not older or not _is_summary(start):
        return None
    now = _conversation(entries, epochs[-1], len(entries))
    before = _conversation(entries, older[-1], begun)
    remote = tuple(entries[older[-1]].data.get("remote", ()))
    return Earlier(entries[older[-1]].id, before, now[len(start) :], remote)


def _origin(entries: Sequence[Entry], epoch: int) -> int:
    """The epoch that one goes on with: itself, unless it restores an earlier one."""
    while wanted := entries[epoch].data.get("restores"):
        found = (n for n in range(epoch - 1, -1, -1) if _is(entries[n], wanted))
        earlier = next(found, None)
        if earlier is None:
            break
        epoch = earlier
    return epoch


def _is(entry: Entry, wanted: str) -> bool:
    return entry.kind == "epoch" and entry.id == wanted


def _started_with(epoch: Entry) -> tuple[Message, ...]:
    return tuple(message_from_json(item) for item in epoch.data.get("messages", ()))


def _conversation(entries: Sequence[Entry], epoch: int, end: int) -> tuple[Message, ...]:
    said = (entry for entry in entries[epoch:end] if entry.kind == "message")
    return (*_started_with(entries[epoch]), *(message_from_json(entry.data) for entry in said))


def _is_summary(messages: tuple[Message, ...]) -> bool:
    first = messages[0] if messages else None
    return isinstance(first, UserMessage) and first.origin == "summary"
