"""What OpenAI's wires refuse (wire.md 2.2 to 2.7), and a vendor's own demands (5.1)."""

import json

import pytest

from agentcli.llm.simulator import VENDORS, SimulatedProvider, calls, says, thinks

KEY = {"authorization": "Bearer k"}
SOL = "gpt-6.1-sol"
TOOL = {"type": "function", "name": "Read", "parameters": {"type": "object"}, "strict": False}
OLD_TOOL = {"type": "function", "function": {"name": "Read", "parameters": {"type": "object"}}}
CALL = {"type": "function_call", "call_id": "call_1", "name": "Read", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "ok"}
USER = {"role": "user", "content": "go"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}


def send(path, request, provider=None):
    provider = provider or SimulatedProvider([says("fine")])
    data = json.dumps(request).encode()
    status, _, pieces = provider.handle("POST", f"http://x/v1{path}", KEY, data)
    return status, json.loads(b"".join(pieces))


def responses(*items, **fields):
    return {"model": SOL, "store": False, "input": list(items) or [USER], "tools": [TOOL]} | fields


def chat(*messages, **fields):
    return {"model": "gpt-5", "messages": list(messages) or [USER]} | fields


def asked(*ids):
    listed = [
        {"id": i, "type": "function", "function": {"name": "Read", "arguments": "{}"}} for i in ids
    ]
    return {"role": "assistant", "content": None, "tool_calls": listed}


def answered(call_id, content="ok"):
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def part(words="go", **fields):
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}


def marked(mark):
    return {
        "role": "user",
        "content": [{"type": "input_text", "text": "x", "prompt_cache_breakpoint": mark}],
    }


STRICT = TOOL | {"strict": True, "parameters": {"type": "object", "properties": {"a": {}}}}
CLOSED = {"type": "object", "properties": {"a": {}}, "additionalProperties": False}

RESPONSES = {
    "call without output": (
        responses(USER, CALL),
        "No tool output found for function call call_1.",
    ),
    "output without call": (responses(USER, OUTPUT), "No tool call found for function call output"),
    "output before its call": (responses(USER, OUTPUT, CALL), "No tool call found"),
    "output twice": (responses(USER, CALL, OUTPUT, OUTPUT), "No tool call found"),
    "call twice": (responses(USER, CALL, CALL, OUTPUT), "Duplicate call_id"),
    "tool without strict": (
        responses(tools=[{k: v for k, v in TOOL.items() if k != "strict"}]),
        "Missing required parameter: 'tools[0].strict'.",
    ),
    "tool without parameters": (
        responses(tools=[{k: v for k, v in TOOL.items() if k != "parameters"}]),
        "Missing required parameter: 'tools[0].parameters'.",
    ),
    "nested tool": (responses(tools=[OLD_TOOL]), "Missing required parameter: 'tools[0].name'."),
    "open schema, strict": (responses(tools=[STRICT]), "'additionalProperties' is required"),
    "optional field, strict": (
        responses(tools=[STRICT | {"parameters": CLOSED}]),
        "including every key in properties. Missing 'a'.",
    ),
    "bad tool name": (responses(tools=[TOOL | {"name": "a.b"}]), "does not match pattern"),
    "long tool name": (responses(tools=[TOOL | {"name": "a" * 65}]), "maximum length 64"),
    "tools twice": (responses(tools=[TOOL, TOOL]), "is used twice"),
    "unknown field": (responses(messages=[]), "Unknown parameter: 'messages'."),
    "stop": (responses(stop=["x"]), "Unknown parameter: 'stop'."),
    "no input": ({"model": SOL}, "Missing required parameter: 'input'."),
    "temperature": (responses(temperature=0.2), "'temperature' is not supported with this model"),
    "tiny limit": (responses(max_output_tokens=5), "Expected a value >= 16, but got 5 instead."),
    "effort it has not": (responses(reasoning={"effort": "none"}), "Unsupported value: 'none'"),
    "bad role": (responses({"role": "tool", "content": "x"}), "Invalid value: 'tool'."),
    "user saying output": (
        responses({"role": "user", "content": [{"type": "output_text", "text": "x"}]}),
        "Invalid value: 'output_text'.",
    ),
    "assistant saying input": (
        responses(USER, {"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}),
        "Invalid value: 'input_text'. Supported values are: 'output_text', 'refusal'.",
    ),
    "arguments as object": (
        responses(USER, CALL | {"arguments": {}}, OUTPUT),
        "Invalid type for 'input[1].arguments'",
    ),
    "options on an old model": (
        responses(model="gpt-5", prompt_cache_options={"mode": "explicit"}),
        "'prompt_cache_options' is not supported with this model.",
    ),
    "breakpoint on an old model": (
        responses(marked({"mode": "explicit"}), model="gpt-5"),
        "prompt_cache_breakpoint' is not supported with this model.",
    ),
    "life of an hour": (
        responses(prompt_cache_options={"ttl": "1h"}),
        "Supported values are: '30m' and '12h'.",
    ),
}


@pytest.mark.parametrize("name", RESPONSES)
def test_responses_refuses(name):
    request, words = RESPONSES[name]
    status, answer = send("/responses", request)
    assert status == 400, answer
    assert words in answer["error"]["message"]
    assert set(answer["error"]) == {"message", "type", "param", "code"}
    assert answer["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "request_",
    [
        responses(),
        responses(USER, CALL, OUTPUT),
        responses(USER, CALL, CALL | {"call_id": "b"}, OUTPUT | {"call_id": "b"}, OUTPUT),
        responses(tools=[TOOL, {"type": "custom", "name": "patch"}, {"type": "web_search"}]),
        responses(tools=[STRICT | {"parameters": CLOSED | {"required": ["a"]}}]),
        responses(marked({"mode": "explicit", "ttl": "12h"})),
        {"model": SOL, "input": "just a string"},
    ],
)
def test_responses_accepts(request_):
    assert send("/responses", request_)[0] == 200


def test_items_cannot_be_looked_up_when_nothing_is_stored():
    hollow = {"type": "reasoning", "id": "rs_9", "summary": []}
    status, answer = send("/responses", responses(USER, hollow, CALL, OUTPUT))
    assert status == 404
    assert answer["error"]["message"].startswith("Item with id 'rs_9' not found. Items are not")
    assert send("/responses", responses(USER, hollow, CALL, OUTPUT, store=True))[0] == 200


def talk(model=SOL):
    """A provider, and a request that holds reasoning and a call of its own."""
    provider = SimulatedProvider([thinks("hm", calls(("Read", {}))), *[says("end")] * 3])
    fields = {"model": model, "reasoning": {"summary": "auto"}}
    output = send("/responses", responses(**fields), provider)[1]["output"]
    result = OUTPUT | {"call_id": output[-1]["call_id"]}
    return provider, responses(USER, *output, result, **fields)


def test_reasoning_stands_before_what_followed_from_it():
    provider, request = talk()
    assert send("/responses", request, provider)[0] == 200
    reasoning = request["input"][1]
    status, answer = send("/responses", responses(USER, reasoning), provider)
    assert status == 400
    assert answer["error"]["message"].endswith("provided without its required following item.")
    assert send("/responses", responses(USER, reasoning, USER), provider)[0] == 400


def test_reasoning_of_somebody_else_is_refused():
    provider, request = talk()
    request["input"][1]["encrypted_content"] = "gAAAA"
    status, answer = send("/responses", request, provider)
    assert (status, answer["error"]["code"]) == (400, "invalid_encrypted_content")


def test_ids_and_states_may_be_left_out():
    provider, request = talk("gpt-6.2-sol")
    for item in request["input"][1:3]:
        item.pop("id")
        item.pop("status", None)
    status, answer = send("/responses", request, provider)
    assert status == 200
    assert "input_transformations" not in answer


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"instructions": "new"}, "prefix_mismatch"), ({"model": "gpt-6.3"}, "model_mismatch")],
)
def test_gpt_6_2_drops_reasoning_whose_past_changed(change, reason):
    provider, request = talk("gpt-6.2-sol")
    answer = send("/responses", request | change, provider)[1]
    assert [t["reason"] for t in answer["input_transformations"]] == [reason]


CHAT = {
    "call unanswered": (
        chat(USER, asked("a", "b"), answered("a"), USER),
        "The following tool_call_ids did not have response messages: b",
    ),
    "call unanswered at the end": (chat(USER, asked("a")), "did not have response messages: a"),
    "answer after a user message": (
        chat(USER, asked("a"), USER, answered("a")),
        "did not have response messages: a",
    ),
    "answer to nothing": (
        chat(USER, answered("a")),
        "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'",
    ),
    "answer twice": (chat(USER, asked("a"), answered("a"), answered("a")), "must be a response"),
    "image in an answer": (
        chat(USER, asked("a"), answered("a", [IMAGE])),
        "this message with role 'tool' contains an image URL",
    ),
    "max_tokens": (
        chat(max_tokens=9),
        "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    ),
    "no calls in the list": (
        chat(USER, {"role": "assistant", "content": "x", "tool_calls": []}),
        "Invalid 'messages[1].tool_calls': empty array.",
    ),
    "nothing said": (
        chat(USER, {"role": "assistant", "content": None}),
        "Invalid value for 'content': expected a string, got null.",
    ),
    "no user content": (chat({"role": "user"}), "expected a string, got null"),
    "no messages": (chat() | {"messages": []}, "empty array"),
    "no tools in the list": (chat(tools=[]), "Invalid 'tools': empty array."),
    "flat tool": (chat(tools=[TOOL]), "Missing required parameter: 'tools[0].function'."),
    "unknown field": (chat(input=1), "Unrecognized request argument supplied: input"),
    "choice without tools": (chat(tool_choice="auto"), "only allowed when 'tools' are specified"),
    "options without a stream": (chat(stream_options={"include_usage": True}), "'stream' is enabl"),
    "bad role": (chat({"role": "boss", "content": "x"}), "Invalid value: 'boss'."),
    "arguments as object": (
        chat(
            USER,
            asked("a")
            | {
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "R", "arguments": {}}}
                ]
            },
            answered("a"),
        ),
        "function.arguments': expected a string",
    ),
    "functions on a newer model": (
        chat(model=SOL, tools=[OLD_TOOL]),
        "Function tools with reasoning_effort are not supported",
    ),
    "cache options on an old model": (
        chat(prompt_cache_options={"mode": "implicit"}),
        "'prompt_cache_options' is not supported",
    ),
}


@pytest.mark.parametrize("name", CHAT)
def test_chat_refuses(name):
    request, words = CHAT[name]
    status, answer = send("/chat/completions", request)
    assert status == 400, answer
    assert words in answer["error"]["message"]


@pytest.mark.parametrize(
    "request_",
    [
        chat(),
        chat(USER, asked("a", "b"), answered("b"), answered("a"), USER),
        chat(max_completion_tokens=9, tools=[OLD_TOOL], tool_choice="auto"),
        chat({"role": "user", "content": [IMAGE]}),
        chat(model="gpt-4o", max_tokens=9, temperature=0.1),
        chat(model="llama", max_tokens=9, whatever=1),
        chat(USER, asked("a"), answered("a", [IMAGE]), model="llama"),
    ],
)
def test_chat_accepts(request_):
    assert send("/chat/completions", request_)[0] == 200


def test_the_wrong_key_and_model_in_openai_words():
    provider = SimulatedProvider([], key="right", models=("gpt-5",))
    status, answer = send("/chat/completions", chat(), provider)
    assert (status, answer["error"]["code"]) == (401, "invalid_api_key")
    status, answer = send("/responses", responses(), SimulatedProvider([], models=("gpt-5",)))
    assert (status, answer["error"]["code"]) == (404, "model_not_found")


def test_too_long_a_prompt():
    request = responses({"role": "user", "content": "abcd" * 1_100_000})
    status, answer = send("/responses", request)
    assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")


def test_deepseek_wants_its_reasoning_back():
    history = (USER, asked("a"), answered("a"))
    request = chat(*history, model="deepseek-v4-pro")
    status, answer = send("/chat/completions", request)
    assert status == 400
    assert "`reasoning_content` in the thinking mode must be passed back" in str(answer)
    request["messages"][1]["reasoning_content"] = ""
    assert send("/chat/completions", request)[0] == 200
    off = chat(*history[:1], asked("a"), answered("a"), model="deepseek-v4-pro")
    assert send("/chat/completions", off | {"thinking": {"type": "disabled"}})[0] == 200


def test_a_vendor_can_be_named():
    provider = SimulatedProvider([says("x")], vendor=VENDORS["openai"])
    assert send("/chat/completions", chat(model="llama", whatever=1), provider)[0] == 400
