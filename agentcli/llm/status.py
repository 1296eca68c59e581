"""An HTTP status with its body, or an error event in a stream, as one LLMError (wire.md 1.9 …)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any, cast

from agentcli.llm.errors import (
    AuthFailed,
    BadRequest,
    ContextOverflow,
    LLMError,
    ModelNotFound,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    ServerFailed,
)
from agentcli.llm.types import JsonObject

OVERFLOW = (
    "prompt is too long",
    "input is too long",
    "exceeds the context window",
    "context_length_exceeded",
    "maximum context length",
    "input token count",
    "exceeds the maximum number of tokens",
    "exceed_context_size_error",
    "context size has been exceeded",
    "model_context_window_exceeded",
    "maximum prompt length",
    "too large for model with",
    "token limit exceeded",
    "request too large",
    "reduce the length of the messages",
    "contextwindowexceedederror",
)
"""Words by which vendors say that a prompt does not fit (wire.md 5.15), in lower case."""
QUOTA = (
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "exceeded_current_quota_error",
    "billing_error",
    "budget_exceeded",
    "arrearage",
    "specified api usage limits",
)
"""Codes and words of accounts that are out of money or plan: waiting does not help."""
ZAI_QUOTA = {"1113", "1304", "1308", "1309", "1310", "1311", "1313"}
BY_TYPE: dict[str, type[LLMError]] = {
    "overloaded_error": Overloaded,
    "engine_overloaded_error": Overloaded,
    "slow_down": RateLimited,
    "rate_limit_error": RateLimited,
    "rate_limit_exceeded": RateLimited,
    "api_error": ServerFailed,
    "server_error": ServerFailed,
    "timeout_error": ServerFailed,
    "authentication_error": AuthFailed,
    "permission_error": AuthFailed,
    "invalid_api_key": AuthFailed,
    "not_found_error": ModelNotFound,
    "model_not_found": ModelNotFound,
    "invalid_request_error": BadRequest,
    "insufficient_system_resource": Overloaded,
    "network_error": ServerFailed,
}
LIMIT = 400
"""Characters of a provider's message that are shown."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def error_from(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    provider: str,
    model: str,
    path: str = "",
) -> LLMError:
    """What a response of status ≥ 400 means; `headers` in lower case."""
    text = body.decode("utf-8", "replace").strip()
    error = _error_object(text)
    message = _message(error, text, status)
    code = _code(error)
    kind = _by_words(f"{code} {message}".lower(), code, status) or _by_status(status, message)
    if kind is ModelNotFound and path and status == 404 and "model" not in message.lower():
        kind, message = BadRequest, f"{message} (no such address: {path}; is the base URL right?)"
    found = kind(
        message,
        provider=provider,
        model=model,
        status=status,
        request_id=_request_id(headers),
        retry_after=retry_after(headers, error),
        code=code,
    )
    if headers.get("x-should-retry") == "false":
        found.retryable = False
    return found


def error_from_event(event: JsonObject, *, provider: str, model: str) -> LLMError:
    """What an error event in a stream means: {"error": {...}}, or the error itself."""
    inner = event.get("error")
    error = cast("JsonObject", inner) if isinstance(inner, dict) else event
    code = _code(error) or _code(event)
    message = _message(error, str(inner or event.get("message") or ""), 0)
    status = error.get("code")
    number = status if isinstance(status, int) else 0
    kind = _by_words(f"{code} {message}".lower(), code, number)
    kind = kind or (_by_status(number, message) if number else ServerFailed)
    return kind(message, provider=provider, model=model, code=code)


def _by_words(words: str, code: str, status: int) -> type[LLMError] | None:
    if any(word in words for word in OVERFLOW) or code == "1261":
        return ContextOverflow
    if any(word in words for word in QUOTA) or code in ZAI_QUOTA:
        return QuotaExceeded
    if "overloaded" in words and status in (0, 429, 500, 503, 529):
        return Overloaded
    if "api_key_invalid" in words or "invalid api key" in words:
        return AuthFailed
    for part in (code, *words.split(" ", 1)[:1]):
        if part in BY_TYPE:
            return BY_TYPE[part] if not 400 <= status < 500 or status == 429 else None
    return None


def _by_status(status: int, message: str) -> type[LLMError]:
    match status:
        case 401 | 403:
            return AuthFailed
        case 402:
            return QuotaExceeded
        case 404:
            return ModelNotFound
        case 413:
            return ContextOverflow
        case 408 | 409 | 425 | 424:
            return ServerFailed
        case 429:
            return RateLimited
        case 503 | 529:
            return Overloaded
        case _ if status >= 498:
            return ServerFailed
        case _:
            return BadRequest


def retry_after(headers: Mapping[str, str], error: JsonObject) -> float | None:
    """Seconds the server asks for, by the order of wire.md 0.3."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        if value:
            return _seconds(value, scale)
    for detail in error.get("details") or ():
        if isinstance(detail, dict) and "retryDelay" in detail:
            return _duration(str(cast("JsonObject", detail)["retryDelay"]))
    for name in ("x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"):
        if headers.get(name):
            return _duration(headers[name])
    return None


def _seconds(value: str, scale: float) -> float | None:
    try:
        return max(0.0, float(value) * scale)
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
        except (ValueError, TypeError):
            return None


def _duration(text: str) -> float | None:
    """`6m0s`, `17ms`, `37s` in seconds."""
    parts = _DURATION.findall(text)
    return sum(float(number) * _SECONDS[unit] for number, unit in parts) if parts else None


def _error_object(text: str) -> JsonObject:
    try:
        value: Any = json.loads(text)
    except ValueError:
        return {}
    if isinstance(value, list) and value:
        value = cast("list[Any]", value)[0]
    if not isinstance(value, dict):
        return {}
    whole = cast("JsonObject", value)
    inner = whole.get("error")
    if isinstance(inner, dict):
        return cast("JsonObject", inner)
    return whole if inner is None else {"message": str(inner)} | whole


def _code(error: JsonObject) -> str:
    details = error.get("details")
    if isinstance(details, dict) and details.get("error_code"):
        return str(cast("JsonObject", details)["error_code"])
    for key in ("code", "type", "status"):
        value = error.get(key)
        if isinstance(value, str) and value not in ("error", "exception"):
            return value
    return ""


def _message(error: JsonObject, text: str, status: int) -> str:
    for key in ("message", "detail", "Message"):
        value = error.get(key)
        if value:
            return " ".join(str(value).split())[:LIMIT]
    if text.lower().startswith(("<!doctype", "<html", "<")):
        return f"a proxy or web server answered instead of the API: {_title(text)!r}"
    return " ".join(text.split())[:LIMIT] or f"HTTP {status} without an explanation"


def _title(page: str) -> str:
    found = re.search(r"<title[^>]*>(.*?)</title>", page, re.IGNORECASE | re.DOTALL)
    return " ".join((found.group(1) if found else page[:60]).split())[:80]


def _request_id(headers: Mapping[str, str]) -> str:
    names = ("request-id", "x-request-id", "apim-request-id", "x-amzn-requestid", "cf-ray")
    return next((headers[name] for name in names if headers.get(name)), "")
