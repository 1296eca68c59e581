"""The lines of a session file: each an entry with an id and its parent, never rewritten."""

from __future__ import annotations

import json
from typing import Literal, cast

from agentcli.lib.value import value
from agentcli.llm.surrogates import well_formed
from agentcli.llm.types import JsonObject

Kind = Literal["header", "epoch", "message", "spent", "pins", "subagent", "title"]
VERSION = 1


@value
class Entry:
    """`header` opens the file; `epoch` holds the frozen prefix and the messages it starts with;
    `message` is one message as sent; `spent` is one bill; `pins` are the notes pinned now;
    `subagent` is a line of one that worked for the talk; `title` is what the talk is called."""

    id: str
    parent: str
    at: float
    """Unix seconds."""
    kind: Kind
    data: JsonObject


def to_line(entry: Entry) -> bytes:
    """One line of JSON with its newline; lone surrogates, which no file can hold, are replaced.

    By what is sent in their place too, so that a resumed session sends the same bytes.
    """
    record = {
        "id": entry.id,
        "parent": entry.parent,
        "at": round(entry.at, 3),
        "kind": entry.kind,
        "data": entry.data,
    }
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return well_formed(text).encode() + b"\n"


def from_line(line: bytes) -> Entry:
    """Raises ValueError, KeyError or TypeError for a line that is not an entry."""
    record = cast("JsonObject", json.loads(line))
    return Entry(record["id"], record["parent"], record["at"], record["kind"], record["data"])
