"""The real client over the wires of Google and Amazon: what is said arrives and is replayed."""

import pytest
from simulated import Session

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
from agentcli.llm.models import CacheKind, ModelSpec, find
from agentcli.llm.providers import Provider, Route
from agentcli.llm.simulator import (
    Fault,
    Say,
    Script,
    Turn,
    Use,
    breaks,
    calls,
    says,
    thinks,
)
from agentcli.llm.simulator.script_json import parse_script
from agentcli.llm.types import Usage

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


def session(script, place, **options):
    return Session(script, ROUTES[place], **options)


@EVERY
def test_thinking_and_parallel_calls_over_three_requests(place):
    both = calls(("Read", {"path": "ä"}), ("Now", {}), text="Hm.")
    steps = [thinks("I wonder ✨", both), thinks("again", calls(("Read", {"path": "b"})))]
    talk = session([*steps, thinks("so", says("done"))], place)
    first = talk.step()
    assert first.text == "Hm."
    assert [(c.name, c.input) for c in first.tool_calls] == [("Read", {"path": "ä"}), ("Now", {})]
    assert "I wonder ✨" in [getattr(b, "text", "") for b in first.content]
    assert first.stop == "tool_use"
    assert talk.step().tool_calls[0].input == {"path": "b"}
    last = talk.step()
    assert (last.text, last.stop) == ("done", "end_turn")
    talk.say("And?")
    assert talk.step().text.startswith("The script is over")
    assert [r.status for r in talk.provider.received] == [200] * 4


@EVERY
@pytest.mark.parametrize(("chunk", "delta"), [(1, 1), (7, 3), (0, 1000)])
def test_any_cutting_of_the_stream_gives_the_same(place, chunk, delta):
    steps = (thinks("why 🤷‍♀️", calls(("Read", {"path": "x\u2028y"}), text="Zwölf ✂")),)
    talk = session(Script((*steps, says("ok")), chunk=chunk, delta=delta), place)
    reply = talk.step()
    assert reply.text == "Zwölf ✂"
    assert reply.tool_calls[0].input == {"path": "x\u2028y"}
    assert talk.step().text == "ok"


@EVERY
def test_thirty_turns_read_from_the_cache(place):
    steps = [thinks("so", calls(("Read", {"path": str(n)}))) for n in range(29)]
    talk = session([*steps, says("done")], place)
    usage = sum((talk.step().usage for _ in range(30)), Usage())
    assert talk.provider.steps_left == 0
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
    talk = session([Fault(fault), says("later")], place)
    with pytest.raises(kind) as raised:
        talk.step()
    assert raised.value.retryable == (
        fault not in ("quota", "context_overflow", "unauthorized", "model_not_found")
    )
    assert talk.step().text == "later"


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
        talk = session([trouble], place)
        with pytest.raises(kind):
            talk.step()
        assert talk.partial.tool_calls == ()


@EVERY
def test_an_error_in_the_middle_keeps_what_was_said(place):
    talk = session([breaks(says("a text of some length"), "error", error="?")], place)
    with pytest.raises(LLMError) as raised:
        talk.step()
    assert raised.value.retryable
    assert talk.partial.text == "a text of some length"[:24]


@EVERY
@pytest.mark.parametrize(
    ("word", "stop"), [("max_tokens", "max_tokens"), ("refusal", "refusal"), ("", "end_turn")]
)
def test_stop_reasons(place, word, stop):
    assert session([Turn((Say("x"),), stop=word)], place).step().stop == stop


@EVERY
def test_usage_can_be_missing(place):
    talk = session([Turn((Say("x"),), reports_usage=False)], place)
    assert talk.step().usage is None


@EVERY
def test_a_cut_call_does_not_run(place):
    reply = session([Turn((Use("Read", {"path": "x" * 400_000}),))], place).step()
    assert reply.stop == "max_tokens"
    assert reply.tool_calls == ()


@EVERY
def test_a_script_in_json_is_played(place):
    call = '{"thinking": "hm", "calls": [{"name": "Read", "input": {"path": "a"}}]}'
    end = '{"text": "x", "stop": "max_tokens"}'
    script = f"""[{{"not": {{"system": "You are an agent."}}, "then": "nobody told me"}},
                 {{"when": {{"texts": "Go. Go."}}, "then": {call}}},
                 {{"when": {{"results": "ok ok"}}, "then": {end}}}]"""
    talk = session(parse_script(script), place)
    assert talk.step().tool_calls[0].name == "Read"
    reply = talk.step()
    assert (reply.text, reply.stop) == ("x", "max_tokens")


CHANGES = [(one, other) for one in ROUTES for other in ROUTES if one != other]


@pytest.mark.parametrize(("one", "other"), CHANGES)
def test_another_model_takes_over_in_the_middle_of_a_turn_and_gives_back(one, other):
    def steps():
        both = calls(("Read", {"path": "a"}), ("Now", {}), text="Hm.")
        return [thinks("so", both), thinks("yes", calls(("Now", {}))), says("done")]

    first, second = session(steps(), one), session(steps(), other)
    first.step()
    second.messages = first.messages
    assert second.step().stop == "tool_use"
    first.messages = second.messages
    assert first.step().tool_calls[0].name == "Now"
    second.messages = first.messages
    second.step()
    second.say("And?")
    first.messages = second.messages
    second.step()
    assert first.step().text == "done"


@pytest.mark.parametrize(
    ("name", "cache", "read"),
    [
        ("us.amazon.nova-pro-v1:0", CacheKind("explicit", 1000, 4, ("5m",)), True),
        ("openai.gpt-oss-120b-1:0", CacheKind("automatic", 1024), True),
        ("moonshot.kimi-k2-thinking", CacheKind("none"), False),
    ],
)
def test_models_of_others_on_bedrock(name, cache, read):
    spec = ModelSpec(name, "bedrock", max_output=64_000, cache=cache)
    route = Route(Provider("bedrock", AWS, "bedrock"), spec, AWS, "k")
    both = calls(("Read", {"path": "a"}), ("Now", {}), text="Hm.")
    talk = Session([thinks("so", both), thinks("yes", calls(("Now", {}))), says("done")], route)
    usages = [talk.step().usage for _ in range(3)]
    assert talk.provider.steps_left == 0
    assert (usages[-1].cache_read > 0) == read


@EVERY
def test_a_machine_that_has_cached_nothing(place):
    steps = [calls(("Read", {"path": str(n)})) for n in range(4)]
    talk = session(steps, place, cold=lambda number: number == 3)
    read = [talk.step().usage.cache_read for _ in range(4)]
    assert [count > 0 for count in read] == [False, True, False, True]
