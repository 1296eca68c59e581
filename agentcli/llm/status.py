"""An HTTP status with its body, or an error event in a stream, as one LLMError."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from agentcli.lib.value import value
from agentcli.llm.auth import redact_text, redact_url
from agentcli.llm.errors import (
    AuthFailed,
    BadRequest,
    ContextOverflow,
    LLMError,
    MarkRefused,
    ModelFailed,
    ModelNotFound,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    ServerFailed,
    ThinkingRefused,
    WrongEndpoint,
)
from agentcli.llm.retry import retry_after, spoken
from agentcli.llm.types import JsonObject
from agentcli.llm.verdict import Facts, Kind, verdict

SENTENCES: dict[Kind, str] = {
    AuthFailed: "access was refused",
    QuotaExceeded: "the account is out of credit or quota",
    RateLimited: "too many requests",
    Overloaded: "the service is overloaded",
    ServerFailed: "the service failed",
    ModelFailed: "the model wrote what its service cannot read",
    ContextOverflow: "the conversation is too long for this model",
    ModelNotFound: "there is no such model here",
    BadRequest: "the request was refused",
    ThinkingRefused: "earlier thinking was refused",
    MarkRefused: "a cache mark was refused",
}
SHOWN = 400
"""Characters of a provider's message that are shown."""
_REQUEST_IDS = (
    "request-id",
    "x-request-id",
    "apim-request-id",
    "x-ms-request-id",
    "x-amzn-requestid",
    "x-litellm-call-id",
    "cf-ray",
)


@value
class _Answer:
    provider: str
    status: int
    headers: Mapping[str, str]
    text: str
    url: str


def error_from(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    provider: str,
    model: str,
    wire: str = "",
    url: str = "",
) -> LLMError:
    """What a response that is no success means. `headers` in lower case; `url` is what was tried.

    Pure; the tables are wire.md 1.9, 2.7, 3.7, 4.6 and 5.
    """
    answer = _Answer(provider, status, headers, _readable(body), url)
    whole = _parse(answer.text)
    error = _inner(whole)
    facts = Facts(status, _codes(error, whole, headers), _message(error), error)
    if _is_page(answer):
        kind, message = _page(answer)
    elif 300 <= status < 400:
        kind, message = BadRequest, _redirect(answer)
    else:
        kind, message = _said(facts, answer, wire)
    wait = retry_after(headers, error, status, message=facts.message)
    if wait and wait >= 1 and kind in (RateLimited, Overloaded, ServerFailed):
        message += f"; it asks to wait {spoken(wait)}"
    found = kind(
        message,
        provider=provider,
        model=model,
        status=status,
        request_id=request_id(headers) or str(whole.get("request_id") or ""),
        retry_after=wait,
        code=facts.codes[0] if facts.codes else "",
    )
    return _with_advice(found, headers)


def error_from_event(
    event: JsonObject, *, provider: str, model: str, wire: str = "", request_id: str = ""
) -> LLMError:
    """What an error inside a stream means: the event, its `error`, or `{"error": …}`; pure.

    `message` is the provider's own. `wire` only matters to requests, and is taken for symmetry.
    """
    error = _inner(event)
    status = _status_in(error)
    facts = Facts(status, _codes(error, event, {}), _message(error), error)
    kind = verdict(facts)
    found = kind(
        facts.message or SENTENCES[kind],
        provider=provider,
        model=model,
        request_id=request_id or str(event.get("request_id") or ""),
        retry_after=retry_after({}, error, status, message=facts.message),
        code=facts.codes[0] if facts.codes else "",
    )
    return found


def _said(facts: Facts, answer: _Answer, wire: str) -> tuple[Kind, str]:
    kind = verdict(facts)
    if kind is RateLimited and _is_spend_limit(answer):
        kind = QuotaExceeded
    if answer.status == 409 and kind is ServerFailed and not _passes(facts, answer):
        kind = BadRequest
    said = facts.message or _plain(answer)
    if kind is BadRequest and answer.status in (404, 405):
        tried = f"POST {urlsplit(answer.url).path}" if answer.url else "this address"
        speaks = f" or it does not speak {wire}" if wire else ""
        return WrongEndpoint, f"the server knows no {tried} ({said}): the base URL is wrong{speaks}"
    return kind, f"{SENTENCES[kind]}: {said}{_remedy(said)}"


REMEDIES = {
    "tool choice requires": "start vLLM with --enable-auto-tool-choice and a --tool-call-parser",
    "--jinja": "start llama-server with --jinja",
}
"""What a local server must be started with to take tools (wire.md 5.12, 5.13)."""


def _remedy(said: str) -> str:
    found = (what for words, what in REMEDIES.items() if words in said.lower())
    return next((f"; {what}" for what in found), "")


def _is_spend_limit(answer: _Answer) -> bool:
    """Anthropic's own 429 without a time to wait is a limit on money (wire.md 1.9)."""
    from_anthropic = "anthropic-organization-id" in answer.headers
    return from_anthropic and not {"retry-after", "retry-after-ms"} & answer.headers.keys()


def _passes(facts: Facts, answer: _Answer) -> bool:
    """Whether a conflict (409) is one of Anthropic's or OpenAI's, which pass (wire.md 0.3)."""
    return answer.provider in ("anthropic", "openai") or "conflict_error" in facts.codes


def _with_advice(error: LLMError, headers: Mapping[str, str]) -> LLMError:
    """The server's own word on retrying comes before our table (wire.md 0.3)."""
    advice = headers.get("x-should-retry", "").strip().lower()
    if advice in ("true", "false"):
        error.retryable = advice == "true"
    return error


def _redirect(answer: _Answer) -> str:
    target = redact_url(answer.headers.get("location", "another address"))
    return f"the server sends us on to {target}: set the base URL to where the API really is"


def _is_page(answer: _Answer) -> bool:
    kind = answer.headers.get("content-type", "")
    start = answer.text[:100].lstrip().lower()
    return start.startswith(("<!doctype", "<html", "<head")) or (
        "text/html" in kind and start.startswith("<")
    )


def _page(answer: _Answer) -> tuple[Kind, str]:
    host = urlsplit(answer.url).netloc.rpartition("@")[2] or "the server"
    message = f"{host} answered with a web page instead of the API's error: {_title(answer)}"
    match answer.status:
        case 401 | 407:
            return AuthFailed, message
        case 413:
            return ContextOverflow, message
        case 429:
            return RateLimited, message
        case 408 | 425:
            return ServerFailed, message
        case status:
            return ServerFailed if status >= 499 else BadRequest, message


def _title(answer: _Answer) -> str:
    import html

    for tag in ("title", "h1"):
        found = re.search(rf"<{tag}[^>]*>(.*?)</{tag}>", answer.text, re.IGNORECASE | re.DOTALL)
        if found and found.group(1).strip():
            return f"“{_clip(html.unescape(found.group(1)))[:120]}”"
    return "a page without a title"


def _readable(body: bytes) -> str:
    """The body as text; empty when it is none."""
    text = body.decode("utf-8", "replace").strip().removeprefix("\ufeff")
    strange = sum(1 for c in text[:1000] if c == "\ufffd" or (c < " " and not c.isspace()))
    return "" if strange > len(text[:1000]) * 0.1 else text


def _plain(answer: _Answer) -> str:
    speaks = answer.text != "null" and any(c.isalnum() for c in answer.text)
    if speaks and not answer.text.startswith(("{", "[")):
        return _clip(answer.text)
    return "it gave no reason that can be read"


def _parse(text: str) -> JsonObject:
    """The JSON object of a body; Google wraps it in a list, some servers frame it as an event."""
    try:
        value: Any = json.loads(text.removeprefix("event: error\n").removeprefix("data:"))
    except (ValueError, RecursionError):
        return {}
    if isinstance(value, list):
        value = next(iter(cast("list[Any]", value)), None)
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def _inner(whole: JsonObject) -> JsonObject:
    """The error itself, wherever the vendor puts it."""
    inner: Any = whole.get("error")
    if isinstance(inner, dict):
        return cast("JsonObject", inner)
    if isinstance(inner, str):
        return {"message": inner} | whole
    return whole


def _status_in(error: JsonObject) -> int:
    """OpenRouter and Google put the HTTP status into `code`."""
    for name in ("code", "status_code", "status"):
        value = str(error.get(name, ""))
        if len(value) == 3 and value.isdecimal() and 400 <= int(value) < 600:
            return int(value)
    return 0


def _codes(error: JsonObject, whole: JsonObject, headers: Mapping[str, str]) -> tuple[str, ...]:
    """Every word that classifies, in lower case, the most exact first."""
    found: list[Any] = []
    for name in ("details", "innererror", "metadata"):
        inner: Any = error.get(name)
        if isinstance(inner, dict):
            detail = cast("JsonObject", inner)
            found += [detail.get("error_code"), detail.get("code"), detail.get("error_type")]
        elif isinstance(inner, list):
            details = cast("list[Any]", inner)
            found += [cast("JsonObject", d).get("reason") for d in details if isinstance(d, dict)]
    found += [error.get("code"), error.get("type"), error.get("status"), error.get("__type")]
    found += [headers.get("x-amzn-errortype", "").partition(":")[0], whole.get("code")]
    words = (str(word).rpartition("#")[2].strip().lower() for word in found if word)
    return tuple(word for word in dict.fromkeys(words) if not _says_nothing(word))


def _says_nothing(word: str) -> bool:
    return word in ("error", "exception") or (len(word) == 3 and word.isdecimal())


def _message(error: JsonObject) -> str:
    for name in ("message", "Message", "detail", "msg", "error_description", "error"):
        value: Any = error.get(name)
        if isinstance(value, str) and value.strip():
            return _clip(value)
        if isinstance(value, dict | list) and value:
            return _clip(json.dumps(value, ensure_ascii=False))
    return ""


def _clip(text: str) -> str:
    """One line of printable text with no key in it."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = redact_text(line)
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"


def request_id(headers: Mapping[str, str]) -> str:
    """By what the provider finds a request again; "" when its answer does not say."""
    return next((headers[name] for name in _REQUEST_IDS if headers.get(name)), "")
