"""The real client over the wires of Google and Amazon: what is said arrives and is replayed."""

import asyncio

import pytest

from agentcli.llm.client import Client
from agentcli.llm.errors import (
    AuthFailed,
    ContextOverflow,
    LLMError,
    ModelNotFound,
    QuotaExceeded,
    RateLimited,
    ServerFailed,
    StreamCut,
    StreamMalformed,
    WrongEndpoint,
)
from agentcli.llm.http import Http, InProcess
from agentcli.llm.models import CacheKind, ModelSpec, find
from agentcli.llm.providers import Provider, Route
from agentcli.llm.simulator import (
    Fault,
    Say,
    Script,
    SimulatedProvider,
    Turn,
    Use,
    breaks,
    calls,
    says,
    thinks,
)
from agentcli.llm.simulator.script_json import parse_script
from agentcli.llm.types import Request, Text, ToolOutput, ToolSpec, Usage, UserMessage

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
READ = ToolSpec("Read", "Read a file.", SCHEMA)
NOW = ToolSpec("Now", "The time.", {"type": "object", "properties": {}})
EFFORTS = ("low", "medium", "high")
MARKS = CacheKind("explicit", 1024, 4, ("5m", "1h"))
PROJECT = "https://aiplatform.googleapis.com/v1/projects/p/locations/global"

AWS = "https://bedrock-runtime.us-east-1.amazonaws.com"


def studio(name):
    spec = find(name, "gemini")
    url = "https://generativelanguage.googleapis.com"
    return Route(Provider("gemini", url, "gemini"), spec, url, "k")


def vertex(name):
    url = f"{PROJECT}/publishers/google"
    return Route(Provider("vertex", url, "gemini"), find(name, "gemini"), url, "k")


def claude(wire, name, url):
    spec = ModelSpec(
        name, "cloud", max_output=64_000, efforts=EFFORTS, cache=MARKS, thinking="adaptive"
    )
    return Route(Provider("cloud", url, wire), spec, url, "k")


ROUTES = {
    "gemini": studio("gemini-3.8-flash"),
    "gemini-old": studio("gemini-2.5-pro"),
    "vertex": vertex("gemini-4-argon"),
    "claude-vertex": claude("anthropic-vertex", "claude-sonnet-5-5", PROJECT),
    "converse": claude("bedrock", "global.anthropic.claude-sonnet-4-6-v1:0", AWS),
    "converse-new": claude("bedrock", "us.anthropic.claude-opus-5-5", AWS),
    "claude-bedrock": claude("anthropic-bedrock", "global.anthropic.claude-opus-4-6-v1:0", AWS),
}
EVERY = pytest.mark.parametrize("place", ROUTES)


class Session:
    """The real client on a simulated provider; one attempt unless more are asked for."""

    def __init__(self, script, place, attempts=1):
        self.now, self.slept = 0.0, []
        self.provider = SimulatedProvider(script, clock=lambda: self.now, sleep=self.sleep, key="k")
        http = Http(transport=InProcess(self.provider.handle))
        self.client = Client(
            lambda name: ROUTES[place],
            lambda route: http,
            clock=lambda: self.now,
            sleep=self.sleep,
            attempts=attempts,
        )
        self.messages = (UserMessage((Text("Go. " * 100),)),)
        self.partial = None

    async def sleep(self, seconds):
        self.slept.append(seconds)

    def step(self):
        """One request, ten seconds after the last; every call is answered."""
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
        request = Request(
            "m",
            ("You are an agent. " * 2000,),
            (READ, NOW),
            self.messages,
            session="s",
            effort="medium",
        )
        async with self.client.stream(request) as reply:
            try:
                async for _ in reply:
                    pass
            finally:
                self.partial = reply.message
        return reply.message


@EVERY
def test_thinking_and_parallel_calls_over_three_requests(place):
    both = calls(("Read", {"path": "ä"}), ("Now", {}), text="Hm.")
    steps = [thinks("I wonder ✨", both), thinks("again", calls(("Read", {"path": "b"})))]
    session = Session([*steps, thinks("so", says("done"))], place)
    first = session.step()
    assert first.text == "Hm."
    assert [(c.name, c.input) for c in first.tool_calls] == [("Read", {"path": "ä"}), ("Now", {})]
    assert "I wonder ✨" in [getattr(b, "text", "") for b in first.content]
    assert first.stop == "tool_use"
    assert session.step().tool_calls[0].input == {"path": "b"}
    last = session.step()
    assert (last.text, last.stop) == ("done", "end_turn")
    session.say("And?")
    assert session.step().text.startswith("The script is over")
    assert [r.status for r in session.provider.received] == [200] * 4


@EVERY
@pytest.mark.parametrize(("chunk", "delta"), [(1, 1), (7, 3), (0, 1000)])
def test_any_cutting_of_the_stream_gives_the_same(place, chunk, delta):
    steps = (thinks("why 🤷‍♀️", calls(("Read", {"path": "x\u2028y"}), text="Zwölf ✂")),)
    session = Session(Script((*steps, says("ok")), chunk=chunk, delta=delta), place)
    reply = session.step()
    assert reply.text == "Zwölf ✂"
    assert reply.tool_calls[0].input == {"path": "x\u2028y"}
    assert session.step().text == "ok"


@EVERY
def test_thirty_turns_read_from_the_cache(place):
    steps = [thinks("so", calls(("Read", {"path": str(n)}))) for n in range(29)]
    session = Session([*steps, says("done")], place)
    usage = sum((session.step().usage for _ in range(30)), Usage())
    assert session.provider.steps_left == 0
    assert usage.cache_read / usage.prompt > 0.9


@EVERY
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("rate_limited", RateLimited),
        ("quota", QuotaExceeded),
        ("overloaded", LLMError),
        ("context_overflow", ContextOverflow),
        ("unauthorized", AuthFailed),
        ("model_not_found", (ModelNotFound, WrongEndpoint)),
        ("server_error", ServerFailed),
        ("html", LLMError),
        ("empty", LLMError),
        ("json_error_200", LLMError),
    ],
)
def test_faults_by_name(place, fault, kind):
    session = Session([Fault(fault), says("later")], place)
    with pytest.raises(kind) as raised:
        session.step()
    assert raised.value.retryable == (
        fault not in ("quota", "context_overflow", "unauthorized", "model_not_found")
    )
    assert session.step().text == "later"


@EVERY
def test_a_stream_that_breaks(place):
    turn = calls(("Read", {"path": "long" * 20}), text="I look around a little.")
    for trouble, kind in (
        (breaks(turn, "cut", 200), StreamCut),
        (breaks(turn, "reset", 200), StreamCut),
        (breaks(turn, "cut_in_call"), StreamCut),
        (breaks(turn, "malformed"), StreamMalformed),
        (breaks(turn, "error", error="?"), LLMError),
    ):
        session = Session([trouble], place)
        with pytest.raises(kind):
            session.step()
        assert session.partial.tool_calls == ()


@EVERY
def test_an_error_in_the_middle_keeps_what_was_said(place):
    session = Session([breaks(says("a text of some length"), "error", error="?")], place)
    with pytest.raises(LLMError) as raised:
        session.step()
    assert raised.value.retryable
    assert session.partial.text == "a text of some length"[:24]


@EVERY
@pytest.mark.parametrize(
    ("word", "stop"), [("max_tokens", "max_tokens"), ("refusal", "refusal"), ("", "end_turn")]
)
def test_stop_reasons(place, word, stop):
    assert Session([Turn((Say("x"),), stop=word)], place).step().stop == stop


@EVERY
def test_usage_can_be_missing(place):
    session = Session([Turn((Say("x"),), reports_usage=False)], place)
    assert session.step().usage is None


@EVERY
def test_a_cut_call_does_not_run(place):
    reply = Session([Turn((Use("Read", {"path": "x" * 400_000}),))], place).step()
    assert reply.stop == "max_tokens"
    assert reply.tool_calls == ()


@EVERY
def test_a_script_in_json_is_played(place):
    script = """[{"thinking": "hm", "calls": [{"name": "Read", "input": {"path": "a"}}]},
                 {"when": {"results": "ok ok"}, "then": {"text": "read", "stop": "max_tokens"}}]"""
    session = Session(parse_script(script), place)
    assert session.step().tool_calls[0].name == "Read"
    reply = session.step()
    assert (reply.text, reply.stop) == ("read", "max_tokens")
