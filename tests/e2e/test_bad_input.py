"""What goes wrong outside: one clear sentence, a fitting exit code, and nothing lost."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

import pytest
from strict_server import Fault as Broken

from agentcli.llm.simulator import (
    Drop,
    Failure,
    Fault,
    Hang,
    Script,
    When,
    breaks,
    calls,
    says,
)

LONG = says("word " * 200)


def sentence(ran):
    """The one line that tells what went wrong."""
    lines = [line for line in ran.err.splitlines() if line.startswith("agent: ")]
    assert lines, ran.err
    assert "Traceback" not in ran.err
    return lines[-1]


def always(outcome):
    return Script(rules=(When(lambda _: True, outcome),))


def test_a_wrong_key(project, provider, wire):
    server = provider([says("never")], wire, key="another")
    done = project.agent("-p", "x")
    assert (done.code, done.out) == (1, "")
    assert "401" in sentence(done)
    assert "key" in sentence(done).lower()
    assert len(server.requests) == 1


def test_no_network(project):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    project.env |= {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}"}
    done = project.agent("-p", "x", "--deadline", "3")
    assert done.code in (1, 3)
    assert "127.0.0.1" in done.err


def test_no_key_says_what_to_set(project):
    done = project.agent("-p", "x")
    assert done.code == 2
    assert "ANTHROPIC_API_KEY" in done.err
    assert "agent demo" in done.err


def test_an_unknown_model_suggests_the_nearest(project):
    project.env["ANTHROPIC_API_KEY"] = "k"
    done = project.agent("-p", "x", "--model", "claude-sonet-5-5")
    assert done.code == 2
    assert "claude-sonnet-5-5" in sentence(done)


def test_a_model_the_provider_does_not_have(project, provider, wire):
    provider([says("never")], wire, models=("another",))
    done = project.agent("-p", "x")
    assert done.code == 1
    assert "404" in sentence(done)


def test_a_stream_that_makes_no_sense(project, provider, wire):
    provider([breaks(LONG, "malformed"), says("Second try.")], wire)
    done = project.agent("-p", "x", "--output-format", "json")
    assert "Traceback" not in done.err
    assert done.code in (0, 1)
    assert "Second try." in done.json["result"] or done.json["errors"]


def test_a_stream_cut_inside_a_call_runs_nothing(project, provider, wire):
    broken = breaks(
        calls(("Bash", {"command": "touch ran; " + "x" * 200}), text="Doing it."), "cut_in_call"
    )
    server = provider([broken, says("Again, without it.")], wire)
    done = project.agent("-p", "x", "--permission-mode", "bypass")
    assert not (project.root / "ran").exists()
    assert done.out == "Again, without it.\n"
    assert server.requests[1].raw == server.requests[0].raw


@pytest.mark.parametrize("retry_after", [None, 0.1])
def test_too_many_requests(project, provider, wire, retry_after):
    server = provider([Fault("rate_limited", retry_after=retry_after), says("At last.")], wire)
    done = project.agent("-p", "x")
    assert done.out == "At last.\n"
    assert len(server.requests) == 2
    waited = server.requests[1].at - server.requests[0].at
    assert waited < 5


def test_a_long_wait_is_told_not_slept(project, provider, wire):
    provider(always(Fault("rate_limited", retry_after=3600)), wire)
    done = project.agent("-p", "x", timeout=20)
    assert done.code == 1
    assert "429" in sentence(done)
    assert any(word in sentence(done) for word in ("3600", "1 h", "60 min", "hour"))


def test_overloaded_once(project, provider, wire):
    provider([Fault("overloaded"), says("Now.")], wire)
    assert project.agent("-p", "x").out == "Now.\n"


def test_a_context_that_is_too_long(project, provider, wire):
    provider(always(Fault("context_overflow")), wire)
    done = project.agent("-p", "x")
    assert done.code == 1
    assert "context" in sentence(done) or "long" in sentence(done)


def test_a_web_page_instead_of_an_answer(project, provider, wire):
    page = b"<html><head><title>Sign in</title></head></html>"
    provider(always(Failure(200, page, {"content-type": "text/html"})), wire)
    done = project.agent("-p", "x", "--deadline", "20")
    assert done.code == 1
    assert "Sign in" in sentence(done)


def test_a_dropped_connection_is_tried_again(project, provider, wire):
    provider([Drop(), says("Here.")], wire)
    assert project.agent("-p", "x").out == "Here.\n"


def test_a_body_cut_in_the_middle_is_asked_again(project, provider):
    server = provider([LONG, LONG])
    server.faults.append(Broken("cut", 1500))
    assert project.agent("-p", "x").out.startswith("word word")
    assert len(server.requests) == 2


def test_an_answer_that_breaks_off_again_and_again_is_kept(project, provider):
    provider(always(breaks(LONG, "cut", 2500)))
    done = project.agent("-p", "x", timeout=60)
    assert done.code == 1
    assert "word word" in json.dumps(project.kept())
    assert "Traceback" not in done.err


def test_invalid_toml_names_file_and_line(project):
    folder = project.root.parent / "home" / ".config" / "agentcli"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("model = \n")
    done = project.agent("-p", "x")
    assert done.code == 2
    assert "config.toml" in sentence(done)
    assert "line 1" in sentence(done)


def test_a_session_file_that_cannot_be_read(project, provider):
    provider([says("one"), says("two")])
    session = project.agent("-p", "x", "--output-format", "json").json["session_id"]
    (path,) = (project.root.parent / "home").rglob("*.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"id": "half a li')
    assert project.agent("-p", "y", "--resume", session).out == "two\n"
    assert path.read_bytes().startswith(whole)
    path.write_bytes(b"\0\0 nothing of ours\n")
    done = project.agent("-p", "z", "--resume", session)
    assert done.code == 2
    assert path.name in sentence(done)
    assert path.read_bytes() == b"\0\0 nothing of ours\n"


def test_a_session_that_does_not_exist(project, provider):
    provider([says("never")])
    done = project.agent("-p", "x", "--resume", "nothing")
    assert done.code == 2
    assert "nothing" in sentence(done)


@pytest.mark.parametrize("prompt", ["", "  \n "])
def test_an_empty_prompt(project, provider, prompt):
    server = provider([says("never")])
    done = project.agent("-p", prompt)
    assert done.code == 2
    assert "prompt" in sentence(done)
    assert server.requests == []


def test_no_terminal_to_talk_in(project, provider):
    provider([says("never")])
    done = project.agent()
    assert done.code == 2
    assert "agent -p" in sentence(done)


def test_standard_output_closed(project, provider):
    server = provider([says("never")])
    line = f"{sys.executable} -m agentcli -p x >&-"
    done = subprocess.run(
        line, shell=True, cwd=project.root, env=project.env, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "standard output is closed" in done.stderr
    assert server.requests == []


def test_other_streams_closed(project, provider):
    provider([says("an answer")])
    line = f"{sys.executable} -m agentcli -p x <&- 2>&-"
    done = subprocess.run(
        line, shell=True, cwd=project.root, env=project.env, capture_output=True, text=True
    )
    assert done.stdout == "an answer\n"


def test_a_reader_that_goes_away(project, provider):
    provider([says("an answer nobody reads")])
    line = f"{sys.executable} -m agentcli -p x --output-format stream-json | true"
    done = subprocess.run(
        line, shell=True, cwd=project.root, env=project.env, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def wait_for(condition, seconds=15):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


def test_ctrl_c_while_waiting_for_the_model(project, provider):
    server = provider([Hang(), says("later")])
    process = project.begin("-p", "x", "--output-format", "json")
    wait_for(lambda: server.requests)
    done = project.interrupt(process)
    assert done.code == 130
    assert done.json["subtype"] == "error_interrupted"
    assert project.agent("-p", "-c", "go on").out == "later\n"


def test_ctrl_c_in_a_command_kills_it_and_answers_the_call(project, provider, wire):
    seconds = f"99.{random.randrange(10**12)}"
    server = provider([calls(("Bash", {"command": f"sleep {seconds}"})), says("later")], wire)
    process = project.begin("-p", "x", "--permission-mode", "bypass")
    wait_for(lambda: _running(seconds))
    done = project.interrupt(process)
    assert done.code == 130, done.err
    wait_for(lambda: not _running(seconds))
    assert project.agent("-p", "-c", "go on").out == "later\n"
    server.assert_prefix()


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5])
def test_ctrl_c_at_any_moment(project, provider, delay):
    provider(always(calls(("Bash", {"command": "echo again"}))))
    process = project.begin("-p", "x", "--permission-mode", "bypass", start_new_session=True)
    time.sleep(delay)
    done = project.interrupt(process)
    if "agentcli" in done.err or "KeyboardInterrupt" not in done.err:  # else Python was starting
        assert done.code in (130, -signal.SIGINT), done.err
        assert "Traceback" not in done.err


@pytest.mark.parametrize("form", ["text", "json", "stream-json"])
def test_output_that_takes_nothing_more(project, provider, form):
    provider([says("Hello."), says("Again.")])
    words = ["-p", "hi", "--output-format", form]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "agentcli", *words],
            cwd=project.root,
            env=project.env,
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert done.stderr.count("Standard output can't be written: No space left on device.") == 1


def test_terminated_from_outside(project, provider):
    server = provider([Hang()])
    process = project.begin("-p", "x", "--output-format", "json")
    wait_for(lambda: server.requests)
    process.terminate()
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 143
    assert json.loads(out)["is_error"]


def test_killed_in_the_middle_loses_nothing(project, provider):
    server = provider([calls(("Write", {"path": "b", "content": "x"})), Hang(), says("Go on.")])
    process = project.begin("-p", "x", "--permission-mode", "bypass")
    wait_for(lambda: len(server.requests) == 2)
    process.kill()
    process.communicate()
    assert (project.root / "b").read_text() == "x"
    assert project.agent("-p", "-c", "go on").out == "Go on.\n"
    server.assert_prefix()


def _running(marker):
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    line = file.read()
            except OSError:
                continue
            if marker.encode() in line and b"sleep" in line:
                return True
    return False
