"""What becomes of the calls of a reply: run, asked about, refused, broken; each answered once."""

import asyncio

import pytest
from stage import Stage, said

from agentcli.agent.events import (
    Answer,
    Decided,
    Notice,
    ToolEnd,
    ToolProgress,
    ToolStart,
    TurnEnd,
)
from agentcli.llm.testing import Said, calls, says
from agentcli.llm.types import BlockEnd, Finished, ToolCallDelta
from agentcli.tools.base import Action, ToolContext, ToolError, ToolResult, text_result
from agentcli.tools.schema import tool

READ_A, READ_B = ("Read", {"path": "a.txt"}), ("Read", {"path": "b.txt"})


def write(name, content="x"):
    return ("Write", {"path": name, "content": content})


def harmless(ctx: ToolContext, **_) -> Action:
    return Action("other", "nothing")


class Meeting:
    """Two tools that need each other to be running: they fail when run one after the other."""

    def __init__(self):
        self.here = 0
        self.log = []

        @tool(harmless, read_only=True, name="Meet")
        async def meet(ctx: ToolContext, size: int) -> ToolResult:
            """Wait until so many calls are here."""
            self.here += 1
            async with asyncio.timeout(5):
                while self.here < size:
                    await asyncio.sleep(0)
            return text_result("met")

        @tool(harmless, name="Alone")
        async def alone(ctx: ToolContext, name: str) -> ToolResult:
            """Note beginning and end."""
            self.log.append(f"{name} begins")
            await asyncio.sleep(0.001)
            self.log.append(f"{name} ends")
            return text_result(name)

        self.tools = (meet, alone)


def test_reading_calls_of_one_reply_run_together(root):
    meeting = Meeting()
    stage = Stage(root, [calls(*[("Meet", {"size": 3})] * 3), says("ok")], tools=meeting.tools)
    stage.run("meet")
    assert [text for _, text, _ in stage.outputs()] == ["met"] * 3


def test_other_calls_run_one_after_the_other(root):
    meeting = Meeting()
    wanted = [("Alone", {"name": name}) for name in "abc"]
    stage = Stage(root, [calls(*wanted), says("ok")], tools=meeting.tools)
    stage.run("go")
    assert meeting.log == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]


def test_a_reading_call_waits_for_the_writing_call_before_it(root):
    stage = Stage(
        root,
        [calls(READ_A, write("c.txt", "new\n"), ("Read", {"path": "c.txt"})), says("ok")],
        mode="accept-edits",
    )
    stage.run("go")
    texts = [text for _, text, _ in stage.outputs()]
    assert "alpha" in texts[0]
    assert "new" in texts[2]


def test_answers_come_in_the_order_of_the_calls(root):
    @tool(harmless, read_only=True, name="Sleep")
    async def sleep(ctx: ToolContext, milliseconds: int) -> ToolResult:
        """Sleep."""
        await asyncio.sleep(milliseconds / 1000)
        return text_result(f"{milliseconds}")

    wanted = [("Sleep", {"milliseconds": number}) for number in (30, 1, 15)]
    stage = Stage(root, [calls(*wanted), says("ok")], tools=[sleep])
    stage.run("sleep")
    assert [event.call.input["milliseconds"] for event in stage.of(ToolEnd)] == [1, 15, 30]
    assert [(i, text) for i, text, _ in stage.outputs()] == [
        ("call_0_1", "30"),
        ("call_1_1", "1"),
        ("call_2_1", "15"),
    ]


def test_a_call_that_is_agreed_to_runs(root):
    stage = Stage(root, [calls(write("c.txt")), says("ok")], Answer("yes"))
    stage.run("write")
    assert (root / "c.txt").read_text() == "x"
    assert stage.front.questions[0].action.kind == "edit"
    assert stage.kept_rules == []
    kinds = [type(e) for e in stage.front.events if isinstance(e, Decided | ToolStart | ToolEnd)]
    assert kinds == [Decided, ToolStart, ToolEnd]


def test_always_stores_the_rules_shown_and_asks_no_more(root):
    stage = Stage(
        root, [calls(write("c.txt")), calls(write("d.txt")), says("ok")], Answer("always")
    )
    stage.run("write")
    assert stage.kept_rules == [stage.front.questions[0].rules]
    assert len(stage.front.questions) == 1
    assert (root / "d.txt").exists()


def test_a_plain_no_ends_the_turn_and_the_calls_after_it_are_not_run(root):
    script = [calls(write("c.txt"), write("d.txt"), READ_A), says("Then what?")]
    stage = Stage(root, script, Answer("no"))
    ends = stage.run("write", "rather read")
    assert [end.reason for end in ends] == ["stopped", "done"]
    assert not (root / "c.txt").exists()
    assert not (root / "d.txt").exists()
    outputs = stage.outputs()
    assert [error for _, _, error in outputs] == [True] * 3
    assert "said no" in outputs[0][1]
    assert outputs[1][1].startswith("Not run")
    assert len(stage.front.questions) == 1


def test_a_no_with_a_comment_goes_on_with_the_comment(root):
    script = [calls(write("c.txt"), READ_A), says("Sorry.")]
    stage = Stage(root, script, Answer("no", "call it e.txt"))
    assert stage.run("write").reason == "done"
    assert not (root / "c.txt").exists()
    first, second = stage.outputs()
    assert "call it e.txt" in first[1]
    assert "alpha" in second[1]


def test_a_rule_that_denies_is_not_asked_about_and_told_to_the_model(root):
    script = [calls(("Bash", {"command": "touch x"})), says("ok")]
    stage = Stage(root, script, mode="bypass", rules=[("Bash(touch:*)", "deny")])
    assert stage.run("touch").reason == "done"
    assert not (root / "x").exists()
    assert stage.front.questions == []
    assert stage.outputs()[0][1].startswith("Not allowed: rule Bash(touch:*)")
    assert [event.decision.verdict for event in stage.of(Decided)] == ["deny"]
    assert stage.of(ToolStart) == []


def test_questions_of_calls_that_run_together_are_put_one_at_a_time(root):
    outside = root.parent / "outside"
    outside.mkdir()
    for name in "abc":
        (outside / name).write_text(f"secret {name}\n")
    wanted = [("Read", {"path": str(outside / name)}) for name in "abc"]
    stage = Stage(root, [calls(*wanted), says("ok")], *[Answer("yes")] * 3)
    stage.run("read")
    assert (len(stage.front.questions), stage.front.most_open) == (3, 1)
    texts = [text for _, text, _ in stage.outputs()]
    assert all(f"secret {name}" in text for name, text in zip("abc", texts, strict=True))


def test_an_always_settles_the_questions_that_wait(root):
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "a").write_text("secret\n")
    again = ("Read", {"path": str(outside / "a")})
    stage = Stage(root, [calls(again, again), says("ok")], Answer("always"))
    stage.run("read")
    assert len(stage.front.questions) == 1
    assert [error for _, _, error in stage.outputs()] == [False, False]


def test_bad_arguments_are_answered_with_a_line_for_each_mistake(root):
    bad = ("Write", {"path": ["c.txt"], "contents": "x"})
    stage = Stage(root, [calls(bad), says("ok")], mode="bypass")
    stage.run("write")
    (answer,) = stage.outputs()
    head, *lines = answer[1].splitlines()
    assert "Write" in head
    assert all(any(name in line for line in lines) for name in ("path", "contents", "content"))
    assert len(lines) == 3
    assert answer[2]
    assert stage.of(ToolStart) == []


def test_an_unknown_tool_is_answered_with_the_nearest_one(root):
    stage = Stage(root, [calls(("Raed", {"path": "a.txt"}), READ_B), says("ok")])
    stage.run("read")
    first, second = stage.outputs()
    assert "Did you mean Read?" in first[1]
    assert "beta" in second[1]


@pytest.mark.parametrize("raw", ['{"path": "a.txt"', '["a.txt"]', '"a.txt"', "null"])
def test_arguments_that_are_no_json_object_never_run(root, raw):
    script = [unparsed("Read", raw), says("ok")]
    stage = Stage(root, script)
    stage.run("read")
    ((_, text, is_error),) = stage.outputs()
    assert "not a JSON object" in text
    assert raw in text
    assert is_error
    assert stage.of(ToolStart) == []


def unparsed(name, raw):
    native = {"type": "tool_use", "id": "c", "name": name, "input": None}
    end = BlockEnd(native, (native, "input"), "c")
    return Said((ToolCallDelta("c", name, raw), end, Finished("tool_use")))


def test_a_tool_that_speaks_to_the_model(root):
    stage = Stage(root, [calls(("Read", {"path": "none.txt"}), READ_A), says("ok")])
    assert stage.run("read").reason == "done"
    first, second = stage.outputs()
    assert "none.txt" in first[1]
    assert (first[2], second[2]) == (True, False)
    assert stage.bugs == []


def test_a_tool_with_a_bug_is_told_and_the_turn_goes_on(root):
    @tool(harmless, read_only=True, name="Broken")
    async def broken(ctx: ToolContext) -> ToolResult:
        """Break."""
        raise ZeroDivisionError("one over nothing")

    stage = Stage(root, [calls(("Broken", {}), READ_A), says("Pity.")], tools=[broken])
    assert stage.run("go").reason == "done"
    first, second = stage.outputs()
    assert "ZeroDivisionError" in first[1]
    assert (first[2], second[2]) == (True, False)
    (bug,) = stage.bugs
    assert bug.__traceback__ is not None
    assert [notice.level for notice in stage.of(Notice)] == ["error"]


def test_a_bug_in_what_a_call_would_do_is_answered_too(root):
    def broken_intent(ctx: ToolContext, **_) -> Action:
        raise KeyError("lost")

    @tool(broken_intent, name="Odd")
    async def odd(ctx: ToolContext) -> ToolResult:
        """Never runs."""
        raise AssertionError

    stage = Stage(root, [calls(("Odd", {})), says("ok")], tools=[odd])
    assert stage.run("go").reason == "done"
    assert "KeyError" in stage.outputs()[0][1]


def test_a_tool_may_end_the_turn(root):
    @tool(harmless, name="Last")
    async def last(ctx: ToolContext) -> ToolResult:
        """The last word."""
        return ToolResult(text_result("over").content, stop_turn=True)

    stage = Stage(root, [calls(("Last", {}), write("c.txt"))], tools=[last])
    assert stage.run("go").reason == "stopped"
    assert stage.outputs()[0][1] == "over"
    assert not (root / "c.txt").exists()


def test_output_is_shown_while_a_command_runs(root):
    stage = Stage(root, [calls(("Bash", {"command": "echo one; echo two"})), says("ok")])
    stage.run("run")
    shown = "".join(event.text for event in stage.of(ToolProgress))
    assert shown.split() == ["one", "two"]


def test_a_question_that_breaks_the_front_end_breaks_only_its_call(root):
    stage = Stage(root, [calls(write("c.txt"), READ_A), says("ok")])
    assert stage.run("write").reason == "done"
    first, second = stage.outputs()
    assert (first[2], second[2]) == (True, False)
    assert not (root / "c.txt").exists()


def test_each_call_ends_once_for_the_person_too(root):
    script = [calls(READ_A, ("Raed", {}), write("c.txt"), READ_B), says("ok")]
    stage = Stage(root, script, Answer("no", "not that"))
    stage.run("go")
    assert sorted(event.call.id for event in stage.of(ToolEnd)) == [
        f"call_{number}_1" for number in range(4)
    ]
    assert isinstance(stage.front.events[-1], TurnEnd)
    assert said(stage.transcript.messages[-1]) == "ok"


def test_a_tool_error_in_the_intent_is_the_answer(root):
    def picky(ctx: ToolContext, **_) -> Action:
        raise ToolError("Give me something better.")

    @tool(picky, name="Picky")
    async def refuse(ctx: ToolContext) -> ToolResult:
        """Never runs."""
        raise AssertionError

    stage = Stage(root, [calls(("Picky", {})), says("ok")], tools=[refuse])
    stage.run("go")
    assert stage.outputs()[0][1:] == ("Give me something better.", True)
