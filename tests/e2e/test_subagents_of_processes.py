"""Subagents and titles from the outside: what scripts, other processes and lists see."""

import json
import os
import signal
import time

import pytest

from agentcli.llm.simulator import Fault, Script, When, calls, says
from agentcli.llm.simulator.script import Hang

READ = ("Read", {"path": "a.txt"})
WRITE = ("Write", {"path": "new.txt", "content": "x\n"})


def task(prompt, agent="general"):
    return ("Task", {"description": "look around", "prompt": prompt, "agent": agent})


def at(word):
    return lambda asked: any(text.endswith(f"Task:\n{word}") for text in asked.texts)


def configure(project, text):
    config = project.root.parent / "home/.config/agentcli/config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(text)


def test_the_answer_counts_them_and_only_the_answer_is_printed(project, provider, wire):
    server = provider([calls(task("a")), calls(READ), says("alpha"), says("It says alpha.")], wire)
    done = project.agent("-p", "--output-format", "json", "what is in a?")
    assert done.code == 0, done.err
    assert done.json["result"] == "It says alpha."
    (account,) = done.json["model_usage"].values()
    assert account["requests"] == 4 == len(server.requests)
    assert done.json["num_turns"] == 2
    assert done.json["total_cost_usd"] == account["cost_usd"] > 0
    assert len({request.head_bytes for request in server.requests}) == 1
    by_role = project.agent("cost", "--by", "role", "--json").json
    assert {line["role"]: line["requests"] for line in by_role} == {"main": 2, "subagent": 2}


def test_the_head_is_read_as_foretold(project, provider):
    """What the project says of itself is long, and in the cache already."""
    (project.root / "AGENTS.md").write_text("Be kind to the code.\n" * 200)
    provider([calls(task("a")), says("alpha"), says("Done.")])
    project.agent("-p", "go")
    spent = [entry["data"] for entry in project.kept() if entry["kind"] == "spent"]
    (bill,) = [bill for bill in spent if bill["role"] == "subagent"]
    assert bill["usage"]["cache_read"] > 2_000
    assert bill["expected_read"] == pytest.approx(bill["usage"]["cache_read"], rel=0.15)
    assert bill["miss"] is None


def test_lines_of_a_subagent_name_the_call_that_they_belong_to(project, provider):
    provider([calls(task("a")), calls(READ), says("alpha"), says("Done.")])
    done = project.agent("-p", "--output-format", "stream-json", "go")
    lines = [json.loads(line) for line in done.out.splitlines()]
    (call,) = [
        block["id"]
        for line in lines
        if line["type"] == "assistant" and "parent_tool_use_id" not in line
        for block in line["message"]["content"]
        if block["type"] == "tool_use"
    ]
    inner = [line for line in lines if "parent_tool_use_id" in line]
    assert [line["type"] for line in inner] == ["assistant", "user", "assistant"]
    assert {line["parent_tool_use_id"] for line in inner} == {call}
    ids = [line["message"]["id"] for line in lines if line["type"] == "assistant"]
    assert len(set(ids)) == len(ids) == 4
    assert lines[-1]["result"] == "Done."


def test_what_a_subagent_was_denied_decides_the_exit_code(project, provider):
    provider([calls(task("a")), calls(WRITE), says("I may not."), says("Not done.")])
    done = project.agent("-p", "--output-format", "json", "go")
    assert done.code == 4
    assert [denial["tool_name"] for denial in done.json["permission_denials"]] == ["Write"]


def test_text_mode_is_quiet_about_them(project, provider):
    provider([calls(task("a")), calls(READ), says("alpha"), says("Done.")])
    done = project.agent("-p", "go")
    assert (done.out, done.err, done.code) == ("Done.\n", "", 0)


def test_an_agent_of_the_project_waits_for_trust(project, provider):
    folder = project.root / ".claude/agents"
    folder.mkdir(parents=True)
    (folder / "helper.md").write_text("---\ndescription: helps\n---\nHelp.")
    server = provider([says("One."), says("Two.")])
    untrusted = project.agent("-p", "go")
    assert "helper: helps" not in server.requests[0].raw.decode()
    assert "agents), which is ignored until you trust it" in untrusted.err
    trusted = project.agent("-p", "--trust", "go")
    assert "helper: helps" in server.requests[1].raw.decode()
    assert trusted.err == ""


def test_an_agent_of_the_person_is_there_without_trust(project, provider):
    folder = project.root.parent / "home/.config/agentcli/agents"
    folder.mkdir(parents=True)
    (folder / "mine.md").write_text("---\ndescription: is mine\n---\nBe mine.")
    server = provider([calls(task("a", "mine")), says("Yes."), says("Ok.")])
    project.agent("-p", "go")
    assert "mine: is mine" in server.requests[0].raw.decode()
    assert "Instructions for the mine agent" in server.requests[1].raw.decode()


def test_a_budget_ends_the_run_and_counts_subagents(project, provider):
    provider([calls(task("a")), says("x" * 20_000), says("never")])
    done = project.agent("-p", "--output-format", "json", "--max-cost", "0.06", "go")
    assert done.code == 3
    assert done.json["subtype"] == "error_max_cost"
    assert 0.02 < done.json["total_cost_usd"] <= 0.06


def test_nothing_is_lost_when_the_process_is_killed(project, provider):
    steps = Script(
        (calls(task("a")), says("Later.")),
        (
            When(lambda a: at("a")(a) and not a.results, calls(READ, text="Half of it.")),
            When(at("a"), Hang()),
        ),
    )
    server = provider(steps)
    process = project.begin("-p", "go")
    until = time.monotonic() + 30
    while len(server.requests) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    kept = project.kept()
    assert "Half of it." in json.dumps([e for e in kept if e["kind"] == "subagent"])
    assert [e["data"]["role"] for e in kept if e["kind"] == "spent"] == ["main", "subagent"]
    done = project.agent("-p", "-c", "--output-format", "json", "go on")
    assert (done.json["result"], done.code) == ("Later.", 0)
    assert server.requests[-1].head_bytes == server.requests[0].head_bytes
    (account,) = done.json["model_usage"].values()
    assert account["requests"] == 3


def test_a_session_gets_a_title_from_the_small_model(project, provider):
    configure(project, '[roles]\nsmall = "haiku"\n')
    naming = When(lambda a: "at most eight words" in a.system, says('"Alpha in a file."\n'))
    server = provider(Script((says("alpha"), says("Yes.")), (naming,)))
    done = project.agent("-p", "--output-format", "json", "what is in a?")
    assert done.json["result"] == "alpha"
    assert list(done.json["model_usage"]) == ["claude-sonnet-5-5", "claude-haiku-5-5"]
    assert "Alpha in a file" in project.agent("sessions").out
    by_role = project.agent("cost", "--by", "role", "--json").json
    assert {line["role"]: line["requests"] for line in by_role} == {"main": 1, "title": 1}
    project.agent("-p", "-c", "sure?")
    assert len(server.requests) == 3


def test_without_a_small_model_nothing_is_asked_and_the_words_are_the_title(project, provider):
    server = provider([says("alpha")])
    project.agent("-p", "what is in a?")
    assert len(server.requests) == 1
    assert "what is in a?" in project.agent("sessions").out


def test_a_title_that_fails_is_only_logged(project, provider):
    configure(project, '[roles]\nsmall = "haiku"\n')
    naming = When(lambda asked: "at most eight words" in asked.system, Fault("quota"))
    provider(Script((says("alpha"),), (naming,)))
    done = project.agent("-p", "what is in a?")
    assert (done.out, done.err, done.code) == ("alpha\n", "", 0)
    assert "what is in a?" in project.agent("sessions").out
    assert "quota" in (project.root.parent / "home/.local/share/agentcli/agent.log").read_text()


def test_a_title_never_asks_for_a_larger_budget(project, provider):
    configure(project, '[roles]\nsmall = "anthropic/claude-nova-9"\n[budget]\nsession = 5\n')
    server = provider([says("alpha")])
    done = project.agent("-p", "what is in a?")
    assert (done.out, done.err, done.code) == ("alpha\n", "", 0)
    assert len(server.requests) == 1


def test_a_role_nobody_can_reach_is_told_at_the_start(project, provider):
    configure(project, '[roles]\nsubagent = "gpt"\n')
    server = provider([says("never")])
    done = project.agent("-p", "go")
    assert (done.code, server.requests) == (2, [])
    assert "OPENAI_API_KEY" in done.err


def test_a_model_of_another_vendor_gets_the_tools_that_suit_it(project, provider):
    """Both keys are there; the talk is Claude's, and the work is done by a GPT model."""
    gpt = provider([calls(READ), says("alpha")], "openai-responses")
    claude = provider([calls(task("a")), says("It says alpha.")])
    configure(project, '[roles]\nsubagent = "gpt-6.1-sol"\n')
    done = project.agent("-p", "--output-format", "json", "go")
    assert (done.json["result"], done.code) == ("It says alpha.", 0)
    assert (len(claude.requests), len(gpt.requests)) == (2, 2)
    names = {tool["name"] for tool in gpt.requests[0].body["tools"]}
    assert "ApplyPatch" in names
    assert "Edit" not in names
    assert gpt.requests[0].head_bytes == gpt.requests[1].head_bytes
    assert list(done.json["model_usage"]) == ["claude-sonnet-5-5", "gpt-6.1-sol"]
