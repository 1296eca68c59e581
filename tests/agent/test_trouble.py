"""When the provider fails: asked again or told, nothing half is run, the session goes on."""

import pytest
from stage import CENT, Stage

from agentcli.agent.events import Discarded, Notice, Replied, Retrying, Spent, ToolStart, TurnEnd
from agentcli.agent.loop import MAX_REASKS
from agentcli.llm.errors import (
    AuthFailed,
    BadRequest,
    ContextOverflow,
    Overloaded,
    RateLimited,
    StreamCut,
)
from agentcli.llm.testing import calls, cut_after, fails, retries, says

READ = ("Read", {"path": "a.txt"})
WRITE = ("Write", {"path": "c.txt", "content": "x"})
SOON = 0.001


def cut(said, count):
    return cut_after(said, count, StreamCut("the stream was cut", retry_after=SOON))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_reply_cut_inside_a_call_is_asked_again_and_the_half_never_runs(root, count):
    script = [cut(calls(WRITE), count), calls(READ), says("ok")]
    stage = Stage(root, script, mode="bypass")
    assert stage.run("write").reason == "done"
    assert not (root / "c.txt").exists()
    assert [event.call.name for event in stage.of(ToolStart)] == ["Read"]
    assert len(stage.of(Discarded)) == 1
    assert stage.model.requests[0] == stage.model.requests[1]


def test_words_that_were_cut_are_void_once_the_reply_is_asked_again(root):
    stage = Stage(root, [cut(says("Half of what"), 1), says("All of it.")])
    assert stage.run("say").reason == "done"
    assert stage.words() == [("human", "say"), ("model", "All of it.")]
    (again,) = stage.of(Retrying)
    assert (again.attempt, again.delay) == (1, SOON)
    assert len(stage.of(Spent)) == 2


def test_a_stream_that_is_cut_again_and_again_ends_the_turn_with_its_words(root):
    script = [cut(says("Half of what"), 1)] * (MAX_REASKS + 1)
    stage = Stage(root, [*script, says("Now.")])
    first, second = stage.run("say", "again")
    assert (first.reason, second.reason) == ("error", "done")
    assert "cut" in first.error
    assert stage.words() == [
        ("human", "say"),
        ("model", "Half of "),
        ("human", "again"),
        ("model", "Now."),
    ]


@pytest.mark.parametrize(
    "error",
    [
        BadRequest("no such field"),
        AuthFailed("bad key"),
        ContextOverflow("prompt is too long"),
        Overloaded("busy"),
        RateLimited("slow down", retry_after=3600.0),
    ],
)
def test_a_request_that_is_refused_ends_the_turn_and_the_session_goes_on(root, error):
    script = [says("Good day."), calls(READ), fails(error), calls(READ), says("Seen.")]
    stage = Stage(root, script)
    ends = stage.run("hello", "read", "again")
    assert [end.reason for end in ends] == ["done", "error", "done"]
    assert ends[1].error == str(error)
    assert ends[1].cost == CENT
    assert [n.text for n in stage.of(Notice) if n.level == "error"] == [str(error)]
    assert stage.words()[-3:] == [("human", "again"), ("model", ""), ("model", "Seen.")]
    assert len(stage.outputs()) == 2


def test_a_failure_in_the_middle_that_is_no_use_to_repeat_keeps_the_words(root):
    script = [cut_after(says("I was saying"), 1, BadRequest("stop")), says("ok")]
    stage = Stage(root, script)
    first, _ = stage.run("say", "well?")
    assert first.reason == "error"
    assert stage.words()[1] == ("model", "I was sa")
    assert [event.message.stop for event in stage.of(Replied)] == ["interrupted", "end_turn"]


def test_a_failure_inside_a_call_leaves_nothing_to_answer(root):
    script = [cut_after(calls(WRITE, text="So:"), 3, BadRequest("stop")), says("ok")]
    stage = Stage(root, script, mode="bypass")
    stage.run("write", "well?")
    assert not (root / "c.txt").exists()
    assert stage.outputs() == []
    assert stage.words()[1] == ("model", "So:")


def test_tries_in_vain_before_the_first_word_are_told(root):
    stage = Stage(root, [retries(says("ok"), Overloaded("busy"), Overloaded("busier"))])
    assert stage.run("hi").reason == "done"
    assert [(event.attempt, event.why) for event in stage.of(Retrying)] == [
        (1, "busy"),
        (2, "busier"),
    ]
    assert stage.of(Discarded) == []


def test_a_failed_turn_ends_once_and_last(root):
    stage = Stage(root, [fails(BadRequest("no"))])
    stage.run("hi")
    assert [type(event) for event in stage.front.events[-2:]] == [Notice, TurnEnd]
