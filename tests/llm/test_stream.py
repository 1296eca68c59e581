import asyncio

import pytest

from agentcli.llm.errors import StreamCut
from agentcli.llm.stream import Fold, Reply, parse_arguments
from agentcli.llm.types import (
    BlockEnd,
    Finished,
    Native,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)

STOPS = ("end_turn", "max_tokens", "stop_sequence", "refusal", "pause", "context_full", "error")
CALL = (
    ToolCallDelta("a", "read", ""),
    ToolCallDelta("a", "read", '{"p'),
    ToolCallDelta("a", "", '": 1}'),
)


def folded(*deltas):
    fold = Fold("m", "w")
    for delta in deltas:
        fold.add(delta)
    return fold.message()


def test_a_message_has_its_blocks_in_the_order_they_were_opened():
    message = folded(
        ThinkingDelta("Hm"),
        ThinkingDelta("."),
        TextDelta("One"),
        TextDelta("."),
        *CALL,
        TextDelta("Two."),
        Finished("tool_use", Usage(output=3), "id", "0.5"),
    )
    call = ToolCall("a", "read", {"p": 1})
    assert message.content == (Thinking("Hm."), Text("One."), call, Text("Two."))
    assert (message.model, message.stop, message.tool_calls) == ("m", "tool_use", (call,))
    assert (message.usage, message.cost_usd) == (Usage(output=3), "0.5")


def test_blocks_that_ended_are_not_continued():
    message = folded(TextDelta("One."), BlockEnd(), TextDelta("Two."), Finished("end_turn"))
    assert message.content == (Text("One."), Text("Two."))


def test_fragments_of_two_calls_may_mix():
    message = folded(
        ToolCallDelta("a", "read", '{"p":'),
        ToolCallDelta("b", "list", ""),
        ToolCallDelta("a", "", "1}"),
        ToolCallDelta("b", "", '{"q":2}'),
        Finished("tool_use"),
    )
    assert message.tool_calls == (ToolCall("a", "read", {"p": 1}), ToolCall("b", "list", {"q": 2}))


@pytest.mark.parametrize("stop", STOPS)
def test_calls_run_only_when_the_reply_ended_to_make_them(stop):
    message = folded(*CALL, BlockEnd({"type": "tool_use"}, None, "a"), Finished(stop))
    assert message.content == (ToolCall("a", "read", {"p": 1}),)
    assert message.tool_calls == ()
    assert message.native is None, "a call that got no result can't be sent back"


@pytest.mark.parametrize("stop", STOPS)
def test_a_finished_reply_without_calls_keeps_its_native_blocks(stop):
    block = {"type": "text", "text": ""}
    message = folded(TextDelta("Hi"), BlockEnd(block, (block, "text")), Finished(stop))
    assert message.native == Native("w", "m", ({"type": "text", "text": "Hi"},))


def test_a_reply_that_broke_off_is_shown_but_nothing_of_it_runs_or_goes_back_as_it_was():
    block = {"type": "text", "text": ""}
    message = folded(TextDelta("Hi"), BlockEnd(block, (block, "text")), *CALL)
    assert message.content == (Text("Hi"), ToolCall("a", "read", {"p": 1}))
    assert message.stop == "interrupted"
    assert message.tool_calls == ()
    assert message.native is None
    assert message.usage is None, "unknown, not zero"


def test_long_text_is_held_once():
    block = {"type": "thinking", "thinking": "", "signature": "s"}
    message = folded(
        *(ThinkingDelta("long ") for _ in range(9)),
        BlockEnd(block, (block, "thinking")),
        Finished("end_turn"),
    )
    assert message.native is not None
    assert message.native.blocks[0]["thinking"] is message.content[0].text


def test_a_slot_in_which_the_provider_put_its_own_text_keeps_it():
    part = {"type": "output_text", "text": "One. Two."}
    message = folded(
        TextDelta("One."),
        *CALL,
        TextDelta(" Two."),
        BlockEnd(part, (part, "text")),
        Finished("tool_use"),
    )
    assert message.native == Native("w", "m", ({"type": "output_text", "text": "One. Two."},))


def test_the_input_of_a_call_is_filled_in_parsed():
    block = {"type": "tool_use", "id": "a", "input": {}}
    message = folded(*CALL, BlockEnd(block, (block, "input"), "a"), Finished("tool_use"))
    assert message.native == Native("w", "m", ({"type": "tool_use", "id": "a", "input": {"p": 1}},))


def test_arguments_that_are_no_object_are_kept_as_they_came():
    block = {"type": "tool_use", "id": "a", "input": {}}
    message = folded(
        ToolCallDelta("a", "read", '{"p'),
        BlockEnd(block, (block, "input"), "a"),
        Finished("tool_use"),
    )
    assert message.tool_calls == (ToolCall("a", "read", {}, raw='{"p'),)
    assert message.native is not None
    assert message.native.blocks[0]["input"] == {"INVALID_JSON": '{"p'}


def test_a_message_may_be_read_while_it_grows():
    fold = Fold("m", "w")
    seen = []
    for piece in ("One", " two", " three"):
        fold.add(TextDelta(piece))
        seen.append(fold.message().text)
    fold.add(ToolCallDelta("a", "read", '{"p": '))
    assert fold.raw_arguments("a") == '{"p": '
    fold.add(ToolCallDelta("a", "read", "1}"))
    assert seen == ["One", "One two", "One two three"]
    assert fold.message().content[1] == ToolCall("a", "read", {"p": 1})


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("", {}),
        (" \n", {}),
        ("{}", {}),
        ('{"a": "\u2028"}', {"a": "\u2028"}),
        ("[]", None),
        ("null", None),
        ('"{}"', None),
        ("{} {}", None),
        ('{"a": ', None),
        ('{"a":' * 200_000, None),
    ],
    ids=range(10),
)
def test_arguments_are_one_json_object_or_unusable(raw, value):
    assert parse_arguments(raw) == value


async def _arrive(*steps):
    for step in steps:
        if isinstance(step, Exception):
            raise step
        yield step


def received(reply):
    async def read():
        return [delta async for delta in reply]

    return asyncio.run(read())


def test_a_reply_yields_its_deltas_and_is_the_message_then():
    deltas = [TextDelta("Hi"), BlockEnd(), Finished("end_turn", Usage(input=1))]
    reply = Reply(_arrive(*deltas), model="m", wire="w", usage=lambda: Usage(input=9))
    assert received(reply) == deltas
    assert (reply.message.text, reply.message.stop) == ("Hi", "end_turn")
    assert reply.message.usage == Usage(input=1)


def test_a_reply_that_breaks_keeps_what_came_and_what_it_had_cost_by_then():
    deltas = _arrive(TextDelta("Half"), *CALL, StreamCut("cut"))
    reply = Reply(deltas, model="m", wire="w", usage=lambda: Usage(input=9))
    with pytest.raises(StreamCut):
        received(reply)
    assert (reply.message.text, reply.message.stop) == ("Half", "interrupted")
    assert reply.message.tool_calls == ()
    assert reply.message.usage == Usage(input=9)


def test_a_reply_remembers_the_wire_it_came_over():
    reply = Reply(_arrive(BlockEnd({"a": 1}), Finished("end_turn")), model="m", wire="w")
    reply.comes_from("m2", "other", "p")
    received(reply)
    assert reply.message.native == Native("other", "m2", ({"a": 1},))
    assert (reply.message.model, reply.message.provider) == ("m2", "p")
