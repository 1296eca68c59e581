"""What the Gemini API refuses and answers (wire.md 3.1 to 3.7)."""

import json

import pytest

from agentcli.llm.simulator import (
    Fault,
    Say,
    SimulatedProvider,
    Think,
    Turn,
    Use,
    breaks,
    calls,
    says,
    thinks,
)
from agentcli.llm.simulator.gemini_rules import SENTINELS

FLASH, OLD = "gemini-3.8-flash", "gemini-2.5-pro"
STUDIO = "http://x/v1beta/models"
VERTEX = "http://x/v1/projects/p/locations/global/publishers/google/models"
SKIP = SENTINELS[0]
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}
TOOL = {"name": "Read", "description": "d", "parametersJsonSchema": SCHEMA}
PICTURE = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}


def content(role, *parts):
    return {"role": role, "parts": list(parts)}


def user(*parts):
    return content("user", *(parts or ({"text": "go"},)))


def model(*parts):
    return content("model", *parts)


def called(name="Read", call_id="fc_1", signed=SKIP, **fields):
    call = {"name": name, "args": {}} | ({"id": call_id} if call_id else {}) | fields
    return {"functionCall": call} | ({"thoughtSignature": signed} if signed else {})


def result(name="Read", call_id="fc_1", **fields):
    answer = {"name": name, "response": {"output": "ok"}} | ({"id": call_id} if call_id else {})
    return {"functionResponse": answer | fields}


def body(*contents, **fields):
    tools = [{"functionDeclarations": [TOOL]}]
    return {"contents": list(contents) or [user()], "tools": tools} | fields


def tools(*functions, **fields):
    return body(tools=[{"functionDeclarations": list(functions)}], **fields)


def config(**fields):
    return body(generationConfig=fields)


def send(request, *, name=FLASH, base=STUDIO, verb="generateContent", provider=None):
    provider = provider or SimulatedProvider([says("fine")])
    data = json.dumps(request).encode()
    status, headers, pieces = provider.handle("POST", f"{base}/{name}:{verb}", {}, data)
    text = b"".join(pieces).decode()
    return status, headers, text


def asked(request, **where):
    status, _, text = send(request, **where)
    return status, json.loads(text)


REFUSED = {
    "no contents": ({"tools": []}, "contents: not specified"),
    "unknown field": (body(messages=[]), 'Unknown name "messages": Cannot find field.'),
    "snake case": (body(system_instruction={}), 'Unknown name "system_instruction"'),
    "field of a content": (body(user() | {"name": "x"}), "Unknown name \"name\" at 'contents[0]'"),
    "field of a part": (body(user({"text": "a", "type": "text"})), 'Unknown name "type"'),
    "field of the system": (body(systemInstruction={"text": "x"}), 'Unknown name "text"'),
    "picture in the system": (body(systemInstruction={"parts": [PICTURE]}), "only text"),
    "role": (body(content("assistant", {"text": "x"})), "valid role: user, model"),
    "no parts": (body(user(), model(), user()), "contents[1].parts: must not be empty"),
    "empty part": (body(user({})), "required oneof field 'data'"),
    "thought alone": (body(user(), model({"thought": True}), user()), "oneof field 'data'"),
    "two in one part": (body(user({"text": "x"} | PICTURE)), "required oneof field 'data'"),
    "text as number": (body(user({"text": 1})), "Invalid value at 'contents[0].parts[0].text'"),
    "picture without type": (body(user({"inlineData": {"data": "AAAA"}})), "mime_type: must be"),
    "picture, no base64": (
        body(user({"inlineData": {"mimeType": "image/png", "data": "AAAA?"}})),
        "inline_data.data' (TYPE_BYTES)",
    ),
    "picture with a field": (
        body(user({"inlineData": PICTURE["inlineData"] | {"url": "x"}})),
        'Unknown name "url"',
    ),
    "model first": (body(model({"text": "x"}), user()), "first content is of role user"),
    "model last": (body(user(), model({"text": "x"})), "end with a user role"),
    "call of the user": (body(user(called())), "only allowed in role model"),
    "answer of the model": (
        body(user(), model(called()), model(result()), user()),
        "only allowed in role user",
    ),
    "answer without call": (body(user(result())), "immediately after a function call turn"),
    "late answer": (
        body(user(), model(called()), user(result()), user(result())),
        "immediately after a function call turn",
    ),
    "call without answer": (body(user(), model(called()), user()), "is equal to the number"),
    "an answer too few": (
        body(user(), model(called(), called(call_id="b", signed="")), user(result())),
        "is equal to the number",
    ),
    "an answer too many": (
        body(user(), model(called()), user(result(), result(call_id="b"))),
        "is equal to the number",
    ),
    "call after the model": (
        body(user(), model({"text": "x"}), model(called()), user(result())),
        "immediately after a user turn",
    ),
    "other name": (body(user(), model(called()), user(result("Write"))), "does not match"),
    "other id": (body(user(), model(called()), user(result(call_id="b"))), "does not match"),
    "answers out of order": (
        body(
            user(),
            model(called(call_id="a"), called(call_id="b", signed="")),
            user(result(call_id="b"), result(call_id="a")),
        ),
        "does not match",
    ),
    "text beside an answer": (
        body(user(), model(called()), user(result(), {"text": "and"})),
        "can not be mixed with other parts",
    ),
    "answer as text": (
        body(user(), model(called()), user(result(response="ok"))),
        "function_response.response' (type.googleapis.com/Struct)",
    ),
    "text inside an answer": (
        body(user(), model(called()), user(result(parts=[{"text": "x"}]))),
        'Unknown name "text"',
    ),
    "broken picture inside an answer": (
        body(user(), model(called()), user(result(parts=[{"inlineData": {"mimeType": "x"}}]))),
        "parts[0].inline_data.data' (TYPE_BYTES)",
    ),
    "arguments as text": (
        body(user(), model(called(args="{}")), user(result())),
        "function_call.args' (type.googleapis.com/Struct)",
    ),
    "field of a call": (
        body(user(), model(called(arguments={})), user(result())),
        'Unknown name "arguments"',
    ),
    "field of an answer": (
        body(user(), model(called()), user(result(output="x"))),
        'Unknown name "output"',
    ),
    "name of a call": (
        body(user(), model(called("a b")), user(result("a b"))),
        "Invalid function name at contents[1].parts[0].function_call.name",
    ),
    "unsigned call": (
        body(user(), model(called(signed="")), user(result())),
        "Function call is missing a thought_signature",
    ),
    "unsigned first of two": (
        body(
            user(),
            model(called(signed=""), called(call_id="b")),
            user(result(), result("Read", "b")),
        ),
        "Function call is missing a thought_signature",
    ),
    "unsigned second step": (
        body(user(), model(called()), user(result()), model(called(signed="")), user(result())),
        "missing a thought_signature in functionCall parts. This is required for tools to work "
        "correctly. (contents[3])",
    ),
    "unsigned step before a text": (
        body(
            user(),
            model(called(signed="")),
            user(result()),
            model({"text": "x"}, called()),
            user(result()),
        ),
        "(contents[1])",
    ),
    "foreign signature": (
        body(user(), model(called(signed="QUJD")), user(result())),
        "Corrupted thought signature",
    ),
    "tool field": (body(tools=[{"functions": []}]), 'Unknown name "functions"'),
    "tool of another vendor": (tools({"name": "a", "input_schema": {}}), 'Unknown name "input_'),
    "tool name": (tools(TOOL | {"name": "1a"}), "Invalid function name"),
    "long tool name": (tools(TOOL | {"name": "a" * 129}), "maximum length of 128"),
    "tool twice": (tools(TOOL, TOOL), "Duplicate function declaration found: Read"),
    "two schemas": (tools(TOOL | {"parameters": {"type": "OBJECT"}}), "mutually exclusive"),
    "schema of nothing": (
        tools(TOOL | {"parametersJsonSchema": {"type": "object", "properties": {}}}),
        "should be non-empty for OBJECT type",
    ),
    "schema as text": (tools(TOOL | {"parametersJsonSchema": "x"}), "should be an object"),
    "schema of an array": (
        tools(TOOL | {"parametersJsonSchema": {"type": "array", "items": {}}}),
        "schema should be of type object",
    ),
    "required and unknown": (
        tools(TOOL | {"parametersJsonSchema": SCHEMA | {"required": ["b"]}}),
        "required: property is not defined: b",
    ),
    "JSON Schema in the subset": (
        tools({"name": "a", "parameters": {"type": "OBJECT", "additionalProperties": False}}),
        'Unknown name "additionalProperties"',
    ),
    "deep JSON Schema in the subset": (
        tools(
            {
                "name": "a",
                "parameters": {
                    "type": "OBJECT",
                    "properties": {"a": {"type": "ARRAY", "items": {"$ref": "x"}}},
                },
            }
        ),
        'Unknown name "$ref"',
    ),
    "lower case in the subset": (
        tools({"name": "a", "parameters": {"type": "object"}}),
        'parameters.type\' (Type), "object"',
    ),
    "subset of nothing": (
        tools({"name": "a", "parameters": {"type": "OBJECT"}}),
        "should be non-empty for OBJECT type",
    ),
    "tool config field": (body(toolConfig={"mode": "ANY"}), 'Unknown name "mode"'),
    "calling config field": (
        body(toolConfig={"functionCallingConfig": {"kind": "ANY"}}),
        'Unknown name "kind"',
    ),
    "mode": (body(toolConfig={"functionCallingConfig": {"mode": "auto"}}), 'mode\': "auto"'),
    "allowed names in AUTO": (
        body(toolConfig={"functionCallingConfig": {"allowedFunctionNames": ["Read"]}}),
        "only when mode is ANY or VALIDATED",
    ),
    "allowed and unknown": (
        body(toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["x"]}}),
        "not declared: x",
    ),
    "config field": (config(maxTokens=5), "Unknown name \"maxTokens\" at 'generation_config'"),
    "limit 0": (config(maxOutputTokens=0), "from 1 (inclusive) to 65537 (exclusive)"),
    "limit too high": (config(maxOutputTokens=65_537), "from 1 (inclusive) to 65537 (exclusive)"),
    "two answer schemas": (
        config(responseSchema={}, responseJsonSchema={}, responseMimeType="application/json"),
        "mutually exclusive",
    ),
    "schema without its type": (config(responseJsonSchema={}), "response_mime_type must be"),
    "thinking field": (config(thinkingConfig={"effort": "LOW"}), 'Unknown name "effort"'),
    "level and budget": (
        config(thinkingConfig={"thinkingLevel": "LOW", "thinkingBudget": 5}),
        "only one of thinking budget and thinking level",
    ),
    "unknown level": (config(thinkingConfig={"thinkingLevel": "low"}), 'thinking_level\': "low"'),
    "level it has not": (
        config(thinkingConfig={"thinkingLevel": "XHIGH"}),
        "Thinking level XHIGH is not supported for this model.",
    ),
    "budget": (config(thinkingConfig={"thinkingBudget": -2}), "Invalid thinking_budget: -2"),
    "cache that is gone": (
        {"contents": [user()], "cachedContent": "cachedContents/x"},
        "CachedContent not found",
    ),
    "tools beside a cache": (body(cachedContent="cachedContents/x"), "Found: tools"),
    "made-up token": (body(continuationToken="ct_x"), "Invalid continuation token"),
}
OLD_REFUSED = {
    "level": (config(thinkingConfig={"thinkingLevel": "LOW"}), "is not supported for this model"),
    "no thinking": (config(thinkingConfig={"thinkingBudget": 0}), "only works in thinking mode"),
    "id of a call": (
        body(user(), model(called(signed="")), user(result(call_id=""))),
        "Unknown name \"id\" at 'contents[1].parts[0].function_call'",
    ),
    "id of an answer": (
        body(user(), model(called(call_id="", signed="")), user(result())),
        'Unknown name "id"',
    ),
    "picture inside an answer": (
        body(
            user(), model(called(call_id="", signed="")), user(result(call_id="", parts=[PICTURE]))
        ),
        'Unknown name "parts"',
    ),
}


def test_what_older_models_may_spend_on_thinking():
    for budget, status in ((-1, 200), (127, 400), (128, 200)):
        settings = config(thinkingConfig={"thinkingBudget": budget})
        assert asked(settings, name=OLD)[0] == status


def test_an_unknown_model_takes_every_level():
    for level, status in (("XHIGH", 200), ("MINIMAL", 200), ("NONE", 400)):
        settings = config(thinkingConfig={"thinkingLevel": level})
        assert asked(settings, name="gemini-9-flash")[0] == status


def check_refused(request, words, **where):
    status, answer = asked(request, **where)
    error = answer.get("error", {})
    assert words in error.get("message", "")
    assert (status, error["code"]) in ((400, 400), (403, 403))
    assert error["status"] == ("INVALID_ARGUMENT" if status == 400 else "PERMISSION_DENIED")


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name):
    check_refused(*REFUSED[name])


@pytest.mark.parametrize("name", OLD_REFUSED)
def test_older_models_refuse(name):
    check_refused(*OLD_REFUSED[name], name=OLD)


def test_gemini_3_is_a_newer_model():
    first = "gemini-3-flash-preview"
    check_refused(*REFUSED["unsigned call"], name=first)
    check_refused(*REFUSED["text beside an answer"], name=first)
    assert asked(ACCEPTED["picture in an answer"], name=first)[0] == 200
    assert asked(config(thinkingConfig={"thinkingLevel": "LOW"}), name=first)[0] == 200
    answer = asked(body(), name=first, provider=SimulatedProvider([calls(("Read", {}))]))[1]
    part = answer["candidates"][0]["content"]["parts"][0]
    assert part["functionCall"]["id"]
    assert part["thoughtSignature"]


def test_models_before_2_5_do_not_think():
    check_refused(
        config(thinkingConfig={"thinkingBudget": 5}),
        "not supported by this model",
        name="gemini-2.0-flash",
    )


def test_vertex_demands_a_role_and_the_studio_does_not():
    request = body({"parts": [{"text": "go"}]})
    assert asked(request)[0] == 200
    check_refused(request, "valid role", base=VERTEX)


def test_broken_json_is_refused():
    provider = SimulatedProvider([])
    status, _, pieces = provider.handle("POST", f"{STUDIO}/{FLASH}:generateContent", {}, b"{")
    assert status == 400
    assert json.loads(b"".join(pieces))["error"]["status"] == "INVALID_ARGUMENT"


def test_a_prompt_longer_than_the_window_is_refused():
    check_refused(
        {"contents": [user({"text": "abcd" * 1_048_577})]},
        "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
    )
    assert asked({"contents": [user({"text": "abcd" * 1_048_576})]})[0] == 200


ACCEPTED = {
    "two users": body(user(), model(called()), user(result()), user({"text": "and"})),
    "no arguments": body(user(), model({"text": "x"}, called()), user(result())),
    "old unsigned call": body(
        user(), model(called(signed="")), user(result()), model({"text": "x"}), user()
    ),
    "second of two unsigned": body(
        user(),
        model(called(), called(call_id="b", signed="")),
        user(result(), result(call_id="b")),
    ),
    "other sentinel": body(user(), model(called(signed=SENTINELS[1])), user(result())),
    "picture": body(user(PICTURE)),
    "picture in an answer": body(user(), model(called()), user(result(parts=[PICTURE]))),
    "empty text": body(user(), model({"text": ""}), user()),
    "subset": tools(
        {"name": "a", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}}
    ),
    "no parameters": tools({"name": "a", "description": "d"}),
    "any of these": body(
        toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["Read"]}}
    ),
    "all settings": config(
        maxOutputTokens=65_536,
        thinkingConfig={"includeThoughts": True, "thinkingLevel": "HIGH"},
        responseMimeType="application/json",
        responseJsonSchema={"type": "object"},
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepts(name):
    status, answer = asked(ACCEPTED[name])
    assert (status, answer.get("error")) == (200, None)


def test_older_models_take_a_budget_unsigned_calls_and_text_beside_answers():
    history = (user(), model(called(call_id="", signed="")), user(result(call_id=""), PICTURE))
    settings = {"thinkingConfig": {"thinkingBudget": 128}}
    assert asked(body(*history, generationConfig=settings), name=OLD)[0] == 200


def talk(provider, *contents, **fields):
    """One request, streamed: the chunks."""
    request = body(*contents, generationConfig={"thinkingConfig": {"includeThoughts": True}})
    _, _, text = send(request | fields, verb="streamGenerateContent?alt=sse", provider=provider)
    return [json.loads(line[6:]) for line in text.split("\r\n\r\n") if line]


def parts_of(chunks):
    return [part for c in chunks for part in c["candidates"][0]["content"]["parts"]]


def test_what_a_stream_looks_like():
    turn = thinks("hm", calls(("Read", {"path": "a"}), ("Read", {}), text="So."))
    chunks = talk(SimulatedProvider([turn]))
    thought, text, first, second = parts_of(chunks)
    assert thought == {"text": "hm", "thought": True}
    assert text == {"text": "So."}
    assert first["functionCall"]["args"] == {"path": "a"}
    assert first["thoughtSignature"]
    assert "thoughtSignature" not in second
    assert first["functionCall"]["id"] != second["functionCall"]["id"]
    assert [c["candidates"][0].get("finishReason") for c in chunks] == [None] * 4 + ["STOP"]
    assert len({c["responseId"] for c in chunks}) == 1
    usage = chunks[-1]["usageMetadata"]
    assert (usage["thoughtsTokenCount"], usage["candidatesTokenCount"]) == (1, 7)
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + 8
    assert "candidatesTokenCount" not in chunks[0]["usageMetadata"]


def test_without_a_call_the_signature_comes_last():
    last = parts_of(talk(SimulatedProvider([says("x")])))[-1]
    assert last["text"] == ""
    assert last["thoughtSignature"]


def test_older_models_give_no_ids_and_sign_only_what_they_thought():
    provider = SimulatedProvider([calls(("Read", {})), thinks("hm", calls(("Read", {})))])
    plain, thought = (asked(body(), name=OLD, provider=provider)[1] for _ in range(2))
    for answer, signed in ((plain, False), (thought, True)):
        part = answer["candidates"][0]["content"]["parts"][-1]
        assert "id" not in part["functionCall"]
        assert ("thoughtSignature" in part) == signed


def signed_call(provider):
    return parts_of(talk(provider))[0]


@pytest.mark.parametrize("change", ["name", "args", "other model", "moved"])
def test_an_altered_call_is_refused(change):
    provider = SimulatedProvider([calls(("Read", {"path": "a"})), says("fine"), says("fine")])
    part = signed_call(provider)
    call = part["functionCall"]
    answer = result(call["name"], call["id"])
    assert asked(body(user(), model(part), user(answer)), provider=provider)[0] == 200
    where = FLASH
    match change:
        case "name":
            call["name"] = answer["functionResponse"]["name"] = "Write"
        case "args":
            call["args"] = {"path": "b"}
        case "other model":
            where = "gemini-3.7-flash"
        case "moved":
            text = {"text": "x", "thoughtSignature": part["thoughtSignature"]}
            check_refused(body(user(), model(text), user()), "Corrupted thought signature")
            return
    request = body(user(), model(part), user(answer))
    check_refused(request, "Corrupted thought signature", name=where, provider=provider)


def test_a_pause_goes_on_by_its_token_and_the_same_request():
    provider = SimulatedProvider([Turn((Say("a"),), stop="pause"), says("b"), says("c")])
    last = talk(provider)[-1]["candidates"][0]
    assert last["finishReason"] == "CONTINUATION"
    token = {"continuationToken": last["continuationToken"]}
    check_refused(body(user({"text": "other"}), **token), "Invalid continuation", provider=provider)
    assert parts_of(talk(provider, **token))[0] == {"text": "b"}


def test_thoughts_are_shown_only_where_asked_for():
    provider = SimulatedProvider([thinks("hm", says("x"))] * 2)
    hidden = asked(body(), provider=provider)[1]
    assert [p["text"] for p in hidden["candidates"][0]["content"]["parts"]] == ["x", ""]
    assert hidden["usageMetadata"]["thoughtsTokenCount"] == 1


def test_no_thoughts_with_a_budget_of_nothing():
    provider = SimulatedProvider([thinks("hm", says("x"))])
    off = config(thinkingConfig={"thinkingBudget": 0, "includeThoughts": True})
    answer = asked(off, name="gemini-2.5-flash", provider=provider)[1]
    assert answer["candidates"][0]["content"]["parts"] == [{"text": "x"}]


def test_redacted_thoughts_count_and_show_nothing():
    chunks = talk(SimulatedProvider([Turn((Think("hm", redacted=True), Say("x")))]))
    assert [p["text"] for p in parts_of(chunks)] == ["x", ""]
    assert chunks[-1]["usageMetadata"]["thoughtsTokenCount"] == 1


def test_arguments_that_are_no_json_are_the_models_failure():
    chunks = talk(SimulatedProvider([Turn((Use("Read", raw='{"path": '),))]))
    last = chunks[-1]["candidates"][0]
    assert last["finishReason"] == "MALFORMED_FUNCTION_CALL"
    assert not any("functionCall" in part for part in parts_of(chunks))


def test_the_output_limit_cuts_text_and_leaves_out_a_call():
    turn = Turn((Say("abcd" * 3), Use("Read", {"path": "x" * 400})))
    answer = asked(config(maxOutputTokens=20), provider=SimulatedProvider([turn]))[1]
    candidate = answer["candidates"][0]
    assert candidate["finishReason"] == "MAX_TOKENS"
    said, signed = candidate["content"]["parts"]
    assert said == {"text": "abcd" * 3}
    assert signed.keys() == {"text", "thoughtSignature"}
    assert answer["usageMetadata"]["candidatesTokenCount"] == 20


@pytest.mark.parametrize(
    ("word", "code", "status"),
    [("RESOURCE_EXHAUSTED", 429, "RESOURCE_EXHAUSTED"), ("?", 503, "UNAVAILABLE")],
)
def test_an_error_in_the_middle_is_bare_json(word, code, status):
    provider = SimulatedProvider([breaks(says("some words"), "error", 0, error=word)])
    _, _, text = send(body(), verb="streamGenerateContent?alt=sse", provider=provider)
    assert text.startswith("{\n")
    error = json.loads(text)["error"]
    assert (error["code"], error["status"]) == (code, status)


def test_without_alt_sse_an_array_comes():
    status, _, text = send(body(), verb="streamGenerateContent")
    chunks = json.loads(text)
    assert status == 200
    assert [p["text"] for p in parts_of(chunks)] == ["fine", ""]


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        ("rate_limited", 429, "RESOURCE_EXHAUSTED"),
        ("quota", 402, "RESOURCE_EXHAUSTED"),
        ("overloaded", 503, "UNAVAILABLE"),
        ("context_overflow", 400, "INVALID_ARGUMENT"),
        ("unauthorized", 400, "INVALID_ARGUMENT"),
        ("model_not_found", 404, "NOT_FOUND"),
        ("server_error", 500, "INTERNAL"),
    ],
)
def test_failures_in_google_s_words(fault, code, status):
    found, answer = asked(body(), provider=SimulatedProvider([Fault(fault)]))
    error = answer["error"]
    assert (found, error["code"], error["status"]) == (code, code, status)
    reasons = [detail["reason"] for detail in error.get("details", [])]
    assert reasons == (["API_KEY_INVALID"] if fault == "unauthorized" else [])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"x-goog-api-key": "other"}, 400),
        ({"x-goog-api-key": "k"}, 200),
        ({"authorization": "Bearer k"}, 200),
    ],
)
def test_the_key(headers, status):
    provider = SimulatedProvider([says("fine")], key="k")
    data = json.dumps(body()).encode()
    path = f"{STUDIO}/{FLASH}:generateContent"
    assert provider.handle("POST", path, headers, data)[0] == status


def test_a_model_without_a_number_is_of_the_newest():
    check_refused(*REFUSED["unsigned call"], name="gemini-flash-latest")


def test_the_limit_of_a_model_whose_own_is_unknown():
    limit = config(maxOutputTokens=65_537)
    check_refused(limit, "from 1 (inclusive) to 65537 (exclusive)", name="gemini-4-argon")
    assert asked(config(maxOutputTokens=65_536), name="gemini-4-argon")[0] == 200


def test_a_wait_is_asked_for_in_the_details():
    provider = SimulatedProvider([Fault("rate_limited", 37)])
    status, headers, text = send(body(), provider=provider)
    assert status == 429
    assert "retry-after" not in headers
    details = json.loads(text)["error"]["details"]
    assert details[0]["retryDelay"] == "37s"


def test_tokens_are_counted_without_using_up_the_script():
    provider = SimulatedProvider([says("fine")])
    bare = {"contents": [user({"text": "a" * 40})]}
    assert asked(bare, verb="countTokens", provider=provider)[1] == {"totalTokens": 10}
    whole = {"generateContentRequest": body(user({"text": "a" * 40}))}
    assert asked(whole, verb="countTokens", provider=provider)[1]["totalTokens"] > 10
    assert provider.steps_left == 1
    assert asked({}, verb="countTokens")[0] == 400
