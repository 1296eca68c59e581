"""Recorded requests played through the cache rules: what each would read, write and miss, and why.

Signatures of real providers cannot be checked here, so their thoughts count as plain text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

from agentcli.lib.errors import UserError
from agentcli.lib.value import value
from agentcli.llm.miss import duration
from agentcli.llm.simulator.dialect import Call
from agentcli.llm.simulator.refusal import Refused
from agentcli.llm.simulator.routes import Routes
from agentcli.llm.simulator.seal import unseal
from agentcli.llm.types import JsonObject, Usage

HEADERS = {"anthropic-version": "2023-06-01"}
GAP = 1.0
"""Seconds between requests that do not say when they were sent."""
SLACK = 256
"""Tokens by which a read may fall short without a reason: vendors round."""
SKIPPED = "skip_thought_signature_validator"
_CUES = (("contents", "/models/{}:streamGenerateContent"), ("input", "/responses"))


@value
class Recorded:
    """One request as it was sent. `at` is in seconds."""

    path: str
    body: JsonObject
    at: float


@value
class Played:
    """What one request met. `why` says why something that was cached was not read."""

    number: int
    model: str
    usage: Usage
    why: str = ""
    refused: str = ""

    def __str__(self) -> str:
        """The request as one line for a person."""
        head = f"{self.number:4}  {self.model:28}"
        if self.refused:
            return f"{head}  refused: {self.refused}"
        written = self.usage.cache_write_5m + self.usage.cache_write_1h
        counts = (
            f"{self.usage.cache_read:>9,} read {written:>9,} written {self.usage.input:>9,} new"
        )
        return f"{head}{counts}  {self.why}".rstrip()


def told(played: Played) -> JsonObject:
    """The same as JSON, in the words of wire.md 0.1."""
    usage = played.usage
    return {
        "request": played.number,
        "model": played.model,
        "cache_read": usage.cache_read,
        "cache_write_5m": usage.cache_write_5m,
        "cache_write_1h": usage.cache_write_1h,
        "uncached_input": usage.input,
        "why": played.why or None,
        "refused": played.refused or None,
    }


def recorded(lines: Iterable[str], source: str) -> Iterator[Recorded]:
    """Requests from JSON lines: a body, or `{"url" or "path", "body", "at"}`. Raises UserError."""
    at = 0.0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{source}, line {number}: not JSON: {error}.") from None
        if not isinstance(found, dict):
            raise UserError(f"{source}, line {number}: a request is one JSON object.")
        given = cast("JsonObject", found)
        body = cast("JsonObject", given["body"]) if isinstance(given.get("body"), dict) else given
        at = _moment(given.get("at"), at, f"{source}, line {number}") if body is not given else at
        where = str(given.get("url") or given.get("path") or "") if body is not given else ""
        yield Recorded(urlsplit(where).path or path_of(body), body, at)
        at += GAP


def _moment(said: Any, last: float, where: str) -> float:
    if said is None:
        return last
    if isinstance(said, int | float):
        return float(said)
    try:
        moment = datetime.fromisoformat(str(said))
    except ValueError:
        raise UserError(f"{where}: `at` is seconds or a date and time.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def path_of(body: JsonObject) -> str:
    """The endpoint a bare body was most likely sent to."""
    for cue, path in _CUES:
        if cue in body:
            return path.format(body.get("model", "gemini"))
    tools = cast("list[JsonObject]", body.get("tools") or [])
    claude = "system" in body or any("input_schema" in tool for tool in tools)
    return "/messages" if claude or "claude" in str(body.get("model")) else "/chat/completions"


def play(requests: Iterable[Recorded]) -> Iterator[Played]:
    """Each request in turn, answered at once, under the rules of its vendor."""
    routes = Routes(None)
    before: dict[tuple[str, str], _Before] = {}
    for number, request in enumerate(requests, 1):
        place = routes.find(request.path)
        if place is None or place.job != "reply":
            raise UserError(f"request {number}: no API answers at {request.path}.")
        body = cast("JsonObject", _trusted(request.body))
        model = place.model or str(body.get("model") or "")
        call = Call(request.path, HEADERS, body, number, request.at, place.model)
        try:
            heard = place.dialect.hear(call)
        except Refused as refused:
            yield Played(number, model, Usage(), refused=str(refused))
            continue
        heard.publish()
        key = (place.dialect.wire, model)
        now = _Before(segments(body), heard.usage, request.at)
        yield Played(number, model, heard.usage, _why(now, before.get(key)))
        before[key] = now


@value
class _Before:
    segments: tuple[tuple[str, str], ...]
    usage: Usage
    at: float


def segments(body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(name, content without marks) of the prefix, in the order of tools, system, messages."""
    found: list[tuple[str, str]] = []
    for part in ("tools", "toolConfig", "system", "systemInstruction", "instructions"):
        if body.get(part):
            found.append((_NAMES.get(part, part), _plain(body[part])))
    talk: Any = body.get("messages") or body.get("input") or body.get("contents") or []
    listed = cast("list[Any]", talk) if isinstance(talk, list) else [talk]
    found += [(f"message {n}", _plain(message)) for n, message in enumerate(listed, 1)]
    return tuple(found)


_MARKS = ("cache_control", "prompt_cache_breakpoint")
_NAMES = {"toolConfig": "tools", "systemInstruction": "system", "instructions": "system"}


def _plain(part: Any) -> str:
    return json.dumps(_without_marks(part), ensure_ascii=False, sort_keys=True)


def _without_marks(part: Any) -> Any:
    if isinstance(part, list):
        listed = cast("list[Any]", part)
        return [_without_marks(inner) for inner in listed if not _is_cache_point(inner)]
    if not isinstance(part, dict):
        return part
    fields = cast("JsonObject", part).items()
    return {name: _without_marks(inner) for name, inner in fields if name not in _MARKS}


def _is_cache_point(part: Any) -> bool:
    return isinstance(part, dict) and set(cast("JsonObject", part)) == {"cachePoint"}


def _why(now: _Before, before: _Before | None) -> str:
    if before is None:
        return "first request to this model"
    cached = before.usage.prompt - before.usage.input or before.usage.prompt
    if now.usage.cache_read >= min(cached, now.usage.prompt) - SLACK:
        return ""
    for index, (name, content) in enumerate(before.segments):
        mine = now.segments[index] if index < len(now.segments) else None
        if mine is None:
            return f"{name} was taken back"
        if mine != (name, content):
            return f"{name} changed" if mine[0] == name else f"{mine[0]} in place of {name}"
    idle = now.at - before.at
    if idle >= 300:
        return f"expired: {duration(idle)} after the request before"
    if not before.usage.prompt - before.usage.input:
        return "nothing was cached before: too short, or not marked"
    return "not found: no mark within reach of what was cached"


def _trusted(part: Any) -> Any:
    """Thoughts that carry somebody else's signature, as the plain text they are for a cache."""
    if isinstance(part, list):
        return [_trusted(inner) for inner in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    block = cast("JsonObject", part)
    match block.get("type"):
        case "thinking" | "redacted_thinking" if _is_foreign(
            block.get("signature") or block.get("data")
        ):
            return {"type": "text", "text": block.get("thinking") or "…"}
        case "reasoning" if _is_foreign(block.get("encrypted_content")):
            content = [{"type": "output_text", "text": _plain(block.get("summary"))}]
            return {"type": "message", "role": "assistant", "content": content}
        case _:
            pass
    if "reasoningContent" in block:
        return {"text": _plain(block["reasoningContent"])}
    if _is_foreign(block.get("thoughtSignature")) and block.get("thoughtSignature"):
        block = block | {"thoughtSignature": SKIPPED}
    return {name: _trusted(inner) for name, inner in block.items()}


def _is_foreign(signature: Any) -> bool:
    return not (isinstance(signature, str) and unseal(signature))
