"""What is said is on disk before it is sent, and comes back equal."""

import json
import os

import pytest

from agentcli.lib.errors import UserError
from agentcli.llm.types import (
    AssistantMessage,
    Image,
    Native,
    Text,
    Thinking,
    ToolCall,
    ToolOutput,
    Usage,
    UserMessage,
)
from agentcli.session import store
from agentcli.session.codec import message_from_json, message_to_json

HISTORY = (
    UserMessage((Text("Fix it \u2028 please 👩‍👩‍👧"), Image("image/png", "aGk=")), "human"),
    AssistantMessage(
        (Thinking("hm"), Text("Reading."), ToolCall("t1", "Read", {"path": "a", "n": 1.5})),
        "m-1",
        "tool_use",
        Usage(10, 5, 100, 20, 7, 3),
        Native("anthropic", "m-1", ({"type": "thinking", "thinking": "hm", "signature": "s"},)),
        "0.0123",
    ),
    UserMessage((ToolOutput("t1", (Text("1\tx"),), is_error=True),), "tool"),
    AssistantMessage((ToolCall("t2", "Read", {}, raw='{"path": '),), "m-1", "max_tokens"),
)


def begin(path, session_id="s1"):
    file = store.SessionFile(path, session_id, clock=lambda: 1_700_000_000.0)
    file.append("header", store.header(session_id, path.parent, "0"))
    file.append("epoch", {"model": "m-1", "system": ["prompt", "context"], "messages": []})
    return file


@pytest.mark.parametrize("message", HISTORY)
def test_a_message_survives_the_file(message):
    line = json.dumps(message_to_json(message))
    assert message_from_json(json.loads(line)) == message


def test_a_session_is_read_back_equal(tmp_path):
    path = tmp_path / "p" / "s1.jsonl"
    file = begin(path)
    for message in HISTORY:
        file.message(message)
    file.append("spent", {"model": "m-1"})
    file.close()
    saved, last, count = store.read(path)
    assert saved.messages == HISTORY
    assert saved.system == ("prompt", "context")
    assert (saved.id, saved.model, saved.damaged) == ("s1", "m-1", 0)
    assert saved.bills == ({"model": "m-1"},)
    assert (last, count) == ("7", 7)
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_entry_names_its_parent(tmp_path):
    path = tmp_path / "s1.jsonl"
    file = begin(path)
    file.message(HISTORY[0])
    file.close()
    entries = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [(e["id"], e["parent"]) for e in entries] == [("1", ""), ("2", "1"), ("3", "2")]


def test_a_torn_last_line_loses_only_itself_and_the_session_goes_on(tmp_path):
    path = tmp_path / "s1.jsonl"
    file = begin(path)
    file.message(HISTORY[0])
    file.message(HISTORY[2])
    file.close()
    path.write_bytes(path.read_bytes()[:-25])
    saved, last, count = store.read(path)
    assert saved.messages == HISTORY[:1]
    assert saved.damaged == 1
    again = store.SessionFile(path, "s1")
    again.open_existing(last, count)
    again.message(HISTORY[1])
    again.close()
    assert store.read(path)[0].messages == (HISTORY[0], HISTORY[1])


def test_a_new_epoch_replaces_what_is_sent_but_keeps_the_file(tmp_path):
    path = tmp_path / "s1.jsonl"
    file = begin(path)
    file.message(HISTORY[0])
    summary = UserMessage((Text("so far"),), "summary")
    epoch = {"model": "m-2", "system": ["p2"], "messages": [message_to_json(summary)]}
    file.append("epoch", epoch)
    file.message(HISTORY[1])
    file.close()
    saved, _, _ = store.read(path)
    assert saved.messages == (summary, HISTORY[1])
    assert (saved.model, saved.system) == ("m-2", ("p2",))
    assert "Fix it" in path.read_text()


def test_two_terminals_cannot_write_one_session(tmp_path):
    path = tmp_path / "s1.jsonl"
    first = begin(path)
    second = store.SessionFile(path, "s1")
    with pytest.raises(UserError, match="--fork-session"):
        second.append("message", {})
    first.close()
    second.append("spent", {})
    second.close()


def test_a_lone_surrogate_does_not_stop_the_session(tmp_path):
    path = tmp_path / "s1.jsonl"
    file = begin(path)
    file.message(UserMessage((Text("bad \ud800 letter"),)))
    file.close()
    assert store.read(path)[0].messages[0].content[0].text == "bad \ufffd letter"


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"[1,2]\n", b"null\n", b'{"kind":1}\n'])
def test_a_file_that_is_no_session_is_named(tmp_path, content):
    path = tmp_path / "s1.jsonl"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"s1\.jsonl is not a session"):
        store.read(path)


def test_the_listing_shows_newest_first_with_first_words(tmp_path):
    for number in range(3):
        file = begin(tmp_path / f"s{number}.jsonl", f"s{number}")
        file.message(UserMessage((Text(f"do   thing\n{number}"),), "human"))
        file.close()
        os.utime(tmp_path / f"s{number}.jsonl", (number, number))
    found = store.listing(tmp_path)
    assert [info.id for info in found] == ["s2", "s1", "s0"]
    assert found[0].title == "do thing 2"
    assert found[0].messages == 1
