"""What Bedrock's Converse refuses and answers (wire.md 4), and Claude at other hosts (1.11)."""

import json
from base64 import b64decode

import pytest

from agentcli.llm.errors import StreamMalformed
from agentcli.llm.event_stream import EventStreamParser
from agentcli.llm.simulator import (
    Fault,
    Say,
    SimulatedProvider,
    Think,
    Turn,
    breaks,
    calls,
    says,
    thinks,
)

SONNET = "global.anthropic.claude-sonnet-4-6"
OPUS = "us.anthropic.claude-opus-5-5"
NOVA, KIMI = "us.amazon.nova-pro-v1:0", "moonshot.kimi-k2-thinking"
TOOL = {
    "toolSpec": {"name": "Read", "description": "d", "inputSchema": {"json": {"type": "object"}}}
}
POINT = {"cachePoint": {"type": "default"}}
HOUR = {"cachePoint": {"type": "default", "ttl": "1h"}}
PICTURE = {"image": {"format": "png", "source": {"bytes": "AAAA"}}}


def user(*blocks):
    return {"role": "user", "content": list(blocks) or [{"text": "go"}]}


def model(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def use(call_id="a", **fields):
    return {"toolUse": {"toolUseId": call_id, "name": "Read", "input": {}} | fields}


def result(call_id="a", *parts, **fields):
    content = list(parts) or [{"text": "ok"}]
    return {"toolResult": {"toolUseId": call_id, "content": content} | fields}


def reasoning(text="hm", **fields):
    return {"reasoningContent": {"reasoningText": {"text": text} | fields}}


def body(*messages, **fields):
    asked = {"messages": list(messages) or [user()], "toolConfig": {"tools": [TOOL]}}
    return asked | {"inferenceConfig": {"maxTokens": 99}} | fields


def spec(**fields):
    return {"toolSpec": TOOL["toolSpec"] | fields}


def tools(*found, **fields):
    return body(toolConfig={"tools": list(found)} | fields)


def own(**fields):
    return body(additionalModelRequestFields=fields)


def post(request, name=SONNET, verb="converse", provider=None, **headers):
    provider = provider or SimulatedProvider([says("fine")])
    data = json.dumps(request).encode()
    path = f"http://x/model/{name.replace(':', '%3A')}/{verb}"
    status, told, pieces = provider.handle("POST", path, headers, data)
    return status, told, b"".join(pieces)


def ask(request, **where):
    status, headers, data = post(request, **where)
    return status, headers, json.loads(data)


REFUSED = {
    "unknown field": (body(max_tokens=5), "Unknown parameter in input: 'max_tokens'"),
    "unknown config": (body(inferenceConfig={"max_tokens": 5}), "inferenceConfig: 'max_tokens'"),
    "limit 0": (body(inferenceConfig={"maxTokens": 0}), "greater than or equal to 1"),
    "unknown output": (body(outputConfig={"format": 1}), "outputConfig: 'format'"),
    "unknown effort": (body(outputConfig={"effort": "none"}), "'none' at 'outputConfig.effort'"),
    "blank system": (body(system=[{"text": " "}]), "system.0 is blank"),
    "system of two kinds": (
        body(system=[{"text": "a"} | POINT]),
        "tagged union structure system.0",
    ),
    "picture in the system": (body(system=[PICTURE]), "tagged union structure system.0"),
    "no messages": (body() | {"messages": []}, "messages: length must be at least 1"),
    "field of a message": (body(user() | {"name": "x"}), "messages.0: 'name'"),
    "role": (body({"role": "system", "content": [{"text": "x"}]}), "enum value set"),
    "no content": (body({"role": "user", "content": []}), "messages.0 is empty"),
    "content as text": (body({"role": "user", "content": "go"}), "messages.0 is empty"),
    "two kinds in a block": (body(user({"text": "a"} | PICTURE)), "tagged union structure"),
    "block of another API": (body(user({"type": "text", "text": "a"})), "tagged union structure"),
    "blank text": (body(user({"text": "\n"})), "messages.0.content.0 is blank"),
    "model first": (body(model({"text": "x"}), user()), "must start with a user message"),
    "two users": (body(user(), user()), 'multiple "user" roles in a row (messages.1)'),
    "prefill": (body(user(), model({"text": "x"})), "does not support assistant message prefill"),
    "call of the user": (body(user(use())), "toolUse is only for assistant messages"),
    "picture of the model": (body(user(), model(PICTURE), user()), "image is only for user"),
    "result of the model": (body(user(), model(result()), user()), "toolResult is only for user"),
    "thought of the user": (body(user(reasoning())), "reasoningContent is only for assistant"),
    "picture format": (
        body(user({"image": PICTURE["image"] | {"format": "bmp"}})),
        "bmp is unknown",
    ),
    "picture, no base64": (
        body(user({"image": {"format": "png", "source": {"bytes": "AAAA?"}}})),
        "source.bytes: is no base64",
    ),
    "picture by URL": (
        body(user({"image": {"format": "png", "source": {"url": "x"}}})),
        "tagged union structure messages.0.content.0.image.source",
    ),
    "picture with a type": (
        body(user({"image": PICTURE["image"] | {"type": "x"}})),
        "messages.0.content.0.image: 'type'",
    ),
    "no toolConfig": (
        {"messages": [user(), model(use()), user(result())]},
        "The toolConfig field must be defined when using toolUse and toolResult",
    ),
    "empty toolConfig": (tools(), "toolConfig.tools: length must be at least 1"),
    "toolConfig field": (tools(TOOL, tool_choice={}), "toolConfig: 'tool_choice'"),
    "tool of another API": (tools({"name": "a"}), "tagged union structure toolConfig.tools.0"),
    "tool field": (tools(spec(input_schema={})), "toolSpec: 'input_schema'"),
    "tool name": (tools(spec(name="a.b")), "'a.b' at 'toolConfig.tools.0"),
    "long tool name": (tools(spec(name="a" * 65)), "must satisfy regular expression"),
    "empty description": (tools(spec(description="")), "description: length must be at least 1"),
    "schema": (tools(spec(inputSchema={"json": {}})), "must be one of the following: object"),
    "tool twice": (tools(TOOL, TOOL), "the name Read is used twice"),
    "choice none": (tools(TOOL, toolChoice={"none": {}}), "tagged union structure"),
    "choice of no tool": (tools(TOOL, toolChoice={"tool": {"name": "x"}}), "names no tool"),
    "call without result": (
        body(user(), model(use()), user()),
        "Expected toolResult blocks at messages.2.content for the following Ids: a",
    ),
    "call at the end": (body(user(), model(use())), "Expected toolResult blocks at messages.2"),
    "a result too few": (
        body(user(), model(use(), use("b")), user(result())),
        "for the following Ids: b",
    ),
    "a result too many": (
        body(user(), model(use()), user(result(), result("b"))),
        "messages.2.content exceeds the number of toolUse blocks",
    ),
    "result without call": (body(user(result())), "messages.0.content exceeds the number"),
    "other result": (body(user(), model(use()), user(result("b"))), "for the following Ids: a"),
    "text before a result": (
        body(user(), model(use()), user({"text": "x"}, result())),
        "for the following Ids: a",
    ),
    "a call twice": (
        body(user(), model(use(), use()), user(result(), result())),
        "Expected toolResult blocks at messages.2.content",
    ),
    "id": (body(user(), model(use("a.b")), user(result("a.b"))), "'a.b' at 'messages.1"),
    "id of a result": (body(user(), model(use()), user(result("a:b"))), "'a:b' at 'messages.2"),
    "name of a call": (body(user(), model(use(name="a b")), user(result())), "Value 'a b'"),
    "arguments as text": (
        body(user(), model(use(input="{}")), user(result())),
        "Provide a json object for the field",
    ),
    "field of a call": (body(user(), model(use(id="a")), user(result())), "toolUse: 'id'"),
    "field of a result": (
        body(user(), model(use()), user(result(is_error=True))),
        "toolResult: 'is_error'",
    ),
    "status": (body(user(), model(use()), user(result(status="ok"))), "status: ok is unknown"),
    "result as text": (
        body(user(), model(use()), user(result(content="x"))),
        "toolResult.content: is required",
    ),
    "blank result": (
        body(user(), model(use()), user(result("a", {"text": ""}))),
        "content.0.toolResult.content.0 is blank",
    ),
    "call in a result": (
        body(user(), model(use()), user(result("a", use()))),
        "tagged union structure",
    ),
    "broken picture in a result": (
        body(user(), model(use()), user(result("a", {"image": {"format": "x"}}))),
        "x is unknown",
    ),
    "unsigned thought": (
        body(user(), model(reasoning(), {"text": "x"}), user()),
        "reasoningText.signature: Field required",
    ),
    "thought without text": (
        body(user(), model({"reasoningContent": {"reasoningText": {"signature": "x"}}}), user()),
        "reasoningText.text: is required",
    ),
    "field of a thought": (
        body(user(), model(reasoning(signature="x", type="thinking")), user()),
        "reasoningText: 'type'",
    ),
    "foreign signature": (
        body(user(), model(reasoning(signature="QUJD"), {"text": "x"}), user()),
        "Invalid `signature` in `thinking` block",
    ),
    "redacted, no base64": (
        body(user(), model({"reasoningContent": {"redactedContent": "AAAA?"}}), user()),
        "redactedContent: is no base64",
    ),
    "thinking mode": (own(thinking={"type": "between_tools"}), "is not supported for this model"),
    "limit above the model's": (
        body(inferenceConfig={"maxTokens": 1_000_000}),
        "which is the maximum allowed number of output tokens",
    ),
    "own unknown field": (own(top_a=1), "top_a: Extra inputs are not permitted"),
    "point without its block": (body(system=[POINT]), "must follow the block it caches"),
    "point before its block": (
        body(system=[POINT, {"text": "s"}]),
        "must follow the block it caches",
    ),
    "two points in a row": (body(user({"text": "a"}, POINT, POINT)), "must follow the block"),
    "field of a point": (
        body(user({"text": "a"}, {"cachePoint": {"type": "default", "x": 1}})),
        "content.1.cachePoint: 'x'",
    ),
    "type of a point": (
        body(user({"text": "a"}, {"cachePoint": {"type": "ephemeral"}})),
        "type: must be default",
    ),
    "life of a point": (
        body(user({"text": "a"}, {"cachePoint": {"type": "default", "ttl": "2h"}})),
        "ttl: 2h is not supported",
    ),
    "five points": (
        body(
            *[m for n in range(5) for m in (user({"text": "a"}, POINT), model({"text": "b"}))],
            user(),
        ),
        "A maximum of 4 cache points may be provided. Found 5.",
    ),
    "long life after a short one": (
        body(user({"text": "a"}, HOUR), system=[{"text": "s"}, POINT]),
        "must not come after a ttl='5m'",
    ),
    "point after a thought": (
        body(user(), model({"reasoningContent": {"redactedContent": "QUJD"}}, POINT), user()),
        "Extra inputs are not permitted",
    ),
}


def check_refused(request, words, **where):
    status, headers, answer = ask(request, **where)
    assert words in answer.get("message", "")
    assert (status, headers["x-amzn-errortype"]) == (400, "ValidationException")


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name):
    check_refused(*REFUSED[name])


ACCEPTED = {
    "results first, then text": body(user(), model(use()), user(result(), {"text": "and"})),
    "a point between results": body(
        user(), model(use(), use("b")), user(result(), POINT, result("b"))
    ),
    "an error": body(user(), model(use()), user(result(status="error"))),
    "JSON and a picture in a result": body(
        user(), model(use()), user(result("a", {"json": {"a": 1}}, PICTURE))
    ),
    "four points": body(
        user({"text": "a"}, POINT, {"text": "b"}, POINT),
        toolConfig={"tools": [TOOL, HOUR]},
        system=[{"text": "s"}, HOUR],
    ),
    "choice": tools(TOOL, toolChoice={"tool": {"name": "Read"}}),
    "effort": body(outputConfig={"effort": "low"}),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepts(name):
    status, _, answer = ask(ACCEPTED[name])
    assert (status, answer.get("message")) == (200, None)


def test_only_newer_claudes_keep_a_prefix_for_an_hour():
    hour = body(user({"text": "a"}, HOUR))
    check_refused(hour, "1h is not supported", name="anthropic.claude-sonnet-4-20250514-v1:0")
    assert ask(hour, name="anthropic.claude-sonnet-4-5-20250929-v1:0")[0] == 200


def test_nova_takes_no_point_behind_tools_and_no_hour():
    check_refused(tools(TOOL, POINT), "did not allow prompt caching", name=NOVA)
    check_refused(body(user({"text": "a"}, HOUR)), "1h is not supported", name=NOVA)
    assert ask(body(user({"text": "a"}, POINT)), name=NOVA)[0] == 200


def test_other_models_take_no_points_but_more_letters_in_ids():
    check_refused(body(user({"text": "a"}, POINT)), "did not allow prompt caching", name=KIMI)
    history = (user(), model(reasoning(), use("Read:0")), user(result("Read:0")))
    assert ask(body(*history), name=KIMI)[0] == 200


def test_a_prompt_longer_than_the_window_is_refused():
    for tokens, status in ((1_000_000, 200), (1_000_001, 400)):
        asked = {"messages": [user({"text": "abcd" * tokens})]}
        found, _, answer = ask(asked, name=OPUS)
        assert found == status
        assert ("Input is too long" in answer.get("message", "")) == (status == 400)


@pytest.mark.parametrize(("name", "thinks_"), [(KIMI, True), (NOVA, False), (SONNET, False)])
def test_who_thinks_unasked(name, thinks_):
    provider = SimulatedProvider([thinks("hm", says("x"))])
    _, _, answer = ask(body(), name=name, provider=provider)
    kinds = [next(iter(block)) for block in answer["output"]["message"]["content"]]
    assert kinds == [*(["reasoningContent"] if thinks_ else []), "text"]


def events(data):
    found = []
    for frame in EventStreamParser().feed(data):
        assert frame.headers[":message-type"] == "event"
        found.append((frame.headers[":event-type"], json.loads(frame.payload)))
    return found


THINKING = {"additionalModelRequestFields": {"thinking": {"type": "adaptive"}}}


def test_what_a_stream_looks_like():
    turn = thinks("hm", calls(("Read", {"path": "a"}), ("Read", {}), text="So."))
    provider = SimulatedProvider([turn])
    _, headers, data = post(body(**THINKING), verb="converse-stream", provider=provider)
    assert headers["content-type"] == "application/vnd.amazon.eventstream"
    found = events(data)
    names = [name for name, _ in found]
    assert names[0] == "messageStart"
    assert names[-2:] == ["messageStop", "metadata"]
    starts = [told["contentBlockIndex"] for name, told in found if name == "contentBlockStart"]
    assert starts == [2, 3]
    deltas = [told["delta"] for name, told in found if name == "contentBlockDelta"]
    assert deltas[0] == {"reasoningContent": {"text": "hm"}}
    assert deltas[1]["reasoningContent"]["signature"]
    assert deltas[2:] == [{"text": "So."}, {"toolUse": {"input": '{"path":"a"}'}}]
    assert names.count("contentBlockStop") == 4
    assert found[-2][1] == {"stopReason": "tool_use"}
    usage = found[-1][1]["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]


def test_a_whole_answer():
    provider = SimulatedProvider([thinks("hm", calls(("Read", {"path": "a"})))])
    _, _, answer = ask(body(**THINKING), provider=provider)
    thought, call = answer["output"]["message"]["content"]
    assert thought["reasoningContent"]["reasoningText"]["text"] == "hm"
    assert call["toolUse"]["input"] == {"path": "a"}
    assert answer["stopReason"] == "tool_use"


@pytest.mark.parametrize("change", ["text", "signature", "model"])
def test_an_altered_thought_is_refused(change):
    provider = SimulatedProvider([thinks("hm", says("x")), says("y"), says("z")])
    _, _, answer = ask(body(**THINKING), provider=provider)
    content = answer["output"]["message"]["content"]
    history = body(user(), model(*content), user({"text": "and"}), **THINKING)
    assert ask(history, provider=provider)[0] == 200
    thought = content[0]["reasoningContent"]["reasoningText"]
    if change == "model":
        thought["signature"] = "QUJD" + thought["signature"]
    else:
        thought[change] = "AAAA"
    check_refused(history, "Invalid `signature`", provider=provider)


def test_a_changed_past_is_refused_by_models_that_bind_it():
    provider = SimulatedProvider([thinks("hm", says("x")), says("y")])
    first = body(user({"text": "one"}))
    _, _, answer = ask(first, name=OPUS, provider=provider)
    content = answer["output"]["message"]["content"]
    changed = body(user({"text": "two"}), model(*content), user({"text": "and"}))
    check_refused(changed, "bound to a different conversation", name=OPUS, provider=provider)


def test_redacted_thoughts_come_back():
    turn = Turn((Think("hm", redacted=True), Say("x")))
    provider = SimulatedProvider([turn, says("y")])
    _, _, data = post(body(**THINKING), verb="converse-stream", provider=provider)
    told = [t["delta"] for name, t in events(data) if name == "contentBlockDelta"]
    history = body(user(), model(told[0], told[1]), user({"text": "and"}), **THINKING)
    assert ask(history, provider=provider)[0] == 200


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("rate_limited", 429, "ThrottlingException"),
        ("quota", 400, "ServiceQuotaExceededException"),
        ("overloaded", 503, "ServiceUnavailableException"),
        ("context_overflow", 400, "ValidationException"),
        ("unauthorized", 403, "UnrecognizedClientException"),
        ("model_not_found", 404, "ResourceNotFoundException"),
        ("server_error", 500, "InternalServerException"),
    ],
)
def test_failures_are_named_in_a_header(fault, status, kind):
    provider = SimulatedProvider([Fault(fault, 7)])
    found, headers, _ = post(body(), verb="converse-stream", provider=provider)
    assert (found, headers["x-amzn-errortype"]) == (status, kind)
    assert "retry-after" not in headers


@pytest.mark.parametrize(("key", "status"), [("", 403), ("other", 403), ("k", 200)])
def test_the_key(key, status):
    provider = SimulatedProvider([says("fine")], key="k")
    found, _, _ = post(body(), provider=provider, authorization=f"Bearer {key}")
    assert found == status


def test_tokens_are_counted():
    asked = {"input": {"converse": {"messages": [user({"text": "a" * 40})]}}}
    assert ask(asked, verb="count-tokens")[2] == {"inputTokens": 10}
    check_refused({"messages": []}, "only converse requests are counted", verb="count-tokens")


CLAUDE = {"max_tokens": 99, "messages": [{"role": "user", "content": "go"}]}
ON_BEDROCK = CLAUDE | {"anthropic_version": "bedrock-2023-05-31"}
ON_VERTEX = CLAUDE | {"anthropic_version": "vertex-2023-10-16"}
VERTEX = "http://x/v1/projects/p/locations/global/publishers/anthropic/models"

INVOKE_REFUSED = {
    "no version": (CLAUDE, "anthropic_version: Field required"),
    "version of another host": (ON_VERTEX, '"vertex-2023-10-16" is not a valid version'),
    "new version, old model": (
        CLAUDE | {"anthropic_version": "2026-10-21"},
        "is not supported by this model",
    ),
    "model": (ON_BEDROCK | {"model": "x"}, "model: Extra inputs are not permitted"),
    "stream": (ON_BEDROCK | {"stream": True}, "stream: Extra inputs are not permitted"),
    "automatic mark": (
        ON_BEDROCK | {"cache_control": {"type": "ephemeral"}},
        "cache_control: Extra inputs are not permitted",
    ),
    "betas as text": (ON_BEDROCK | {"anthropic_beta": "a"}, "anthropic_beta: Input should be"),
    "what Claude refuses": (ON_BEDROCK | {"top_a": 1}, "top_a: Extra inputs are not permitted"),
}


@pytest.mark.parametrize("name", INVOKE_REFUSED)
def test_invoke_refuses(name):
    request, words = INVOKE_REFUSED[name]
    check_refused(request, words, verb="invoke")


def test_invoke_takes_betas_in_the_body_and_the_new_version_for_new_models():
    mcp = ON_BEDROCK | {"mcp_servers": [], "anthropic_beta": ["mcp-client"]}
    assert ask(mcp, verb="invoke")[0] == 200
    new = CLAUDE | {"anthropic_version": "2026-10-21"}
    assert ask(new, verb="invoke", name=OPUS)[0] == 200
    assert ask(new, verb="invoke", name="anthropic.claude-opus-4-7")[0] == 200


def test_the_new_version_takes_no_sampling():
    warm = {"temperature": 1}
    assert ask(ON_BEDROCK | warm, verb="invoke", name=OPUS)[0] == 200
    new = CLAUDE | {"anthropic_version": "2026-10-21"}
    check_refused(new | warm, "temperature: Extra inputs", verb="invoke", name=OPUS)


def test_invoke_streams_the_events_of_the_messages_api_in_frames():
    _, _, data = post(ON_BEDROCK, verb="invoke-with-response-stream")
    told = [json.loads(b64decode(t["bytes"])) for name, t in events(data) if name == "chunk"]
    assert told[0]["type"] == "message_start"
    assert told[-1]["type"] == "message_stop"
    assert "amazon-bedrock-invocationMetrics" in told[-1]


def on_vertex(request, verb="streamRawPredict", model="claude-sonnet-5-5", **headers):
    provider = SimulatedProvider([says("fine")])
    data = json.dumps(request).encode()
    status, told, pieces = provider.handle("POST", f"{VERTEX}/{model}:{verb}", headers, data)
    return status, told["content-type"], b"".join(pieces).decode()


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (CLAUDE, "anthropic_version: Field required"),
        (ON_BEDROCK, "is not a valid version"),
        (ON_VERTEX | {"model": "x"}, "model: Extra inputs"),
        (ON_VERTEX | {"anthropic_beta": ["a"]}, "anthropic_beta: Extra inputs"),
    ],
)
def test_vertex_refuses(request_, words):
    status, _, text = on_vertex(request_)
    error = json.loads(text)["error"]
    assert status == 400
    assert words in error["message"]
    assert error["type"] == "invalid_request_error"


def test_vertex_streams_where_the_body_says_so_and_takes_betas_in_the_header():
    _, kind, text = on_vertex(ON_VERTEX | {"stream": True})
    assert kind.startswith("text/event-stream")
    assert "event: message_stop" in text
    _, kind, text = on_vertex(ON_VERTEX, "rawPredict")
    assert json.loads(text)["content"] == [{"type": "text", "text": "fine"}]
    mcp = ON_VERTEX | {"mcp_servers": []}
    assert on_vertex(mcp)[0] == 400
    assert on_vertex(mcp, **{"anthropic-beta": "mcp-client"})[0] == 200
    assert on_vertex(ON_VERTEX | {"cache_control": {"type": "ephemeral"}})[0] == 200


def test_vertex_counts_tokens_of_the_model_in_the_body():
    counted = ON_VERTEX | {"model": "claude-haiku-4-5@20251001"}
    del counted["max_tokens"]
    status, _, text = on_vertex(counted, "rawPredict", "count-tokens")
    assert (status, json.loads(text)) == (200, {"input_tokens": 1})


def test_a_damaged_frame_is_one_for_the_client_too():
    provider = SimulatedProvider([breaks(says("some words"), "malformed")])
    _, _, data = post(body(), verb="converse-stream", provider=provider)
    with pytest.raises(StreamMalformed):
        list(EventStreamParser().feed(data))
