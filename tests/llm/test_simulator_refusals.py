"""Rows of what vendors take and refuse, one request on each side of each (wire.md 1.2, 1.6)."""

import base64
import json

import pytest

from agentcli.llm.simulator import VENDORS, Fault, SimulatedProvider, calls, says, thinks
from agentcli.llm.simulator.seal import is_genuine, seal, unseal

TOOL = {"name": "Read", "input_schema": {"type": "object"}}


def status(model="claude-opus-5-5", beta="", **fields):
    body = {"model": model, "max_tokens": 4000, "messages": [{"role": "user", "content": "a"}]}
    headers = {"anthropic-version": "2023-06-01", "anthropic-beta": beta}
    data = json.dumps(body | fields).encode()
    return SimulatedProvider([says("ok")]).handle("POST", "http://x/messages", headers, data)[0]


@pytest.mark.parametrize(
    ("field", "beta"),
    [
        ("compaction", "compact-2026-01-12"),
        ("context_management", "context-management-2025-06-27"),
        ("fallbacks", "any-2026-01-01"),
        ("fallback_credit_token", "any-2026-01-01"),
        ("mcp_servers", "mcp-client-2025-11-20"),
        ("thread", "message-threads-2026-01-01"),
        ("billing_policy", "any-2026-01-01"),
    ],
)
def test_a_field_that_only_a_beta_opens(field, beta):
    assert status(**{field: {}}) == 400
    assert status(beta=beta, **{field: {}}) == 200
    named = field in ("compaction", "mcp_servers", "thread")
    assert status(beta="other-2026-01-01", **{field: {}}) == (400 if named else 200)


@pytest.mark.parametrize(
    ("field", "new", "old"),
    [
        ({"temperature": 1}, 200, 200),
        ({"temperature": 0.5}, 400, 200),
        ({"top_p": 0.99}, 200, 200),
        ({"top_p": 0.9}, 400, 200),
        ({"top_k": 40}, 400, 200),
    ],
    ids=str,
)
def test_sampling_of_new_models_is_the_default(field, new, old):
    assert (status(**field), status("claude-opus-4-7", **field)) == (new, new)
    assert status("claude-opus-4-6", **field) == old


@pytest.mark.parametrize(
    ("budget", "found"), [(None, 400), (1023, 400), (1024, 200), (3999, 200), (4000, 400)]
)
def test_a_budget_is_at_least_1024_and_below_max_tokens(budget, found):
    thinking = {"type": "enabled"} | ({} if budget is None else {"budget_tokens": budget})
    assert status("claude-haiku-4-5", thinking=thinking) == found


@pytest.mark.parametrize(
    ("kind", "found"), [("auto", 200), ("any", 200), ("tool", 200), ("none", 200), ("other", 400)]
)
def test_the_kinds_of_tool_choice(kind, found):
    choice = {"type": kind} | ({"name": "Read"} if kind == "tool" else {})
    assert status(tools=[TOOL], tool_choice=choice) == found
    assert status("nobody-1", tools=[TOOL], tool_choice=choice) == found
    assert status(tool_choice=choice) == 400
    forced = 400 if kind in ("any", "tool") else found
    assert status("claude-sonnet-5-5", tools=[TOOL], tool_choice=choice) == forced


@pytest.mark.parametrize(
    ("field", "found"),
    [({"clear_at": "next_user_message"}, 200), ({"output_config": {}}, 200), ({"name": "x"}, 400)],
    ids=str,
)
def test_what_a_message_may_say_of_itself(field, found):
    note = {"role": "system", "content": "x"} | field
    assert status(messages=[{"role": "user", "content": "a"}, note]) == found


USER = {"role": "user", "content": "a"}
SEARCHED = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}


def test_a_message_without_content_is_refused():
    assert status(messages=[{"role": "user"}]) == 400


def test_a_turn_that_waits_for_anthropics_tool_may_stand_last_or_before_a_note():
    waiting, done = ({"role": "assistant", "content": [b]} for b in (SEARCHED, TEXT))
    note = {"role": "system", "content": "x"}
    assert status(messages=[USER, waiting]) == status(messages=[USER, waiting, note]) == 200
    assert status(messages=[USER, done]) == status(messages=[USER, done, note]) == 400


TEXT = {"type": "text", "text": "x"}


def send(provider, version="2023-06-01", **fields):
    headers = {"anthropic-version": version}
    body = {"max_tokens": 4000, "messages": [USER]} | fields
    code, _, pieces = provider.handle(
        "POST", "http://x/messages", headers, json.dumps(body).encode()
    )
    return code, json.loads(b"".join(pieces))


@pytest.mark.parametrize(("version", "found"), [("2023-06-01", 200), ("2026-10-21", 400)])
def test_the_new_version_takes_no_citations_from_people(version, found):
    cited = [TEXT | {"citations": [{"type": "page_location"}]}]
    said = {"role": "assistant", "content": cited}
    model = {"model": "claude-opus-5-5"}
    provider = SimulatedProvider([says("ok")] * 2)
    asked = [{"role": "user", "content": cited}]
    assert send(provider, version, messages=asked, **model)[0] == found
    assert send(provider, version, messages=[USER, said, USER], **model)[0] == 200


def test_with_a_budget_a_turn_that_begins_with_its_thinking_may_be_answered():
    provider = SimulatedProvider([thinks("hm", calls(("Read", {}))), says("ok")])
    thinking = {"type": "enabled", "budget_tokens": 1024}
    fields = {"model": "claude-haiku-4-5", "thinking": thinking, "tools": [TOOL]}
    content = send(provider, **fields)[1]["content"]
    assert [block["type"] for block in content] == ["thinking", "tool_use"]
    result = {"type": "tool_result", "tool_use_id": content[1]["id"], "content": "r"}
    answer = {"role": "user", "content": [result]}
    talk = [USER, {"role": "assistant", "content": content}, answer]
    assert send(provider, messages=talk, **fields)[0] == 200


def test_thinking_that_a_model_cannot_read_costs_nothing():
    provider = SimulatedProvider([thinks("hm " * 400, says("yes")), says("ok"), says("ok")])
    shown = {"type": "adaptive", "display": "summarized"}
    content = send(provider, model="claude-opus-5-5", thinking=shown)[1]["content"]
    talk = [USER, {"role": "assistant", "content": content}, USER]

    def tokens(model):
        return send(provider, model=model, messages=talk)[1]["usage"]["input_tokens"]

    assert tokens("claude-opus-5-5") == tokens("claude-sonnet-5") + 300


def post(path, body, script=None):
    provider = SimulatedProvider(script or [says("ok")])
    code, _, pieces = provider.handle("POST", f"http://x/{path}", {}, json.dumps(body).encode())
    return code, json.loads(b"".join(pieces))


@pytest.mark.parametrize(
    ("fault", "kind"), [("rate_limited", "requests"), ("quota", "insufficient_quota")]
)
def test_openai_names_the_kind_of_limit(fault, kind):
    code, answer = post("responses", {"model": "gpt-6.1-sol", "input": "a"}, [Fault(fault)])
    assert (code, answer["error"]["type"]) == (429, kind)


@pytest.mark.parametrize("word", ["none", "minimal", "low", "medium", "high", "xhigh", "max"])
def test_a_model_openai_does_not_list_takes_every_effort(word):
    body = {"model": "gpt-9-nobody", "input": "a", "reasoning": {"effort": word}}
    assert post("responses", body)[0] == 200
    assert post("responses", body | {"reasoning": {"effort": "huge"}})[0] == 400


@pytest.mark.parametrize("field", ["input", "prompt", "previous_response_id"])
def test_something_must_be_asked_of_openai(field):
    assert post("responses", {"model": "gpt-6.1-sol", field: "a"})[0] == 200
    assert post("responses", {"model": "gpt-6.1-sol"})[0] == 400


def test_a_schema_without_parameters_is_refused_by_gemini():
    for schema in ({"type": "object", "required": []}, {"type": "object", "title": "t"}):
        tools = [{"functionDeclarations": [{"name": "a", "parametersJsonSchema": schema}]}]
        body = {"contents": [{"role": "user", "parts": [{"text": "a"}]}], "tools": tools}
        assert post("models/gemini-3.8-flash:generateContent", body)[0] == 400


@pytest.mark.parametrize(("model", "found"), [("gpt-5.5", 200), ("gpt-5.6-sol", 400)])
def test_since_5_6_functions_in_chat_want_no_effort(model, found):
    tools = [{"type": "function", "function": {"name": "a", "parameters": {"type": "object"}}}]
    body = {"model": model, "messages": [USER], "tools": tools}
    assert post("chat/completions", body)[0] == found
    assert post("chat/completions", body | {"reasoning_effort": "none"})[0] == 200


@pytest.mark.parametrize(
    ("vendor", "taken"),
    [("mistral", "none high"), ("moonshot-strict", "low high max"), ("cerebras", "low high any")],
)
def test_the_efforts_a_vendor_knows(vendor, taken):
    def ask(word):
        provider = SimulatedProvider([says("ok")], vendor=VENDORS[vendor])
        body = json.dumps({"model": "m", "messages": [USER], "reasoning_effort": word}).encode()
        return provider.handle("POST", "http://x/chat/completions", {}, body)[0]

    assert [ask(word) for word in taken.split()] == [200] * len(taken.split())
    assert ask("medium") == (200 if vendor == "cerebras" else 400)


@pytest.mark.parametrize(("model", "dropped"), [("gpt-6.1-sol", False), ("gpt-6.2-sol", True)])
def test_since_6_2_reasoning_is_dropped_when_what_stood_before_it_changed(model, dropped):
    provider = SimulatedProvider([thinks("hm", says("a")), says("ok")])

    def ask(*items):
        body = json.dumps({"model": model, "input": list(items)}).encode()
        return json.loads(b"".join(provider.handle("POST", "http://x/responses", {}, body)[2]))

    said = {"role": "user", "content": "a"}
    output = ask(said)["output"]
    found = ask(said | {"content": "b"}, *output, said)
    assert ("input_transformations" in found) == dropped


SIGNED = seal("claude-opus-5-5", "before it", "last one", "Hm.")


def signature(*fields):
    return base64.b64encode(json.dumps(fields).encode()).decode()


@pytest.mark.parametrize("field", range(4))
def test_no_field_of_a_signature_can_be_changed(field):
    fields = json.loads(base64.b64decode(SIGNED))
    assert is_genuine(unseal(SIGNED), "Hm.")
    assert not is_genuine(unseal(SIGNED), "Hm!")
    fields[field] += "x"
    assert not is_genuine(unseal(signature(*fields)), "Hm.")


@pytest.mark.parametrize(
    "forged",
    [
        "no base64",
        f"*{SIGNED}",
        base64.b64encode(b'{"a": 1}').decode(),
        base64.b64encode(b"no JSON").decode(),
        signature("a", "b", "c"),
        signature("a", "b", "c", "d", "e"),
        signature(1, 2, 3, 4),
        signature("a", "b", "c", 4),
    ],
)
def test_what_was_not_signed_here_is_no_signature(forged):
    assert unseal(forged) is None
