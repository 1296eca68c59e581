"""A request turned down, and the shapes in which vendors say so."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from agentcli.llm.types import JsonObject


class Refused(Exception):
    """What the real API would refuse, in its words. `kind` is the vendor's error type."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.param = param
        self.code = code
        self.retry_after = retry_after


def require(holds: bool, message: str) -> None:
    """Raises Refused (400) unless it holds."""
    if not holds:
        raise Refused(message)


def anthropic_error(kind: str, message: str, request_id: str) -> JsonObject:
    """wire.md 1.9."""
    error = {"type": kind, "message": message}
    return {"type": "error", "error": error, "request_id": request_id}


def openai_error(refused: Refused) -> JsonObject:
    """wire.md 2.7."""
    return {
        "error": {
            "message": refused.message,
            "type": refused.kind,
            "param": refused.param,
            "code": refused.code,
        }
    }


def as_object(value: Any) -> JsonObject:
    """The value if it is a JSON object, else an empty one."""
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def only(value: JsonObject, known: Collection[str], where: str) -> None:
    """Refuse fields nobody knows, as the Messages API words it."""
    for name in value:
        if name not in known:
            path = f"{where}.{name}" if where else name
            raise Refused(f"{path}: Extra inputs are not permitted")
