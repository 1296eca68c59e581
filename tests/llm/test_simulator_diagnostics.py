"""OpenAI's own word on a miss, when a request names a response to compare with (wire.md 2.8.9)."""

import json

import pytest

from agentcli.llm.simulator import SimulatedProvider, says


def long(seed, tokens=1100):
    return (seed * tokens * 4)[: tokens * 4]


def said(words, role="user"):
    content = [{"type": "input_text", "text": words}]
    return {"type": "message", "role": role, "content": content}


TOOL = {"type": "function", "name": "n", "parameters": {}, "strict": False}
FIRST = {"model": "gpt-6.1-sol", "input": [said(long("a"))]}


def ask(provider, body, comparison=None):
    options = {"comparison_response_id": comparison} if comparison else {}
    request = body | ({"prompt_cache_options": options} if options else {})
    data = json.dumps(request).encode()
    _, _, pieces = provider.handle("POST", "http://x/v1/responses", {}, data)
    return json.loads(b"".join(pieces))


def told(then, first=FIRST):
    provider = SimulatedProvider([says("ok")] * 2, clock=lambda: 0.0)
    return ask(provider, then, ask(provider, first)["id"])["prompt_cache_diagnostics"]


CHANGES = {
    "model_changed": {"model": "gpt-6.2-sol"},
    "prompt_cache_key_changed": {"prompt_cache_key": "k"},
    "tools_changed": {"tools": [TOOL]},
    "text_format_changed": {"text": {"format": {"type": "json_schema"}}},
    "reasoning_effort_changed": {"reasoning": {"effort": "low"}},
    "verbosity_changed": {"text": {"verbosity": "low"}},
    "context_compacted": {"input": [{"type": "compaction", "encrypted_content": "x"}, said("b")]},
    "input_changed": {"input": [said(long("b"))]},
    "service_tier_changed": {"service_tier": "flex"},
}


@pytest.mark.parametrize("reason", CHANGES)
def test_a_miss_has_its_reason(reason):
    found = told(FIRST | CHANGES[reason])
    assert (found["type"], found["reason"]) == ("cache_miss", reason)
    assert 0 < found["cache_missed_tokens"] <= 1100


def test_of_several_reasons_the_first_is_said():
    several = FIRST | {"service_tier": "flex", "input": [said("b")]}
    assert told(several)["reason"] == "input_changed"
    assert told(several | {"tools": [TOOL]})["reason"] == "tools_changed"


def test_instructions_are_input():
    assert told(FIRST | {"instructions": "i"})["reason"] == "input_changed"


def test_what_only_grew_is_a_hit():
    assert told(FIRST | {"input": [*FIRST["input"], said("b")]}) == {"type": "cache_hit"}


def test_a_prompt_too_short_to_be_cached_says_nothing():
    short = {"model": "gpt-6.1-sol", "input": "hi"}
    assert told(short, short) == {"type": "unavailable"}


def test_a_response_nobody_knows_is_said_and_unasked_nothing_is():
    provider = SimulatedProvider([says("ok")] * 2)
    found = ask(provider, FIRST, "resp_nobody")["prompt_cache_diagnostics"]
    assert found == {"type": "comparison_response_not_found"}
    assert "prompt_cache_diagnostics" not in ask(provider, FIRST)


def marked(words):
    part = {"type": "input_text", "text": words, "prompt_cache_breakpoint": {"mode": "explicit"}}
    return {"type": "message", "role": "developer", "content": [part]}


HEADED = {"model": "gpt-6.1-sol", "input": [marked(long("a")), said("abcd" * 9)]}


def test_what_was_read_is_not_missed():
    other = HEADED | {"input": [marked(long("a")), said("efgh" * 7)]}
    found = told(other, HEADED)
    assert (found["reason"], found["cache_missed_tokens"]) == ("input_changed", 7)
    assert told(HEADED | {"input": [marked(long("a"))]}, HEADED) == {"type": "cache_hit"}


def test_the_tier_by_default_is_no_change():
    assert told(FIRST | {"service_tier": "auto"}) == {"type": "cache_hit"}


def test_what_only_goes_on_has_no_reason():
    provider = SimulatedProvider([says("ok")] * 2, clock=lambda: 0.0)
    first = ask(provider, FIRST)["id"]
    options = {"mode": "explicit", "comparison_response_id": first}
    more = FIRST | {"input": [*FIRST["input"], said("b")], "prompt_cache_options": options}
    assert ask(provider, more)["prompt_cache_diagnostics"] == {"type": "unavailable"}
