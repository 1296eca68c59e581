"""What the Messages API refuses, in its own words (wire.md 1.2 to 1.7)."""

import copy
import json

import pytest

from agentcli.llm.simulator import SimulatedProvider, Think, Turn, calls, says, thinks
from agentcli.llm.simulator.claude_rules import can_read

HEADERS = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
MODEL = "claude-opus-5-5"
MARK = {"type": "ephemeral"}
TOOL = {"name": "Read", "description": "d", "input_schema": {"type": "object"}}
BETA = {"anthropic-beta": "thinking-binding-controls-2026-08-01"}


def text(words="hello", **fields):
    return {"type": "text", "text": words, **fields}


def user(*blocks):
    return {"role": "user", "content": list(blocks) or [text()]}


def assistant(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def use(call_id="toolu_1", **fields):
    return {"type": "tool_use", "id": call_id, "name": "Read", "input": {}, **fields}


def result(call_id="toolu_1", **fields):
    return {"type": "tool_result", "tool_use_id": call_id, "content": "ok", **fields}


def body(*messages, **fields):
    return {
        "model": MODEL,
        "max_tokens": 1000,
        "tools": [TOOL],
        "messages": list(messages) or [user()],
        **fields,
    }


def send(request, provider=None, headers=HEADERS, path="/v1/messages"):
    """(status, parsed body) of one request that does not stream."""
    provider = provider or SimulatedProvider([says("fine")])
    data = request if isinstance(request, bytes) else json.dumps(request).encode()
    status, _, pieces = provider.handle("POST", f"http://x{path}", headers, data)
    return status, json.loads(b"".join(pieces))


def refusal(request, headers=HEADERS):
    status, answer = send(request, headers=headers)
    assert status == 400, answer
    assert answer["type"] == "error"
    assert answer["error"]["type"] == "invalid_request_error"
    assert answer["request_id"].startswith("req_")
    return answer["error"]["message"]


def without(name):
    found = body()
    del found[name]
    return found


REFUSED = {
    "no max_tokens": (without("max_tokens"), "max_tokens: Field required"),
    "no messages": (without("messages"), "messages: Field required"),
    "no model": (without("model"), "model: Field required"),
    "no message": (body() | {"messages": []}, "at least one message is required"),
    "unknown field": (body(foo=1), "foo: Extra inputs are not permitted"),
    "beta field": (body(context_management={}), "context_management: Extra inputs"),
    "too much output": (body(max_tokens=999_999), "maximum allowed number of output tokens"),
    "temperature": (body(temperature=0.2), "`temperature` is not supported"),
    "top_k": (body(top_k=5), "`top_k` is not supported"),
    "unknown role": (body(user(), {"role": "tool", "content": "x"}), 'Unexpected role "tool"'),
    "assistant first": (body(assistant(text()), user()), 'first message must use the "user" role'),
    "prefill": (body(user(), assistant(text())), "does not support assistant message prefill"),
    "empty message": (body(user(), assistant(), user()), "must have non-empty content"),
    "empty string": (body({"role": "user", "content": ""}), "must have non-empty content"),
    "empty text": (body(user(text(""))), "text content blocks must be non-empty"),
    "blank text": (body(user(text(" \n"))), "must contain non-whitespace text"),
    "empty system": (body(system=[text("")]), "system: text content blocks must be non-empty"),
    "empty result text": (
        body(user(), assistant(use()), user(result(content=[text("")]))),
        "text content blocks must be non-empty",
    ),
    "image without source": (body(user({"type": "image"})), "image.source: Field required"),
    "unanswered call": (
        body(user(), assistant(use("toolu_7")), user()),
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: "
        "toolu_7. Each `tool_use` block must have a corresponding `tool_result` block in the next "
        "message.",
    ),
    "one of two unanswered": (
        body(user(), assistant(use("a"), use("b")), user(result("a"))),
        "immediately after: b.",
    ),
    "call at the end": (body(user(), assistant(use())), "prefill"),
    "result after text": (
        body(user(), assistant(use()), user(text(), result())),
        "`tool_use` ids were found without",
    ),
    "result one message late": (
        body(user(), assistant(use()), user(), assistant(text()), user(result())),
        "`tool_use` ids were found without",
    ),
    "result without call": (body(user(result("toolu_9"))), "unexpected `tool_use_id` found"),
    "result of an older call": (
        body(user(), assistant(use()), user(result()), assistant(text()), user(result())),
        "unexpected `tool_use_id` found",
    ),
    "result twice": (
        body(user(), assistant(use()), user(result(), result())),
        "Found multiple `tool_result` blocks with id: toolu_1",
    ),
    "call id twice": (
        body(user(), assistant(use(), use()), user(result())),
        "`tool_use` ids must be unique",
    ),
    "call of the user": (body(user(use())), "can only be in `assistant` messages"),
    "result of the model": (body(user(), assistant(result()), user()), "can only be in `user`"),
    "bad call id": (body(user(), assistant(use("a b")), user(result("a b"))), "match pattern"),
    "arguments as text": (
        body(user(), assistant(use(input="{}")), user(result())),
        "tool_use.input: Input should be a valid dictionary",
    ),
    "tools twice": (body(tools=[TOOL, TOOL]), "tools: Tool names must be unique."),
    "bad tool name": (body(tools=[TOOL | {"name": "a.b"}]), "tools.0.custom.name: String should"),
    "no schema": (
        body(tools=[{"name": "a", "description": ""}]),
        "tools.0.custom.input_schema: Field required",
    ),
    "schema of a list": (
        body(tools=[TOOL | {"input_schema": {"type": "array"}}]),
        "input_schema.type: Input should be 'object'",
    ),
    "unknown tool field": (body(tools=[TOOL | {"parameters": {}}]), "parameters: Extra inputs"),
    "choice without tools": (body(tools=[], tool_choice={"type": "auto"}), "tool_choice may only"),
    "five marks": (
        body(user(*[text(f"{n}", cache_control=MARK) for n in range(5)])),
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    "four marks and the automatic one": (
        body(user(*[text(f"{n}", cache_control=MARK) for n in range(4)], text()))
        | {"cache_control": MARK},
        "Found 5.",
    ),
    "short before long": (
        body(
            user(text(cache_control={"type": "ephemeral", "ttl": "1h"})),
            system=[text(cache_control=MARK)],
        ),
        "messages.0.content.0.cache_control.ttl: a ttl='1h' cache_control block must not come "
        "after a ttl='5m' cache_control block.",
    ),
    "automatic of another life": (
        body(user(text(cache_control=MARK))) | {"cache_control": {**MARK, "ttl": "1h"}},
        "a different ttl",
    ),
    "mark on empty text": (
        body(user(text("", cache_control=MARK))),
        "cache_control cannot be set for empty text blocks",
    ),
    "mark on a thought": (
        body(
            user(),
            assistant({"type": "thinking", "thinking": "", "signature": "", "cache_control": MARK}),
            user(),
        ),
        "thinking.cache_control: Extra inputs are not permitted",
    ),
    "mark inside a result": (
        body(user(), assistant(use()), user(result(content=[text("x", cache_control=MARK)]))),
        "mark the tool_result instead",
    ),
    "mark of 10 minutes": (
        body(user(text(cache_control={"type": "ephemeral", "ttl": "10m"}))),
        "Input should be '5m' or '1h'",
    ),
    "mark on a deferred tool": (
        body(tools=[TOOL, TOOL | {"name": "b", "defer_loading": True, "cache_control": MARK}]),
        "defer_loading can't have cache_control",
    ),
    "all tools deferred": (body(tools=[TOOL | {"defer_loading": True}]), "must not be deferred"),
    "budget on a new model": (
        body(thinking={"type": "enabled", "budget_tokens": 2000}),
        '"thinking.type.enabled" is not supported',
    ),
    "no thinking where it is always on": (
        body(thinking={"type": "disabled"}),
        '"thinking.type.disabled" is not supported',
    ),
    "adaptive on an old model": (
        body(model="claude-haiku-4-5", thinking={"type": "adaptive"}),
        '"thinking.type.adaptive" is not supported',
    ),
    "small budget": (
        body(model="claude-haiku-4-5", thinking={"type": "enabled", "budget_tokens": 100}),
        "greater than or equal to 1024",
    ),
    "budget above max_tokens": (
        body(model="claude-haiku-4-5", thinking={"type": "enabled", "budget_tokens": 2000}),
        "`max_tokens` must be greater than `thinking.budget_tokens`",
    ),
    "forced tool while thinking by budget": (
        body(
            model="claude-haiku-4-5",
            max_tokens=3000,
            thinking={"type": "enabled", "budget_tokens": 2000},
            tool_choice={"type": "any"},
        ),
        "when tool_choice forces tool use",
    ),
    "turn without its thinking, by budget": (
        body(
            user(),
            assistant(use()),
            user(result()),
            model="claude-haiku-4-5",
            max_tokens=3000,
            thinking={"type": "enabled", "budget_tokens": 2000},
        ),
        "Expected `thinking` or `redacted_thinking`, but found `tool_use`",
    ),
    "system role first": (body({"role": "system", "content": "x"}, user()), 'the "user" role'),
    "system role in between": (
        body(user(), assistant(use()), {"role": "system", "content": "x"}, user(result())),
        "must follow a user turn",
    ),
    "system role on a model without": (
        body(user(), {"role": "system", "content": "x"}, model="claude-sonnet-5"),
        'Unexpected role "system"',
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    request, words = REFUSED[name]
    assert words in refusal(request)


ACCEPTED = {
    "plain": body(),
    "results first, then text": body(
        user(), assistant(use("a"), use("b")), user(result("b"), result("a"), text())
    ),
    "results in neighbouring messages": body(
        user(), assistant(use("a"), use("b")), user(result("a")), user(result("b"))
    ),
    "empty result": body(user(), assistant(use()), user({**result(), "content": []})),
    "prefill on an old model": body(user(), assistant(text()), model="claude-sonnet-4-5"),
    "four marks, 1h first": body(
        user(*[text(f"{n}", cache_control=MARK) for n in range(3)]),
        system=[text(cache_control={"type": "ephemeral", "ttl": "1h"})],
    ),
    "automatic where a mark is": body(user(text(cache_control=MARK))) | {"cache_control": MARK},
    "temperature of an old model": body(model="claude-sonnet-4-5", temperature=0.2),
    "default temperature": body(temperature=1),
    "system role at the end": body(user(), {"role": "system", "content": "note"}),
    "prewarm": body(max_tokens=0),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name):
    status, answer = send(ACCEPTED[name])
    assert status == 200, answer


def test_headers():
    assert "header is required" in refusal(body(), {"x-api-key": "k"})
    assert "not a valid version" in refusal(body(), HEADERS | {"anthropic-version": "2020-01-01"})


def test_the_new_version_takes_no_temperature_at_all():
    headers = HEADERS | {"anthropic-version": "2026-10-21"}
    request = body(temperature=1, model="claude-sonnet-4-5")
    assert "temperature: Extra inputs" in refusal(request, headers)


def test_the_wrong_key_is_401():
    provider = SimulatedProvider([says("fine")], key="right")
    for headers, words in (({}, "x-api-key header is required"), (HEADERS, "invalid x-api-key")):
        status, answer = send(body(), provider, headers)
        assert (status, answer["error"]["type"]) == (401, "authentication_error")
        assert answer["error"]["message"] == words
    for given in ({"x-api-key": "right"}, {"Authorization": "Bearer right"}):
        assert send(body(), provider, HEADERS | {"x-api-key": ""} | given)[0] == 200


def test_an_unknown_model_is_404():
    status, answer = send(body(), SimulatedProvider([], models=("claude-sonnet-5-5",)))
    assert (status, answer["error"]["type"]) == (404, "not_found_error")
    assert answer["error"]["message"] == f"model: {MODEL}"


def test_too_long_a_prompt_says_how_long():
    words = "abcd" * 200_001
    request = body(user(text(words)), model="claude-haiku-4-5", tools=[])
    assert refusal(request) == "prompt is too long: 200001 tokens > 200000 maximum"


def test_not_json_and_other_paths():
    assert "not valid JSON" in refusal(b"{")
    assert send(body(), path="/v1/nothing")[0] == 404
    provider = SimulatedProvider([says("x")])
    assert provider.handle("GET", "http://x/v1/messages", HEADERS, b"")[0] == 405


def test_a_refused_request_uses_up_no_step():
    provider = SimulatedProvider([says("first")])
    assert send(body(foo=1), provider)[0] == 400
    assert send(body(), provider)[1]["content"] == [text("first")]


def test_counting_tokens():
    request = without("max_tokens") | {"tools": [], "messages": [user(text("abcdefgh"))]}
    assert send(request, path="/v1/messages/count_tokens")[1] == {"input_tokens": 2}


class Talk:
    """A conversation with thinking and calls, three turns long, that can be tampered with."""

    def __init__(self, model=MODEL):
        steps = [thinks(f"thought {n}", calls(("Read", {"n": n}))) for n in range(3)]
        self.provider = SimulatedProvider([*steps, *[says("end")] * 5])
        self.shown = {"type": "adaptive", "display": "summarized"}
        self.request = body(user(text("go")), model=model, thinking=self.shown)
        for _ in range(3):
            answer = send(self.request, self.provider)[1]
            results = [result(b["id"]) for b in answer["content"] if b["type"] == "tool_use"]
            self.request["messages"] += [assistant(*answer["content"]), user(*results)]

    def changed(self):
        return copy.deepcopy(self.request)

    def send(self, request, headers=HEADERS):
        status, answer = send(request, self.provider, headers)
        return status, answer.get("error", {}).get("message", "")


def test_thinking_comes_back_as_it_was():
    talk = Talk()
    assert talk.send(talk.request)[0] == 200


def test_altered_thinking_is_refused():
    for field, value in (("thinking", "other"), ("signature", "EqQBsig")):
        talk = Talk()
        request = talk.changed()
        request["messages"][1]["content"][0][field] = value
        status, words = talk.send(request)
        assert (status, words) == (
            400,
            "messages.1.content.0: Invalid `signature` in `thinking` block",
        )


def edit_system(request):
    request["system"] = [text("new")]


def edit_tool(request):
    request["tools"][0]["description"] = "new"


def add_tool(request):
    request["tools"].append(TOOL | {"name": "Other"})


def edit_first_message(request):
    request["messages"][0]["content"][0]["text"] = "new"


def shorten_old_result(request):
    request["messages"][2]["content"][0]["content"] = "cut"


def add_text_to_old_turn(request):
    request["messages"][2]["content"].append(text("more"))


def drop_thought_in_the_middle(request):
    del request["messages"][3]["content"][0]


def swap_thoughts(request):
    first, second = request["messages"][1]["content"], request["messages"][3]["content"]
    first[0], second[0] = second[0], first[0]


MOVES = (
    edit_system,
    edit_tool,
    add_tool,
    edit_first_message,
    shorten_old_result,
    add_text_to_old_turn,
    drop_thought_in_the_middle,
    swap_thoughts,
)


@pytest.mark.parametrize("move", MOVES)
def test_thinking_is_bound_to_what_stood_before_it(move):
    talk = Talk()
    request = talk.changed()
    move(request)
    status, words = talk.send(request)
    assert status == 400
    assert "Invalid `signature` in `thinking` block. The block is bound to a different" in words


@pytest.mark.parametrize("move", MOVES)
def test_models_before_that_do_not_mind(move):
    talk = Talk("claude-opus-4-8")
    request = talk.changed()
    move(request)
    assert talk.send(request)[0] == 200


def mark_everything(request):
    request["messages"][0]["content"][0]["cache_control"] = MARK
    request["tools"][0]["cache_control"] = MARK


def other_settings(request):
    request |= {"max_tokens": 77, "tool_choice": {"type": "none"}, "metadata": {"user_id": "u"}}
    request["thinking"] = {"type": "adaptive", "display": "omitted"}
    request["output_config"] = {"effort": "low"}


def add_deferred_tool(request):
    request["tools"].append(TOOL | {"name": "Later", "defer_loading": True})


def drop_first_thoughts(request):
    del request["messages"][1]["content"][0]


def drop_last_thought(request):
    del request["messages"][5]["content"][0]


def drop_all_thoughts(request):
    for index in (1, 3, 5):
        del request["messages"][index]["content"][0]


@pytest.mark.parametrize(
    "change",
    [
        mark_everything,
        other_settings,
        add_deferred_tool,
        drop_first_thoughts,
        drop_last_thought,
        drop_all_thoughts,
    ],
)
def test_what_is_no_edit(change):
    talk = Talk()
    request = talk.changed()
    change(request)
    assert talk.send(request) == (200, "")


def test_a_thought_once_removed_does_not_come_back():
    talk = Talk()
    without_last = talk.changed()
    thought = without_last["messages"][5]["content"].pop(0)
    talk.provider = SimulatedProvider([thinks("new", calls(("Read", {})))])
    answer = send(without_last, talk.provider)[1]
    results = [result(b["id"]) for b in answer["content"] if b["type"] == "tool_use"]
    without_last["messages"] += [assistant(*answer["content"]), user(*results)]
    assert talk.send(without_last) == (200, "")
    without_last["messages"][5]["content"].insert(0, thought)
    assert "different conversation" in talk.send(without_last)[1]


def test_moved_thinking_may_be_dropped_on_request():
    talk = Talk()
    request = talk.changed()
    edit_system(request)
    binding = {"block_binding": {"prefix_mismatch_behavior": "drop_block"}}
    request["thinking"] = talk.shown | binding
    assert talk.send(request)[0] == 400
    status, answer = send(request, talk.provider, HEADERS | BETA)
    assert status == 200
    dropped = answer["input_transformations"]
    assert [d["path"] for d in dropped] == [f"messages.{n}.content.0" for n in (1, 3, 5)]
    assert {d["reason"] for d in dropped} == {"prefix_binding_mismatch"}


def test_another_models_thinking_is_dropped_where_it_cannot_be_read():
    talk = Talk("claude-fable-5-1")
    request = talk.changed() | {"model": "claude-haiku-5-5"}
    status, answer = send(request, talk.provider, HEADERS | BETA)
    assert status == 200
    assert [d["reason"] for d in answer["input_transformations"]] == ["model_binding_mismatch"] * 3
    back = Talk("claude-opus-5-5")
    read = back.changed() | {"model": "claude-fable-5-1"}
    assert "input_transformations" not in send(read, back.provider, HEADERS | BETA)[1]


def test_redacted_thinking_is_signed_too():
    provider = SimulatedProvider([Turn((Think("x", redacted=True), *says("y").parts)), says("z")])
    first = send(body(), provider)[1]["content"]
    assert first[0]["type"] == "redacted_thinking"
    follow = body(user(), assistant(*first), user(text("next")))
    assert send(follow, provider)[0] == 200
    first[0]["data"] = "AAAA"
    assert "Invalid `data` in `redacted_thinking`" in refusal(follow)


@pytest.mark.parametrize(("model", "status"), [("claude-opus-4-5", 200), ("claude-opus-4-6", 400)])
def test_prefill_ended_with_4_6(model, status):
    assert send(body(user(), assistant(text("x")), model=model))[0] == status


@pytest.mark.parametrize(("model", "status"), [("claude-opus-4-6", 200), ("claude-opus-4-7", 400)])
def test_sampling_ended_with_4_7(model, status):
    assert send(body(model=model, temperature=0.5))[0] == status


@pytest.mark.parametrize(
    ("model", "status"),
    [
        ("claude-sonnet-5", 400),
        ("claude-sonnet-5-5", 200),
        ("claude-opus-4-7", 400),
        ("claude-opus-4-8", 200),
        ("claude-haiku-4-5", 400),
        ("claude-haiku-5-5", 200),
        ("claude-fable-5", 200),
    ],
)
def test_who_takes_system_messages(model, status):
    told = {"role": "system", "content": "be brief"}
    assert send(body(user(), told, model=model))[0] == status


@pytest.mark.parametrize(
    ("reader", "writer", "reads"),
    [
        ("claude-fable-5-1", "claude-opus-5", True),
        ("claude-fable-5-1", "claude-opus-5-5", True),
        ("claude-fable-5", "claude-opus-5", False),
        ("claude-opus-5-5", "claude-sonnet-5-5", True),
        ("claude-opus-5-5", "claude-fable-5-1", False),
        ("claude-sonnet-5-5", "claude-opus-4-8", True),
        ("claude-sonnet-5-5", "claude-opus-5", False),
        ("claude-haiku-5-5", "claude-sonnet-5", True),
        ("claude-haiku-5-5", "claude-sonnet-5-5", False),
        ("claude-opus-5", "claude-opus-5", True),
        ("claude-opus-5", "unknown", False),
    ],
)
def test_who_reads_whose_thinking(reader, writer, reads):
    assert can_read(reader, writer) == reads
