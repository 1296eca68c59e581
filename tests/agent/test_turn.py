"""A turn from the prompt to its end: what is said, kept, counted and limited."""

import asyncio
from decimal import Decimal

import pytest
from stage import Stage

from agentcli.agent.events import Notice, Queued, Replied, Spent, Streamed, TurnEnd, TurnStart
from agentcli.agent.loop import CUT_CALL, CUT_TEXT, MAX_CUTS, MAX_PAUSES
from agentcli.agent.turn import Limits
from agentcli.llm.testing import USAGE, Said, calls, says, thinks
from agentcli.llm.types import Finished, Text, TextDelta, UserMessage

READ = ("Read", {"path": "a.txt"})


def test_a_turn_without_calls(root):
    stage = Stage(root, [says("Good day to you.")])
    end = stage.run("hello")
    assert (end.reason, end.steps, end.usage, end.cost.total) == ("done", 1, USAGE, Decimal("0.01"))
    assert stage.words() == [("human", "hello"), ("model", "Good day to you.")]
    kinds = [type(e) for e in stage.front.events if not isinstance(e, Streamed)]
    assert kinds == [TurnStart, Replied, Spent, TurnEnd]
    told = [e.delta.text for e in stage.of(Streamed) if isinstance(e.delta, TextDelta)]
    assert "".join(told) == "Good day to you."


def test_a_turn_with_calls_counts_all_its_requests(root):
    stage = Stage(root, [thinks("hm", calls(READ, text="Looking.")), calls(READ), says("Seen.")])
    end = stage.run("look")
    assert (end.reason, end.steps, end.cost.total) == ("done", 3, Decimal("0.03"))
    assert end.usage == USAGE + USAGE + USAGE
    assert "alpha" in stage.outputs()[0][1]
    assert [len(r.messages) for r in stage.model.requests] == [1, 3, 5]


def test_context_of_hooks_follows_the_words_of_the_person(root):
    stage = Stage(root, [says("ok")])
    asyncio.run(stage.agent.prompt((Text("hi"),), "It is raining."))
    assert stage.words() == [("human", "hi"), ("hook", "It is raining."), ("model", "ok")]


@pytest.mark.parametrize(
    ("limits", "reason", "steps"),
    [
        (Limits(steps=2), "limit", 2),
        (Limits(cost=Decimal("0.03")), "budget", 3),
        (Limits(deadline=4.0), "deadline", 4),
    ],
)
def test_a_turn_ends_at_its_limit_with_every_call_answered(root, limits, reason, steps):
    stage = Stage(root, [calls(READ)] * steps, limits=limits, prepare=tick)
    end = stage.run("go on and on")
    assert (end.reason, end.steps) == (reason, steps)
    assert len(stage.outputs()) == steps


async def tick(stage):
    stage.now += 1


def test_a_limit_of_steps_counts_anew_in_each_turn(root):
    stage = Stage(root, [calls(READ), says("more?")] * 2, limits=Limits(steps=2))
    assert [end.reason for end in stage.run("one", "two")] == ["done", "done"]


def test_a_reply_cut_by_its_length_is_continued(root):
    stage = Stage(root, [says("The first half", stop="max_tokens"), says(" and the second.")])
    assert stage.run("write").reason == "done"
    assert stage.words()[1:] == [
        ("model", "The first half"),
        ("reminder", CUT_TEXT),
        ("model", " and the second."),
    ]


def test_a_call_cut_by_the_length_of_the_reply_does_not_run(root):
    cut = calls(("Write", {"path": "c.txt", "content": "x"}), stop="max_tokens")
    stage = Stage(root, [cut, says("Smaller, then.")], mode="bypass")
    assert stage.run("write").reason == "done"
    assert not (root / "c.txt").exists()
    assert ("reminder", CUT_CALL) in stage.words()


def test_replies_that_are_cut_again_and_again_end_the_turn(root):
    stage = Stage(root, [says("…", stop="max_tokens")] * (MAX_CUTS + 1))
    assert stage.run("write").reason == "limit"
    assert stage.of(Notice)[-1].level == "warning"


def test_cut_replies_are_counted_anew_after_a_call(root):
    cut = says("…", stop="max_tokens")
    stage = Stage(root, [*[cut] * MAX_CUTS, calls(READ), *[cut] * MAX_CUTS, says("Done.")])
    assert stage.run("write").reason == "done"


@pytest.mark.parametrize(
    ("stop", "words"), [("refusal", "declined"), ("context_full", "context window is full")]
)
def test_a_reply_that_ends_oddly_is_told(root, stop, words):
    stage = Stage(root, [says("I", stop=stop)])
    assert stage.run("do it").reason == "done"
    assert [notice.level for notice in stage.of(Notice)] == ["warning"]
    assert words in stage.of(Notice)[0].text


def test_a_paused_reply_goes_on_without_a_word_from_us(root):
    stage = Stage(root, [says("Searching", stop="pause"), says("Found it.")])
    end = stage.run("search")
    assert (end.reason, end.steps) == ("done", 2)
    assert stage.words() == [("human", "search"), ("model", "Searching"), ("model", "Found it.")]


def test_an_empty_reply_ends_the_turn_and_leaves_no_empty_message(root):
    stage = Stage(root, [Said((Finished("end_turn"),)), says("Here.")])
    assert [end.reason for end in stage.run("one", "two")] == ["done", "done"]
    assert stage.words() == [("human", "one"), ("human", "two"), ("model", "Here.")]


def test_steering_words_come_between_two_steps(root):
    stage = Stage(root, [calls(READ), says("Yes."), says("And that too.")])

    def steer(event):
        if isinstance(event, Streamed) and isinstance(event.delta, Finished):
            wanted = {1: "also b", 2: "and c"}.get(len(stage.model.requests))
            if wanted:
                stage.agent.steer(wanted)

    stage.front.react = steer
    assert stage.run("a").steps == 3
    assert [event.text for event in stage.of(Queued)] == ["also b", "and c"]
    assert stage.words() == [
        ("human", "a"),
        ("model", ""),
        ("human", "also b"),
        ("model", "Yes."),
        ("human", "and c"),
        ("model", "And that too."),
    ]


def test_words_typed_too_late_are_given_back_once(root):
    stage = Stage(root, [says("Bye.")])

    def steer(event):
        if isinstance(event, TurnEnd):
            stage.agent.steer("wait")

    stage.front.react = steer
    stage.run("a")
    assert stage.agent.take_queued() == ("wait",)
    assert stage.agent.take_queued() == ()


def test_what_is_news_is_appended_and_never_inserted(root):
    async def remind(stage):
        stage.transcript.append(UserMessage((Text(f"step {len(stage.model.requests)}"),), "hook"))

    stage = Stage(root, [calls(READ), calls(READ), says("ok"), says("ok")], prepare=remind)
    stage.run("one", "two")
    assert [origin for origin, _ in stage.words()].count("hook") == 4


def test_a_model_that_pauses_for_ever_is_stopped(root):
    stage = Stage(root, [says("…", stop="pause")] * (MAX_PAUSES + 1))
    assert stage.run("search").reason == "limit"
    assert "paused" in stage.of(Notice)[-1].text
