import pytest

from agentcli.llm.repair import (
    IMAGE_GONE,
    IMAGE_STEP,
    MAX_IMAGES,
    NO_BEGINNING,
    NOT_RUN,
    repair,
)
from agentcli.llm.types import (
    AssistantMessage,
    Image,
    Native,
    Text,
    Thinking,
    ToolCall,
    ToolOutput,
    UserMessage,
)

PNG = Image("image/png", "AAAA")


def user(*content, origin="human"):
    return UserMessage(tuple(Text(c) if isinstance(c, str) else c for c in content), origin)


def calls(*ids, stop="tool_use", native=None, text=()):
    blocks = (*text, *(ToolCall(i, "Read", {"path": i}) for i in ids))
    return AssistantMessage(blocks, "m", stop, native=native)


def said(text="done"):
    return AssistantMessage((Text(text),), "m", "end_turn")


def out(*ids):
    return [ToolOutput(i, (Text(f"output of {i}"),)) for i in ids]


def missing(call_id):
    return ToolOutput(call_id, (Text(NOT_RUN),), is_error=True)


LEGAL = (
    user("go"),
    calls("a", "b", text=(Thinking("hm"), Text("I look"))),
    user(*out("b", "a"), origin="tool"),
    user("by the way", origin="reminder"),
    calls("c"),
    user(*out("c"), "and hurry", PNG, origin="tool"),
    calls("d", stop="max_tokens"),
    user("go on"),
    said("   done\U0001f600"),
    user("thanks é"),
    AssistantMessage((Text("\n\n"), ToolCall("e", "Read", {})), "m", "tool_use"),
    user(*out("e"), origin="tool"),
)


def test_a_legal_history_is_the_same_object():
    fixed, notes = repair(LEGAL)
    assert fixed is LEGAL
    assert notes == ()
    assert repair(()) == ((), ())


@pytest.mark.parametrize("stop", ["max_tokens", "error", "refusal", "interrupted"])
def test_calls_that_may_not_run_need_no_answer(stop):
    history = (user("go"), calls("a", stop=stop), user("again"))
    assert repair(history)[0] is history


def test_unanswered_calls_at_the_end_are_answered():
    fixed, notes = repair((user("go"), calls("a", "b")))
    assert fixed[2:] == (user(missing("a"), missing("b"), origin="tool"),)
    assert notes == (
        "message 3: the call 'a' had no output",
        "message 3: the call 'b' had no output",
    )


def test_going_on_after_a_crash_keeps_the_prefix_that_was_repaired_before():
    crashed = (user("go"), calls("a"))
    before, told = repair(crashed)
    after, told_later = repair((*crashed, user("go on")))
    assert after == (*before, user("go on"))
    assert told_later == told


def test_one_of_two_outputs_is_missing():
    fixed, _ = repair((user("go"), calls("a", "b"), user(*out("b"), "note", origin="tool")))
    assert fixed[2].content == (missing("a"), *out("b"), Text("note"))


def test_outputs_before_the_reply_goes_on_without_them():
    fixed, _ = repair((user("go"), calls("a"), said()))
    assert fixed == (user("go"), calls("a"), user(missing("a"), origin="tool"), said())


def test_orphans_and_second_answers_are_dropped():
    fixed, notes = repair(
        (user("go", *out("x")), calls("a"), user(*out("a", "a", "y"), origin="tool"), said())
    )
    assert fixed == (user("go"), calls("a"), user(*out("a"), origin="tool"), said())
    assert [note.partition(": ")[2] for note in notes] == [
        "an output for 'x' answered no call",
        "an output for 'a' answered no call",
        "an output for 'y' answered no call",
    ]


def test_a_message_of_orphans_goes_altogether():
    assert repair((user("go"), said(), user(*out("x"), origin="tool"), user("b")))[0] == (
        user("go"),
        said(),
        user("b"),
    )


def test_outputs_come_directly_after_their_calls():
    late = (user("go"), calls("a"), user("wait"), user(*out("a"), "x", origin="tool"))
    fixed, notes = repair(late)
    assert fixed == (
        user("go"),
        calls("a"),
        user(*out("a"), origin="tool"),
        user("wait"),
        user("x", origin="tool"),
    )
    assert notes == ("message 3: outputs were put directly after their calls",)
    behind_text = (user("go"), calls("a"), user("wait", *out("a")))
    assert repair(behind_text)[0][2] == user(*out("a"), "wait")


def test_ids_used_in_an_earlier_turn_are_renamed_with_their_outputs():
    once = (user("go"), calls("call_0"), user(*out("call_0"), origin="tool"))
    twice = (*once, calls("call_0"), user(*out("call_0"), origin="tool"))
    fixed, _ = repair((*twice, calls("call_0")))
    assert fixed[:3] == once
    assert [call.id for call in fixed[3].tool_calls] == ["call_0_2"]
    assert fixed[4].content[0].call_id == "call_0_2"
    assert fixed[4].content[0].content == out("call_0")[0].content
    assert fixed[5].tool_calls[0].id == "call_0_3"
    assert fixed[6].content == (missing("call_0_3"),)
    assert repair(fixed)[0] is fixed


def test_ids_used_twice_in_one_reply_are_told_apart_in_order():
    history = (
        user("go"),
        AssistantMessage((ToolCall("x", "A", {}), ToolCall("x", "B", {})), "m", "tool_use"),
        user(ToolOutput("x", (Text("of A"),)), ToolOutput("x", (Text("of B"),)), origin="tool"),
    )
    fixed, _ = repair(history)
    assert [call.id for call in fixed[1].tool_calls] == ["x", "x_2"]
    assert [(o.call_id, o.content[0].text) for o in fixed[2].content] == [
        ("x", "of A"),
        ("x_2", "of B"),
    ]


def test_the_providers_own_blocks_are_renamed_alike():
    native = Native(
        "anthropic",
        "m",
        (
            {"type": "thinking", "thinking": "x", "signature": "s"},
            {"type": "tool_use", "id": "x", "name": "A", "input": {"id": "x"}},
            {"type": "tool_use", "id": "x", "name": "B", "input": {}},
            {"tool_calls": [{"id": "y", "function": {"name": "C", "arguments": "{}"}}]},
        ),
    )
    history = (user("go"), calls("y"), user(*out("y")), calls("x", "x", "y", native=native))
    blocks = repair(history)[0][3].native.blocks
    assert blocks[0] is not None
    assert [block.get("id") for block in blocks] == [None, "x", "x_2", None]
    assert blocks[1]["input"] == {"id": "x"}
    assert blocks[3]["tool_calls"][0]["id"] == "y_2"
    assert native.blocks[2]["id"] == "x"


def test_a_call_without_an_id_gets_one():
    fixed, _ = repair((user("go"), calls("", ""), user(*out("", ""), origin="tool")))
    assert [call.id for call in fixed[1].tool_calls] == ["call", "call_2"]
    assert [block.call_id for block in fixed[2].content] == ["call", "call_2"]


def test_empty_things_are_left_out():
    empty = AssistantMessage((), "m", "end_turn")
    blank = AssistantMessage((Text(""),), "m", "interrupted")
    history = (user(), user("go", " \n"), empty, blank, user("  "), user("on"))
    fixed, notes = repair(history)
    assert fixed == (user("go"), user("on"))
    assert len(notes) >= 5


def test_an_empty_reply_with_the_providers_blocks_stays():
    native = Native("anthropic", "m", ({"type": "redacted_thinking", "data": "x"},))
    history = (user("go"), AssistantMessage((), "m", "end_turn", native=native), user("on"))
    assert repair(history)[0] is history


def test_an_output_without_text_is_an_output():
    history = (user("go"), calls("a"), user(ToolOutput("a", ()), origin="tool"))
    assert repair(history)[0] is history


def test_halves_of_characters():
    history = (
        user("lone \ud800 half"),
        AssistantMessage(
            (Text("pair \ud83d\ude00"), ToolCall("a", "W", {"x": ["\udfff"], "y": 1})),
            "m",
            "tool_use",
        ),
        user(ToolOutput("a", (Text("\ud800"), PNG)), origin="tool"),
    )
    fixed, notes = repair(history)
    assert fixed[0].content[0].text == "lone \ufffd half"
    assert fixed[1].content[0].text == "pair \U0001f600"
    assert fixed[1].tool_calls[0].input == {"x": ["\ufffd"], "y": 1}
    assert fixed[2].content[0].content == (Text("\ufffd"), PNG)
    assert len(notes) == 3
    assert repair(fixed)[0] is fixed


def test_a_conversation_begins_with_the_user():
    fixed, _ = repair((said(), user("on")))
    assert fixed == (user(NO_BEGINNING, origin="reminder"), said(), user("on"))
    fixed, _ = repair((calls("a"), user(*out("a"), origin="tool")))
    assert fixed[1:] == (calls("a"), user(*out("a"), origin="tool"))


def images(count):
    shots = tuple(
        message
        for n in range(count // 2)
        for message in (calls(f"c{n}"), user(ToolOutput(f"c{n}", (Text("shot"), PNG)), PNG))
    )
    return (user("go"), *shots)


def shown(messages):
    return sum(repr(message).count("Image(") for message in messages)


def test_too_many_images_go_from_the_old_end_and_seldom():
    assert repair(images(MAX_IMAGES))[0] == images(MAX_IMAGES)
    first, _ = repair(images(MAX_IMAGES + 2))
    later, _ = repair(images(MAX_IMAGES + IMAGE_STEP))
    assert shown(first) == MAX_IMAGES + 2 - IMAGE_STEP
    assert later[: len(first)] == first
    assert repr(first).count(IMAGE_GONE) == IMAGE_STEP
    assert first[-1] == images(MAX_IMAGES + 2)[-1]


@pytest.mark.parametrize("cut", range(len(LEGAL) + 1))
@pytest.mark.parametrize("gone", range(len(LEGAL)))
def test_whatever_is_lost_the_rest_is_made_legal(cut, gone):
    torn = LEGAL[:gone] + LEGAL[gone + 1 :]
    fixed, _ = repair(torn[:cut])
    again, notes = repair(fixed)
    assert again is fixed
    assert notes == ()
