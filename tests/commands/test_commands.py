"""Slash commands: found, run, and told about; custom ones read from files."""

import asyncio
from pathlib import Path

import pytest

from agentcli.commands.builtin import ago, builtin, help_text, session_list
from agentcli.commands.markdown import expand, load
from agentcli.commands.registry import Exit, Prompt, Say, split
from agentcli.lib.errors import UserError
from agentcli.session.store import SessionInfo


class Session:
    root = Path("/p")
    version = "1"
    model = "m-1"
    mode = "default"

    def __init__(self):
        self.resumed = ""
        self.cleared = False

    def set_model(self, name):
        if name == "wrong":
            raise UserError("There is no model 'wrong'.")
        return f"Model is now {name}."

    def set_mode(self, mode):
        self.mode = mode

    def models(self):
        return ("m-1", "m-2")

    def cost_report(self):
        return "the costs"

    def context_report(self):
        return "the context"

    def permissions_report(self):
        return "the rules"

    async def clear(self):
        self.cleared = True

    async def compact(self, instructions):
        return f"kept {instructions}"

    def sessions(self):
        info = SessionInfo("20260101-aa", Path("/s"), 0.0, "fix it", 4)
        return (info, SessionInfo("20250101-bb", Path("/t"), 0.0, "", 1))

    async def resume(self, session_id):
        self.resumed = session_id

    def status(self):
        return type("Status", (), {"session_id": self.resumed})


def run(line, session=None, custom=()):
    registry = builtin(custom)
    name, arguments = split(line)
    command = registry.find(name)
    return asyncio.run(command.run(session or Session(), arguments))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("/cost", "the costs"),
        ("/permissions", "the rules"),
        ("/model m-2", "Model is now m-2."),
        ("/compact the names", "kept the names"),
        ("/clear", "New session; the context is empty."),
        ("/mode plan", "Mode is now plan: reads and plans; changes nothing."),
    ],
)
def test_commands_say(line, text):
    assert run(line) == Say(text)


def test_model_alone_lists_names():
    assert run("/model") == Say("Model: m-1. Switch with /model NAME.\n  m-1\n  m-2")


@pytest.mark.parametrize("line", ["/exit", "/quit", "/q"])
def test_leaving(line):
    assert run(line) == Exit()


@pytest.mark.parametrize("line", ["/model wrong", "/mode yolo"])
def test_wrong_arguments_are_for_the_person(line):
    with pytest.raises(UserError):
        run(line)


def test_resume_by_number_and_by_id():
    session = Session()
    run("/resume 2", session)
    assert session.resumed == "20250101-bb"
    run("/resume 20260101", session)
    assert session.resumed == "20260101"
    listed = run("/resume").text
    assert "  1" in listed
    assert "fix it  (4 messages, 20260101-aa)" in listed
    assert session_list((), 0.0) == "There is no earlier session in this folder."


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 min"), (3599, "59 min"), (7200, "2 h"), (200_000, "2 days")]
)
def test_ago(seconds, text):
    assert ago(seconds) == text


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("/model x y ", ("model", "x y")),
        ("/help", ("help", "")),
        ("/fix\nline two", ("fix", "line two")),
        ("/etc/hosts is broken", None),
        ("/", None),
        ("hello /x", None),
    ],
)
def test_what_is_a_command(line, parts):
    assert split(line) == parts


def test_help_names_every_command_and_unknown_ones_get_a_hint():
    registry = builtin()
    text = help_text(registry)
    for name in ("help", "model", "mode", "cost", "clear", "compact", "resume", "exit"):
        assert f"/{name}" in text
    assert help_text(registry, "/exit") == "/exit — leave (also /quit, /q)"
    assert registry.unknown("permisions").endswith("Did you mean /permissions?")
    assert registry.unknown("zzz").endswith("/help lists them.")


def test_custom_prompts_from_folders(tmp_path):
    first, second = tmp_path / "project", tmp_path / "user"
    (first / "git").mkdir(parents=True)
    second.mkdir()
    (first / "review.md").write_text(
        '---\ndescription: "Review it"\nargument-hint: [file]\n---\nReview $1 for $ARGUMENTS.\n'
    )
    (first / "git" / "commit.md").write_text("# Commit all\nwith a message\n")
    (second / "review.md").write_text("another")
    (second / "cost.md").write_text("not the built-in")
    (second / "empty.md").write_text("\n")
    (second / "binary.md").write_bytes(b"\xff\xfe\x00")
    commands, notices = load((first, second, tmp_path / "absent"))
    by_name = {command.name: command for command in commands}
    assert set(by_name) == {"review", "git:commit", "cost"}
    assert by_name["review"].summary == "Review it"
    assert by_name["review"].usage == "[file]"
    assert by_name["git:commit"].summary == "Commit all"
    assert len(notices) == 2
    assert run("/review a.py bugs", custom=commands) == Prompt("Review a.py for a.py bugs.")
    assert run("/cost", custom=commands) == Say("the costs"), "built-in commands win"


@pytest.mark.parametrize(
    ("body", "arguments", "text"),
    [
        ("Fix $1 and $2", 'a "b c"', "Fix a and b c"),
        ("Fix $1 and $2", "a", "Fix a and"),
        ("All: $ARGUMENTS", "x $1 y", "All: x $1 y"),
        ("Costs $10 and $ARGUMENTSX", "x", "Costs $10 and $ARGUMENTSX\n\nx"),
        ("No place", "words", "No place\n\nwords"),
        ("No place", "", "No place"),
        ("It's $1", "don't", "It's don't"),
    ],
)
def test_arguments_are_filled_in_literally(body, arguments, text):
    assert expand(body, arguments) == text
