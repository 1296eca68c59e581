"""Marks stand where the API accepts them and where the next request finds them."""

import pytest

from agentcli.lib.value import replace
from agentcli.llm import models
from agentcli.llm.cache import NO_PLAN, SECONDS, expires, plan
from agentcli.llm.types import (
    AssistantMessage,
    Request,
    Text,
    ToolCall,
    ToolOutput,
    ToolSpec,
    UserMessage,
)

OPUS = models.find("claude-opus-5-5", "anthropic")
LONG = "words and more words " * 400
TOOL = ToolSpec("Read", LONG, {"type": "object"})


def user(*texts):
    return UserMessage(tuple(Text(text) for text in texts))


def request(*messages, system=(LONG, "context"), tools=(TOOL,)):
    return Request(OPUS.id, system, tools, messages, session="s1")


def calls(count):
    made = tuple(ToolCall(f"c{n}", "Read", {"path": f"{n}.py"}) for n in range(count))
    outputs = tuple(ToolOutput(f"c{n}", (Text("x" * 50),)) for n in range(count))
    return AssistantMessage(made, OPUS.id, "tool_use"), UserMessage(outputs, "tool")


def places(made):
    return [(mark.segment, mark.message, mark.block) for mark in made.marks]


def test_the_first_request_marks_tools_system_and_its_last_block():
    made = plan(request(user("hi", "there")), OPUS, None, 0.0)
    assert places(made) == [("tools", -1, -1), ("memory", -1, -1), ("latest", 0, 1)]
    assert made.expected_read == 0


def test_the_next_request_marks_where_the_last_one_ended():
    first = plan(request(user("hi")), OPUS, None, 0.0)
    second = plan(request(user("hi"), *calls(1)), OPUS, first, 10.0)
    assert places(second)[2:] == [("history", 0, 0), ("latest", 2, 0)]
    assert second.expected_read == first.seen.tokens


def test_thirty_turns_never_pass_four_marks_and_stay_in_order():
    messages, before = [user("hi")], None
    for turn in range(30):
        before = plan(request(*messages), OPUS, before, turn * 10.0)
        spots = [(m.message, m.block) for m in before.marks if m.message >= 0]
        assert len(before.marks) <= 4
        assert spots == sorted(set(spots))
        assert spots[-1][0] == len(messages) - 1
        messages += calls(turn % 25 + 1)


def test_many_blocks_at_once_get_a_bridge_for_the_tools_mark():
    first = plan(request(user("hi")), OPUS, None, 0.0)
    made = plan(request(user("hi"), *calls(25)), OPUS, first, 1.0)
    assert places(made) == [
        ("memory", -1, -1),
        ("history", 0, 0),
        ("history", 2, 9),
        ("latest", 2, 24),
    ]


def test_the_same_request_again_does_not_mark_one_place_twice():
    first = plan(request(user("hi")), OPUS, None, 0.0)
    again = plan(request(user("hi")), OPUS, first, 1.0)
    assert places(again) == places(first)
    assert again.expected_read == first.seen.tokens


@pytest.mark.parametrize(
    "changed",
    [
        request(user("hi"), system=(LONG, "other context")),
        request(user("hi"), tools=()),
        replace(request(user("hi")), model="claude-opus-5"),
    ],
    ids=["system", "tools", "model"],
)
def test_what_is_no_continuation_is_a_first_request(changed):
    first = plan(request(user("hi"), *calls(1)), OPUS, None, 0.0)
    made = plan(changed, OPUS, first, 1.0)
    assert made.expected_read == 0
    assert not [mark for mark in made.marks if mark.segment == "history"]


def test_a_new_epoch_reads_the_head_of_the_one_before():
    first = plan(request(user("hi"), *calls(1)), OPUS, None, 0.0)
    compacted = request(user("a summary instead"))
    made = plan(compacted, OPUS, first, 299.0)
    assert made.expected_read == first.seen.head_tokens
    assert not [mark for mark in made.marks if mark.segment == "history"]
    assert plan(compacted, OPUS, first, 301.0).expected_read == 0


def test_a_head_too_short_to_be_kept_is_not_expected():
    first = plan(request(user(LONG), system=("short",), tools=()), OPUS, None, 0.0)
    later = request(user(LONG + "summed up"), system=("short",), tools=())
    assert plan(later, OPUS, first, 1.0).expected_read == 0


def test_a_long_reply_gets_no_second_mark_at_the_same_place():
    said = AssistantMessage(tuple(Text(f"part {n}") for n in range(30)), OPUS.id, "end_turn")
    first = plan(request(user("hi")), OPUS, None, 0.0)
    made = plan(request(user("hi"), said, user("go on")), OPUS, first, 1.0)
    assert len(set(places(made))) == len(made.marks)
    assert [mark.place for mark in made.marks if mark.message >= 0] == [(0, 0), (2, 0)]


def test_nothing_is_marked_below_the_models_minimum():
    tiny = request(user("hi"), system=("short",), tools=())
    assert plan(tiny, OPUS, None, 0.0).marks == ()


def test_an_empty_text_is_never_marked():
    made = plan(request(user("question", " ")), OPUS, None, 0.0)
    assert places(made)[-1] == ("latest", 0, 0)
    assert plan(request(user("")), OPUS, None, 0.0).marks[-1].segment == "memory"


def test_everything_before_a_one_hour_mark_lives_one_hour():
    made = plan(request(user("hi")), OPUS, None, 0.0, ttls={"memory": "1h"})
    assert [mark.ttl for mark in made.marks] == ["1h", "1h", "5m"]


def test_an_hour_is_not_asked_of_a_vendor_without_it():
    minimax = models.find("MiniMax-M3", "minimax")
    made = plan(request(user("hi")), minimax, None, 0.0, ttls={"memory": "1h"})
    assert {mark.ttl for mark in made.marks} == {"5m"}


def test_after_a_pause_only_what_lives_longer_is_expected():
    hour = {"memory": "1h"}
    first = plan(request(user("hi")), OPUS, None, 0.0, ttls=hour)
    late = plan(request(user("hi"), *calls(1)), OPUS, first, 301.0, ttls=hour)
    assert late.expected_read == first.seen.head_tokens
    assert plan(request(user("hi"), *calls(1)), OPUS, first, 3601.0).expected_read == 0


def test_lives_count_from_the_start_of_the_request():
    made = plan(request(user("hi")), OPUS, None, 0.0)
    assert expires(made, 1000.0) == 1000.0 + SECONDS["5m"]
    assert expires(NO_PLAN, 1000.0) is None


def test_openai_gets_a_key_and_a_mark_at_the_end_of_the_head():
    sol, older = models.find("gpt-6.1-sol", "openai"), models.find("gpt-5.4", "openai")
    made = plan(request(user("hi")), sol, None, 0.0)
    assert ([mark.segment for mark in made.marks], made.key) == (["memory"], "s1")
    assert expires(made, 0.0) == SECONDS["30m"]
    assert plan(request(user("hi")), older, None, 0.0).marks == ()


def test_a_vendor_without_caching_gets_no_plan():
    llama = models.find("llama-3.3-70b-versatile", "groq")
    made = plan(request(user("hi")), llama, None, 0.0)
    assert (made.marks, made.key, made.expected_read, made.life) == ((), "", 0, None)


def test_a_final_request_marks_what_it_reads_and_writes_no_more_than_the_head():
    first = request(user("a"))
    planned = plan(first, OPUS, None, 0)
    reply = AssistantMessage((Text("b"),), OPUS.id, "end_turn")
    asked = replace(request(user("a"), reply, user("sum up")), final=True)
    warm, cold = plan(asked, OPUS, planned, 60), plan(asked, OPUS, planned, 7200)
    assert [mark.segment for mark in warm.marks] == ["tools", "memory", "history"]
    assert warm.marks[-1].place == planned.marks[-1].place
    assert warm.expected.cache_write_5m == 0
    assert [mark.segment for mark in cold.marks] == ["tools", "memory"]
    assert cold.expected.input > 0


def test_a_final_request_bridges_nothing():
    first = request(user("a"))
    planned = plan(first, OPUS, None, 0)
    asked = replace(request(user("a"), *calls(40), user("sum up")), final=True)
    assert places(plan(asked, OPUS, planned, 60))[2:] == [("history", 0, 0)]
