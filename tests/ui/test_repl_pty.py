"""The interactive front-end in a pseudo-terminal, looked at through a terminal emulator."""

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest
from terminal import Driven

SCRIPT = Path(__file__).parent / "fake_session.py"
FORBIDDEN = (b"\x1b[2J", b"\x1b[3J", b"\x1b[?1049h", b"\x1b[?47h", b"\x1bc")


@pytest.fixture
def drive():
    running = []

    def start(*arguments, rows=24, columns=80, **env):
        argv = [sys.executable, str(SCRIPT), *arguments]
        driven = Driven(argv, env={**os.environ, **env}, rows=rows, columns=columns)
        running.append(driven)
        driven.until("fake-model · default")
        return driven

    yield start
    for driven in running:
        assert not [code for code in FORBIDDEN if code in driven.written]
        driven.close()


def test_a_prompt_is_answered_and_the_program_left(drive):
    agent = drive()
    assert agent.shown.startswith("agent 9.9 · fake-model")
    agent.send("hello\r")
    agent.until("3 steps")
    assert "> hello" in agent.everything
    assert "• first" in agent.everything
    assert "alpha │     1" in agent.everything
    assert "日 本 語" in agent.everything or "日本語" in agent.everything
    agent.send("\x04")
    assert agent.finish() == 0
    assert "agent --resume s-1" in agent.everything
    assert "default · context" not in agent.shown, "the input area is gone at the end"


@pytest.mark.parametrize("columns", [80, 37])
def test_a_long_answer_is_in_the_scrollback_exactly_once_and_cheap(drive, columns):
    size = 200_000
    agent = drive(columns=columns)
    before = len(agent.written)
    agent.send(f"long {size}\r")
    agent.until("3 steps")
    written = len(agent.written) - before
    found = re.findall(r"[LIC]\d{5}", agent.everything)
    assert len(found) > 2400
    assert len(found) == len(set(found)), "a line was drawn twice"
    for letter in "LIC":
        numbers = [int(word[1:]) for word in found if word[0] == letter]
        assert numbers == list(range(1, len(numbers) + 1)), "a line was lost, or out of order"
    assert written <= 3 * size


def test_a_slow_stream_is_cheap_too(drive):
    size = 4000
    agent = drive()
    before = len(agent.written)
    agent.send(f"slow {size}\r")
    agent.until("3 steps")
    found = re.findall(r"[LIC]\d{5}", agent.everything)
    assert found
    assert len(found) == len(set(found))
    # The input area's own changes (a clock, the submitted line) come on top of the text.
    assert len(agent.written) - before <= 3 * size + 1000


def test_escape_interrupts_and_gives_back_what_was_not_delivered(drive):
    agent = drive()
    agent.send("forever\r")
    agent.until("Streaming without end")
    agent.send("and then this\r")
    agent.until("queued: and then this")
    agent.send("\x1b")
    agent.until("Interrupted. What was said is kept")
    agent.until("> and then this")
    agent.send("\x03")
    agent.until(lambda a: "> and then this" not in a.shown)
    agent.send("\x03")
    agent.until("Ctrl+C again leaves")
    agent.send("\x03")
    assert agent.finish() == 0


def test_words_typed_meanwhile_are_delivered(drive):
    agent = drive()
    agent.send("slow 1500\r")
    agent.until("L00001")
    agent.send("one more thing\r")
    agent.until("queued: one more thing")
    agent.until("Heard: one more thing")
    agent.until("3 steps")
    agent.until(lambda a: "queued:" not in a.shown)
    assert "> one more thing" in agent.everything


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (("y",), "Edited after yes."),
        (("a",), "Edited after always."),
        (("\x1b[B", "\r"), "Edited after always."),
        (("n", "use b.py\r"), "Denied with: 'use b.py'."),
    ],
)
def test_a_question_is_answered_by_keys(drive, keys, said):
    agent = drive()
    agent.send("tool\r")
    agent.until("n  no, and tell the model")
    assert "2 - two" in agent.shown
    assert "2 + 2" in agent.shown
    assert "always, for this project: Edit(/src/**)" in agent.shown
    time.sleep(1.3)  # a key right after typing is not taken for an answer
    for key in keys:
        agent.send(key)
        agent.read(0.3)
    agent.until(said)


def test_what_was_typed_before_a_question_does_not_answer_it(drive):
    agent = drive()
    agent.send("tool\r" + "y" * 20)
    agent.until("n  no, and tell the model")
    for _ in range(10):
        agent.read(0.1)
    assert "Edited" not in agent.everything


def test_escape_at_a_question_is_no_and_interrupts(drive):
    agent = drive()
    agent.send("tool\r")
    agent.until("n  no, and tell the model")
    agent.send("\x1b")
    agent.until("→ no")
    agent.until("steps")
    assert "Edited" not in agent.everything


def test_a_users_question_takes_an_option_or_free_text(drive):
    agent = drive()
    agent.send("ask\r")
    agent.until("0  something else")
    time.sleep(1.3)
    agent.send("0")
    agent.until("Your answer")
    agent.send("green\r")
    agent.until("You chose 'green'.")


def test_multi_line_input_paste_and_history(drive, tmp_path):
    history = tmp_path / "deep" / "history"
    agent = drive(HISTORY=str(history))
    agent.send("say one\\\rtwo\x0athree\x1b\rfour\r")
    agent.until("3 steps")
    assert re.search(r"> say one\n  two\n  three\n  four\n", agent.everything)
    agent.send("\x1b[200~say " + "\n".join(f"pasted {n}" for n in range(40)) + "\x1b[201~")
    agent.until("[paste 1: 40 lines]")
    agent.send("\r")
    agent.until(lambda a: "pasted 39" in a.shown and a.everything.count("3 steps") == 2)
    assert agent.everything.count("pasted 20") == 2, "sent whole: once as prompt, once as answer"
    agent.send("\x1b[A\x1b[A")
    agent.until("> say one\n")
    assert history.stat().st_mode & 0o777 == 0o600


def test_commands_modes_and_mistakes(drive):
    agent = drive()
    agent.send("/help\r")
    agent.until("/permissions")
    agent.send("/permisions\r")
    agent.until("Did you mean /permissions?")
    agent.send("\x03/model nope\r")
    agent.until("There is no model 'nope'.")
    agent.send("\x1b[Z")
    agent.until("fake-model · accept-edits")
    agent.send("!echo hi\r")
    agent.until("exit 1")
    agent.send("/exit\r")
    assert agent.finish() == 0


def test_hostile_text_never_reaches_the_terminal(drive):
    agent = drive()
    agent.send("escaped \\x1b[31mred\\x1b]0;title\\x07 \\u202e\\x9b2Jend\r")
    agent.until("3 steps")
    assert b"\x1b[31mred" not in agent.written
    assert b"\x1b]0;title" not in agent.written
    assert not {"\u202e", "\x9b"} & set(agent.written.decode())
    assert r"\x1b[31mred\x1b]0;title\x07 \u202e\x9b2Jend" in agent.everything.partition("\n\n")[2]


def test_resizing_in_the_middle_keeps_the_text(drive):
    agent = drive()
    agent.send("slow 6000\r")
    agent.until("L00003")
    agent.resize(24, 60)
    agent.until("L00006")
    agent.resize(24, 100)
    agent.until("3 steps")
    found = re.findall(r"I\d{5}", agent.everything)
    assert sorted(set(found)) == [f"I{n:05}" for n in range(1, len(set(found)) + 1)]


def test_without_colour_nothing_is_coloured(drive):
    agent = drive(NO_COLOR="1")
    agent.send("hello\r")
    agent.until("3 steps")
    codes = set(re.findall(rb"\x1b\[([0-9;]*)m", agent.written))
    coloured = [c for c in codes if any(30 <= int(n or 0) <= 107 for n in c.split(b";"))]
    assert coloured == []


def test_a_dumb_terminal_gets_lines_and_no_control_sequences(drive):
    agent = Driven([sys.executable, str(SCRIPT)], env={**os.environ, "TERM": "dumb"})
    try:
        agent.until(lambda a: a.shown.rstrip().endswith(">"))
        agent.send("tool\n")
        agent.until("n  no, and tell the model")
        agent.send("y\n")
        agent.until("Edited after yes.")
        agent.until("3 steps")
        agent.send("\x04")
        assert agent.finish() == 0
        assert b"\x1b" not in agent.written
    finally:
        agent.close()


def test_termination_restores_the_terminal_and_says_so(drive):
    agent = drive()
    agent.process.send_signal(signal.SIGTERM)
    assert agent.finish() == 143
