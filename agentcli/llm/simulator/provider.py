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
from agentcli.llm.simulator.chat import Chat
from agentcli.llm.simulator.claude import Claude
from agentcli.llm.simulator.dialect import Call, Dialect, Heard
from agentcli.llm.simulator.frames import dump, rechunked, spoilt
from agentcli.llm.simulator.refusal import Refused, as_object
from agentcli.llm.simulator.responses import Responses
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
class Endpoint:
    dialect: Dialect
    counts: bool = False
    """Only counts tokens."""


class SimulatedProvider:
    """Messages, Responses and Chat Completions in the process, answering from a script.

    `key` is the only one accepted; None takes any request. `models` are the ids served; None
    serves every name. `vendor` decides the oddities of Chat; None goes by the model's name.
    A request that is refused uses up no step of the script.
    """

    def __init__(
        self,
        script: Script | Sequence[Step],
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        models: Collection[str] | None = None,
        key: str | None = None,
        vendor: Vendor | None = None,
    ) -> None:
        self._script = as_script(script)
        self._player = Player(self._script)
        self._clock = clock
        self._sleep = sleep
        self._models = models
        self._key = key
        self._endpoints = _endpoints(Claude(), Responses(), Chat(vendor))
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
        path, given = urlsplit(url).path, {name.lower(): v for name, v in headers.items()}
        now = self._clock()
        self._number += 1
        try:
            answer = self._answer(method, path, given, body)
        except ConnectionError:
            self.received.append(Received(path, given, body, now, 0))
            raise
        self.received.append(Received(path, given, body, now, answer.status))
        return answer

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        endpoint = self._endpoint(path)
        if endpoint is None:
            return _plain(404, {"error": {"message": f"Not found: {path}", "type": "not_found"}})
        if method != "POST":
            return _plain(405, {"error": {"message": f"Not allowed: {method}"}})
        dialect = endpoint.dialect
        try:
            call = self._call(dialect, path, headers, body)
            if endpoint.counts:
                return _plain(200, dialect.count(call))
            heard = dialect.hear(call)
        except Refused as refused:
            return self._refusal(dialect, refused)
        return self._outcome(dialect, heard, self._player.play(heard.asked))

    def _endpoint(self, path: str) -> Endpoint | None:
        for ending, endpoint in self._endpoints.items():
            if path.endswith(ending):
                return endpoint
        return None

    def _call(self, dialect: Dialect, path: str, headers: Mapping[str, str], body: bytes) -> Call:
        """The request, if its key, its JSON and its model are in order."""
        given = headers.get("x-api-key") or headers.get("api-key")
        given = given or headers.get("authorization", "").removeprefix("Bearer ").strip()
        if self._key is not None and given != self._key:
            raise dialect.failure(Fault("unauthorized" if given else "no_key"), "")
        try:
            parsed = as_object(json.loads(body))
        except ValueError as error:
            raise Refused(f"The request body is not valid JSON: {error}") from None
        model = str(parsed.get("model") or "")
        if self._models is not None and model and model not in self._models:
            raise dialect.failure(Fault("model_not_found"), model)
        return Call(path, headers, parsed, self._number, self._clock())

    def _outcome(self, dialect: Dialect, heard: Heard, outcome: Outcome) -> Answer:
        match outcome:
            case Turn():
                return self._spoken(dialect, heard, outcome)
            case Failure(status, content, headers):
                return Answer(status, headers, (content,) if content else ())
            case Fault():
                return self._fault(dialect, heard, outcome)
            case Drop():
                raise ConnectionResetError("the connection was closed before an answer")
            case Hang():
                return Answer(200, STREAM, wait=math.inf)

    def _spoken(self, dialect: Dialect, heard: Heard, turn: Turn) -> Answer:
        if heard.asked.body.get("stream"):
            error = dialect.error_event(turn.trouble.error if turn.trouble else "")
            frames = dialect.speak(heard, turn, self._script.delta)
            pieces = rechunked(spoilt(frames, turn.trouble, error), self._script.chunk)
            headers = STREAM
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
                return self._refusal(dialect, refused, fault.retry_after)

    def _refusal(
        self, dialect: Dialect, refused: Refused, retry_after: float | None = None
    ) -> Answer:
        answer = _plain(refused.status, dialect.error(refused, self._id()))
        told = {"request-id": self._id(), "x-request-id": self._id()}
        if retry_after is not None:
            told["retry-after"] = f"{retry_after:g}"
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


def _endpoints(claude: Dialect, responses: Dialect, chat: Dialect) -> dict[str, Endpoint]:
    """By the end of the path, since every host puts its own beginning before it."""
    return {
        "/messages/count_tokens": Endpoint(claude, counts=True),
        "/responses/input_tokens": Endpoint(responses, counts=True),
        "/messages": Endpoint(claude),
        "/responses": Endpoint(responses),
        "/chat/completions": Endpoint(chat),
    }
