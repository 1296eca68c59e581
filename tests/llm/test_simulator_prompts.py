"""What of a request is its prompt, and where OpenAI's implicit boundaries fall, kind by kind."""

import pytest

from agentcli.llm.simulator.claude_cache import ClaudeCache, prompt
from agentcli.llm.simulator.gpt_cache import GptCache
from agentcli.llm.simulator.gpt_prompt import (
    blocks_prompt,
    chat_prompt,
    items_of,
    responses_blocks,
    responses_prompt,
)
from agentcli.llm.simulator.prefix import Block
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


class Account:
    """OpenAI's cache, asked in Responses' or in Chat's words; `read` is what a request finds."""

    def __init__(self):
        self.cache = GptCache()

    def read(self, body):
        if "input" in body:
            found = responses_prompt(body, responses_blocks(body))
        else:
            found = chat_prompt(body)
        charge = self.cache.look(found, 0.0)
        charge.publish()
        return charge.usage.cache_read


def first_then(first, second):
    account = Account()
    assert account.read(first) == 0
    return account.read(second)


LONG = "word" * 1_100
GO = {"role": "user", "content": LONG}
CALL = {"id": "c", "type": "function", "function": {"name": "n", "arguments": "{}"}}
ANSWER = {"role": "tool", "tool_call_id": "c", "content": "done"}


def chat(*messages, **fields):
    return {"model": "gpt-6.1-sol", "messages": [GO, *messages], **fields}


@pytest.mark.parametrize(
    "setting",
    [{"reasoning_effort": "low"}, {"verbosity": "low"}, {"response_format": {"type": "text"}}],
)
def test_settings_that_part_the_cache_of_chat(setting):
    """wire.md 2.8.1."""
    assert first_then(chat(**setting), chat()) == 0
    assert first_then(chat(**setting), chat(**setting)) == 1_100


def test_the_tier_that_is_asked_for_by_default_is_the_same_as_none():
    assert first_then(chat(), chat(service_tier="auto")) == 1_100
    assert first_then(chat(), chat(service_tier="flex")) == 0


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ({"role": "assistant", "tool_calls": [CALL | {"id": "d"}]}, ANSWER),
        ({"role": "assistant", "tool_calls": [CALL]}, ANSWER | {"tool_call_id": "d"}),
        ({"role": "assistant", "content": "n{}"}, ANSWER),
    ],
    ids=["id of the call", "id of the result", "text for a call"],
)
def test_calls_and_results_are_told_apart_by_their_ids(said, result):
    talk = chat({"role": "assistant", "tool_calls": [CALL]}, ANSWER)
    assert first_then(talk, chat(said, result)) == 0
    assert first_then(talk, talk) > 1_100


def test_where_a_message_begins_is_part_of_the_prefix():
    def parts(*words):
        return {"role": "user", "content": [{"type": "text", "text": word} for word in words]}

    one, two = chat(parts("abcd", "efgh")), chat(parts("abcd"), parts("efgh"))
    assert first_then(one, two) == 0
    assert first_then(one, one) == 1_102


def test_an_empty_text_is_no_part():
    blank = {"role": "assistant", "content": "", "tool_calls": [CALL]}
    none = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    assert chat_prompt(chat(blank)).pieces == chat_prompt(chat(none)).pieces


def test_only_the_end_of_a_user_s_message_is_a_boundary():
    words = [{"type": "text", "text": word} for word in ("a", "b", "c")]
    found = chat_prompt({"model": "gpt-6.1-sol", "messages": [{"role": "user", "content": words}]})
    assert [piece.ends for piece in found.pieces] == [False, False, True]


TOOLS = [{"type": "function", "name": "n", "description": "d", "parameters": {}, "strict": False}]
MARKED = {"type": "input_text", "text": LONG, "prompt_cache_breakpoint": {"mode": "explicit"}}


def responses(*items, **fields):
    return {"model": "gpt-6.1-sol", "input": list(items), **fields}


@pytest.mark.parametrize("fields", [{}, {"tools": TOOLS}, {"instructions": "i", "tools": TOOLS}])
def test_the_end_of_the_first_developer_messages_is_looked_up_unmarked_too(fields):
    """wire.md 2.8.4: so what was marked there once is found, with tools before it or without."""
    plain = {k: v for k, v in MARKED.items() if k != "prompt_cache_breakpoint"}
    asked = {"role": "user", "content": "one"}
    first = responses({"role": "developer", "content": [MARKED]}, asked, **fields)
    talk = [{"role": "developer", "content": [plain]}, {"role": "user", "content": "two"}]
    assert first_then(first, responses(*talk, **fields)) >= 1_100
    late = [asked, {"role": "developer", "content": [plain]}, {"role": "user", "content": "two"}]
    marked = [asked, {"role": "developer", "content": [MARKED]}, {"role": "user", "content": "one"}]
    assert first_then(responses(*marked, **fields), responses(*late, **fields)) == 0


def test_what_is_thought_is_told_apart_by_what_is_encrypted():
    def talk(secret):
        thought = {"type": "reasoning", "summary": [], "encrypted_content": secret}
        call = {"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"}
        return responses(GO, thought, call, output("function_call_output", "c"))

    assert first_then(talk("one"), talk("two")) == 0
    assert first_then(talk("one"), talk("one")) > 1_100


def test_marks_and_citations_are_no_part_of_a_message():
    part = {"type": "output_text", "text": "a"}
    bare = responses_blocks(responses({"role": "assistant", "content": [part]}))
    noted = part | {"annotations": [], "prompt_cache_breakpoint": {"mode": "explicit"}}
    assert responses_blocks(responses({"role": "assistant", "content": [noted]})) == bare
    call = {"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"}
    assert "content" not in responses_blocks(responses(call))[0].value


def test_a_block_that_is_read_as_json_counts_its_letters_as_they_are():
    block = {"type": "x", "a": "\u00e4\u00e4"}
    assert block_tokens(block) == -(-len('{"type":"x","a":"\u00e4\u00e4"}'.encode()) // 4) == 6


def test_a_part_of_a_result_that_holds_no_text_is_counted_as_json():
    odd = {"type": "document", "name": "abc"}
    result = {"type": "tool_result", "content": [odd]}
    assert block_tokens(result) == -(-len('{"type":"document","name":"abc"}') // 4)


def gpt_on_bedrock(*blocks):
    body = {"model": "openai.gpt-6-sol", "messages": []}
    found = [
        Block(f"b{n}", part, role, {"type": kind, "text": LONG, "tool_use_id": f"{n}"}, message)
        for n, (part, role, kind, message) in enumerate(blocks)
    ]
    return [(piece.role, piece.ends) for piece in blocks_prompt(body, found).pieces]


def test_boundaries_of_openai_s_models_behind_converse():
    """wire.md 4.5: tools, system, then each message; results form a group like outputs."""
    found = gpt_on_bedrock(
        ("tools", "", "x", -1),
        ("system", "", "text", -1),
        ("messages", "user", "text", 0),
        ("messages", "user", "text", 0),
        ("messages", "assistant", "tool_use", 1),
        ("messages", "user", "tool_result", 2),
        ("messages", "user", "tool_result", 2),
    )
    assert found == [
        ("tool", False),
        ("developer", True),
        ("user", False),
        ("user", True),
        ("assistant", False),
        ("output", False),
        ("output", True),
    ]


@pytest.mark.parametrize("setting", [{"output_config": {"effort": "low"}}, {"thinking": {}}])
def test_settings_in_anthropic_s_words_part_the_cache_too(setting):
    assert (
        blocks_prompt({"model": "m"} | setting, []).seed != blocks_prompt({"model": "m"}, []).seed
    )
