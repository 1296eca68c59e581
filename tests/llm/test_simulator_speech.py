"""Scripted turns over the real client on all three wires: what is said arrives, and what breaks."""

import asyncio
import json

import pytest

from agentcli.llm.client import Client
from agentcli.llm.errors import (
    AuthFailed,
    ConnectionFailed,
    ContextOverflow,
    LLMError,
    ModelNotFound,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    ServerFailed,
    StreamCut,
    StreamMalformed,
)
from agentcli.llm.http import Http, InProcess
from agentcli.llm.providers import resolve
from agentcli.llm.simulator import (
    Drop,
    Failure,
    Fault,
    Say,
    Script,
    SimulatedProvider,
    Think,
    Turn,
    Use,
    When,
    breaks,
    calls,
    says,
    thinks,
)
from agentcli.llm.types import Request, Text, ToolOutput, ToolSpec, Usage, UserMessage

WIRES = {
    "claude-sonnet-5-5": "anthropic",
    "gpt-6.1-sol": "openai-responses",
    "deepseek-v4-pro": "openai-chat",
}
KEYS = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k", "DEEPSEEK_API_KEY": "k"}
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
READ = ToolSpec("Read", "Read a file.", SCHEMA | {"additionalProperties": False})
EVERY_WIRE = pytest.mark.parametrize("model", WIRES)


class Session:
    """The real client on a simulated provider; no attempt is repeated unless asked for."""

    def __init__(self, script, model, attempts=1, **options):
        self.now = 0.0
        self.slept = []
        self.provider = SimulatedProvider(
            script, clock=lambda: self.now, sleep=self.sleep, **options
        )
        self.model = model
        http = Http(transport=InProcess(self.provider.handle))
        self.client = Client(
            lambda name: resolve(name, KEYS),
            lambda route: http,
            clock=lambda: self.now,
            sleep=self.sleep,
            attempts=attempts,
        )
        self.messages = (UserMessage((Text("Go. " * 100),)),)

    async def sleep(self, seconds):
        self.slept.append(seconds)

    def step(self):
        """One request; its outputs are appended."""
        self.now += 10
        reply = asyncio.run(self._step())
        self.messages += (reply,)
        if reply.tool_calls:
            outputs = tuple(ToolOutput(c.id, (Text("ok " * 200),)) for c in reply.tool_calls)
            self.messages += (UserMessage(outputs, "tool"),)
        return reply

    def say(self, words):
        self.messages += (UserMessage((Text(words),)),)

    async def _step(self):
        system = ("You are an agent. " * 500,)
        request = Request(self.model, system, (READ,), self.messages, session="s", effort="medium")
        self.partial = None
        async with self.client.stream(request) as reply:
            try:
                async for _ in reply:
                    pass
            finally:
                self.partial = reply.message
        return reply.message


def test_each_model_speaks_its_wire():
    for model, wire in WIRES.items():
        route = resolve(model, KEYS)
        assert (route.wire or route.provider.wire) == wire


@EVERY_WIRE
def test_text_thinking_and_calls_arrive(model):
    turn = thinks(
        "I wonder ✨", calls(("Read", {"path": "ä"}), ("Read", {"path": "b"}), text="Hm.")
    )
    session = Session([turn], model)
    reply = session.step()
    assert reply.text == "Hm."
    assert [(c.name, c.input) for c in reply.tool_calls] == [
        ("Read", {"path": "ä"}),
        ("Read", {"path": "b"}),
    ]
    assert "I wonder ✨" in [getattr(b, "text", "") for b in reply.content]
    assert reply.stop == "tool_use"
    assert reply.usage.reasoning > 0


@EVERY_WIRE
@pytest.mark.parametrize(("chunk", "delta"), [(1, 1), (7, 3), (0, 1000)])
def test_any_cutting_of_the_stream_gives_the_same(model, chunk, delta):
    steps = (thinks("why 🤷‍♀️", calls(("Read", {"path": "x\u2028y"}), text="Zwölf ✂")),)
    reply = Session(Script(steps, chunk=chunk, delta=delta), model).step()
    assert reply.text == "Zwölf ✂"
    assert reply.tool_calls[0].input == {"path": "x\u2028y"}


@EVERY_WIRE
def test_thirty_turns_read_from_the_cache(model):
    steps = [thinks("so", calls(("Read", {"path": str(n)}))) for n in range(29)]
    session = Session([*steps, says("done")], model)
    usage = sum((session.step().usage for _ in range(30)), Usage())
    assert session.provider.steps_left == 0
    assert usage.cache_read / usage.prompt > 0.9


@EVERY_WIRE
def test_a_person_speaks_again(model):
    session = Session([thinks("one", says("1")), thinks("two", says("2"))], model)
    session.step()
    session.say("And?")
    assert session.step().text == "2"


@EVERY_WIRE
def test_a_script_that_is_over_says_so(model):
    session = Session([says("only")], model)
    session.step()
    session.say("More?")
    assert session.step().text == "The script is over: all 1 of its steps have been played."


@EVERY_WIRE
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("rate_limited", RateLimited),
        ("quota", QuotaExceeded),
        ("overloaded", LLMError),
        ("context_overflow", ContextOverflow),
        ("unauthorized", AuthFailed),
        ("model_not_found", ModelNotFound),
        ("server_error", ServerFailed),
        ("html", LLMError),
        ("empty", LLMError),
        ("json_error_200", LLMError),
    ],
)
def test_faults_by_name(model, fault, kind):
    session = Session([Fault(fault), says("later")], model)
    with pytest.raises(kind) as raised:
        session.step()
    assert raised.value.retryable == (
        fault not in ("quota", "context_overflow", "unauthorized", "model_not_found")
    )
    assert session.step().text == "later"


@EVERY_WIRE
def test_retry_after_is_sent(model):
    session = Session(
        [Fault("rate_limited", 7), Fault("overloaded"), says("ok")], model, attempts=3
    )
    assert session.step().text == "ok"
    assert session.slept[0] == pytest.approx(7, rel=0.3)
    assert len(session.provider.received) == 3
    assert next(r.status for r in session.provider.received) == 429


@EVERY_WIRE
def test_a_stream_that_is_cut(model):
    turn = calls(("Read", {"path": "long" * 20}), text="I look.")
    for trouble in (breaks(turn, "cut", 700), breaks(turn, "reset", 700)):
        session = Session([trouble], model)
        with pytest.raises(StreamCut):
            session.step()
        assert session.partial.tool_calls == ()


@EVERY_WIRE
def test_a_stream_cut_inside_a_call(model):
    session = Session(
        [breaks(calls(("Read", {"path": "x" * 50}), text="So."), "cut_in_call")], model
    )
    with pytest.raises(StreamCut):
        session.step()
    assert session.partial.text == "So."
    assert session.partial.tool_calls == ()


@EVERY_WIRE
def test_a_stream_that_makes_no_sense(model):
    session = Session([breaks(says("some words that are said"), "malformed")], model)
    with pytest.raises(StreamMalformed):
        session.step()


@EVERY_WIRE
def test_an_error_in_the_middle(model):
    word = "overloaded_error" if WIRES[model] == "anthropic" else "server_error"
    session = Session([breaks(says("a text of some length"), "error", error=word)], model)
    with pytest.raises(LLMError) as raised:
        session.step()
    assert isinstance(raised.value, Overloaded | ServerFailed)
    assert session.partial.text == "a text of some length"[:24]


@EVERY_WIRE
def test_a_dropped_connection(model):
    with pytest.raises(ConnectionFailed):
        Session([Drop()], model).step()


def test_pauses_use_the_given_sleep():
    session = Session([Turn((Say("slow"),), wait=3, pause=0.5)], "claude-sonnet-5-5")
    assert session.step().text == "slow"
    assert session.slept[0] == 3
    assert set(session.slept[1:]) == {0.5}


@EVERY_WIRE
@pytest.mark.parametrize(
    ("word", "stop"), [("max_tokens", "max_tokens"), ("refusal", "refusal"), ("", "end_turn")]
)
def test_stop_reasons(model, word, stop):
    assert Session([Turn((Say("x"),), stop=word)], model).step().stop == stop


@EVERY_WIRE
def test_usage_can_be_missing_or_overlaid(model):
    session = Session([Turn((Say("x"),), reports_usage=False)], model)
    assert session.step().usage is None
    name = "completion_tokens" if WIRES[model] == "openai-chat" else "output_tokens"
    session = Session([Turn((Say("x"),), usage={name: 4321})], model)
    assert session.step().usage.output == 4321


def test_the_output_limit_cuts_inside_a_call():
    turn = Turn((Say("abcd" * 3), Use("Read", {"path": "x" * 400})))
    body = {
        "model": "claude-opus-5-5",
        "max_tokens": 20,
        "stream": False,
        "messages": [{"role": "user", "content": "go"}],
    }
    headers = {"anthropic-version": "2023-06-01"}
    provider = SimulatedProvider([turn])
    _, _, pieces = provider.handle(
        "POST", "http://x/v1/messages", headers, json.dumps(body).encode()
    )
    answer = json.loads(b"".join(pieces))
    assert answer["stop_reason"] == "max_tokens"
    assert answer["usage"]["output_tokens"] == 20
    assert answer["content"][1]["input"] == {}


def test_a_cut_call_does_not_run():
    turn = Turn((Use("Read", {"path": "x" * 400_000}),))
    reply = Session([turn], "claude-sonnet-5-5").step()
    assert reply.stop == "max_tokens"
    assert reply.tool_calls == ()


@EVERY_WIRE
def test_arguments_that_are_no_json(model):
    session = Session([Turn((Use("Read", raw='{"path": '),)), says("sorry")], model)
    call = session.step().content[0]
    assert call.raw == '{"path": '
    assert session.step().text == "sorry"


@EVERY_WIRE
def test_a_call_without_arguments(model):
    assert Session([calls(("Read", {}))], model).step().tool_calls[0].input == {}


def test_call_ids_differ_in_one_conversation_also_over_processes():
    session = Session([calls(("Read", {"path": "a"})), calls(("Read", {"path": "a"}))], "gpt-5")
    first, second = session.step(), session.step()
    again = Session([calls(("Read", {"path": "a"}))], "gpt-5")
    again.messages = session.messages
    ids = [r.tool_calls[0].id for r in (first, second, again.step())]
    assert len(set(ids)) == 3


def test_thinking_only_where_the_model_thinks():
    session = Session([Turn((Think("hm"), Say("x")))], "claude-haiku-4-5")
    session.client = session.client
    body = {
        "model": "claude-haiku-4-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "go"}],
    }
    _, _, pieces = session.provider.handle(
        "POST", "http://x/messages", {"anthropic-version": "2023-06-01"}, json.dumps(body).encode()
    )
    assert [b["type"] for b in json.loads(b"".join(pieces))["content"]] == ["text"]


def test_steps_react_to_what_they_are_told():
    def about_results(asked):
        return says(f"I saw {len(asked.results[0])} letters")

    failed = When(lambda asked: "failed" in asked.latest, says("again"))
    rule = When(lambda asked: "TITLE" in asked.latest, says("A title"))
    script = Script((calls(("Read", {"path": "a"})), failed, about_results), rules=(rule,))
    session = Session(script, "claude-sonnet-5-5")
    session.step()
    assert session.step().text == "I saw 600 letters"
    session.say("TITLE please")
    assert session.step().text == "A title"
    assert session.step is not None


def test_any_answer_can_be_given():
    session = Session([Failure(418, b"teapot", {"content-type": "text/plain"})], "gpt-5")
    with pytest.raises(LLMError) as raised:
        session.step()
    assert (raised.value.status, "teapot" in str(raised.value)) == (418, True)


@EVERY_WIRE
def test_a_machine_that_has_cached_nothing(model):
    steps = [calls(("Read", {"path": str(n)})) for n in range(4)]
    session = Session(steps, model, cold=lambda number: number == 3)
    read = [session.step().usage.cache_read for _ in range(4)]
    assert [count > 0 for count in read] == [False, True, False, True]
