"""`agent -p` from the outside: what it answers, keeps and sends, on all three wires."""

import json
import subprocess

from agentcli.llm.simulator import Failure, Script, When, calls, says, thinks


def test_a_session_with_tools_over_three_processes(project, provider, wire):
    server = provider(
        [
            thinks("first look", calls(("Read", {"path": "a.txt"}), ("Glob", {"pattern": "*"}))),
            calls(("Write", {"path": "b.txt", "content": "beta\n"}), text="Writing it."),
            calls(("Bash", {"command": "cat b.txt"})),
            says("Done: b.txt holds beta."),
            says("It still does."),
            calls(("Read", {"path": "b.txt"})),
            says("Yes."),
        ],
        wire,
        key="key",
    )
    first = project.agent("-p", "make b", "--permission-mode", "accept-edits")
    assert (first.out, first.code) == ("Done: b.txt holds beta.\n", 0), first.err
    assert (project.root / "b.txt").read_text() == "beta\n"
    second = project.agent("-p", "--continue", "and now?")
    assert second.out == "It still does.\n", second.err
    third = project.agent("-p", "-c", "--output-format", "json", "sure?")
    assert third.json["result"] == "Yes."
    assert third.json["usage"]["cache_read_input_tokens"] > 0
    assert third.json["num_turns"] == 2
    assert len(server.requests) == 7
    server.assert_prefix()


def test_a_denied_tool_is_told_and_ends_with_its_own_code(project, provider, wire):
    provider([calls(("Bash", {"command": "touch x"})), says("I may not.")], wire)
    done = project.agent("-p", "touch x", "--output-format", "json")
    assert done.code == 4
    assert done.json["permission_denials"][0]["tool_name"] == "Bash"
    assert not (project.root / "x").exists()


def test_stream_json_tells_every_step_and_ends_with_a_result(project, provider, wire):
    provider([calls(("Read", {"path": "a.txt"})), says("It says alpha.")], wire)
    done = project.agent("-p", "read", "--output-format", "stream-json")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["type"] for line in lines] == [
        "system",
        "assistant",
        "user",
        "assistant",
        "result",
    ]
    assert lines[0]["tools"] == sorted(lines[0]["tools"])
    assert lines[1]["message"]["id"]
    assert "alpha" in json.dumps(lines[2])
    assert lines[-1]["result"] == "It says alpha."
    assert lines[-1]["total_cost_usd"] > 0


def test_a_gateway_without_responses_is_asked_for_chat(project, provider):
    missing = When(lambda asked: asked.wire == "openai-responses", Failure(404, b"Not Found"))
    script = Script((calls(("Read", {"path": "a.txt"})), says("Alpha.")), rules=(missing,))
    server = provider(script, "openai-responses")
    project.env["AGENT_MODEL"] = "gpt-4.1"
    done = project.agent("-p", "read")
    assert done.out == "Alpha.\n", done.err
    paths = [request.path for request in server.requests]
    assert paths == ["/v1/responses", "/v1/chat/completions", "/v1/chat/completions"]


def test_piped_input_comes_with_the_prompt(project, provider):
    server = provider([says("ok")])
    project.agent("-p", "what is this?", stdin="some log\n")
    assert "some log" in server.requests[0].raw.decode()
    assert "what is this?" in server.requests[0].raw.decode()


def test_many_prompts_as_stream_json(project, provider):
    server = provider([says("one"), says("two")])
    lines = [
        {"type": "user", "message": {"role": "user", "content": text}} for text in ("first", "next")
    ]
    stdin = "".join(json.dumps(line) + "\n" for line in lines)
    done = project.agent(
        "-p", "--input-format", "stream-json", "--output-format", "stream-json", stdin=stdin
    )
    assert len(server.requests) == 2
    assert json.loads(done.out.splitlines()[-1])["result"] == "two"
    server.assert_prefix()


def test_resume_by_id_and_fork(project, provider):
    server = provider([says("one"), says("two"), says("three")])
    first = project.agent("-p", "first", "--output-format", "json").json
    forked = project.agent(
        "-p", "next", "--resume", first["session_id"], "--fork-session", "--output-format", "json"
    ).json
    assert forked["session_id"] != first["session_id"]
    again = project.agent("-p", "next", "--resume", first["session_id"]).out
    assert again == "three\n"
    assert server.requests[1].messages_bytes == server.requests[2].messages_bytes


def test_the_cost_of_three_processes_is_counted_on(project, provider):
    provider([says("one"), says("two")])
    first = project.agent("-p", "a", "--output-format", "json").json
    second = project.agent("-p", "-c", "b", "--output-format", "json").json
    assert second["total_cost_usd"] > first["total_cost_usd"]


def test_not_a_git_repository_and_one(project, provider):
    server = provider([says("one"), says("two")])
    assert project.agent("-p", "a").code == 0
    subprocess.run(["git", "init", "-q", "-b", "trunk"], cwd=project.root, check=True)
    assert project.agent("-p", "a").code == 0
    assert "trunk" in server.requests[1].raw.decode()


def test_nothing_but_the_answer_on_standard_output(project, provider):
    provider([calls(("Bash", {"command": "ls"}), text="Looking."), says("An answer.")])
    assert project.agent("-p", "x", "--verbose").out == "An answer.\n"


def test_a_limit_of_turns_has_its_own_code(project, provider):
    provider([calls(("Read", {"path": "a.txt"})), says("never")])
    done = project.agent("-p", "x", "--max-turns", "1", "--output-format", "json")
    assert done.code == 3
    assert done.json["subtype"] == "error_max_turns"


def test_a_limit_of_cost_stops_before_the_next_request(project, provider):
    server = provider([calls(("Read", {"path": "a.txt"})), says("never")])
    done = project.agent("-p", "x", "--max-cost", "0.0001", "--output-format", "json")
    assert done.code == 3
    assert done.json["subtype"] == "error_max_cost"
    assert len(server.requests) <= 1


def test_structured_output_is_checked(project, provider):
    provider([says('{"n": 3}')])
    schema = '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}'
    done = project.agent("-p", "x", "--json-schema", schema, "--output-format", "json")
    assert done.json["structured_output"] == {"n": 3}


def test_a_fork_finds_the_cache_of_its_origin(project, provider, wire):
    server = provider([says("One."), says("Two."), says("Three.")], wire)
    project.agent("-p", "x")
    forked = project.agent("-p", "-c", "--fork-session", "--output-format", "json", "y")
    assert forked.json["usage"]["cache_read_input_tokens"] > 0
    assert project.agent("-p", "-r", forked.json["session_id"], "z").out == "Three.\n"
    keys = {request.body.get("prompt_cache_key") for request in server.requests}
    assert len(keys) == 1
