"""What goes out on the Bedrock wires, and that it goes back as it came."""

import asyncio
import json

import pytest
from bedrock_streams import (
    CONVERSE,
    RECORDED,
    SIGNATURE,
    THOUGHT,
    WIRES,
    call,
    end,
    metadata,
    stop,
)
from loopback import CHUNKED, END, chunk, loopback

from agentcli.lib.value import replace
from agentcli.llm.body import as_bytes
from agentcli.llm.cache import NO_PLAN, CachePlan, Mark, plan
from agentcli.llm.client import Client
from agentcli.llm.errors import ContextOverflow, LLMError, RateLimited
from agentcli.llm.http import Http, InProcess
from agentcli.llm.models import CacheKind, ModelSpec, unknown
from agentcli.llm.providers import Provider, Route
from agentcli.llm.sigv4 import Credentials, sign
from agentcli.llm.stream import Fold
from agentcli.llm.types import (
    AssistantMessage,
    Finished,
    Image,
    Native,
    PreparedRequest,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolOutput,
    ToolSpec,
    Usage,
    UserMessage,
)
from agentcli.llm.wire import load

URL = "https://bedrock-runtime.us-east-1.amazonaws.com"
ID = "global.anthropic.claude-sonnet-4-6-v1:0"
EFFORTS = ("low", "medium", "high", "max")
CACHE = CacheKind("explicit", 1, 4, ("5m", "1h"))
CLAUDE = ModelSpec(
    ID, "bedrock", max_output=64_000, efforts=EFFORTS, cache=CACHE, thinking="adaptive"
)
READ = ToolSpec("read_file", "Read a file.", {"type": "object", "properties": {"path": {}}})
GREP = ToolSpec("grep", " ", {"type": "object"})


def at(model, wire="bedrock"):
    return Route(Provider("bedrock", URL, wire), model, URL)


def user(*content):
    return UserMessage(tuple(Text(c) if isinstance(c, str) else c for c in content))


def asked(*messages, **more):
    return Request(ID, more.pop("system", ()), more.pop("tools", ()), messages, **more)


def encoded(request, model=CLAUDE, cached=NO_PLAN, wire="bedrock"):
    return load(wire).encode(request, at(model, wire), cached)


def received(body, model=ID, wire="bedrock"):
    """The message that a body of events folds into."""
    decoder, fold = load(wire).decoder(at(unknown(model, "bedrock"), wire)), Fold(model, wire)
    for part in (decoder.feed(body), decoder.close()):
        for delta in part:
            fold.add(delta)
    return fold.message()


CALLS = AssistantMessage(
    (Thinking("hm"), Text("Looking."), ToolCall("a", "read_file", {"path": "x"})), "m", "tool_use"
)
OUTPUT = ToolOutput("a", (Text("print()"), Image("image/png", "iVBO")), is_error=True)


def test_a_conversation_in_converse_form():
    request = asked(
        user("Fix it", Image("image/jpeg", "/9j/")),
        CALLS,
        user(OUTPUT),
        system=("You are…", "", "Memory"),
        tools=(READ, GREP),
        effort="medium",
    )
    assert encoded(request) == {
        "inferenceConfig": {"maxTokens": 32_000},
        "system": [{"text": "You are…"}, {"text": "Memory"}],
        "toolConfig": {
            "tools": [
                {
                    "toolSpec": {
                        "name": "read_file",
                        "description": "Read a file.",
                        "inputSchema": {"json": READ.input_schema},
                    }
                },
                {"toolSpec": {"name": "grep", "inputSchema": {"json": {"type": "object"}}}},
            ]
        },
        "additionalModelRequestFields": {"thinking": {"type": "adaptive", "display": "summarized"}},
        "outputConfig": {"effort": "medium"},
        "messages": [
            {
                "role": "user",
                "content": [
                    {"text": "Fix it"},
                    {"image": {"format": "jpeg", "source": {"bytes": "/9j/"}}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"text": "Looking."},
                    {"toolUse": {"toolUseId": "a", "name": "read_file", "input": {"path": "x"}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "toolResult": {
                            "toolUseId": "a",
                            "content": [
                                {"text": "print()"},
                                {"image": {"format": "png", "source": {"bytes": "iVBO"}}},
                            ],
                            "status": "error",
                        }
                    }
                ],
            },
        ],
    }


def test_cache_points_follow_what_is_marked():
    marks = (
        Mark("tools", "1h"),
        Mark("system", "1h"),
        Mark("memory", "1h"),
        Mark("history", message=0, block=0),
        Mark("latest", message=2, block=0),
    )
    request = asked(
        user("a", "b"), CALLS, user(OUTPUT), user("c"), system=("s", "m"), tools=(READ,)
    )
    body = encoded(request, cached=CachePlan(marks))
    long, short = {"type": "default", "ttl": "1h"}, {"type": "default"}
    assert body["system"] == [
        {"text": "s"},
        {"cachePoint": long},
        {"text": "m"},
        {"cachePoint": long},
    ]
    assert body["toolConfig"]["tools"][1:] == [{"cachePoint": long}]
    first, _, last = (message["content"] for message in body["messages"])
    assert first == [{"text": "a"}, {"cachePoint": short}, {"text": "b"}]
    assert [next(iter(block)) for block in last] == ["toolResult", "cachePoint", "text"]


def test_two_marks_on_one_system_part_are_one_cache_point():
    marks = (Mark("system"), Mark("memory", "1h"))
    body = encoded(asked(user("a"), system=("s", " ")), cached=CachePlan(marks))
    assert body["system"] == [{"text": "s"}, {"cachePoint": {"type": "default", "ttl": "1h"}}]


def test_the_planner_never_makes_more_than_four_cache_points():
    request = asked(user(*"abcdefghijklmnopqrstuvwxyz"), system=("s", "m"), tools=(READ,))
    first = plan(request, CLAUDE, None, 0.0)
    longer = replace(request, messages=(*request.messages, CALLS, user(OUTPUT)))
    text = as_bytes(encoded(longer, cached=plan(longer, CLAUDE, first, 1.0)))
    assert 1 < text.count(b'"cachePoint"') <= 4


def test_neighbours_of_one_role_become_one_message():
    said = AssistantMessage((Text("one"),), "m", "end_turn")
    body = encoded(asked(user("a"), user("b"), said, said, user("c")))
    assert [(m["role"], len(m["content"])) for m in body["messages"]] == [
        ("user", 2),
        ("assistant", 2),
        ("user", 1),
    ]


def test_a_longer_history_extends_a_shorter_one():
    short = asked(user("a"), CALLS, user(OUTPUT), system=("s",), tools=(READ,))
    longer = replace(short, messages=(*short.messages, user("b"), CALLS, user(OUTPUT)))
    before = as_bytes(encoded(short)).removesuffix(b"]}]}")
    assert as_bytes(encoded(longer)).startswith(before)


REPLAYED = {
    "reasoning_and_call": [
        {"reasoningContent": {"reasoningText": {"text": THOUGHT, "signature": SIGNATURE}}},
        {"toolUse": {"toolUseId": "tooluse_A", "name": "read_file", "input": {"path": "a"}}},
    ],
    "reasoning_redacted": [
        {"reasoningContent": {"redactedContent": "AP9zZWNyZXQ="}},
        {"reasoningContent": {"redactedContent": "AP9zZWNyZXRtb3Jl"}},
        {"text": "Done."},
    ],
}


@pytest.mark.parametrize("case", REPLAYED)
def test_reasoning_goes_back_to_its_model_as_it_came(case):
    reply = received(CONVERSE[case])
    assert encoded(asked(user("a"), reply))["messages"][1]["content"] == REPLAYED[case]


def test_another_model_gets_no_reasoning_of_this_one():
    reply = received(CONVERSE["reasoning_and_call"], model="amazon.nova-pro-v1:0")
    body = encoded(asked(user("a"), reply))
    assert body["messages"][1]["content"] == REPLAYED["reasoning_and_call"][1:]


def test_results_name_calls_as_the_model_did_and_foreign_ids_are_respelled():
    reply = received(CONVERSE["interleaved_calls"])
    results = user(*(ToolOutput(call.id, (Text("x"),)) for call in reply.tool_calls))
    own = encoded(asked(user("a"), reply, results))["messages"]
    other = encoded(asked(user("a"), replace(reply, native=None), results))["messages"]
    for messages, expected in ((own, "functions.list:1"), (other, "functions_list_1")):
        assert messages[1]["content"][1]["toolUse"]["toolUseId"] == expected
        assert messages[2]["content"][1]["toolResult"]["toolUseId"] == expected


def test_names_that_converse_will_not_have_back_are_respelled():
    stream = call(0, "tooluse A", "functions read_file") + end(0) + stop("tool_use") + metadata()
    reply = received(stream)
    body = encoded(asked(user("a"), reply, user(ToolOutput("tooluse A", (Text("x"),)))))
    _, called, answered = (message["content"] for message in body["messages"])
    use = {"toolUseId": "tooluse_A", "name": "functions_read_file", "input": {}}
    assert called == [{"toolUse": use}]
    assert answered[0]["toolResult"]["toolUseId"] == "tooluse_A"


def test_reasoning_that_was_never_signed_does_not_go_back():
    reply = received(CONVERSE["reasoning_never_ended"])
    body = encoded(asked(user("a"), reply))
    assert body["messages"][1]["content"] == [{"text": "Done."}]


def test_nova_gets_no_cache_point_among_its_tools():
    nova = replace(CLAUDE, id="us.amazon.nova-pro-v1:0", thinking="")
    marks = CachePlan((Mark("tools"), Mark("memory")))
    body = encoded(asked(user("a"), system=("s",), tools=(READ,)), nova, marks)
    assert [next(iter(tool)) for tool in body["toolConfig"]["tools"]] == ["toolSpec"]
    assert body["system"][1] == {"cachePoint": {"type": "default"}}


def test_nothing_blank_is_sent():
    silent = AssistantMessage((Text(" \n"),), ID, "end_turn")
    blank = replace(silent, native=Native("bedrock", ID, ({"text": "\n"},)))
    body = encoded(asked(user(" "), silent, user(ToolOutput("a", (Text(""),))), blank))
    assert [message["content"] for message in body["messages"]] == [
        [{"text": "(empty)"}],
        [{"text": "(interrupted)"}],
        [{"toolResult": {"toolUseId": "a", "content": [{"text": "(empty)"}]}}],
        [{"text": "(interrupted)"}],
    ]


def test_calls_that_never_ran_and_unreadable_arguments():
    cut = AssistantMessage((Text("I"), ToolCall("a", "grep", {})), "m", "max_tokens")
    garbled = AssistantMessage((ToolCall("b", "grep", {}, raw='{"x'),), "m", "tool_use")
    body = encoded(asked(user("a"), cut, user("go on"), garbled))
    assert body["messages"][1]["content"] == [{"text": "I"}]
    assert body["messages"][3]["content"][0]["toolUse"]["input"] == {"INVALID_JSON": '{"x'}


def test_without_tools_a_history_of_calls_brings_its_own():
    tools = encoded(asked(user("a"), CALLS, user(OUTPUT), CALLS, user(OUTPUT)))["toolConfig"]
    schema = {"json": {"type": "object"}}
    assert tools == {"tools": [{"toolSpec": {"name": "read_file", "inputSchema": schema}}]}
    assert "toolConfig" not in encoded(asked(user("a")))


def reasoning(model, **more):
    body = encoded(asked(user("a"), **more), replace(CLAUDE, **model))
    return body.get("additionalModelRequestFields"), body.get("outputConfig")


def test_reasoning_is_asked_for_as_the_model_wants_it():
    adaptive = {"thinking": {"type": "adaptive", "display": "summarized"}}
    budget = {"thinking": {"type": "enabled", "budget_tokens": 4096}}
    assert reasoning({}) == (adaptive, None)
    assert reasoning({}, effort="xhigh") == (adaptive, {"effort": "high"})
    assert reasoning({"thinking": "effort"}, effort="low") == ({"reasoning_effort": "low"}, None)
    assert reasoning({"thinking": "effort"}, effort="xhigh") == ({"reasoning_effort": "high"}, None)
    assert reasoning({"thinking": "budget"}, effort="low") == (budget, None)
    assert reasoning({"thinking": "budget"}, effort="none") == (None, None)
    assert reasoning({"thinking": "budget"}, effort="low", max_output=2000) == (None, None)
    assert reasoning({"thinking": ""}, effort="low") == (None, None)


def test_the_output_limit_is_the_models_when_we_know_none():
    strange = unknown("acme.large-v1:0", "bedrock")
    least = {"messages": [{"role": "user", "content": [{"text": "a"}]}]}
    assert encoded(asked(user("a")), strange) == least
    body = encoded(asked(user("a"), max_output=9), strange)
    assert body["inferenceConfig"] == {"maxTokens": 9}
    body = encoded(asked(user("a"), max_output=9_000_000))
    assert body["inferenceConfig"] == {"maxTokens": 64_000}


def test_an_output_schema_is_sent_as_text():
    schema = {"type": "object", "properties": {"ö": {"type": "string"}}}
    config = encoded(asked(user("a"), output_schema=schema))["outputConfig"]
    form = config["textFormat"]
    assert form["type"] == "json_schema"
    assert json.loads(form["structure"]["jsonSchema"]["schema"]) == schema


def test_models_stand_in_the_address_whatever_their_name():
    arn = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/x"
    safe = "arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aapplication-inference-profile%2Fx"
    route = at(unknown(arn, "bedrock"))
    assert load("bedrock").path(route) == f"/model/{safe}/converse-stream"
    path = load("anthropic-bedrock").path(route)
    assert path == f"/model/{safe}/invoke-with-response-stream"
    path = load("anthropic-vertex").path(at(unknown("claude-haiku-4-5@20251001", "vertex")))
    assert path == "/publishers/anthropic/models/claude-haiku-4-5@20251001:streamRawPredict"


@pytest.mark.parametrize(
    ("wire", "version", "stream"),
    [
        ("anthropic-bedrock", "bedrock-2023-05-31", None),
        ("anthropic-vertex", "vertex-2023-10-16", True),
    ],
)
def test_a_hosted_body_is_anthropics_own_less_its_envelope(wire, version, stream):
    request = asked(user("a"), CALLS, user(OUTPUT), system=("s",), tools=(READ,), effort="low")
    cached = CachePlan((Mark("tools"), Mark("latest", message=2, block=0)))
    body = encoded(request, cached=cached, wire=wire)
    assert body.pop("anthropic_version") == version
    assert body.get("stream") is stream
    plain = encoded(request, cached=cached, wire="anthropic")
    assert body | {"model": ID, "stream": True} == plain


@pytest.mark.parametrize("wire", ["anthropic-bedrock", "anthropic-vertex"])
def test_a_hosts_thinking_goes_back_to_it_as_it_came(wire):
    (path,) = (WIRES / wire).glob("thinking_and_call.stream.*")
    reply = received(path.read_bytes(), wire=wire)
    content = encoded(asked(user("a"), reply), wire=wire)["messages"][1]["content"]
    assert content == list(reply.native.blocks)
    assert content[0]["signature"]


@pytest.mark.parametrize("case", ["text", "usage_before_stop", "exception_after_the_end"])
def test_a_reply_is_finished_once_before_the_connection_ends(case):
    decoder = load("bedrock").decoder(at(CLAUDE))
    deltas = list(decoder.feed(CONVERSE[case]))
    assert [type(delta) for delta in deltas].count(Finished) == 1
    assert deltas[-1] == Finished("end_turn", Usage(12, 34))
    assert list(decoder.close()) == []


KINDS = {"throttled": RateLimited, "validation": ContextOverflow}


@pytest.mark.parametrize("case", KINDS)
def test_exceptions_in_a_stream_are_the_errors_they_mean(case):
    with pytest.raises(LLMError) as failure:
        received(CONVERSE[case])
    assert type(failure.value) is KINDS[case]
    assert (failure.value.provider, failure.value.model) == ("bedrock", ID)


def test_recordings_are_what_their_source_makes():
    stored = {path: path.read_bytes() for path in WIRES.glob("*bedrock/*.stream.bin")}
    assert stored == RECORDED


def test_what_arrives_over_http_is_what_was_signed():
    keys = Credentials("AKID", "secret", "token")
    request = asked(user("é\u2028"), CALLS, user(OUTPUT), tools=(READ,))

    async def answer(number, request, writer):
        content = CONVERSE["reasoning_and_call"]
        writer.write(CHUNKED + chunk(content[:100]) + chunk(content[100:]) + END)

    async def main():
        async with loopback(answer) as server:
            url = server.url.removesuffix("/v1/messages")
            door = Http()
            client = Client(lambda _: replace(at(CLAUDE), url=url, wire="bedrock"), door)
            signed = sign(client.prepare(request), keys, "us-east-1", 1e9)
            async with door.stream(signed) as response:
                body = b"".join([piece async for piece in response.chunks()])
            await client.aclose()
            await door.aclose()
            return body, server.requests[0]

    body, (line, headers, sent) = asyncio.run(main())
    method, path, _ = line.split()
    arrived = PreparedRequest(f"http://{headers['host']}{path}", headers, sent)
    again = sign(arrived, keys, "us-east-1", 1e9, method=method)
    assert again.headers["authorization"] == headers["authorization"]
    assert path == "/model/global.anthropic.claude-sonnet-4-6-v1%3A0/converse-stream"
    assert headers["accept"] == "application/vnd.amazon.eventstream"
    assert [call.input for call in received(body).tool_calls] == [{"path": "a"}]


def test_a_reply_over_the_client_has_the_usage_that_comes_after_its_end():
    frames = CONVERSE["usage_every_field"]

    def handler(method, url, headers, body):
        return 200, {}, (frames[at : at + 50] for at in range(0, len(frames), 50))

    async def main():
        door = Http(transport=InProcess(handler))
        client = Client(lambda _: replace(at(CLAUDE), wire="bedrock"), door)
        async with client.stream(asked(user("a"))) as reply:
            async for _ in reply:
                pass
        await client.aclose()
        return reply.message

    message = asyncio.run(main())
    assert (message.text, message.usage) == ("Hello, world.", Usage(12, 34, 5000, 200, 500))
