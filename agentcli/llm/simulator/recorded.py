"""Recorded requests as they are found in files: JSON lines, plain or gzipped, and trace folders."""

from __future__ import annotations

import gzip
import io
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import SplitResult, urlsplit

from agentcli.lib.errors import UserError
from agentcli.lib.value import made, value
from agentcli.llm.simulator.refusal import as_object
from agentcli.llm.simulator.tokens import objects
from agentcli.llm.types import JsonObject

GAP = 5.0
"""Seconds between requests that do not say when they were sent: no faster than a machine takes."""
GZIP = b"\x1f\x8b"
BETAS = ("anthropic-version", "anthropic-beta")
"""Headers that the cache rules depend on (wire.md 1.12.10)."""


@value
class Recorded:
    """One request as it was sent. `at` is in seconds."""

    host: str
    """"" where it is not known."""
    path: str
    body: JsonObject
    at: float
    where: str
    """The file and line it was found at."""
    headers: Mapping[str, str] = made(default_factory=dict[str, str])


def opened(path: Path, stdin: BinaryIO) -> Iterator[Recorded]:
    """Requests of a file, of stdin for `-`, of an AGENT_TRACE folder. Raises UserError."""
    if str(path) == "-":
        yield from recorded(lines(stdin, "stdin"), "stdin")
        return
    try:
        if path.is_dir():
            yield from traced(path)
            return
        with path.open("rb") as file:
            yield from recorded(lines(file, str(path)), str(path))
    except OSError as error:
        reason = error.strerror or "it is damaged"
        raise UserError(f"Cannot read {path}: {reason}.") from None


def lines(file: BinaryIO, source: str) -> Iterator[str]:
    """Line after line, unpacked where it is gzipped. Raises UserError for what is no text."""
    whole = file if hasattr(file, "peek") else io.BufferedReader(cast("io.RawIOBase", file))
    buffered = cast("io.BufferedReader", whole)
    packed = buffered.peek(2)[:2] == GZIP
    plain: Iterable[bytes] = gzip.GzipFile(fileobj=buffered) if packed else buffered
    number = 0
    try:
        for number, line in enumerate(plain, 1):
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{source}, line {number}: not UTF-8.") from None
    except EOFError:
        raise UserError(f"{source}, after line {number}: the gzip file is cut off.") from None


def recorded(found: Iterable[str], source: str) -> Iterator[Recorded]:
    """Requests from JSON lines: a body, or `{"url" or "path", "headers", "body", "at"}`.

    An object that begins with a line of `{` alone goes on to the line of `}` alone, as
    `debug request` prints it. Raises UserError with the line.
    """
    at, started = 0.0, 0
    held: list[str] = []
    for number, line in enumerate(found, 1):
        if not line.strip():
            continue
        if held or line.rstrip() == "{":
            held.append(line)
            started = started or number
            if line.rstrip() != "}":
                continue
        where = f"{source}, line {started or number}"
        request = _request("".join(held) or line, at, where)
        held, started = [], 0
        yield request
        at = request.at + GAP
    if held:
        raise UserError(f"{source}, line {started}: this object has no end.")


def _request(text: str, last: float, where: str) -> Recorded:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise UserError(f"{where}: a request is one JSON object.")
    given = cast("JsonObject", found)
    if not isinstance(given.get("body"), dict):
        return Recorded("", path_of(given), given, last, where)
    body = cast("JsonObject", given["body"])
    url = _split(str(given.get("url") or given.get("path") or ""), where)
    at = _moment(given.get("at"), last, where)
    headers = _betas(as_object(given.get("headers")))
    return Recorded(url.netloc, url.path or path_of(body), body, at, where, headers)


def traced(folder: Path) -> Iterator[Recorded]:
    """The requests in a folder of exchanges, in the order in which they were sent."""
    files = sorted(folder.glob("*.request.txt"), key=_sent)
    if not files:
        raise UserError(f"{folder} holds no requests: AGENT_TRACE writes them as *.request.txt.")
    for file in files:
        head, _, body = file.read_bytes().partition(b"\n\n")
        first, *rest = head.decode("utf-8", "replace").split("\n")
        named = dict(line.split(": ", 1) for line in rest if ": " in line)
        try:
            parsed: Any = json.loads(body)
        except ValueError:
            continue
        if isinstance(parsed, dict):
            url = _split(first.partition(" ")[2], str(file))
            content = cast("JsonObject", parsed)
            at = _sent(file)[0]
            yield Recorded(url.netloc, url.path, content, at, str(file), _betas(named))


def _sent(file: Path) -> tuple[float, int]:
    """When an exchange began, by the name of its file, and which of that second."""
    words = file.name.removesuffix(".request.txt").split("-")
    try:
        moment = time.mktime(time.strptime("-".join(words[:2]), "%Y%m%d-%H%M%S"))
        return moment, int(words[-1])
    except ValueError:
        return file.stat().st_mtime, 0


def _betas(headers: Mapping[str, Any]) -> dict[str, str]:
    return {k.lower(): str(v) for k, v in headers.items() if k.lower() in BETAS}


def _split(url: str, where: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise UserError(f"{where}: `url` is no URL.") from None


def _moment(said: Any, last: float, where: str) -> float:
    if said is None:
        return last
    if isinstance(said, int | float) and not isinstance(said, bool):
        return float(said)
    try:
        moment = datetime.fromisoformat(str(said))
    except ValueError:
        raise UserError(f"{where}: `at` is seconds or a date and time.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def path_of(body: JsonObject) -> str:
    """The endpoint a bare body was most likely sent to."""
    model = str(body.get("model") or "")
    if "contents" in body:
        return f"/models/{model or 'gemini'}:streamGenerateContent"
    if "input" in body:
        return "/responses"
    if "anthropic_version" in body:
        return f"/model/{model or 'claude'}/invoke"
    if not model:
        return "/model/claude/converse"
    return "/messages" if _is_anthropic(body, model) else "/chat/completions"


def _is_anthropic(body: JsonObject, model: str) -> bool:
    """In Anthropic's words: no calls beside the content, no functions, no roles for them."""
    messages, tools = objects(body.get("messages")), objects(body.get("tools"))
    chat = any("function" in tool for tool in tools) or any(
        "tool_calls" in message or message.get("role") in ("tool", "developer")
        for message in messages
    )
    chat = chat or (bool(messages) and messages[0].get("role") == "system")
    words = "system" in body or any("input_schema" in tool for tool in tools)
    return not chat and (words or ("claude" in model and "/" not in model))
