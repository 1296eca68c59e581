"""`agent debug cache`: recorded requests played through the rules of their vendor."""

import gzip
import json

import pytest
from typer.testing import CliRunner

from agentcli.cli.debug import debug
from agentcli.lib.errors import UserError
from agentcli.llm.simulator.recorded import recorded
from agentcli.llm.simulator.replay import play

MARK = {"type": "ephemeral"}
LONG = "word " * 3000


def claude(*texts, model="claude-sonnet-5-5", tool="Read"):
    """A conversation marked on the system and on its last message."""
    messages = [
        {"role": role, "content": [{"type": "text", "text": text}]}
        for text, role in zip(texts, ["user", "assistant"] * 9, strict=False)
    ]
    messages[-1]["content"][0]["cache_control"] = MARK
    return {
        "model": model,
        "max_tokens": 100,
        "system": [{"type": "text", "text": LONG, "cache_control": MARK}],
        "tools": [{"name": tool, "input_schema": {"type": "object"}}],
        "messages": messages,
    }


def played(*lines):
    return list(play(recorded((json.dumps(line) for line in lines), "it")))


def test_a_growing_conversation_is_read_and_written():
    first, second = played(claude("a"), claude("a", "b", "c"))
    assert first.usage.cache_write_5m > 3000
    assert first.why == "first request"
    assert second.usage.cache_read == first.usage.prompt - first.usage.input
    assert second.why == ""


@pytest.mark.parametrize(
    ("then", "why"),
    [
        (claude("a", tool="Write"), "tools changed: Write added, Read removed"),
        (claude("z"), "first request"),
        (
            claude("a", model="claude-opus-5-5"),
            "model switched: claude-sonnet-5-5 → claude-opus-5-5",
        ),
        ({"at": 400, "body": claude("a")}, "expired 2 min ago (kept for 5 min)"),
    ],
)
def test_a_miss_has_its_reason(then, why):
    assert played(claude("a"), then)[1].why == why


def test_an_edited_message_is_named():
    before = claude("a", LONG, "c")
    assert played(before, claude("a", LONG + "!", "c"))[1].why == "message 2 edited"


def test_what_the_vendor_refuses_is_said_and_the_rest_goes_on():
    bad = claude("a") | {"max_tokens": None}
    found = played(claude("a"), bad, claude("a"))
    assert "max_tokens" in found[1].refused
    assert found[2].usage.cache_read > 3000


def test_thoughts_signed_by_the_real_provider_are_no_hindrance():
    body = claude("a", "b", "c")
    thought = {"type": "thinking", "thinking": "hm", "signature": "EqQBCgIYAhIM"}
    body["messages"][1]["content"].insert(0, thought)
    (found,) = played(body)
    assert found.refused == ""


@pytest.mark.parametrize(
    ("body", "cached"),
    [
        ({"model": "gpt-6.1-sol", "input": [{"role": "user", "content": LONG}]}, True),
        ({"model": "deepseek-v4-pro", "messages": [{"role": "user", "content": LONG}]}, True),
    ],
)
def test_the_wire_of_a_bare_body_is_guessed(body, cached):
    first, second = played(body, body)
    assert first.refused == ""
    assert (second.usage.cache_read > 2000) == cached


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 3: this object has no end"),
        ('{"model": ', "line 3: not JSON"),
        ("[]", "line 3: a request is one JSON object"),
        ('{"body": {}, "at": "noon"}', "line 3: `at` is seconds or a date and time"),
        ('{"body": {}, "at": true}', "line 3: `at` is seconds or a date and time"),
        ('{"body": {}, "url": "http://[x"}', "line 3: `url` is no URL"),
        ('{"path": "/x", "body": {}}', "line 3: no API answers at /x"),
        ('{"path": "/messages/count_tokens", "body": {}}', "line 3: no API answers at"),
    ],
)
def test_a_line_that_is_no_request_is_told_with_its_number(line, words):
    """What came before it is played."""
    found = []
    with pytest.raises(UserError, match=words):
        for each in play(recorded([json.dumps(claude("a")), "\n", line], "it")):
            found.append(each.why)
    assert found == ["first request"]


def shown(*arguments, **options):
    return CliRunner().invoke(debug, ["cache", *map(str, arguments)], **options)


def lines(*bodies):
    return "".join(json.dumps(body, ensure_ascii=False) + "\n" for body in bodies)


def test_the_command_prints_a_line_a_request(tmp_path):
    file = tmp_path / "r.jsonl"
    file.write_text(lines(claude("a")) + "\n" + lines(claude("a", "b", "c")))
    assert shown(file).output.count("\n") == 2
    told = json.loads(shown(file, "--json").output.splitlines()[0])
    assert (told["reason"], told["why"]) == ("first", "first request")
    assert json.loads(shown(file, "--json").output.splitlines()[1])["cache_read"] > 3000


def test_gzipped_or_from_stdin_it_reads_the_same(tmp_path):
    text = lines(claude("a"), claude("a", "b", "c"))
    plain, packed = tmp_path / "r.jsonl", tmp_path / "r.jsonl.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    wanted = shown(plain).output
    assert "written" in wanted
    assert shown(packed).output == wanted
    assert shown("-", input=text).output == wanted
    assert shown("-", input=gzip.compress(text.encode())).output == wanted


def test_separators_inside_a_text_end_no_line(tmp_path):
    file = tmp_path / "r.jsonl"
    file.write_text(lines(claude("a\u2028b\x85c\x0bd")), encoding="utf-8")
    assert shown(file).output.count("\n") == 1


def test_a_byte_order_mark_is_no_matter(tmp_path):
    file = tmp_path / "r.jsonl"
    file.write_text(lines(claude("a")), encoding="utf-8-sig")
    assert "first request" in shown(file).output


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no requests"),
        (b"\n \n", "holds no requests"),
        (b'{"model": "\xff"}', "line 1: not UTF-8"),
        (gzip.compress(lines(claude("a")).encode())[:-9], "the gzip file is cut off"),
        (b"\x1f\x8bnonsense", "Cannot read"),
    ],
)
def test_a_file_without_requests_is_said(tmp_path, content, words):
    file = tmp_path / "r.jsonl"
    file.write_bytes(content)
    found = shown(file)
    assert isinstance(found.exception, UserError)
    assert words in str(found.exception)


def test_what_is_not_there_is_said(tmp_path):
    assert "Cannot read" in str(shown(tmp_path / "none").exception)
    assert "holds no requests: AGENT_TRACE writes" in str(shown(tmp_path).exception)


def test_what_debug_request_prints_is_played(tmp_path):
    file = tmp_path / "r.json"
    sent = {"url": "https://api.anthropic.com/v1/messages", "headers": {}, "body": claude("a")}
    file.write_text(json.dumps(sent, indent=2) + "\n" + json.dumps(sent, indent=2))
    first, second = map(json.loads, shown(file, "--json").output.splitlines())
    assert (first["cache_read"], second["cache_read"]) == (0, first["cache_write_5m"])


def test_a_trace_folder_is_played_in_the_order_of_its_exchanges(tmp_path):
    def put(name, body):
        head = "POST https://api.anthropic.com/v1/messages\nanthropic-version: 2023-06-01\n"
        head += "x-api-key: ***\n\n"
        (tmp_path / f"{name}.request.txt").write_text(head + json.dumps(body))

    put("20261129-100010-7-2000", claude("a", "b", "c"))
    put("20261129-100010-9-1000", claude("a"))
    put("20261129-100510-7-900", claude("a", "b", "c"))
    (tmp_path / "20261129-100010-7-2000.body").write_text("data")
    found = [json.loads(line) for line in shown(tmp_path, "--json").output.splitlines()]
    assert [each["cache_read"] > 3000 for each in found] == [False, True, False]
    assert [each["reason"] for each in found] == ["first", None, "expired"]


def test_beta_headers_part_the_messages():
    def sent(beta):
        return {"url": "http://h/messages", "headers": {"Anthropic-Beta": beta}, "body": big}

    big = claude(LONG)
    _, same, other = played(sent("a-1"), sent("a-1"), sent("b-1"))
    assert same.usage.input == 0
    assert 3000 < other.usage.cache_read < same.usage.cache_read - 3000
    assert other.why == "effort or output format changed"


def test_each_vendor_has_its_rules_in_a_mixed_file():
    """By host, else by name; one's cache is not another's."""

    def chat(model, url=""):
        body = {"model": model, "messages": [{"role": "user", "content": LONG}]}
        return {"url": url, "body": body} if url else body

    bodies = [
        chat("qwen3.8-max"),
        chat("mistral-large-4"),
        chat("llama", "https://api.groq.com/openai/v1/chat/completions"),
        chat("openai/gpt-oss-120b", "https://api.groq.com/openai/v1/chat/completions"),
        chat("anthropic/claude-sonnet-5"),
        chat("x", "https://api.deepseek.com/chat/completions"),
        chat("some-model"),
        {"model": "gemini-3.8-flash", "contents": [{"role": "user", "parts": [{"text": LONG}]}]},
        {"messages": [{"role": "user", "content": [{"text": LONG}, POINT]}]},
        claude("a"),
    ]
    found = played(*bodies, *bodies)
    assert not any(each.refused for each in found)
    read = [each.usage.cache_read > 1000 for each in found]
    assert read == [False] * 10 + [True, False, False, True, False, True, False, False, True, True]


POINT = {"cachePoint": {"type": "default"}}


def test_a_model_nobody_knows_is_played_by_its_wire():
    first, second = played(claude("a", model="nobody-9"), claude("a", model="nobody-9"))
    assert first.refused == second.refused == ""
    assert second.usage.cache_read > 3000


def test_dates_out_of_order_are_played_in_the_order_of_the_file():
    found = played(
        {"at": "2026-11-29T10:00:00", "body": claude("a")},
        {"at": "2026-11-29T09:00:00+00:00", "body": claude("a")},
        {"at": "2026-11-29T10:04:59Z", "body": claude("a")},
    )
    assert [each.usage.cache_read > 3000 for each in found] == [False, True, True]


def test_two_conversations_at_once_are_told_apart():
    """A subagent's first request is no miss of the conversation that asked it."""
    sub = claude("look", tool="Grep") | {"system": [{"type": "text", "text": LONG + "sub"}]}
    found = played(claude("a"), sub, claude("a", "b", "c"), sub)
    assert [each.reason for each in found[:3]] == ["first", "first", ""]


def test_conversations_that_begin_alike_are_told_apart():
    """A repository's facts stand first in each; a first request goes on from none."""
    facts = {"role": "user", "content": [{"type": "text", "text": "facts"}]}

    def talk(*texts):
        body = claude(*texts)
        return body | {
            "messages": [facts, {"role": "assistant", "content": "x"}, *body["messages"]]
        }

    def first(text):
        body = claude("facts", text)
        body["messages"][1]["role"] = "user"
        return body

    found = played(first("a"), first("z"), first("a"), talk("a", LONG, "c"), talk("b"))
    assert [each.reason for each in found[:3]] == ["first", "first", ""]
    assert found[4].reason == "messages"


def test_below_the_minimum_nothing_was_lost():
    body = {"model": "gemini-3.8-flash"}
    body["contents"] = [{"role": "user", "parts": [{"text": "word " * 2000}]}]
    assert [each.reason for each in played(body, body)] == ["first", "minimum"]


def test_a_compaction_is_called_one():
    summary = "This is what happened so far:\n\nall"
    found = played(claude("a", LONG, "c"), claude(summary))
    assert found[1].reason == "compaction"


def test_what_is_not_marked_is_said():
    bare = claude("a")
    del bare["messages"][0]["content"][0]["cache_control"], bare["system"][0]["cache_control"]
    assert played(bare)[0].why == "nothing is marked"
    far = claude("a", LONG, "c")
    many = claude("a", LONG, "c")
    many["messages"] += [{"role": "user", "content": [{"type": "text", "text": "x"}] * 25}]
    many["messages"][-1]["content"][-1] = {"type": "text", "text": "x", "cache_control": MARK}
    del many["messages"][2]["content"][0]["cache_control"]
    assert played(far, many)[1].why == "no mark within reach of what was cached"


@pytest.mark.parametrize(
    "odd",
    [
        {"output_config": 5},
        {"thinking": True},
        {"tool_choice": []},
        {"messages": None},
        {"messages": [5]},
        {"messages": [{"role": "user", "content": [None]}]},
        {"tools": [5]},
        {"system": 5},
        {"max_tokens": "x"},
    ],
    ids=str,
)
def test_an_odd_body_is_played_or_refused(odd):
    assert len(played(claude("a") | odd)) == 1


def faulty(required):
    schema = {"properties": {"b": {}}, "required": required}
    tools = [{"functionDeclarations": [{"name": "a", "parametersJsonSchema": schema}]}]
    return {"contents": [{"parts": [{"text": "x"}]}], "tools": tools}


@pytest.mark.parametrize(
    "odd",
    [{"input": 5}, {"input": "x", "max_output_tokens": []}, faulty(5), faulty([[]]), faulty(["c"])],
    ids=str,
)
def test_an_odd_body_of_another_wire_is_refused(odd):
    assert played({"model": "gpt-6.1-sol"} | odd)[0].refused
