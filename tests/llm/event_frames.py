"""Frames of an AWS event stream, written as the service writes them (wire.md 4.3)."""

import json
import struct
from zlib import crc32


def raw_frame(headers, payload):
    """`headers` as bytes, so that any type can be written."""
    start = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    whole = start + struct.pack(">I", crc32(start)) + headers + payload
    return whole + struct.pack(">I", crc32(whole))


def text_header(name, text):
    label, value = name.encode(), text.encode()
    return bytes([len(label)]) + label + b"\x07" + struct.pack(">H", len(value)) + value


def frame(kind, name, payload):
    """One message: `kind` is event, exception or error; `name` its type."""
    if kind == "error":
        headers = {":error-code": name, ":error-message": payload, ":message-type": kind}
        return raw_frame(b"".join(text_header(*pair) for pair in headers.items()), b"")
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return raw_frame(b"".join(text_header(*pair) for pair in headers.items()), body)


def event(name, payload):
    return frame("event", name, payload)
