"""What the Messages API takes and refuses, row by row (wire.md 1.1 to 1.7, 1.12)."""

import pytest
from test_simulator_refusals import SEARCHED, status
from test_simulator_strict import (
    BETA,
    HEADERS,
    MARK,
    MODEL,
    TOOL,
    Talk,
    assistant,
    body,
    refusal,
    result,
    send,
    text,
    use,
    user,
    without,
)

from agentcli.llm.models import find
from agentcli.llm.simulator import SimulatedProvider, Think, Turn, calls

NEWEST = HEADERS | {"anthropic-version": "2026-10-21"}
COUNT = "/v1/messages/count_tokens"
HOUR = MARK | {"ttl": "1h"}
BUDGET = {
    "model": "claude-haiku-4-5",
    "max_tokens": 3000,
    "thinking": {"type": "enabled", "budget_tokens": 1024},
}
DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
PASSAGE = {"type": "search_result", "source": "s", "title": "t", "content": [text()]}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}
THOUGHT = {"type": "thinking", "thinking": "", "signature": "EqQBsig"}
REDACTED = {"type": "redacted_thinking", "data": "AAAA"}
UPLOAD = {"type": "container_upload", "file_id": "file_1"}
REFERENCE = {"type": "tool_reference", "tool_name": "Read"}


def note(*blocks):
    return {"role": "system", "content": list(blocks) or "be brief"}


def without_field(block, name):
    return {field: value for field, value in block.items() if field != name}


def told(**fields):
    """The answer to a call, with these fields."""
    return body(user(), assistant(use()), user(result(**fields)))


FIELDS = {
    "cache_control": MARK,
    "container": "container_1",
    "diagnostics": {"previous_message_id": None},
    "inference_geo": "us",
    "metadata": {"user_id": "u"},
    "output_config": {"effort": "low"},
    "service_tier": "standard_only",
    "speed": "fast",
    "stop_sequences": ["END"],
    "stream": True,
    "system": "be brief",
    "thinking": {"type": "adaptive"},
    "tool_choice": {"type": "auto"},
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_request_may_have(field):
    """wire.md 1.2."""
    assert status(tools=[TOOL], **{field: FIELDS[field]}) == 200


TOOL_FIELDS = {
    "strict": True,
    "defer_loading": False,
    "eager_input_streaming": None,
    "input_examples": [{}],
    "allowed_callers": ["direct"],
    "cache_control": MARK,
    "type": "custom",
}


@pytest.mark.parametrize("field", TOOL_FIELDS)
def test_a_tool_may_have(field):
    """wire.md 1.2."""
    assert status(tools=[TOOL | {field: TOOL_FIELDS[field]}]) == 200


@pytest.mark.parametrize("tool", [TOOL, TOOL | {"type": "custom"}, TOOL | {"type": None}])
def test_a_tool_of_no_other_type_is_a_custom_one(tool):
    assert status(tools=[tool]) == 200
    assert "parameters: Extra inputs" in refusal(body(tools=[tool | {"parameters": {}}]))
    assert "input_schema: Field req" in refusal(body(tools=[without_field(tool, "input_schema")]))


@pytest.mark.parametrize("kind", ["computer_toolset_20260801", "browser_toolset_20260801"])
def test_anthropic_s_toolsets_need_no_name(kind):
    assert status(tools=[TOOL, {"type": kind}]) == 200


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/messages", "model"),
        ("/v1/messages", "max_tokens"),
        ("/v1/messages", "messages"),
        (COUNT, "model"),
        (COUNT, "messages"),
    ],
)
def test_what_a_request_must_have(path, field):
    code, answer = send(without(field), path=path)
    assert (code, answer["error"]["message"]) == (400, f"{field}: Field required")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("9", "valid integer"),
        (1.5, "valid integer"),
        (True, "valid integer"),
        (None, "valid integer"),
        (-1, "greater than or equal to 0"),
        (find(MODEL, "anthropic").max_output + 1, "the maximum allowed number of output tokens"),
    ],
)
def test_max_tokens_is_a_whole_number_within_the_model_s(value, words):
    assert words in refusal(body(max_tokens=value))


@pytest.mark.parametrize("value", [0, 1, find(MODEL, "anthropic").max_output])
def test_max_tokens_from_none_to_the_most(value):
    assert status(max_tokens=value) == 200


def test_a_budget_can_be_counted_without_max_tokens():
    assert send(without_field(body(**BUDGET), "max_tokens"), path=COUNT)[0] == 200


@pytest.mark.parametrize("word", ["low", "medium", "high", "xhigh", "max"])
def test_the_efforts(word):
    assert status(output_config={"effort": word}) == 200


@pytest.mark.parametrize(
    ("thinking", "headers"),
    [
        ({"type": "adaptive", "display": "summarized"}, HEADERS),
        ({"type": "adaptive", "display": "omitted"}, HEADERS),
        (
            {
                "type": "adaptive",
                "block_binding": {"prefix_mismatch_behavior": "drop_block"},
            },
            HEADERS | BETA,
        ),
    ],
)
def test_what_thinking_may_have(thinking, headers):
    assert send(body(thinking=thinking), headers=headers)[0] == 200


@pytest.mark.parametrize(
    "part",
    [text(), PICTURE, DOCUMENT, PASSAGE, REFERENCE, {"type": "browser_state"}],
    ids=lambda part: part["type"],
)
def test_a_result_may_hold(part):
    """wire.md 1.5."""
    assert send(told(content=[part]))[0] == 200


@pytest.mark.parametrize("content", ["ok", "", []])
def test_a_result_may_be_empty(content):
    assert send(told(content=content))[0] == 200


def test_a_result_s_content_may_be_left_out():
    answer = without_field(result(), "content")
    assert send(body(user(), assistant(use()), user(answer)))[0] == 200


@pytest.mark.parametrize(
    "field",
    [{"is_error": True}, {"cache_control": MARK}, {"toolset_name": "browser"}],
    ids=lambda field: next(iter(field)),
)
def test_a_result_may_have(field):
    """wire.md 1.5."""
    assert send(told(**field))[0] == 200


@pytest.mark.parametrize("block", [PICTURE, PASSAGE], ids=lambda block: block["type"])
def test_only_a_person_shows_a_model(block):
    assert send(body(user(block)))[0] == 200
    request = body(user(), assistant(block), user())
    assert "blocks can only be in `user` messages" in refusal(request)


@pytest.mark.parametrize(
    "block", [use(), THOUGHT, REDACTED, SEARCHED], ids=lambda block: block["type"]
)
def test_only_a_model_says(block):
    assert "blocks can only be in `assistant` messages" in refusal(body(user(block)))


@pytest.mark.parametrize("headers", [HEADERS, NEWEST], ids=["2023", "2026"])
def test_the_new_version_takes_no_document_from_the_model(headers):
    """wire.md 1.1."""
    assert send(body(user(DOCUMENT)), headers=headers)[0] == 200
    history = body(user(), assistant(DOCUMENT), user())
    if headers == NEWEST:
        assert "`document` is not allowed here" in refusal(history, headers)
    else:
        assert send(history, headers=headers)[0] == 200


def test_100000_messages_are_the_most():
    """One that is no message is found only where their number is allowed (wire.md 1.1)."""
    assert "Unexpected role" in refusal(body(*[{}] * 100_000))
    assert refusal(body(*[{}] * 100_001)) == "messages: at most 100000 messages are allowed"


REFUSED = {
    "a model that is no text": (body(model=5), "model: Input should be a valid string"),
    "top_k of nothing": (body(top_k=None), "`top_k` is not supported"),
    "an unknown effort": (body(output_config={"effort": "huge"}), "output_config.effort: Input"),
    "an unknown field of thinking": (
        body(thinking={"type": "adaptive", "foo": 1}),
        "thinking.adaptive.foo: Extra inputs",
    ),
    "an unknown display": (
        body(thinking={"type": "adaptive", "display": "hidden"}),
        "thinking.adaptive.display: Input should be 'summarized' or 'omitted'",
    ),
    "messages that are no list": (
        body() | {"messages": "hello"},
        "messages: Input should be a valid list",
    ),
    "a thought without its text": (
        body(user(), assistant(without_field(THOUGHT, "thinking"), text()), user()),
        "thinking.thinking: Field required",
    ),
    "a thought without its signature": (
        body(user(), assistant(without_field(THOUGHT, "signature"), text()), user()),
        "thinking.signature: Field required",
    ),
    "a block without its type": (
        body(user({"text": "a"})),
        "messages.0.content.0.type: Field required",
    ),
    "a text without its text": (
        body(user({"type": "text"})),
        "messages.0.content.0.text.text: Field required",
    ),
    "a text that is none": (body(user(text(None))), "text.text: Field required"),
    "an unknown field of a text": (body(user(text(foo=1))), "text.foo: Extra inputs"),
    "a call of no tool": (
        body(user(), assistant(without_field(use(), "name")), user(result())),
        "tool_use.name: Field required",
    ),
    "an unknown field of a result": (told(foo=1), "tool_result.foo: Extra inputs"),
    "a result of no call": (
        body(user(), assistant(use()), user(without_field(result(), "tool_use_id"))),
        "tool_result.tool_use_id: Field required",
    ),
    "a call inside a result": (
        told(content=[use()]),
        "tool_result.content.0: Input tag 'tool_use' is not expected here",
    ),
    "a note before a person speaks again": (body(user(), note(), user()), "must follow a user"),
    "a reply begun for a model nobody knows": (
        body(user(), assistant(text()), model="nobody-1"),
        "does not support assistant message prefill",
    ),
    "a reply that only begins with a search": (
        body(user(), assistant(SEARCHED, text())),
        "does not support assistant message prefill",
    ),
    "a call in a reply that was begun": (
        body(user(), assistant(use()), model="claude-opus-4-5"),
        "messages.1: `tool_use` ids were found without `tool_result` blocks",
    ),
    "an unanswered call after a reply in two messages": (
        body(user(), assistant(text()), user(), assistant(text()), assistant(use()), user()),
        "messages.3: `tool_use` ids were found without `tool_result` blocks",
    ),
    "an answer and a word to a turn without its thinking": (
        body(user(), assistant(use()), user(result(), text()), **BUDGET),
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found",
    ),
    "a mark of an unknown kind": (
        body(user(text(cache_control={"type": "lasting"}))),
        "messages.0.content.0.cache_control.type: Input should be 'ephemeral'",
    ),
    "an unknown field of a mark": (
        body(user(text(cache_control=MARK | {"scope": "all"}))),
        "cache_control.ephemeral.scope: Extra inputs",
    ),
    "an automatic mark of an unknown kind": (
        body(cache_control={"type": "lasting"}),
        "cache_control.type: Input should be 'ephemeral'",
    ),
    "an automatic mark of 10 minutes": (
        body(cache_control=MARK | {"ttl": "10m"}),
        "cache_control.ephemeral.ttl: Input should be '5m' or '1h'",
    ),
    "an automatic hour after five minutes": (
        body(system=[text(cache_control=MARK)], cache_control=HOUR),
        "cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    request, words = REFUSED[name]
    assert words in refusal(request)


ACCEPTED = {
    "top_k of an old model": body(model="claude-opus-4-6", top_k=5),
    "a note at the end": body(user(), note()),
    "a note before the model speaks": body(user(), note(), assistant(text()), user()),
    "a note after what a search found": body(user(), assistant(SEARCHED, FOUND), note()),
    "a turn that ends in a search": body(user(), assistant(text(), SEARCHED)),
    "a turn that ends in what a search found": body(user(), assistant(SEARCHED, FOUND)),
    "a reply in two messages": body(
        user(), assistant(use("a")), assistant(use("b")), user(result("a"), result("b"))
    ),
    "results in two messages": body(
        user(), assistant(use("a"), use("b")), user(result("a")), user(result("b"))
    ),
    "with a budget, words to a turn without thinking": body(
        user(), assistant(text()), user(), **BUDGET
    ),
    "an automatic hour": body(cache_control=HOUR),
    "an automatic hour after an hour": body(system=[text(cache_control=HOUR)], cache_control=HOUR),
    "five automatic minutes after an hour": body(
        system=[text(cache_control=HOUR)], cache_control=MARK
    ),
    "an automatic mark where none may be": body(user(UPLOAD), tools=[], cache_control=MARK),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name):
    code, answer = send(ACCEPTED[name])
    assert code == 200, answer


def test_a_mark_may_stand_where_a_tool_is_added_but_not_where_one_is_taken_away():
    """wire.md 1.7, 1.12.2."""
    headers = HEADERS | {"anthropic-beta": "mid-conversation-tool-changes-2026-07-01"}

    def changes(kind, **fields):
        return body(user(), note({"type": kind, "tool": REFERENCE, **fields}))

    added = changes("tool_addition", cache_control=MARK)
    assert send(added, headers=headers)[0] == 200
    assert send(changes("tool_removal"), headers=headers)[0] == 200
    removed = changes("tool_removal", cache_control=MARK)
    assert "messages.1.content.0: cache_control cannot be set" in refusal(removed, headers)


def test_with_a_budget_a_turn_may_begin_with_hidden_thinking():
    hidden = Turn((Think("hm", redacted=True), *calls(("Read", {})).parts))
    provider = SimulatedProvider([hidden, Turn(())])
    content = send(body(**BUDGET), provider)[1]["content"]
    assert [block["type"] for block in content] == ["redacted_thinking", "tool_use"]
    request = body(user(), assistant(*content), user(result(content[1]["id"])), **BUDGET)
    assert send(request, provider)[0] == 200


def test_a_dropped_thought_is_reported_with_its_place_and_reason():
    """wire.md 1.6."""
    talk = Talk("claude-fable-5-1")
    request = talk.changed() | {"model": "claude-haiku-5-5"}
    assert send(request, talk.provider, HEADERS | BETA)[1]["input_transformations"] == [
        {
            "type": "thinking_dropped",
            "path": f"messages.{index}.content.0",
            "reason": "model_binding_mismatch",
        }
        for index in (1, 3, 5)
    ]
