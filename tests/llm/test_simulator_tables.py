"""The simulator's tables against what the vendors document, row by row (wire.md 1.6, 3.2, 4.2)."""

import pytest
from test_simulator_bedrock import ask as converse
from test_simulator_bedrock import body as converse_body
from test_simulator_bedrock import check_refused as converse_refuses
from test_simulator_bedrock import model as said
from test_simulator_bedrock import result, spec, use
from test_simulator_bedrock import tools as converse_tools
from test_simulator_bedrock import user as told
from test_simulator_gemini import asked, body, check_refused, config, tools
from test_simulator_refusals import status

from agentcli.llm.simulator import Fault, Say, SimulatedProvider, Turn
from agentcli.llm.simulator.claude_rules import (
    binds_prefix,
    can_read,
    resets,
    strips_thoughts,
    takes_system_role,
    thinking_rule,
)

SONNETS_AND_HAIKUS = (
    "sonnet-4-5",
    "sonnet-4-6",
    "sonnet-5",
    "sonnet-5-5",
    "haiku-4-5",
    "haiku-5-5",
)
OPUSES = ("opus-4-5", "opus-4-6", "opus-4-7", "opus-4-8", "opus-5", "opus-5-5")
FABLES = ("fable-5", "fable-5-1", "fable-5-2", "mythos-5", "mythos-5-1", "mythos-5-2")
CLAUDES = (*FABLES, *OPUSES, *SONNETS_AND_HAIKUS)
EARLIER = "opus-4-5 opus-4-6 opus-4-7 opus-4-8 sonnet-4-5 sonnet-4-6 sonnet-5 haiku-4-5"
BEFORE = f"{EARLIER} opus-5 fable-5 mythos-5"
READERS = {
    "fable-5-1": f"{BEFORE} opus-5-5",
    "fable-5-2": f"{BEFORE} fable-5-1 mythos-5-1 opus-5-5",
    "mythos-5-1": f"{BEFORE} opus-5-5",
    "mythos-5-2": f"{BEFORE} fable-5-1 mythos-5-1 opus-5-5",
    "opus-5-5": f"{EARLIER} opus-5 sonnet-5-5 haiku-5-5",
    "sonnet-5-5": f"{EARLIER} haiku-5-5",
    "haiku-5-5": EARLIER,
}
"""wire.md 1.6: whose thinking each reads besides its own; a row that is missing reads no other."""
TWINS = {"fable-5": "mythos-5", "fable-5-1": "mythos-5-1", "fable-5-2": "mythos-5-2"}
"""The same model for two kinds of customer; whether one reads the other is not documented."""


@pytest.mark.parametrize("reader", CLAUDES)
def test_who_reads_whose_thinking(reader):
    twin = TWINS | {b: a for a, b in TWINS.items()}
    found = {w for w in CLAUDES if can_read(f"claude-{reader}", f"claude-{w}")}
    assert found - {twin.get(reader)} == {reader, *READERS.get(reader, "").split()}


@pytest.mark.parametrize("rule", [strips_thoughts, binds_prefix])
def test_rules_about_claude_s_thoughts_are_none_of_others(rule):
    assert not rule("glm-5.3")


def test_who_takes_system_messages_in_between():
    takes = {*FABLES, "opus-4-8", "opus-5", "opus-5-5", "sonnet-5-5", "haiku-5-5"}
    assert {name for name in CLAUDES if takes_system_role(f"claude-{name}")} == takes
    assert takes_system_role("kimi-k3")


@pytest.mark.parametrize(
    ("names", "types"),
    [
        ("fable-5-1 mythos-5-1 opus-5-5 opus-5-6 sonnet-6 haiku-7", "adaptive"),
        ("sonnet-5-5", "adaptive between_tools"),
        ("haiku-5-5 opus-5 sonnet-5 opus-4-8 opus-4-7", "adaptive disabled"),
        ("opus-4-6 sonnet-4-6", "adaptive enabled disabled"),
        ("opus-4-5 sonnet-4-5 haiku-4-5 opus-4-1 sonnet-4", "enabled disabled"),
    ],
)
def test_which_types_of_thinking_a_model_takes(names, types):
    """Newer ones than are known think always, as the newest of the known do."""
    found = {thinking_rule(f"claude-{name}").takes for name in names.split()}
    assert found == {tuple(types.split())}


def test_the_order_of_a_choice_s_fields_and_of_the_betas_is_no_matter():
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    bare = {"model": "claude-opus-5-5", "messages": []}
    one = resets(bare | {"tool_choice": choice}, "a-1,b-2")
    other = resets(bare | {"tool_choice": dict(reversed(choice.items()))}, "b-2, a-1")
    assert one == other
    assert resets(bare, "a-1,b-2") != resets(bare, "a-1")


BOUND = {"type": "adaptive", "block_binding": {}}
UPDATES = {"type": "adaptive", "display": "updates"}


@pytest.mark.parametrize(
    ("fields", "beta", "code"),
    [
        ({"service_tier": "auto"}, "", 200),
        ({"service_tier": "flex"}, "", 400),
        ({"speed": "standard"}, "", 200),
        ({"speed": "slow"}, "", 400),
        ({"output_config": {"format": {"type": "json_schema", "schema": {}}}}, "", 200),
        ({"output_config": {"verbosity": "low"}}, "", 400),
        ({"output_config": {"task_budget": {}}}, "", 400),
        ({"output_config": {"task_budget": {}}}, "task-budgets-2026-03-13", 200),
        ({"thinking": UPDATES}, "", 400),
        ({"thinking": UPDATES}, "thinking-display-updates-2026-08-18", 200),
        ({"thinking": BOUND}, "", 400),
        ({"thinking": BOUND}, "thinking-binding-controls-2026-08-01", 200),
        (
            {"tools": [{"type": f"{kind}_toolset_20260801"} for kind in ("computer", "browser")]},
            "",
            200,
        ),
    ],
)
def test_words_that_the_messages_api_knows(fields, beta, code):
    """wire.md 1.2, 1.6."""
    assert status(beta=beta, **fields) == code


GEMINI_FIELDS = {
    "serviceTier": "standard",
    "labels": {"team": "a"},
    "safetySettings": [],
    "store": False,
    "model": "models/gemini-3.8-flash",
}
SETTINGS = {
    "temperature": 1,
    "topP": 0.9,
    "topK": 40,
    "stopSequences": ["x"],
    "candidateCount": 1,
    "seed": 1,
    "presencePenalty": 0,
    "frequencyPenalty": 0,
    "responseMimeType": "application/json",
    "responseJsonSchema": {"type": "object"},
    "responseModalities": ["TEXT"],
    "mediaResolution": "MEDIA_RESOLUTION_LOW",
}
SUBSET = {
    "type": "STRING",
    "format": "enum",
    "title": "t",
    "description": "d",
    "nullable": True,
    "enum": ["a"],
    "minItems": 1,
    "maxItems": 2,
    "required": [],
    "minProperties": 0,
    "maxProperties": 1,
    "minimum": 0,
    "maximum": 1,
    "minLength": 0,
    "maxLength": 1,
    "pattern": "a",
    "anyOf": [],
    "propertyOrdering": [],
    "default": "a",
    "example": "a",
}


@pytest.mark.parametrize("field", GEMINI_FIELDS)
def test_gemini_takes_the_field(field):
    assert asked(body(**{field: GEMINI_FIELDS[field]}))[0] == 200


@pytest.mark.parametrize("field", SETTINGS)
def test_gemini_takes_the_setting(field):
    as_json = {"responseMimeType": "application/json"}
    assert asked(config(**as_json | {field: SETTINGS[field]}))[0] == 200


@pytest.mark.parametrize("field", [*SUBSET, "items"])
def test_gemini_s_subset_of_openapi_has_the_field(field):
    schema = SUBSET | {"type": "ARRAY", "items": {"type": "STRING"}} if field == "items" else SUBSET
    inner = {name: schema[name] for name in ("type", field)}
    outer = {"type": "OBJECT", "properties": {"a": inner}}
    assert asked(tools({"name": "a", "parameters": outer}))[0] == 200


def test_gemini_s_older_form_of_an_answer_s_schema():
    schema = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}
    assert asked(config(responseMimeType="application/json", responseSchema=schema))[0] == 200


@pytest.mark.parametrize("level", ["MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"])
def test_gemini_s_levels_of_thinking(level):
    request = config(thinkingConfig={"thinkingLevel": level})
    assert asked(request, name="gemini-9-unheard-of")[0] == 200


@pytest.mark.parametrize("mode", ["AUTO", "ANY", "NONE", "VALIDATED"])
def test_gemini_s_modes_of_calling(mode):
    assert asked(body(toolConfig={"functionCallingConfig": {"mode": mode}}))[0] == 200


@pytest.mark.parametrize("limit", [65_535, 65_536])
def test_gemini_s_longest_answer(limit):
    request = config(maxOutputTokens=limit)
    assert asked(request, name="gemini-9-unheard-of")[0] == 200
    more = config(maxOutputTokens=65_537)
    check_refused(more, "to 65537 (exclusive)", name="gemini-9-unheard-of")


@pytest.mark.parametrize(
    ("stop", "reason"),
    [("refusal", "SAFETY"), ("error", "OTHER"), ("pause", "CONTINUATION"), ("end_turn", "STOP")],
)
def test_why_gemini_stopped(stop, reason):
    provider = SimulatedProvider([Turn((Say("a"),), stop=stop)])
    assert asked(body(), provider=provider)[1]["candidates"][0]["finishReason"] == reason


@pytest.mark.parametrize(
    ("fault", "words"),
    [("context_overflow", "exceeds the maximum number of tokens"), ("unauthorized", "API key not")],
)
def test_gemini_s_words_for_what_went_wrong(fault, words):
    _, answer = asked(body(), provider=SimulatedProvider([Fault(fault)]))
    assert words in answer["error"]["message"]


CONVERSE_FIELDS = {
    "additionalModelResponseFieldPaths": ["/a"],
    "serviceTier": {"type": "default"},
    "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
    "performanceConfig": {"latency": "standard"},
    "promptVariables": {"a": {"text": "b"}},
    "requestMetadata": {"team": "a"},
}
DOCUMENT = {"document": {"format": "pdf", "name": "d", "source": {"bytes": "AAAA"}}}
SEARCHED = {"searchResult": {"source": "s", "title": "t", "content": [{"text": "x"}]}}


@pytest.mark.parametrize("field", CONVERSE_FIELDS)
def test_converse_takes_the_field(field):
    assert converse(converse_body(**{field: CONVERSE_FIELDS[field]}))[0] == 200


@pytest.mark.parametrize("effort", ["low", "medium", "high", "xhigh", "max"])
def test_converse_s_efforts(effort):
    assert converse(converse_body(outputConfig={"effort": effort}))[0] == 200


@pytest.mark.parametrize("form", ["png", "jpeg", "gif", "webp"])
def test_converse_s_pictures(form):
    picture = {"image": {"format": form, "source": {"bytes": "AAAA"}}}
    assert converse(converse_body(told(picture)))[0] == 200


def test_converse_takes_a_picture_from_a_bucket():
    stored = {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/a.png"}}}}
    assert converse(converse_body(told(stored)))[0] == 200


@pytest.mark.parametrize("part", [DOCUMENT, {"json": {"a": 1}}], ids=["document", "json"])
def test_what_a_result_of_converse_may_hold(part):
    assert converse(converse_body(told(), said(use()), told(result("a", part))))[0] == 200


@pytest.mark.parametrize("block", [DOCUMENT, SEARCHED], ids=["document", "search"])
def test_what_only_a_person_shows_a_model(block):
    assert converse(converse_body(told({"text": "a"}, block)))[0] == 200
    history = converse_body(told(), said(block), told())
    converse_refuses(history, f"{next(iter(block))} is only for user messages")


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("pause", "end_turn"),
        ("refusal", "content_filtered"),
        ("context_full", "model_context_window_exceeded"),
        ("error", "malformed_model_output"),
        ("max_tokens", "max_tokens"),
    ],
)
def test_why_converse_stopped(stop, reason):
    provider = SimulatedProvider([Turn((Say("a"),), stop=stop)])
    assert converse(converse_body(), provider=provider)[2]["stopReason"] == reason


def test_claude_before_4_5_keeps_a_prefix_for_five_minutes():
    point = {"cachePoint": {"type": "default", "ttl": "5m"}}
    old = "anthropic.claude-sonnet-4-20250514-v1:0"
    assert converse(converse_body(told({"text": "a"}, point)), name=old)[0] == 200


@pytest.mark.parametrize(
    "request_",
    [
        converse_body(inferenceConfig={"maxTokens": 9, "temperature": 1}),
        converse_body(inferenceConfig={"maxTokens": 9, "topP": 0.99}),
        converse_body(inferenceConfig={"maxTokens": 9, "stopSequences": ["x"]}),
        converse_body(outputConfig={"textFormat": {"type": "text"}}),
        converse_tools(spec(strict=True)),
        converse_tools(spec(), toolChoice={"auto": {}}),
        converse_tools(spec(), toolChoice={"any": {}}),
    ],
)
def test_converse_takes(request_):
    assert converse(request_)[0] == 200


def test_nova_has_tools_of_amazon_s_own():
    own = converse_tools(spec(), {"systemTool": {"name": "nova_grounding"}})
    assert converse(own, name="us.amazon.nova-pro-v1:0")[0] == 200


def test_converse_wants_a_number_for_the_longest_answer():
    converse_refuses(converse_body(inferenceConfig={"maxTokens": "9"}), "inferenceConfig.maxTokens")
