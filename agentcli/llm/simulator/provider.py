"""The simulated provider: HTTP requests in, HTTP answers out, by the script and the rules."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from urllib.parse import urlsplit

from agentcli.lib.value import value
from agentcli.llm.simulator.dialect import Call, Dialect, Heard
from agentcli.llm.simulator.frames import dump, rechunked, spoilt
from agentcli.llm.simulator.refusal import Refused, as_object
from agentcli.llm.simulator.routes import Accounts, Place
from agentcli.llm.simulator.script import (
    Drop,
    Failure,
    Fault,
    Hang,
    Outcome,
    Player,
    Script,
    Step,
    Turn,
    as_script,
)
from agentcli.llm.simulator.vendors import Vendor

Body = Iterable[bytes] | AsyncIterable[bytes]
JSON = {"content-type": "application/json"}
STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
HTML = {"content-type": "text/html"}
HTML_PAGE = (
    b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1>"
    b"</center><hr><center>nginx</center></body></html>"
)


@value
class Answer:
    """What goes back. `wait` seconds pass before the head of it; math.inf for never."""

    status: int
    headers: Mapping[str, str]
    body: Iterable[bytes] = ()
    wait: float = 0.0
    pause: float = 0.0
    """Seconds before each piece."""


@value
class Received:
    """One request as it came, and the status it got."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    """On the provider's clock, in seconds."""
    status: int

    @property
    def json(self) -> object:
        return json.loads(self.body)


@value
class Asking:
    """One request as it came over the line; header names in lower case."""

    host: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def _never(_: int) -> bool:
    return False


class SimulatedProvider:
    """Every wire in the process, answering from a script.

    `key` is the only one accepted; None takes any request. Keys of several accounts are a mapping
    of each to its `organisation/workspace`: what one has cached another does not read. `models` are
    the ids served; None serves every name. `vendor` decides the oddities of Chat; None goes by the
    model's name. `cold` says by its number which request is routed to a machine that has cached
    nothing, as vendors that promise no hit may do. A request that is refused uses up no step of the
    script.
    """

    def __init__(
        self,
        script: Script | Sequence[Step],
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        models: Collection[str] | None = None,
        key: str | Mapping[str, str] | None = None,
        vendor: Vendor | None = None,
        cold: Callable[[int], bool] = _never,
    ) -> None:
        self._script = as_script(script)
        self._player = Player(self._script)
        self._clock = clock
        self._sleep = sleep
        self._models = models
        self._keys = {key: ""} if isinstance(key, str) else key
        self._accounts = Accounts(vendor, self._keys or {})
        self._cold = cold
        self._number = 0
        self.received: list[Received] = []
        """Every request, refused ones too, oldest first."""

    @property
    def steps_left(self) -> int:
        return self._player.left

    def handle(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], Body]:
        """Status, headers, body. Raises ConnectionError where the script drops the connection.

        A wait is served as silence at the beginning of the body, since the head is there at once.
        """
        answer = self.answer(method, url, headers, body)
        if answer.wait or answer.pause:
            return answer.status, answer.headers, self._slowly(answer)
        return answer.status, answer.headers, answer.body

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The same with its pauses as numbers, for servers that can keep silent themselves."""
        parts = urlsplit(url)
        path = parts.path
        given = {name.lower(): v for name, v in headers.items()}
        now = self._clock()
        self._number += 1
        try:
            answer = self._answer(method, Asking(parts.netloc, path, parts.query, given, body))
        except ConnectionError:
            self.received.append(Received(path, given, body, now, 0))
            raise
        self.received.append(Received(path, given, body, now, answer.status))
        return answer

    def _answer(self, method: str, asking: Asking) -> Answer:
        key = _key(asking.headers)
        place = self._accounts.find(asking.host, asking.path, key, asking.headers)
        if place is None:
            message = f"Not found: {asking.path}"
            return _plain(404, {"error": {"message": message, "type": "not_found"}})
        if method != "POST" and place.store is None:
            return _plain(405, {"error": {"message": f"Not allowed: {method}"}})
        dialect = place.dialect
        try:
            call = self._call(place, asking)
            if place.store is not None:
                return _plain(200, place.store.serve(method, call))
            if place.job == "count":
                return _plain(200, dialect.count(call))
            heard = dialect.hear(call)
        except Refused as refused:
            return self._refusal(dialect, refused)
        asked_to = bool(call.body.get("stream"))
        streams = asked_to if place.streams is None else place.streams
        return self._outcome(dialect, heard, self._player.play(heard.asked), streams)

    def _call(self, place: Place, asking: Asking) -> Call:
        """The request, if its key, its JSON and its model are in order."""
        dialect, given = place.dialect, _key(asking.headers)
        if self._keys is not None and given not in self._keys:
            raise dialect.failure(Fault("unauthorized" if given else "no_key"), "")
        try:
            parsed = as_object(json.loads(asking.body or b"{}"))
        except ValueError as error:
            raise Refused(f"The request body is not valid JSON: {error}") from None
        model = place.model or str(parsed.get("model") or "")
        if self._models is not None and model and model not in self._models:
            raise dialect.failure(Fault("model_not_found"), model)
        return Call(
            asking.path,
            asking.headers,
            parsed,
            self._number,
            self._clock(),
            place.model,
            asking.query,
            self._cold(self._number),
        )

    def _outcome(self, dialect: Dialect, heard: Heard, outcome: Outcome, streams: bool) -> Answer:
        match outcome:
            case Turn():
                return self._spoken(dialect, heard, outcome, streams)
            case Failure(status, content, headers):
                return Answer(status, headers, (content,) if content else ())
            case Fault():
                return self._fault(dialect, heard, outcome)
            case Drop():
                raise ConnectionResetError("the connection was closed before an answer")
            case Hang():
                return Answer(200, STREAM, wait=math.inf)

    def _spoken(self, dialect: Dialect, heard: Heard, turn: Turn, streams: bool) -> Answer:
        if streams:
            manner = dialect.manner
            error = dialect.error_event(turn.trouble.error if turn.trouble else "")
            frames = dialect.speak(heard, turn, self._script.delta)
            whole = spoilt(frames, turn.trouble, error, manner.broken)
            pieces = rechunked(whole, self._script.chunk)
            headers = STREAM | {"content-type": manner.stream_type}
        else:
            pieces = iter((dump(dialect.whole(heard, turn)).encode(),))
            headers = JSON
        told = {"request-id": self._id(), "x-request-id": self._id()}
        return Answer(200, headers | told, _begun(pieces, heard.publish), turn.wait, turn.pause)

    def _fault(self, dialect: Dialect, heard: Heard, fault: Fault) -> Answer:
        match fault.name:
            case "html":
                return Answer(502, HTML, (HTML_PAGE,))
            case "empty":
                return Answer(200, STREAM)
            case "json_error_200":
                refused = dialect.failure(Fault("overloaded"), heard.asked.model)
                return _plain(200, dialect.error(refused, self._id()))
            case _:
                refused = dialect.failure(fault, heard.asked.model)
                refused.retry_after = fault.retry_after
                return self._refusal(dialect, refused)

    def _refusal(self, dialect: Dialect, refused: Refused) -> Answer:
        manner = dialect.manner
        answer = _plain(refused.status, dialect.error(refused, self._id()))
        told = {"request-id": self._id(), "x-request-id": self._id()}
        if refused.retry_after is not None and manner.retry_header:
            told["retry-after"] = f"{refused.retry_after:g}"
        if manner.error_header:
            told[manner.error_header] = refused.kind
        return Answer(answer.status, {**answer.headers, **told}, answer.body)

    def _id(self) -> str:
        return f"req_sim_{self._number:06}"

    async def _slowly(self, answer: Answer) -> AsyncIterator[bytes]:
        await self._sleep(answer.wait)
        for piece in answer.body:
            if answer.pause:
                await self._sleep(answer.pause)
            yield piece


def _begun(pieces: Iterator[bytes], begin: Callable[[], None]) -> Iterator[bytes]:
    """The answer, which has begun as soon as somebody takes its first piece."""
    for number, piece in enumerate(pieces):
        if number == 0:
            begin()
        yield piece


def _plain(status: int, value: Mapping[str, object]) -> Answer:
    return Answer(status, JSON, (dump(dict(value)).encode(),))


def _key(headers: Mapping[str, str]) -> str:
    """The key as any host is given it."""
    found = [headers.get(name, "") for name in ("x-api-key", "api-key", "x-goog-api-key")]
    bearer = headers.get("authorization", "").removeprefix("Bearer ").strip()
    return next((key for key in (*found, bearer) if key), "")
