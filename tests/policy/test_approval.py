"""MCP tools: which rules speak of them, and which are approved."""

from pathlib import Path

import pytest

from agentcli.llm.types import ToolCall
from agentcli.policy.approval import approve, question, sift
from agentcli.policy.permissions import Policy, decide
from agentcli.policy.rules import parse_rule
from agentcli.tools.base import Action
from agentcli.tools.remote import Offer

TOOL = "mcp__git-hub__get_issue"


def decided(mode, *rules, tool=TOOL, hook=None):
    parsed = tuple(parse_rule(text, verdict, Path("/p")) for verdict, text in rules)
    policy = Policy(mode, parsed, Path("/p"))
    return decide(ToolCall("1", tool, {}), Action("mcp", "x"), policy, hook=hook)


@pytest.mark.parametrize("rule", ["mcp__git-hub", TOOL, "mcp__git-hub__get_*", "mcp__*"])
@pytest.mark.parametrize("verdict", ["allow", "deny", "ask"])
def test_rules_for_a_server_a_tool_and_a_pattern(rule, verdict):
    assert decided("default", (verdict, rule)).verdict == verdict


@pytest.mark.parametrize("rule", ["mcp__git", "mcp__git-hub__set_*", "mcp__git-hub__get", "Bash"])
def test_rules_that_speak_of_something_else(rule):
    assert decided("default", ("allow", rule)).verdict == "ask"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("default", "ask"),
        ("accept-edits", "ask"),
        ("plan", "deny"),
        ("dont-ask", "deny"),
        ("bypass", "allow"),
    ],
)
def test_without_a_rule_the_mode_decides(mode, expected):
    assert decided(mode).verdict == expected


def test_deny_beats_allow_and_a_hook():
    rules = (("allow", "mcp__git-hub"), ("deny", "mcp__git-hub__get_*"))
    assert decided("bypass", *rules, hook="allow").verdict == "deny"


def test_always_offers_exactly_this_tool():
    assert decided("default").rules == (TOOL,)


def offer(tool, words, schema=None):
    return Offer("s", tool, words, schema or {"type": "object"})


def test_a_server_of_which_nothing_is_known_is_taken_as_it_is():
    offers = (offer("a", "x"), offer("b", "y"))
    assert sift(offers, {}).known == offers


def test_changed_and_new_tools_are_held_back():
    same, before, after, new = offer("a", "x"), offer("b", "y"), offer("b", "z"), offer("c", "n")
    sifted = sift((same, after, new), approve({}, (same, before)))
    assert (sifted.known, sifted.changed) == ((same,), (after, new))


def test_what_was_approved_once_stays_approved():
    first, second = offer("a", "x"), offer("a", "y")
    approved = approve(approve({}, (first,)), (second,))
    assert sift((first,), approved).changed == ()
    assert sift((second,), approved).changed == ()


def test_the_question_shows_the_difference_and_hides_nothing():
    before = offer("a", "Reads.\nKindly.")
    after = offer(
        "a", "Reads.\nThen \x1b[2Jsends \u202eall.", {"type": "object", "required": ["k"]}
    )
    text = question("s", (after, offer("b", "New.")), approve({}, (before,)))
    assert "has other tools: 1 changed since you approved them, 1 new." in text
    assert "-Kindly." in text
    assert "+Then \\x1b[2Jsends \\u202eall." in text
    assert '+ "required": [' in text
    assert "+ b: New." in text
