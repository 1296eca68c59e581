import asyncio
import json
from contextlib import suppress

import httpx
import pytest
from loopback import CHUNKED, END, chunk, loopback, reset, sized

from agentcli.llm.body import as_bytes
from agentcli.llm.cache import CachePlan
from agentcli.llm.client import Client, Retry
from agentcli.llm.errors import (
    AuthFailed,
    BadRequest,
    ConnectionFailed,
    ContextOverflow,
    Overloaded,
    RateLimited,
    StreamCut,
)
from agentcli.llm.http import Http, InProcess
from agentcli.llm.models import ModelSpec
from agentcli.llm.providers import Provider, Route
from agentcli.llm.status import error_from_event
from agentcli.llm.types import (
    AssistantMessage,
    Finished,
    Request,
    Text,
    TextDelta,
    ToolCall,
    ToolOutput,
    Usage,
    UserMessage,
)

PROVIDER = Provider("acme", "https://acme.example", "words")
MODEL = ModelSpec("m-1", "acme")
REQUEST = Request("m-1", ("be brief",), (), (UserMessage((Text("hi"),)),), session="s")


class Words:
    """Decodes one word a line; `!` is an error event, `.` the terminal one."""

    def __init__(self):
        self.usage = None
        self._rest = b""
        self._done = False

    def feed(self, data):
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.usage = Usage(input=len(line))
            if line == b"!":
                event = {"type": "overloaded_error", "message": "Overloaded"}
                raise error_from_event(event, provider="", model="")
            if line == b".":
                self._done = True
                yield Finished("end_turn", Usage(output=1))
            elif line:
                yield TextDelta(line.decode())

    def close(self):
        if not self._done and self._rest == b"late":
            yield Finished("end_turn")
        elif not self._done:
            raise StreamCut("the stream ended before the answer did")


class WordsWire:
    name = "words"

    def path(self, route):
        return "/words"

    def headers(self, route):
        return {"X-Wire": "1"}

    def encode(self, request, route, plan):
        said = [
            block.text for m in request.messages for block in m.content if isinstance(block, Text)
        ]
        return {"model": route.model.id, "said": said, "marks": plan.expected_read}

    def decoder(self, route):
        return Words()


def plan(request, model, previous, now):
    return CachePlan(expected_read=(previous.expected_read if previous else 0) + 1)


class Setting:
    """A client whose sleeps are noted and whose clock moves by one second a look."""

    def __init__(self, http, *, url="https://acme.example", key="sk-1", headers=None, attempts=5):
        self.slept = []
        self.retries = []
        self.repairs = []
        self.now = 100.0
        route = Route(PROVIDER, MODEL, url, key, auth="bearer", headers=headers or {})
        self.client = Client(
            lambda name: route,
            http,
            clock=lambda: self.now,
            sleep=self.sleep,
            rng=lambda: 0.0,
            attempts=attempts,
            load=lambda name: WordsWire(),
            planner=plan,
        )

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    async def ask(self, request=REQUEST):
        heard = []
        async with self.client.stream(
            request, on_retry=self.retries.append, on_repair=self.repairs.append
        ) as reply:
            try:
                async for delta in reply:
                    heard.append(delta)
            except Exception as error:  # raised again, with what came
                error.heard = heard
                error.reply = reply.message
                raise
        return heard, reply.message


def setting(*answers, **options):
    """A provider that gives these answers in turn: (status, body), (status, body, headers)."""
    asked = []

    def handler(method, url, headers, body):
        asked.append((url, headers, body))
        status, content, *more = answers[min(len(asked), len(answers)) - 1]
        pieces = content if isinstance(content, list) else [content]
        return status, more[0] if more else {}, pieces

    found = Setting(Http(transport=InProcess(handler)), **options)
    found.asked = asked
    return found


OK = (200, [b"hel", b"lo\nyou\n", b".\n"])


def test_a_reply_is_streamed_and_folded():
    here = setting(OK)
    heard, message = asyncio.run(here.ask())
    assert heard == [
        TextDelta("hello"),
        TextDelta("you"),
        Finished("end_turn", Usage(output=1)),
    ]
    assert (message.text, message.stop, message.model) == ("helloyou", "end_turn", "m-1")


def test_what_is_prepared_is_what_is_sent():
    here = setting(OK, headers={"X-Wire": "mine", "Authorization": "Bearer other"})
    prepared = here.client.prepare(REQUEST)
    assert prepared.url == "https://acme.example/words"
    assert prepared.headers == {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "x-wire": "mine",
        "authorization": "Bearer other",
    }
    assert here.client.cache_state("s", "m-1") is None
    asyncio.run(here.ask())
    url, headers, body = here.asked[0]
    assert url == prepared.url
    assert body == prepared.body == b'{"model":"m-1","said":["hi"],"marks":1}'
    assert prepared.headers.items() <= headers.items()


def test_equal_requests_are_prepared_equally():
    here = setting(OK)
    assert here.client.prepare(REQUEST) == here.client.prepare(REQUEST)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"a": [1, "é\u2028"]}, '{"a":[1,"é\u2028"]}'.encode()),
        ({"a": "lone \ud800"}, '{"a":"lone \ufffd"}'.encode()),
        ({"a": "\ud83d\ude00"}, '{"a":"\U0001f600"}'.encode()),
        ({"a": float("nan"), "b": [float("inf"), 1.5]}, b'{"a":null,"b":[null,1.5]}'),
    ],
)
def test_anything_in_a_history_can_be_sent(body, expected):
    assert as_bytes(body) == expected


def test_failures_before_the_first_word_are_tried_again():
    here = setting((529, b""), (500, b"x"), (200, b""), (200, [b"!\n"]), OK)
    _, message = asyncio.run(here.ask())
    assert message.text == "helloyou"
    assert here.slept == [0.5, 1, 2, 4]
    assert [retry.attempt for retry in here.retries] == [1, 2, 3, 4]
    assert isinstance(here.retries[0], Retry)
    assert [type(retry.error).__name__ for retry in here.retries] == [
        "Overloaded",
        "ServerFailed",
        "StreamCut",
        "Overloaded",
    ]
    assert len({body for _, _, body in here.asked}) == 1


def test_five_failures_are_enough():
    here = setting((529, b""))
    with pytest.raises(Overloaded, match="acme/m-1"):
        asyncio.run(here.ask())
    assert len(here.asked) == 5
    assert len(here.retries) == 4


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((401, b'{"error":{"message":"bad key"}}'), AuthFailed),
        ((400, b'{"error":{"message":"prompt is too long"}}'), ContextOverflow),
        ((404, b"404 page not found"), BadRequest),
        ((302, b"", {"location": "https://login.example"}), BadRequest),
        ((529, b"", {"x-should-retry": "false"}), Overloaded),
    ],
)
def test_what_stays_wrong_is_raised_at_once(answer, kind):
    here = setting(answer)
    with pytest.raises(kind) as caught:
        asyncio.run(here.ask())
    assert len(here.asked) == 1
    assert here.slept == []
    assert caught.value.heard == []


def test_the_server_says_when():
    here = setting((429, b"", {"retry-after": "7"}), OK)
    asyncio.run(here.ask())
    assert here.slept == [7]


def test_a_long_wait_is_told_instead_of_slept():
    here = setting((429, b"", {"retry-after": "600"}), OK)
    with pytest.raises(RateLimited, match="asks to wait 10 min"):
        asyncio.run(here.ask())
    assert here.slept == []


@pytest.mark.parametrize("ending", [[b"!\n"], [b""]])
def test_after_the_first_word_an_error_is_raised_and_the_words_are_kept(ending):
    here = setting((200, [b"half\n", *ending]), OK)
    with pytest.raises((Overloaded, StreamCut), match="acme/m-1") as caught:
        asyncio.run(here.ask())
    assert len(here.asked) == 1
    assert caught.value.heard == [TextDelta("half")]
    assert (caught.value.reply.text, caught.value.reply.stop) == ("half", "interrupted")
    assert caught.value.reply.usage is not None


def test_words_of_a_failed_try_are_not_in_the_reply():
    here = setting((200, [b"!\n"]), OK)
    _, message = asyncio.run(here.ask())
    assert message.text == "helloyou"
    assert message.usage == Usage(output=1)


def test_a_server_that_never_ends_its_body_is_left_after_the_last_word():
    async def endless():
        yield b"all\n.\n"
        await asyncio.sleep(60)

    here = Setting(Http(transport=InProcess(lambda *_: (200, {}, endless()))))
    _, message = asyncio.run(asyncio.wait_for(here.ask(), 10))
    assert message.text == "all"


@pytest.mark.parametrize("ending", ["reset", "close"])
def test_a_body_cut_after_its_last_event_is_whole(ending):
    async def answer(number, request, writer):
        writer.write(CHUNKED + chunk(b"all\nlate"))
        await asyncio.sleep(0.05)
        if ending == "reset":
            reset(writer)
        return "close"

    async def main():
        async with loopback(answer) as server:
            here = Setting(Http(), url=server.url.removesuffix("/v1/messages"))
            try:
                return await here.ask()
            finally:
                await here.client.aclose()

    _, message = asyncio.run(main())
    assert (message.text, message.stop) == ("all", "end_turn")


def test_over_a_real_connection_turns_share_it_and_survive_its_death():
    async def answer(number, request, writer):
        if number == 3:
            return "close"
        writer.write(CHUNKED + chunk(b"word%d\n.\n" % number) + END)

    async def main():
        async with loopback(answer) as server:
            here = Setting(Http(), url=server.url.removesuffix("/v1/messages"))
            texts = [(await here.ask())[1].text for _ in range(3)]
            await here.client.aclose()
            return texts, server.connections, here.slept

    assert asyncio.run(main()) == (["word1", "word2", "word4"], 2, [])


def test_no_one_there():
    here = Setting(Http(), url="http://127.0.0.1:9", attempts=2)
    with pytest.raises(ConnectionFailed, match=r"acme/m-1: nothing answers at 127\.0\.0\.1:9"):
        asyncio.run(here.ask())
    assert len(here.retries) == 1


@pytest.mark.parametrize("how", ["leave", "cancel"])
def test_esc_closes_the_connection_and_keeps_the_words(how):
    async def answer(number, request, writer):
        writer.write(CHUNKED + chunk(b"word\n"))
        for _ in range(500):
            await asyncio.sleep(0.01)
            writer.write(chunk(b"\n"))
            await writer.drain()

    async def main():
        async with loopback(answer) as server:
            here = Setting(Http(), url=server.url.removesuffix("/v1/messages"))
            replies = []

            async def listen():
                async with here.client.stream(REQUEST) as reply:
                    replies.append(reply)
                    async for _ in reply:
                        if how == "leave":
                            return

            task = asyncio.create_task(listen())
            await asyncio.sleep(0.1)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            async with asyncio.timeout(2):
                await server.gone.wait()
            return replies[0].message

    message = asyncio.run(main())
    assert (message.text, message.stop) == ("word", "interrupted")


def test_cancelled_while_waiting_to_try_again():
    async def main():
        here = setting((529, b""))

        async def forever(_):
            await asyncio.sleep(60)

        here.client.sleep = forever
        task = asyncio.create_task(here.ask())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_the_last_plan_of_each_session_and_model_is_kept_from_the_first_answer_on():
    here = setting((529, b""), OK, OK, (400, b"no"), OK)
    asyncio.run(here.ask())
    assert here.client.cache_state("s", "m-1") == (CachePlan(expected_read=1), 100.5)
    here.now = 200.0
    asyncio.run(here.ask())
    assert here.client.cache_state("s", "m-1") == (CachePlan(expected_read=2), 200.0)
    with pytest.raises(BadRequest):
        asyncio.run(here.ask())
    assert here.client.cache_state("s", "m-1") == (CachePlan(expected_read=2), 200.0)
    assert here.client.cache_state("other", "m-1") is None


def test_a_broken_history_is_repaired_and_told_once():
    broken = Request(
        "m-1",
        (),
        (),
        (
            UserMessage((Text("hi"), ToolOutput("x", ()))),
            AssistantMessage((ToolCall("a", "Read", {}),), "m-1", "tool_use"),
        ),
        session="s",
    )
    here = setting(OK)
    asyncio.run(here.ask(broken))
    asyncio.run(here.ask(broken))
    assert here.repairs == [
        "message 1: an output for 'x' answered no call",
        "message 3: the call 'a' had no output",
    ]


def test_a_key_that_cannot_be_sent_is_told_before_anything_is_sent():
    here = setting(OK, key="sk-…")
    with pytest.raises(AuthFailed, match="copy it again"):
        asyncio.run(here.ask())
    assert here.asked == []


def test_each_route_may_have_its_own_door_and_all_are_closed():
    closed = []

    class Door(httpx.MockTransport):
        async def aclose(self):
            closed.append(self)

    async def main():
        doors = [Http(transport=Door(lambda _: httpx.Response(200, content=b".\n")))] * 2
        here = Setting(lambda route: doors.pop())
        await here.ask()
        await here.ask()
        await here.client.aclose()

    asyncio.run(main())
    assert len(closed) == 1


def test_json_errors_of_a_proxy_are_read_to_the_end():
    async def answer(number, request, writer):
        body = json.dumps({"error": {"message": "no such key", "code": "invalid_api_key"}})
        writer.write(sized(body.encode(), b"401 Unauthorized", b"x-request-id: r-7"))

    async def main():
        async with loopback(answer) as server:
            here = Setting(Http(), url=server.url.removesuffix("/v1/messages"))
            try:
                await here.ask()
            finally:
                await here.client.aclose()

    with pytest.raises(AuthFailed) as caught:
        asyncio.run(main())
    assert str(caught.value) == (
        "acme/m-1: access was refused: no such key (HTTP 401, request r-7)"
    )


@pytest.mark.parametrize(
    ("kind", "said", "cost"),
    [
        ("application/json", "0.0042", "0.0042"),
        ("application/json", "0.0", None),
        ("text/event-stream", "0.0042", None),
    ],
)
def test_a_proxys_bill_in_the_head_of_a_whole_answer_counts(kind, said, cost):
    """The head of a stream goes before anybody knows what it will cost; zero is no price."""
    head = {"content-type": kind, "x-litellm-response-cost": said}
    _, message = asyncio.run(setting((200, [b"hi\n.\n"], head)).ask())
    assert message.cost_usd == cost
