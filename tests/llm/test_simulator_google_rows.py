"""What Gemini takes and refuses besides the common, row by row (wire.md 3.2 to 3.6)."""

import pytest
from test_simulator_gemini import (
    OLD,
    PICTURE,
    TOOL,
    asked,
    body,
    called,
    check_refused,
    config,
    model,
    result,
    tools,
    user,
)

JSON = {"responseMimeType": "application/json"}


@pytest.mark.parametrize("field", ["googleSearch", "codeExecution", "urlContext", "computerUse"])
def test_tools_of_google_s_own(field):
    assert asked(body(tools=[{"functionDeclarations": [TOOL]}, {field: {}}]))[0] == 200


@pytest.mark.parametrize("field", ["behavior", "response", "responseJsonSchema"])
def test_what_a_function_may_say_of_itself(field):
    assert asked(tools(TOOL | {field: {}}))[0] == 200


@pytest.mark.parametrize(
    "more",
    [{}, {"required": []}, {"properties": {}}, {"$schema": "x"}, {"title": "t"}],
    ids=lambda more: next(iter(more), "nothing"),
)
def test_a_schema_without_parameters_is_refused(more):
    check_refused(
        tools(TOOL | {"parametersJsonSchema": {"type": "object"} | more}),
        "should be non-empty for OBJECT type",
    )


def test_a_schema_that_is_open_to_any_parameter_is_taken():
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    assert asked(tools(TOOL | {"parametersJsonSchema": schema}))[0] == 200
    closed = {"type": "object", "additionalProperties": False}
    check_refused(tools(TOOL | {"parametersJsonSchema": closed}), "should be non-empty")
    other = {"type": "object", "oneOf": [{"type": "object"}]}
    assert asked(tools(TOOL | {"parametersJsonSchema": other}))[0] == 200


def test_what_is_required_is_a_list_of_what_there_is():
    needed = TOOL["parametersJsonSchema"] | {"required": ["path"]}
    assert asked(tools(TOOL | {"parametersJsonSchema": needed}))[0] == 200
    schema = TOOL["parametersJsonSchema"] | {"required": "path"}
    check_refused(tools(TOOL | {"parametersJsonSchema": schema}), "required: should be a list")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (config(maxOutputTokens="10"), "maxOutputTokens value of 10"),
        (config(maxOutputTokens=0), "maxOutputTokens value of 0"),
        (config(responseSchema={"type": "OBJECT"}), "response_mime_type must be"),
        (tools(TOOL | {"name": 1}), "Invalid function name"),
        (
            body(toolConfig={"functionCallingConfig": {"allowedFunctionNames": ["Read"]}}),
            "only when mode is ANY or VALIDATED",
        ),
    ],
)
def test_refuses(request_, words):
    check_refused(request_, words)


@pytest.mark.parametrize("budget", ["128", -2])
def test_a_budget_is_a_number(budget):
    request = config(thinkingConfig={"thinkingBudget": budget})
    check_refused(request, "Invalid thinking_budget", name=OLD)


@pytest.mark.parametrize("budget", [-1, 0])
def test_flash_may_think_as_it_likes_or_not_at_all(budget):
    request = config(thinkingConfig={"thinkingBudget": budget})
    assert asked(request, name="gemini-2.5-flash")[0] == 200


@pytest.mark.parametrize("field", ["systemInstruction", "tools", "toolConfig"])
def test_a_cache_in_use_holds_the_head_already(field):
    """wire.md 3.6."""
    held = {"systemInstruction": {"parts": [{"text": "s"}]}, "tools": [], "toolConfig": {}}
    request = {"contents": [user()], "cachedContent": "cachedContents/a", field: held[field]}
    check_refused(request, "CachedContent can not be used with")


@pytest.mark.parametrize(
    "request_",
    [
        body(systemInstruction={"role": "system", "parts": [{"text": "s"}]}),
        body(toolConfig={"retrievalConfig": {}}),
        body(
            toolConfig={
                "functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["Read"]}
            }
        ),
        body(user(), model({"executableCode": {"code": "1"}}), user()),
        body(user(), model({"codeExecutionResult": {"outcome": "OUTCOME_OK"}}), user()),
        body(user({"inlineData": PICTURE["inlineData"] | {"displayName": "a.png"}})),
        body(user(PICTURE | {"mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"}})),
        body(user(PICTURE | {"videoMetadata": {"fps": 1}})),
        config(**JSON, responseSchema={"type": "OBJECT"}),
    ],
)
def test_accepts(request_):
    assert asked(request_)[0] == 200


def test_a_turn_begins_with_any_words_of_the_user():
    """Only since then calls need their signatures (wire.md 3.4)."""
    unsigned = (user(), model(called(signed="")), user(result()), model({"text": "x"}))
    assert asked(body(*unsigned, user({"text": "and?"}, PICTURE)))[0] == 200
    check_refused(body(*unsigned, user(PICTURE)), "missing a thought_signature")


def test_a_call_follows_the_user():
    check_refused(
        body(user(), model({"text": "x"}), model(called()), user(result())),
        "comes immediately after a user turn",
    )
