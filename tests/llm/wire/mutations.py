"""Recorded bodies, changed as a broken server would: events lost, doubled, swapped or odd."""

import base64
import json
import struct
from zlib import crc32

from agentcli.llm.errors import LLMError
from agentcli.llm.event_stream import EventStreamParser

DEEP = "[" * 5000
"""Nested deeper than any parser of JSON goes."""
ODD = (
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    1e308,
    "",
    "x",
    "\u2028ü",
    [],
    {},
    [None],
    [1],
    [[]],
    {"a": None},
    ["x"],
    {"type": "x"},
    "9" * 5000,
)
"""Values of other types, sizes and shapes than any promise."""


def broken(body, rng):
    """The body with one to three things wrong; frames keep valid checksums."""
    events = _frames(body) if body[:1] == b"\0" else _events(body)
    for _ in range(rng.choice((1, 1, 2, 3))):
        _break_one(events, rng)
    return b"".join(map(_packed, events))


def _break_one(events, rng):
    at = rng.randrange(len(events))
    match rng.choice(("drop", "double", "swap", "deep", "value", "value", "value", "value")):
        case "drop" if len(events) > 1:
            del events[at]
        case "double":
            events.insert(rng.randrange(len(events)), events[at])
        case "swap":
            other = rng.randrange(len(events))
            events[at], events[other] = events[other], events[at]
        case "deep":
            events[at] = (events[at][0], DEEP)
        case _:
            head, data = events[at]
            events[at] = (head, _changed(data, rng))


def _events(body):
    """(lines before the data, the data) of each event."""
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    found = []
    for event in text.replace("\r\n", "\n").replace("\r", "\n").split("\n\n"):
        lines = event.split("\n")
        data = "\n".join(line[5:].strip() for line in lines if line.startswith("data:"))
        found.append(([line for line in lines if not line.startswith("data:")], data))
    return found


def _frames(body):
    parser = EventStreamParser()
    found = []
    try:
        for frame in parser.feed(body):
            found.append((frame.headers, frame.payload.decode("utf-8", "replace")))
    except LLMError:
        pass
    return found or [({}, "{}")]


def _packed(event):
    head, data = event
    if isinstance(head, dict):
        return _frame(head, data.encode())
    lines = [*head, *(f"data: {line}" for line in data.split("\n") if data)]
    return ("\n".join(lines) + "\n\n").encode("utf-8", "replace")


def _frame(headers, payload):
    names = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(text)) + text.encode()
        for name, text in headers.items()
    )
    sizes = struct.pack(">II", 16 + len(names) + len(payload), len(names))
    whole = sizes + struct.pack(">I", crc32(sizes)) + names + payload
    return whole + struct.pack(">I", crc32(whole))


def _changed(data, rng):
    """The JSON with one value lost, moved or odd; what a frame wraps is changed inside."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return data
    if isinstance(value, dict) and isinstance(value.get("bytes"), str) and rng.random() < 0.8:
        inner = _changed(_wrapped(value["bytes"]), rng)
        return json.dumps(value | {"bytes": base64.b64encode(inner.encode()).decode()})
    places = list(_places(value))
    if not places:
        return json.dumps(rng.choice(ODD))
    holder, key = rng.choice(places)
    if rng.random() < 0.2:
        del holder[key]
    elif rng.random() < 0.2:
        elsewhere, other = rng.choice(places)
        holder[key] = json.loads(json.dumps(elsewhere[other]))
    else:
        holder[key] = rng.choice(ODD)
    return json.dumps(value, ensure_ascii=rng.random() < 0.5)


def _wrapped(text):
    try:
        return base64.b64decode(text).decode("utf-8", "replace")
    except ValueError:
        return "{}"


def _places(value):
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])
