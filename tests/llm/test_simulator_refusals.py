"""Rows of what vendors take and refuse, one request on each side of each (wire.md 1.2, 1.6)."""

import json

import pytest

from agentcli.llm.simulator import SimulatedProvider, says

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
