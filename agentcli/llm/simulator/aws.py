"""What Amazon puts around every model: binary frames and its own errors (wire.md 4.3, 4.6)."""

from __future__ import annotations

import struct
from zlib import crc32

from agentcli.llm.simulator.dialect import Manner
from agentcli.llm.simulator.frames import Frame, Role, dump
from agentcli.llm.simulator.refusal import Refused
from agentcli.llm.types import JsonObject

VALIDATION = "ValidationException"
FAULTS: dict[str, tuple[int, str, str]] = {
    "rate_limited": (429, "ThrottlingException", "Too many requests, please wait."),
    "quota": (400, "ServiceQuotaExceededException", "Your account exceeds its service quota."),
    "overloaded": (503, "ServiceUnavailableException", "The service is unavailable."),
    "context_overflow": (400, VALIDATION, "Input is too long for requested model."),
    "unauthorized": (403, "UnrecognizedClientException", "The security token is invalid."),
    "no_key": (403, "MissingAuthenticationTokenException", "Missing Authentication Token"),
    "server_error": (500, "InternalServerException", "An internal error occurred."),
}
"""(status, type, message), wire.md 4.6."""
STREAM_FAULTS = {
    "internalServerException": "The system encountered an unexpected error.",
    "modelStreamErrorException": "The model failed while it answered.",
    "serviceUnavailableException": "The service is unavailable.",
    "throttlingException": "Too many tokens, please wait before trying again.",
    "validationException": "The request is not valid.",
}
"""wire.md 4.3."""


def _header(name: str, text: str) -> bytes:
    """A header whose value is a string (type 7)."""
    label, value = name.encode(), text.encode()
    return bytes([len(label)]) + label + b"\x07" + struct.pack(">H", len(value)) + value


def _message(kind: str, name: str, payload: JsonObject) -> bytes:
    """One frame: lengths, their CRC, headers, payload, and the CRC of it all."""
    told = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    headers = b"".join(_header(*pair) for pair in told.items())
    body = dump(payload).encode()
    start = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    whole = start + struct.pack(">I", crc32(start)) + headers + body
    return whole + struct.pack(">I", crc32(whole))


def event(name: str, payload: JsonObject, role: Role = "frame") -> Frame:
    return Frame(_message("event", name, payload), role)


def exception(kind: str) -> Frame:
    """An error in the middle of a stream; an unknown kind is a failing service."""
    name = kind if kind in STREAM_FAULTS else "serviceUnavailableException"
    return Frame(_message("exception", name, {"message": STREAM_FAULTS[name]}))


def _damaged() -> bytes:
    """A frame whose last byte was altered on the way."""
    whole = _message("event", "contentBlockDelta", {"contentBlockIndex": 0})
    return whole[:-1] + bytes([whole[-1] ^ 1])


MANNER = Manner(
    stream_type="application/vnd.amazon.eventstream",
    broken=_damaged(),
    retry_header=False,
    error_header="x-amzn-errortype",
)


def error(refused: Refused) -> JsonObject:
    return {"message": refused.message}


def failure(name: str, model: str) -> Refused:
    if name == "model_not_found":
        message = f"Could not resolve the foundation model from the model identifier: {model}"
        return Refused(message, status=404, kind="ResourceNotFoundException")
    status, kind, message = FAULTS[name]
    return Refused(message, status=status, kind=kind)


def need(holds: bool, message: str) -> None:
    """Raises Refused (400 ValidationException) unless it holds."""
    if not holds:
        raise Refused(message, kind=VALIDATION)
