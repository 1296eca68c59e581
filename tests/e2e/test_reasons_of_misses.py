"""Every reason for which a cache is missed, provoked for real and read from `agent cache explain`.

A second provider that has seen nothing stands for a cache that let go; a session file that was
changed by hand stands for time that passed, or for what another version had sent.
"""

import json
from itertools import pairwise

import pytest
from e2e_routes import ROUTES

from agentcli.llm.simulator import Say, Turn, calls, says

LONG = "word " * 6_000
READ = ("Read", {"path": "a.txt"})


def last_reason(project):
    """Kind and words of the newest request's miss; each request before has one, or read all."""
    bills = json.loads(project.agent("cache", "explain", "--json").out)
    for before, bill in pairwise(bills):
        held = (
            sum(before["usage"][k] for k in ("cache_read", "cache_write_5m"))
            if (before["usage"] and bill["usage"])
            else 0
        )
        read = bill["usage"]["cache_read"] if bill["usage"] else 0
        same = before["model"] == bill["model"]
        assert bill["miss"] or not same or read >= held * 0.97, bill
    miss = bills[-1]["miss"]
    return tuple(miss[:2]) if miss else None


def edit(project, change):
    """Change each line of the only session by hand."""
    (path,) = (project.root.parent / "home").rglob("*.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        change(line["kind"], line["data"])
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


class Stripping:
    """A gateway that takes the marks away."""

    def __init__(self, provider):
        self._provider = provider

    def answer(self, method, url, headers, body):
        def plain(value):
            if isinstance(value, dict):
                return {k: plain(v) for k, v in value.items() if k != "cache_control"}
            return [plain(v) for v in value] if isinstance(value, list) else value

        return self._provider.answer(method, url, headers, json.dumps(plain(json.loads(body))))


def begin(project, provider, words=LONG, wire="anthropic"):
    provider([says("One."), says("Two.")], wire)
    assert project.agent("-p", words).code == 0
    assert last_reason(project) == ("first", "first request")


def go_on(project, *words):
    done = project.agent("-p", "-c", "go on", *words)
    assert done.code == 0, done.err
    return last_reason(project)


def test_nothing_missed(project, provider):
    begin(project, provider)
    assert go_on(project) is None


def test_tools_changed_and_which(project, provider):
    begin(project, provider)

    def older(kind, data):
        if kind == "spent":
            tools = data["shape"]["tools"].split()
            names = [tool.partition(":")[0] for tool in tools]
            tools[names.index("Read")] = "Read:00000000"
            tools = [tool for tool in tools if not tool.startswith("Todo:")]
            data["shape"]["tools"] = " ".join([*tools, "mcp__github__search:12345678"])

    edit(project, older)
    provider([says("Two.")])
    words = "tools changed: Todo added, MCP github gone, Read edited"
    assert go_on(project) == ("tools", words)


def test_system_prompt_changed(project, provider):
    begin(project, provider)

    def other(kind, data):
        if kind == "epoch":
            data["system"][0] = "Today is another day. " + data["system"][0]

    edit(project, other)
    assert go_on(project) == ("system", "system changed")


def test_what_is_told_of_the_repository_changed(project, provider):
    (project.root / "AGENTS.md").write_text("Be kind.")
    begin(project, provider)

    def other(kind, data):
        if kind == "epoch":
            data["system"][1] += " And brief."

    edit(project, other)
    assert go_on(project) == ("memory", "instructions or repository facts changed")


def test_a_message_edited_and_which(project, provider):
    provider([calls(READ), says("One."), says("Two.")])
    assert project.agent("-p", LONG).code == 0
    seen = []

    def other(kind, data):
        if kind == "message":
            seen.append(data)
            if len(seen) == 1:
                data["content"][0]["text"] = "other " + data["content"][0]["text"]

    edit(project, other)
    kind, words = go_on(project)
    assert (kind, words) == ("messages", "message 1 edited")


def test_a_later_message_edited(project, provider):
    """Its number, though all of it happened in processes that are gone."""
    provider([says(LONG), says("Two."), says("Three.")])
    assert project.agent("-p", "one").code == 0
    assert project.agent("-p", "-c", LONG).code == 0

    seen = []

    def other(kind, data):
        if kind == "message":
            seen.append(data)
            block = data["content"][0]
            if data["role"] == "user" and LONG.strip() in block["text"]:
                block["text"] = "other " + block["text"]
                seen.append("edited")

    edit(project, other)
    number = seen.index("edited")
    assert number > 2
    assert go_on(project) == ("messages", f"message {number} edited")


def test_another_effort(project, provider):
    begin(project, provider)
    assert go_on(project, "--effort", "low") == ("options", "effort or output format changed")


def test_expired_and_how_long_ago(project, provider):
    begin(project, provider)

    def ten_minutes_older(kind, data):
        if kind == "spent":
            data["at"] -= 600

    edit(project, ten_minutes_older)
    provider([says("Two.")])
    assert go_on(project) == ("expired", "expired 5 min ago (kept for 5 min)")


def test_let_go_where_no_life_is_promised(project, provider):
    begin(project, provider, wire="openai-chat")

    def ten_minutes_older(kind, data):
        if kind == "spent":
            data["at"] -= 600

    edit(project, ten_minutes_older)
    provider([says("Two.")], "openai-chat")
    assert go_on(project) == ("expired", "let go after 10 min (no life is promised)")


@pytest.mark.parametrize("wire", ROUTES)
def test_routed_elsewhere(project, provider, wire):
    begin(project, provider, wire=wire)
    provider([says("Two.")], wire)
    kind, words = go_on(project)
    assert kind == "routed"
    assert words.startswith("routed elsewhere by the provider: ")


def test_below_the_minimum(project, provider):
    provider([says("One."), says("Two.")])
    project.env["AGENT_MODEL"] = "claude-haiku-4-5"
    assert project.agent("-p", "hi").code == 0
    words = "the prompt was below the minimum of 4,096 tokens"
    assert go_on(project) == ("minimum", words)


def test_marks_lost_on_the_way(project, provider):
    server = provider([says("One."), says("Two."), says("Three.")])
    server.provider = Stripping(server.provider)
    assert project.agent("-p", LONG).code == 0
    words = "nothing was read and nothing written: the marks got lost on the way"
    assert last_reason(project) == ("marks", words)
    assert go_on(project) == ("marks", words)


def test_another_model(project, provider):
    begin(project, provider)
    words = "model switched: claude-sonnet-5-5 → claude-opus-5-5"
    assert go_on(project, "-m", "claude-opus-5-5") == ("model", words)


def test_no_usage_and_a_part_that_nobody_can_explain(project, provider):
    provider([says("One."), Turn((Say("Two."),), reports_usage=False), says("Three.")])
    assert project.agent("-p", LONG).code == 0
    assert go_on(project) == ("unknown", "the provider reported no usage")
    half = {"cache_read_input_tokens": 4_000, "cache_creation_input_tokens": 5_000}
    provider([Turn((Say("Three."),)), Turn((Say("Four."),), usage=half)])
    go_on(project)
    kind, words = go_on(project)
    assert kind == "unknown"
    assert words.startswith("unknown: 4,000 of ")
