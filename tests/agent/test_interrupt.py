"""Esc at any moment: what was said is kept, every call is answered, the next turn goes on."""

import asyncio

import pytest
from stage import Stage

from agentcli.agent.events import (
    Answer,
    PermissionQuestion,
    Replied,
    Retrying,
    Streamed,
    ToolEnd,
    ToolProgress,
    ToolStart,
    TurnEnd,
    TurnStart,
)
from agentcli.agent.execute import INTERRUPTED, NOT_RUN
from agentcli.llm.errors import StreamCut
from agentcli.llm.testing import calls, cut_after, says, thinks
from agentcli.llm.types import Finished, Text, TextDelta, ThinkingDelta, ToolCallDelta
from agentcli.tools.base import Action, ToolContext, ToolResult, text_result
from agentcli.tools.schema import tool

READ = ("Read", {"path": "a.txt"})
SLEEP = ("Bash", {"command": "echo begun; sleep 60; touch late"})


def harmless(ctx: ToolContext, **_) -> Action:
    return Action("other", "nothing")


@tool(harmless, read_only=True, name="Endless")
async def endless(ctx: ToolContext) -> ToolResult:
    """Never ends."""
    ctx.progress("begun")
    await asyncio.sleep(60)
    return text_result("never")


def press_at(stage, kind, *, after=1, reason="interrupted"):
    """Esc when the `after`-th event (or question) of this kind comes."""
    seen = []

    def react(event):
        if isinstance(getattr(event, "delta", event), kind):
            seen.append(event)
            if len(seen) == after:
                stage.agent.interrupt(reason)

    stage.front.react = react


def test_while_words_stream_the_words_are_kept(root):
    stage = Stage(root, [says("One two three four.", size=4), says("Going on.")])
    press_at(stage, TextDelta, after=2)
    first, second = stage.run("count", "go on")
    assert (first.reason, second.reason) == ("interrupted", "done")
    assert stage.words() == [
        ("human", "count"),
        ("model", "One two "),
        ("human", "go on"),
        ("model", "Going on."),
    ]
    assert stage.transcript.messages[1].stop == "interrupted"
    assert stage.of(Replied)[0].message.text == "One two "


def test_before_the_first_word_only_the_prompt_is_kept(root):
    stage = Stage(root, [thinks("Let me see", says("Well.")), says("Fine.")])
    press_at(stage, ThinkingDelta)
    first, _ = stage.run("why?", "never mind")
    assert first.reason == "interrupted"
    assert stage.words() == [("human", "why?"), ("human", "never mind"), ("model", "Fine.")]


@pytest.mark.parametrize("text", ["", "Let me write."])
def test_inside_a_call_the_call_is_not_run(root, text):
    write = ("Write", {"path": "c.txt", "content": "x"})
    stage = Stage(root, [calls(write, text=text), says("ok")], mode="bypass")
    press_at(stage, ToolCallDelta, after=3)
    stage.run("write", "no")
    assert not (root / "c.txt").exists()
    assert stage.outputs() == []
    assert [words for origin, words in stage.words() if origin == "model"] == [
        *([text] if text else []),
        "ok",
    ]


@pytest.mark.parametrize("text", ["", "Let me look."])
def test_after_the_last_word_of_a_reply_its_calls_are_not_owed(root, text):
    stage = Stage(root, [calls(READ, text=text), says("ok")])
    press_at(stage, Finished)
    first, _ = stage.run("look", "well?")
    assert first.reason == "interrupted"
    assert stage.of(ToolStart) == []
    kept = [("model", text)] if text else []
    assert stage.words() == [("human", "look"), *kept, ("human", "well?"), ("model", "ok")]


def test_in_a_command_the_command_is_killed_and_the_rest_not_run(root):
    write = ("Write", {"path": "c.txt", "content": "x"})
    stage = Stage(root, [calls(READ, SLEEP, write), says("ok")], mode="bypass")
    press_at(stage, ToolProgress)
    first, _ = stage.run("go", "and now?")
    assert first.reason == "interrupted"
    read, slept, wrote = stage.outputs()
    assert "alpha" in read[1]
    assert slept[1].startswith(INTERRUPTED)
    assert slept[1].rstrip().endswith("begun")
    assert wrote[1:] == (NOT_RUN, True)
    assert [event.call.name for event in stage.of(ToolEnd)] == ["Read", "Bash"]
    assert not (root / "c.txt").exists()


def test_of_calls_that_run_together_the_finished_ones_keep_their_answers(root):
    wanted = calls(READ, ("Endless", {}), ("Endless", {}))
    stage = Stage(root, [wanted, says("ok")], tools=[endless])
    press_at(stage, ToolProgress, after=2)
    stage.run("go", "go on")
    texts = [text for _, text, _ in stage.outputs()]
    assert "alpha" in texts[0]
    assert all(text.startswith(INTERRUPTED) for text in texts[1:])
    assert len(stage.of(ToolEnd)) == 3


def test_of_a_command_that_says_much_the_end_is_kept(root):
    line = "seq 100000; echo last; sleep 60"
    stage = Stage(root, [calls(("Bash", {"command": line})), says("ok")], mode="bypass")

    def react(event):
        if isinstance(event, ToolProgress) and "last" in event.text:
            stage.agent.interrupt()

    stage.front.react = react
    stage.run("go", "go on")
    ((_, text, _),) = stage.outputs()
    assert text.rstrip().endswith("last")
    assert len(text) < 10_000


def test_while_asking_the_call_does_not_run(root):
    write = ("Write", {"path": "c.txt", "content": "x"})
    stage = Stage(root, [calls(write, write), says("ok")], Answer("yes"))
    press_at(stage, PermissionQuestion)
    first, _ = stage.run("go", "go on")
    assert first.reason == "interrupted"
    assert [error for _, _, error in stage.outputs()] == [True, True]
    assert stage.of(ToolStart) == []
    assert stage.front.open == 0


def test_while_a_hook_runs_the_call_does_not_run(root):
    hook = ("PreToolUse", "sleep 60", {})
    stage = Stage(root, [calls(READ), says("ok")], hooks=[hook])

    async def main():
        turn = asyncio.create_task(stage.agent.prompt((Text("go"),)))
        while not stage.of(Replied):
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        stage.agent.interrupt()
        return await turn

    assert asyncio.run(main()).reason == "interrupted"
    assert [error for _, _, error in stage.outputs()] == [True]
    assert stage.of(ToolStart) == []


def test_while_waiting_to_ask_again_nothing_half_is_kept(root):
    cut = cut_after(says("Half a word"), 1, StreamCut("cut", retry_after=60.0))
    stage = Stage(root, [cut, says("ok")])
    press_at(stage, Retrying)
    first, _ = stage.run("go", "go on")
    assert first.reason == "interrupted"
    assert stage.words() == [("human", "go"), ("human", "go on"), ("model", "ok")]


def test_while_preparing_a_step_the_turn_ends_in_order(root):
    async def slow(stage):
        if len(stage.model.requests) == 1:
            stage.agent.interrupt()
            await asyncio.sleep(60)

    stage = Stage(root, [calls(READ)], prepare=slow)
    assert stage.run("go").reason == "interrupted"
    assert len(stage.outputs()) == 1


def test_the_reason_is_the_one_given(root):
    stage = Stage(root, [says("One two three.")])
    press_at(stage, TextDelta, reason="deadline")
    assert stage.run("go").reason == "deadline"
    assert stage.of(TurnEnd)[0].reason == "deadline"


def test_a_second_esc_changes_nothing(root):
    stage = Stage(root, [calls(READ, ("Endless", {})), says("ok")], tools=[endless])

    def react(event):
        if isinstance(event, ToolProgress):
            stage.agent.interrupt()
            stage.agent.interrupt()

    stage.front.react = react
    assert [end.reason for end in stage.run("go", "go on")] == ["interrupted", "done"]
    assert len(stage.outputs()) == 2


def test_esc_between_turns_does_not_stop_the_next(root):
    stage = Stage(root, [says("ok")])
    stage.agent.interrupt()
    assert stage.run("go").reason == "done"
    assert not stage.agent.busy


def test_when_the_caller_is_cancelled_the_turn_ends_with_it_and_in_order(root):
    stage = Stage(root, [calls(READ, SLEEP), says("ok")], mode="bypass")

    async def main():
        turn = asyncio.create_task(stage.agent.prompt((Text("go"),)))
        while not stage.of(ToolProgress):
            await asyncio.sleep(0.001)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        assert not stage.agent.busy
        return await stage.turns("go on")

    assert asyncio.run(main()).reason == "done"
    assert [error for _, _, error in stage.outputs()] == [False, True]


@pytest.mark.parametrize("moment", range(2, 41, 2))
def test_at_every_moment_of_a_turn_the_session_stays_sound(root, moment):
    script = [
        thinks("hm", calls(READ, ("Bash", {"command": "echo hi"}), text="Looking at it.")),
        calls(("Write", {"path": "c.txt", "content": "x"})),
        says("Done, all of it."),
    ]
    stage = Stage(root, script, Answer("yes"))
    press_at(stage, (object,), after=moment)

    async def main():
        first = await stage.agent.prompt((Text("go"),))
        stage.front.react = lambda event: None
        stage.front.answers = [Answer("yes")] * 2
        while stage.model.steps_left:
            await stage.agent.prompt((Text("go on"),))
        return first

    first = asyncio.run(main())
    count = len(stage.of(TurnStart)), len(stage.of(TurnEnd))
    assert count[0] == count[1]
    streamed = [e.delta.text for e in stage.of(Streamed) if isinstance(e.delta, TextDelta)]
    kept = "".join(words for origin, words in stage.words() if origin == "model")
    assert kept == "".join(streamed)
    assert first.reason in ("interrupted", "done")
