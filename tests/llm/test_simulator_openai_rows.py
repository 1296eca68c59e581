"""OpenAI's wires row by row: what each takes, and what it refuses (wire.md 2.2 to 2.8, 5)."""

import base64
import json

import pytest
from test_simulator_openai import (
    CALL,
    OLD_TOOL,
    OUTPUT,
    SOL,
    TOOL,
    USER,
    answered,
    chat,
    marked,
    responses,
    send,
    talk,
)
from test_simulator_refusals import signature

from agentcli.llm.simulator import VENDORS, Fault, SimulatedProvider, says, thinks

REPLY = {"role": "assistant", "content": "done"}
SAID = {"type": "output_text", "text": "x"}
LIST = {"type": "array"}
THOUGHT = {"type": "reasoning", "id": "rs_mine", "summary": []}
BREAKPOINT = {"prompt_cache_breakpoint": {"mode": "explicit"}}
PARTS = {
    "input_text": {"text": "x"},
    "input_image": {"image_url": "data:image/png;base64,AA"},
    "input_file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA"},
}
FLAGS = {
    "description": "reads",
    "defer_loading": True,
    "async": True,
    "allowed_callers": ["direct"],
    "output_schema": {"type": "object"},
}
PATCH = {"type": "custom_tool_call", "call_id": "call_1", "name": "patch", "input": "x"}
PATCHED = {"type": "custom_tool_call_output", "call_id": "call_1", "output": "ok"}


def without(item, field):
    return {name: value for name, value in item.items() if name != field}


def closed(**fields):
    shut = {"type": "object", "additionalProperties": False}
    return shut | {"properties": fields, "required": list(fields)}


def strict(schema):
    return responses(tools=[TOOL | {"strict": True, "parameters": schema}])


def holding(*parts, role="user"):
    return {"role": role, "content": list(parts)}


def check(path, request, words="", vendor=""):
    """Taken, or refused with these words."""
    provider = SimulatedProvider([says("fine")], vendor=VENDORS[vendor] if vendor else None)
    status, answer = send(path, request, provider)
    assert status == (400 if words else 200), answer
    assert not words or words in answer["error"]["message"]


@pytest.mark.parametrize("field", FLAGS)
def test_a_function_may_have_the_field(field):
    check("/responses", responses(tools=[TOOL | {field: FLAGS[field]}]))
    request = responses(tools=[TOOL | {f"{field}_": FLAGS[field]}])
    check("/responses", request, f"Unknown parameter: 'tools[0].{field}_'.")


@pytest.mark.parametrize("role", ["user", "system", "developer"])
def test_who_speaks_to_the_model(role):
    check("/responses", responses({"role": role, "content": "x"}, USER))
    check("/chat/completions", chat({"role": role, "content": "x"}, USER))


@pytest.mark.parametrize("kind", PARTS)
def test_people_and_results_hold_text_pictures_and_files(kind):
    shown = {"type": kind} | PARTS[kind]
    check("/responses", responses(holding(shown)))
    check("/responses", responses(holding(shown | BREAKPOINT)))
    check("/responses", responses(USER, CALL, OUTPUT | {"output": [shown]}))


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (without(responses(), "model"), "you must provide a model parameter"),
        (responses(model=5), "you must provide a model parameter"),
        (responses() | {"input": {"a": 1}}, "Invalid type for 'input'"),
        (responses(max_output_tokens="16"), "Invalid type for 'max_output_tokens'"),
        (responses(max_output_tokens=15), "Expected a value >= 16, but got 15 instead."),
        (responses(tools=[without(TOOL, "type")]), "parameter: 'tools[0].type'."),
        (responses(tools=[{"type": "custom"}]), "parameter: 'tools[0].name'."),
        (responses(tools=[TOOL | {"parameters": LIST}]), "not an object"),
        (strict(closed(a={}, b={}) | {"required": []}), "Missing 'a'."),
        (responses(marked({"mode": "explicit"}), model="gpt-5.5"), "not supported with this"),
        (responses(prompt_cache_options={"mode": "off"}), "Invalid value: 'off'."),
        (responses(prompt_cache_options={"life": 1}), "parameter: 'prompt_cache_options.life'."),
        (responses(USER, without(CALL, "call_id"), OUTPUT), "parameter: 'input[1].call_id'."),
        (responses(USER, CALL, without(OUTPUT, "call_id")), "parameter: 'input[2].call_id'."),
        (responses(USER, CALL | {"name": "a.b"}, OUTPUT), "Invalid 'input[1].name': string does"),
        (responses(USER, without(CALL, "name"), OUTPUT), "Invalid 'input[1].name': string does"),
        (responses(USER, CALL, without(OUTPUT, "output")), "parameter: 'input[2].output'."),
        (responses(USER, PATCH, without(PATCHED, "output")), "parameter: 'input[2].output'."),
        (responses(USER, CALL, OUTPUT | {"output": [SAID]}), "Invalid value: 'output_text'."),
        (responses(USER, without(THOUGHT, "summary"), CALL, OUTPUT, store=True), "[1].summary'."),
        (responses({"role": "user"}), "parameter: 'input[0].content'."),
        (responses(holding({"type": "input_text"})), "parameter: 'input[0].content[0].text'."),
        (responses(USER, holding(SAID | BREAKPOINT, role="assistant")), "Unknown parameter: 'inp"),
    ],
)
def test_responses_refuses(request_, words):
    check("/responses", request_, words)


@pytest.mark.parametrize(
    "request_",
    [
        responses(max_output_tokens=16),
        responses(tools=[TOOL | {"name": "a" * 64}]),
        responses(tools=[TOOL | {"parameters": {"properties": {}}}]),
        responses(USER, PATCH, PATCHED),
        responses(USER, THOUGHT, THOUGHT, CALL, OUTPUT, store=True),
        responses(USER, THOUGHT, REPLY, store=True),
        responses(marked({"mode": "explicit"}), model="gpt-5.6-sol"),
        responses(model="gpt-5.3", reasoning={"effort": "high"}),
        responses(model="gpt-5.5-cyber"),
    ],
)
def test_responses_takes(request_):
    check("/responses", request_)


def test_an_item_that_was_not_stored_cannot_be_referred_to():
    item = {"type": "item_reference", "id": "msg_1"}
    status, answer = send("/responses", responses(USER, item))
    assert status == 404
    assert "Item with id 'msg_1' not found." in answer["error"]["message"]
    assert send("/responses", responses(USER, item, store=True))[0] == 200


def test_a_person_may_not_stand_between_reasoning_and_what_it_led_to():
    """wire.md 2.4: the refusal names the item, whether or not it has an id."""
    for thought, named in ((THOUGHT, "rs_mine"), (without(THOUGHT, "id"), "rs_1")):
        request = responses(USER, thought, USER, CALL, OUTPUT, store=True)
        words = f"Item '{named}' of type 'reasoning' was provided without its required following"
        check("/responses", request, words)


def test_reasoning_that_was_tampered_with_is_refused():
    provider, request = talk()
    fields = json.loads(base64.b64decode(request["input"][1]["encrypted_content"]))
    request["input"][1]["encrypted_content"] = signature(*fields[:3], "x")
    status, answer = send("/responses", request, provider)
    assert (status, answer["error"]["code"]) == (400, "invalid_encrypted_content")


def test_reasoning_that_gpt_6_2_drops_is_told_of_and_costs_nothing():
    provider, request = talk("gpt-6.2-sol")
    request["instructions"] = "new"
    answer = send("/responses", request, provider)[1]
    (told,) = answer["input_transformations"]
    assert told.pop("id")
    assert told == {"action": "removed", "type": "reasoning", "reason": "prefix_mismatch"}
    request["input"].pop(1)
    bare = send("/responses", request, provider)[1]
    assert answer["usage"]["input_tokens"] == bare["usage"]["input_tokens"]


@pytest.mark.parametrize(
    ("fault", "status", "kind", "code", "words"),
    [
        ("overloaded", 503, "server_error", "slow_down", "overloaded"),
        ("server_error", 500, "server_error", None, "had an error"),
        ("no_key", 401, "invalid_request_error", None, "You didn't provide an API key."),
        ("model_not_found", 404, "invalid_request_error", "model_not_found", f"`{SOL}` does not"),
    ],
)
@pytest.mark.parametrize("path", ["/responses", "/chat/completions"])
def test_openai_s_words_for_what_went_wrong(path, fault, status, kind, code, words):
    request = responses() if path == "/responses" else chat(model=SOL)
    found, answer = send(path, request, SimulatedProvider([Fault(fault)]))
    error = answer["error"]
    assert (found, error["type"], error["code"]) == (status, kind, code)
    assert words in error["message"]


@pytest.mark.parametrize("field", ["temperature", "top_p"])
@pytest.mark.parametrize(("value", "words"), [(1, ""), (0, "not supported"), (2, "not supported")])
def test_gpt_6_2_takes_sampling_only_at_its_default(field, value, words):
    check("/responses", responses(model="gpt-6.2-sol", **{field: value}), words)
    check("/chat/completions", chat(model="gpt-6.2-sol", **{field: value}), words)


def test_a_prompt_may_fill_the_window_and_no_more():
    """wire.md 6.2: o3 has 200K."""
    full = {"model": "o3", "input": "abcd" * 200_000}
    check("/responses", full)
    check("/responses", full | {"input": full["input"] + "a"}, "exceeds the context window")


@pytest.mark.parametrize(
    ("wrapped", "place"),
    [(lambda schema: schema, ""), (lambda schema: {"items": schema}, ", 'items'")],
    ids=["in properties", "in a list"],
)
def test_strict_schemas_are_closed_all_the_way_down(wrapped, place):
    check("/responses", strict(closed(a=closed(b=wrapped(closed())))))
    path = f"('properties', 'a', 'properties', 'b'{place})"
    words = f"In context={path}, 'additionalProperties' is required"
    check("/responses", strict(closed(a=closed(b=wrapped({"type": "object"})))), words)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mode", "implicit"),
        ("mode", "explicit"),
        ("ttl", "30m"),
        ("ttl", "12h"),
        ("prewarm", True),
        ("comparison_response_id", "resp_1"),
    ],
)
def test_the_options_of_the_cache(field, value):
    options = {"prompt_cache_options": {field: value}}
    check("/responses", responses(**options))
    check("/chat/completions", chat(model=SOL, **options))


@pytest.mark.parametrize(
    ("model", "taken", "refused"),
    [("gpt-5", ("in_memory", "24h"), "1h"), ("gpt-5.5", ("24h",), "in_memory")],
)
def test_how_long_a_prefix_is_retained_before_5_6(model, taken, refused):
    listed = f"Supported values are: {', '.join(map(repr, taken))}."
    for life in (*taken, refused):
        words = listed if life == refused else ""
        check("/responses", responses(model=model, prompt_cache_retention=life), words)
        check("/chat/completions", chat(model=model, prompt_cache_retention=life), words)


def ask_chat(vendor, *messages, words="", model="m", **fields):
    request = chat(*messages, **{"model": model} | fields)
    check("/chat/completions", request, words, vendor)


def function(name="Read", **fields):
    given = {"name": name, "parameters": {"type": "object"}} | fields
    return {"type": "function", "function": given}


def calling(lacking="", name="Read", call_id="a"):
    call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": "{}"}}
    return {"role": "assistant", "content": None, "tool_calls": [without(call, lacking)]}


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (without(chat(), "model"), "you must provide a model parameter"),
        (without(chat(), "messages"), "Missing required parameter: 'messages'."),
        (chat(parallel_tool_calls=True), "only allowed when 'tools' are specified"),
        (chat(reasoning_effort="none"), "Unsupported value: 'none'"),
        (chat(tools=[without(OLD_TOOL, "type")]), "parameter: 'tools[0].type'."),
        (chat(tools=[function(hint="x")]), "Unknown parameter: 'tools[0].function.hint'."),
        (chat(tools=[function("a.b")]), "Invalid 'tools[0].function.name': string does not"),
        (chat(tools=[OLD_TOOL, function("Edit", parameters=LIST)]), "'Edit': not an object"),
        (chat(tools=[OLD_TOOL, OLD_TOOL]), "'tools[1].name': the name 'Read' is used twice."),
        (chat(USER, calling("id"), answered("a")), "parameter: 'messages[1].tool_calls[0].id'."),
        (chat(USER, calling("type"), answered("a")), "'messages[1].tool_calls[0].type'."),
        (chat(USER, calling(name="a.b"), answered("a")), "tool_calls[0].function.name': string"),
        (chat(holding()), "Invalid 'messages[0].content': empty array."),
        (chat(holding({"type": "text"})), "parameter: 'messages[0].content[0].text'."),
    ],
)
def test_chat_refuses(request_, words):
    check("/chat/completions", request_, words)


@pytest.mark.parametrize(
    "request_",
    [
        chat(tools=[OLD_TOOL], parallel_tool_calls=True),
        chat(tools=[function(strict=False, description="reads"), function("Edit")]),
        chat(USER, REPLY, USER),
        chat(USER, {"role": "assistant", "content": None, "refusal": "No."}, USER),
        chat({"role": "system", "content": ""}, holding({"type": "text", "text": "x"})),
        chat(
            USER,
            {"role": "assistant", "content": "", "function_call": {"name": "a", "arguments": "{}"}},
            {"role": "function", "name": "a", "content": "ok"},
        ),
    ],
)
def test_chat_takes(request_):
    check("/chat/completions", request_)


def test_tools_of_kimi_s_own_have_names_of_their_own():
    ask_chat("moonshot", tools=[{"type": "builtin_function", "function": {"name": "$web_search"}}])


@pytest.mark.parametrize(
    ("vendor", "model", "taken", "refused"),
    [
        ("mistral", "mistral-small-4", ("none", "high", None), ["low"]),
        ("moonshot-strict", "kimi-k3", ("low", "high", "max", None), ["none"]),
        ("moonshot-strict", "kimi-k2.6", [None], ["low"]),
        ("groq", "qwen/qwen3-32b", ("none", "default", None), ["low"]),
        ("groq", "openai/gpt-oss-120b", ("low", "medium", "high", None), ()),
    ],
)
def test_the_efforts_of_a_vendor_s_models(vendor, model, taken, refused):
    for effort in (*taken, *refused):
        words = "" if effort in taken else f"Invalid value: '{effort}'."
        ask_chat(vendor, model=model, reasoning_effort=effort, words=words)


def test_qwen_at_groq_wants_its_reasoning_parsed_beside_tools():
    qwen = {"model": "qwen/qwen3-32b"}
    ask_chat("groq", **qwen)
    ask_chat("groq", tools=[OLD_TOOL], reasoning_format="parsed", **qwen)
    for asking in ({}, {"reasoning_format": "raw"}):
        ask_chat("groq", tools=[OLD_TOOL], words="must be parsed", **qwen, **asking)
    ask_chat("groq", tools=[OLD_TOOL], model="openai/gpt-oss-120b")


@pytest.mark.parametrize("name", ["$schema", "$id", "additionalProperties"])
def test_mistral_takes_no_keywords_about_a_schema(name):
    inner = {"type": "object", "properties": {"a": {"type": "object", name: False}}}
    outer = {"type": "object", "properties": {"a": {"type": "string"}}}
    for schema in (outer | {name: False}, inner):
        ask_chat("mistral", tools=[function(parameters=schema)], words=f"permitted: {name}")
        ask_chat("plain", tools=[function(parameters=schema)])
    ask_chat("mistral", tools=[function(parameters=outer)])


def test_mistral_wants_an_answer_between_results_and_a_person():
    history = (USER, calling(call_id="abcDEF123"), answered("abcDEF123"))
    ask_chat("mistral", *history, REPLY, USER)
    ask_chat("mistral", *history, USER, words="Unexpected role 'user' after role 'tool'")
    ask_chat("plain", *history, USER)


@pytest.mark.parametrize("name", ["abcDEF12", "abcDEF1234", "abcDEF_12"])
def test_mistral_s_ids_are_nine_letters_and_digits(name):
    good, words = "abcDEF123", f"Tool call id was {name} but must be"
    ask_chat("mistral", USER, calling(call_id=good), answered(good))
    ask_chat("mistral", USER, calling(call_id=name), answered(good), words=words)
    ask_chat("mistral", USER, calling(call_id=good), answered(name), words=words)
    ask_chat("plain", USER, calling(call_id=name), answered(name))


@pytest.mark.parametrize("field", ["name", "refusal"])
def test_what_a_message_may_say_beside_its_content(field):
    ask_chat("plain", USER, REPLY | {field: "x"}, USER)
    other = REPLY | {f"{field}_": "x"}
    ask_chat("plain", USER, other, USER, words=f"Unknown parameter: 'messages[1].{field}_'.")
    ask_chat("compatible", USER, other, USER)


@pytest.mark.parametrize("vendor", ["openrouter", "dashscope", "compatible"])
def test_who_takes_marks_of_what_to_cache(vendor):
    mark = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    ask_chat(vendor, holding(mark))
    ask_chat("plain", holding(mark), words="not permitted: cache_control")


def test_only_mistral_has_its_thoughts_in_the_content():
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    said = holding(thought, {"type": "text", "text": "x"}, role="assistant")
    ask_chat("mistral", USER, said, USER)
    ask_chat("plain", USER, said, USER, words="Invalid value: 'thinking'.")


@pytest.mark.parametrize(
    ("vendor", "field", "key"),
    [("openrouter", "reasoning_details", "text"), ("litellm", "thinking_blocks", "thinking")],
)
def test_signed_reasoning_goes_back_unaltered(vendor, field, key):
    provider = SimulatedProvider([thinks("hm", says("x"))], vendor=VENDORS[vendor])
    data = json.dumps(chat(model="m", stream=True)).encode()
    lines = b"".join(provider.handle("POST", "http://x/chat/completions", {}, data)[2])
    chunks = [json.loads(line[6:]) for line in lines.split(b"\n\n") if line.startswith(b"data: {")]
    found = [chunk["choices"][0]["delta"].get(field) for chunk in chunks]
    text, signed = (items[0] for items in found if items)
    item = text | {"signature": signed["signature"]}
    ask_chat(vendor, USER, REPLY | {field: [item]}, USER)
    said = REPLY | {field: [item | {key: "hm!"}]}
    ask_chat(vendor, USER, said, USER, words=f"{field} were altered")
