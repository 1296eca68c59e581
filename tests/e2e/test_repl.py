"""The REPL in a pseudo-terminal: the real agent, the real client, a strict provider."""

import pytest

from agentcli.llm.simulator import Hang, Turn, calls, says
from agentcli.llm.simulator.script import Say

ASKED = "Bash wants to run:"


def answer(agent, key):
    """Keys pressed right after a question came up are not taken for its answer."""
    agent.until(ASKED)
    agent.read_for(1.3)
    agent.send(key)


def leave(agent):
    agent.send("\x04")
    assert agent.finish() == 0


def test_a_conversation_with_a_question(talk, project, provider, wire):
    server = provider(
        [calls(("Bash", {"command": "echo one > made"})), says("**Made** it."), says("Bye.")], wire
    )
    agent = talk()
    agent.send("make it\r")
    agent.until(ASKED)
    assert "echo one > made" in agent.shown
    assert not (project.root / "made").exists()
    answer(agent, "y")
    agent.until("Made it.")
    agent.until("2 steps")
    assert (project.root / "made").read_text() == "one\n"
    agent.send("thanks\r")
    agent.until("Bye.")
    leave(agent)
    server.assert_prefix()
    assert len(server.requests) == 3


def test_no_with_a_comment_reaches_the_model(talk, project, provider):
    server = provider([calls(("Bash", {"command": "touch x"})), says("As you wish.")])
    agent = talk()
    agent.send("go\r")
    agent.until(ASKED)
    answer(agent, "n")
    agent.until("instead")
    agent.send("use make\r")
    agent.until("As you wish.")
    assert "use make" in server.requests[1].raw.decode()
    assert not (project.root / "x").exists()
    leave(agent)


def test_always_stores_the_rule_and_is_not_asked_again(talk, project, provider):
    line = {"command": "make all"}
    provider([calls(("Bash", line)), calls(("Bash", line)), says("Twice.")])
    agent = talk()
    agent.send("go\r")
    agent.until("Bash(make:*)")
    answer(agent, "a")
    agent.until("Twice.")
    assert agent.everything.count(ASKED) == 1
    leave(agent)


def test_escape_stops_at_once_and_keeps_what_was_said(talk, provider):
    slow = Turn((Say("A long story that never ends. " * 40),), pause=0.2)
    server = provider([slow, says("Going on.")])
    agent = talk()
    agent.send("tell\r")
    agent.until("A long story")
    agent.send("\x1b")
    agent.until("nterrupted")
    agent.send("go on\r")
    agent.until("Going on.")
    assert "A long story" in server.requests[1].raw.decode()
    server.assert_prefix()
    leave(agent)


def test_words_typed_meanwhile_are_delivered_between_steps(talk, provider):
    server = provider([calls(("Bash", {"command": "sleep 1; true"})), says("Both done.")])
    agent = talk("--permission-mode", "bypass")
    agent.send("first\r")
    agent.until("sleep 1")
    agent.send("and second\r")
    agent.until("Both done.")
    assert "and second" in server.requests[1].raw.decode()
    leave(agent)


def test_a_shell_line_of_ones_own_is_told_to_the_model(talk, provider):
    server = provider([says("Seen.")])
    agent = talk()
    agent.send("!echo own-words\r")
    agent.until("own-words")
    agent.send("what did I run?\r")
    agent.until("Seen.")
    assert "own-words" in server.requests[0].raw.decode()
    leave(agent)


def test_the_slash_commands(talk, provider):
    provider([says("Hello.")])
    agent = talk()
    agent.send("hi\r")
    agent.until("Hello.")
    for command, shown in (
        ("/help", "/compact"),
        ("/cost", "cached"),
        ("/permissions", "default"),
        ("/model", "claude-sonnet-5-5"),
        ("/nosuch", "nosuch."),
    ):
        agent.send(f"{command}\r")
        agent.until(shown)
    agent.send("\x15/exit\r")
    assert agent.finish() == 0


def test_a_provider_that_fails_leaves_the_prompt(talk, project, provider):
    provider([says("never")], key="another")
    agent = talk()
    agent.send("hi\r")
    agent.until("401")
    agent.send("/help\r")
    agent.until("/compact")
    leave(agent)


def test_the_terminal_goes_away_and_the_session_is_kept(talk, project, provider):
    provider([Hang()])
    agent = talk()
    agent.send("remember this\r")
    agent.until("remember this")
    agent.until(lambda _: list((project.root.parent / "home").rglob("*.jsonl")))
    agent.process.terminate()
    agent.finish()
    assert "remember this" in str(project.kept())


@pytest.mark.parametrize("words", ["some next words\r", "yes, and look at it\r"])
def test_a_sentence_typed_into_a_question_is_no_answer(talk, project, provider, words):
    provider([calls(("Bash", {"command": "touch x"})), says("Touched.")])
    agent = talk()
    agent.send("go\r")
    answer(agent, words)
    agent.read_for(1.0)
    assert not (project.root / "x").exists()
    agent.send("y")
    agent.until("Touched.")
    assert (project.root / "x").exists()
    leave(agent)
