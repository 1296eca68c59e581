"""`agent debug cache`: recorded requests played through the rules of their vendor."""

import json

import pytest
from typer.testing import CliRunner

from agentcli.cli.debug import debug
from agentcli.lib.errors import UserError
from agentcli.llm.simulator.replay import play, recorded

MARK = {"type": "ephemeral"}
LONG = "word " * 3000


def claude(*texts, model="claude-sonnet-5-5", tool="Read"):
    """A conversation marked on the system and on its last message."""
    messages = [
        {"role": role, "content": [{"type": "text", "text": text}]}
        for text, role in zip(texts, ["user", "assistant"] * 9, strict=False)
    ]
    messages[-1]["content"][0]["cache_control"] = MARK
    return {
        "model": model,
        "max_tokens": 100,
        "system": [{"type": "text", "text": LONG, "cache_control": MARK}],
        "tools": [{"name": tool, "input_schema": {"type": "object"}}],
        "messages": messages,
    }


def played(*lines):
    return list(play(recorded((json.dumps(line) for line in lines), "it")))


def test_a_growing_conversation_is_read_and_written():
    first, second = played(claude("a"), claude("a", "b", "c"))
    assert first.usage.cache_write_5m > 3000
    assert first.why == "first request to this model"
    assert second.usage.cache_read == first.usage.prompt - first.usage.input
    assert second.why == ""


@pytest.mark.parametrize(
    ("then", "why"),
    [
        (claude("a", tool="Write"), "tools changed"),
        (claude("z"), ""),
        (claude("a", model="claude-opus-5-5"), "first request to this model"),
        ({"at": 400, "body": claude("a")}, "expired: 7 min after the request before"),
    ],
)
def test_a_miss_has_its_reason(then, why):
    assert played(claude("a"), then)[1].why == why


def test_an_edited_message_is_named():
    before = claude("a", LONG, "c")
    assert played(before, claude("a", LONG + "!", "c"))[1].why == "message 2 changed"


def test_what_the_vendor_refuses_is_said_and_the_rest_goes_on():
    bad = claude("a") | {"max_tokens": None}
    found = played(claude("a"), bad, claude("a"))
    assert "max_tokens" in found[1].refused
    assert found[2].usage.cache_read > 3000


def test_thoughts_signed_by_the_real_provider_are_no_hindrance():
    body = claude("a", "b", "c")
    thought = {"type": "thinking", "thinking": "hm", "signature": "EqQBCgIYAhIM"}
    body["messages"][1]["content"].insert(0, thought)
    (found,) = played(body)
    assert found.refused == ""


@pytest.mark.parametrize(
    ("body", "cached"),
    [
        ({"model": "gpt-6.1-sol", "input": [{"role": "user", "content": LONG}]}, True),
        ({"model": "deepseek-v4-pro", "messages": [{"role": "user", "content": LONG}]}, True),
    ],
)
def test_the_wire_of_a_bare_body_is_guessed(body, cached):
    first, second = played(body, body)
    assert first.refused == ""
    assert (second.usage.cache_read > 2000) == cached


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"body": {}, "at": "noon"}', '{"path": "/x", "body": {}}']
)
def test_a_line_that_is_no_request_is_told_with_its_number(line):
    with pytest.raises(UserError, match="1"):
        list(play(recorded([line], "it")))


def test_the_command_prints_a_line_a_request(tmp_path):
    file = tmp_path / "r.jsonl"
    file.write_text(f"{json.dumps(claude('a'))}\n\n{json.dumps(claude('a', 'b', 'c'))}\n")
    plain = CliRunner().invoke(debug, ["cache", str(file)])
    assert plain.output.count("\n") == 2
    shown = CliRunner().invoke(debug, ["cache", str(file), "--json"])
    assert json.loads(shown.output.splitlines()[1])["cache_read"] > 3000
