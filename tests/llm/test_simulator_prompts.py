"""What of a request is its prompt, and where OpenAI's implicit boundaries fall, kind by kind."""

import pytest

from agentcli.llm.simulator.claude_cache import ClaudeCache, prompt
from agentcli.llm.simulator.gpt_prompt import (
    chat_prompt,
    items_of,
    responses_blocks,
    responses_prompt,
)
from agentcli.llm.simulator.tokens import IMAGE_TOKENS, block_tokens

WORDS = "word" * 700
MARK = {"type": "ephemeral"}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "x"}}


def pieces(*items):
    body = {"model": "gpt-6.1-sol", "input": list(items)}
    return responses_prompt(body, responses_blocks(body)).pieces


def output(kind, call):
    return {"type": kind, "call_id": call, "output": "done"}


@pytest.mark.parametrize(
    "kind",
    [
        "function_call_output",
        "custom_tool_call_output",
        "apply_patch_call_output",
        "shell_call_output",
    ],
)
def test_a_boundary_stands_after_the_last_output_of_a_group(kind):
    """wire.md 2.8.2."""
    found = pieces({"role": "user", "content": "go"}, output(kind, "a"), output(kind, "b"))
    assert [piece.ends for piece in found] == [True, False, True]


def test_results_of_chat_are_such_a_group_too():
    talk = [{"role": "user", "content": "go"}]
    talk += [{"role": "tool", "tool_call_id": n, "content": "done"} for n in "ab"]
    found = chat_prompt({"model": "gpt-6.1-sol", "messages": talk}).pieces
    assert [piece.ends for piece in found] == [True, False, True]


def test_a_string_is_one_message_of_the_user():
    message = {"type": "message", "role": "user", "content": "go"}
    assert items_of("go") == [message]
    body = {"model": "gpt-6.1-sol", "input": "go"}
    assert responses_prompt(body, responses_blocks(body)).pieces == pieces(message)


@pytest.mark.parametrize("more", [{"id": "msg_1"}, {"status": "completed"}])
def test_ids_and_states_are_no_part_of_an_item(more):
    call = {"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"}
    bare, dressed = {"input": [call]}, {"input": [call | more]}
    assert responses_blocks(bare) == responses_blocks(dressed)


def claude(*blocks, role="user", **fields):
    message = {"role": role, "content": list(blocks)}
    return {"model": "claude-opus-5-5", "messages": [message], **fields}


def read_again(first, second):
    cache = ClaudeCache()
    charge = cache.look(prompt(first), 0.0)
    cache.publish(charge)
    return cache.look(prompt(second), 1.0).usage.cache_read


def test_a_field_that_is_null_is_none():
    block = {"type": "text", "text": WORDS, "cache_control": MARK}
    assert read_again(claude(block), claude(block | {"citations": None})) == 700


def test_the_order_of_a_blocks_fields_is_no_matter():
    block = {"type": "text", "text": WORDS, "cache_control": MARK}
    turned = dict(reversed(block.items()))
    assert read_again(claude(block), claude(turned)) == 700


def test_whose_words_they_are_is_part_of_the_prefix():
    block = {"type": "text", "text": WORDS, "cache_control": MARK}
    assert read_again(claude(block), claude(block, role="assistant")) == 0


def test_the_same_words_as_system_prompt_are_another_prefix():
    block = {"type": "text", "text": WORDS, "cache_control": MARK}
    as_system = claude({"type": "text", "text": "u"}, system=[block])
    assert read_again(as_system, claude(block)) == 0
    assert read_again(as_system, as_system) == 700


def test_web_fetch_is_anthropics_own_tool_like_web_search():
    fetch = {"type": "web_fetch_20260318", "name": "web_fetch", "cache_control": MARK}
    own = {"name": "a", "description": "d", "input_schema": {"type": "object"}}
    found = prompt(claude({"type": "text", "text": "u"}, tools=[fetch, own])).positions
    assert [position.path for position in found][:2] == ["tools.1", "tools.0"]


@pytest.mark.parametrize(
    "result",
    [
        {"type": "tool_result", "content": [{"type": "text", "text": "abcd" * 5}, PICTURE]},
        {"type": "function_call_output", "output": [{"type": "input_text", "text": "abcd" * 5}]},
    ],
)
def test_a_result_counts_its_words_and_its_pictures(result):
    pictures = sum(part["type"] == "image" for part in result.get("content", ()))
    assert block_tokens(result) == 5 + IMAGE_TOKENS * pictures


def test_a_picture_in_an_output_counts_as_one():
    picture = {"type": "input_image", "image_url": "data:image/png;base64,x"}
    assert block_tokens(output("function_call_output", "c") | {"output": [picture]}) == IMAGE_TOKENS


def test_what_no_block_holds_is_no_token():
    assert block_tokens({"type": "text", "text": None}) == 0
