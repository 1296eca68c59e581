"""The person's own programs around a turn: they refuse, rewrite, ask, add and send back."""

import json
import shlex

import pytest
from stage import Stage

from agentcli.agent.events import Answer, Decided, HookFailed, Notice, ToolEnd, ToolStart
from agentcli.agent.turn import MAX_STOP_HOOKS
from agentcli.llm.testing import calls, says

READ = ("Read", {"path": "a.txt"})
WRITE = ("Write", {"path": "c.txt", "content": "x"})


def hook(event, answer, **more):
    """A hook that answers with JSON."""
    return (event, f"printf %s {shlex.quote(json.dumps(answer))}", more)


def before(matcher="", **specific):
    return hook("PreToolUse", {"hookSpecificOutput": specific}, matcher=matcher)


def noting(event, path, answer=None):
    """A hook that keeps what it was given, one line a time, and answers."""
    told = shlex.quote(json.dumps(answer)) if answer else "''"
    return (event, f"(cat; echo) >> {path}; printf %s {told}", {})


def noted(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def test_a_hook_that_denies_is_obeyed_in_every_mode_and_told_to_the_model(root):
    deny = ("PreToolUse", "echo 'not on Fridays' >&2; exit 2", {"matcher": "Write"})
    stage = Stage(root, [calls(WRITE, READ), says("ok")], hooks=[deny], mode="bypass")
    assert stage.run("write").reason == "done"
    assert not (root / "c.txt").exists()
    wrote, read = stage.outputs()
    assert wrote[1:] == ("Not allowed: not on Fridays", True)
    assert "alpha" in read[1]
    assert stage.of(Decided)[0].decision.source == "hook"


def test_a_hook_that_allows_spares_the_question_but_not_the_rules(root):
    allow = before(permissionDecision="allow")
    script = [calls(WRITE, ("Bash", {"command": "touch x"})), says("ok")]
    stage = Stage(root, script, hooks=[allow], rules=[("Bash(touch:*)", "deny")])
    stage.run("write")
    assert (root / "c.txt").exists()
    assert not (root / "x").exists()
    assert stage.front.questions == []


def test_a_hook_that_asks_brings_the_person_in(root):
    ask = before(permissionDecision="ask")
    stage = Stage(root, [calls(READ), says("ok")], Answer("no", "leave it"), hooks=[ask])
    stage.run("read")
    assert len(stage.front.questions) == 1
    assert "leave it" in stage.outputs()[0][1]


def test_a_patched_input_is_what_is_shown_asked_about_and_run(root):
    patch = before("Write", updatedInput={"path": "d.txt", "content": "patched"})
    stage = Stage(root, [calls(WRITE), says("ok")], Answer("yes"), hooks=[patch])
    stage.run("write")
    assert not (root / "c.txt").exists()
    assert (root / "d.txt").read_text() == "patched"
    assert stage.front.questions[0].action.target == str(root / "d.txt")
    assert stage.of(ToolStart)[0].call.input["path"] == "d.txt"
    assert stage.transcript.messages[1].tool_calls[0].input["path"] == "c.txt"


def test_a_patched_input_is_parsed_again(root):
    patch = before("Write", updatedInput={"path": "d.txt", "text": "?"})
    stage = Stage(root, [calls(WRITE), says("ok")], hooks=[patch], mode="bypass")
    stage.run("write")
    ((_, text, is_error),) = stage.outputs()
    assert "content" in text
    assert is_error
    assert list(root.glob("[cd].txt")) == []


def test_a_patched_input_is_judged_by_the_rules_again(root):
    patch = before("Bash", permissionDecision="allow", updatedInput={"command": "touch x"})
    script = [calls(("Bash", {"command": "ls"})), says("ok")]
    stage = Stage(root, script, hooks=[patch], rules=[("Bash(touch:*)", "deny")])
    stage.run("list")
    assert not (root / "x").exists()
    assert stage.outputs()[0][2]


def test_a_hook_answers_a_question_in_place_of_the_person(root):
    for decision, exists in (("allow", True), ("deny", False)):
        answer = hook("PermissionRequest", {"decision": decision})
        stage = Stage(root, [calls(WRITE), says("ok")], hooks=[answer])
        stage.run("write")
        assert (root / "c.txt").exists() is exists
        assert stage.front.questions == []
        (root / "c.txt").unlink(missing_ok=True)


def test_context_of_a_hook_follows_the_outputs(root):
    add = hook("PostToolUse", {"hookSpecificOutput": {"additionalContext": "Format it."}})
    stage = Stage(root, [calls(READ), says("ok")], hooks=[add])
    stage.run("read")
    assert stage.words()[1:] == [("model", ""), ("hook", "Format it."), ("model", "ok")]
    assert [len(r.messages) for r in stage.model.requests] == [1, 4]


def test_a_hook_rewrites_or_objects_to_an_output(root):
    rewrite = hook(
        "PostToolUse", {"hookSpecificOutput": {"updatedToolOutput": "blanked"}}, matcher="Read"
    )
    object_ = hook("PostToolUse", {"decision": "block", "reason": "not formatted"}, matcher="Write")
    script = [calls(READ, WRITE), says("ok")]
    stage = Stage(root, script, hooks=[rewrite, object_], mode="bypass")
    stage.run("go")
    read, wrote = stage.outputs()
    assert read[1:] == ("blanked", False)
    assert "not formatted" in wrote[1]
    assert wrote[2]
    assert [event.result.is_error for event in stage.of(ToolEnd)] == [False, True]


def test_hooks_are_told_what_ran_and_what_failed(root, tmp_path):
    log = tmp_path / "log"
    hooks = [noting(event, log) for event in ("PreToolUse", "PostToolUse", "PostToolUseFailure")]
    stage = Stage(root, [calls(READ), calls(("Read", {"path": "gone"})), says("ok")], hooks=hooks)
    stage.run("read")
    lines = noted(log)
    assert [line["hook_event_name"] for line in lines] == [
        "PreToolUse",
        "PostToolUse",
        "PreToolUse",
        "PostToolUseFailure",
    ]
    assert {line["tool_name"] for line in lines} == {"Read"}
    assert [line["tool_use_id"] for line in lines] == ["call_0_1"] * 2 + ["call_0_2"] * 2
    assert "alpha" in lines[1]["tool_response"]
    assert "gone" in lines[3]["error"]


def test_a_stop_hook_sends_the_model_back_to_work(root, tmp_path):
    log = tmp_path / "log"
    command = (
        f"(cat; echo) >> {log}; test $(wc -l < {log}) -ge 2 || "
        """printf '{"decision":"block","reason":"Run the tests."}'"""
    )
    stage = Stage(
        root, [says("Done."), calls(READ), says("Tested.")], hooks=[("Stop", command, {})]
    )
    end = stage.run("go")
    assert (end.reason, end.steps) == ("done", 3)
    assert ("hook", "Run the tests.") in stage.words()
    lines = noted(log)
    assert [line["stop_hook_active"] for line in lines] == [False, True]
    assert [line["last_assistant_message"] for line in lines] == ["Done.", "Tested."]


def test_a_stop_hook_that_is_never_content_is_left_alone_at_last(root):
    again = hook("Stop", {"decision": "block", "reason": "more"})
    stage = Stage(root, [says("Done.")] * (MAX_STOP_HOOKS + 1), hooks=[again])
    assert stage.run("go").reason == "done"


def test_a_hook_may_end_the_turn(root):
    halt = hook("PreToolUse", {"continue": False, "stopReason": "enough"})
    stage = Stage(root, [calls(READ, WRITE)], hooks=[halt], mode="bypass")
    assert stage.run("go").reason == "stopped"
    assert len(stage.outputs()) == 2
    assert not (root / "c.txt").exists()


@pytest.mark.parametrize(("on_failure", "runs"), [("warn", True), ("block", False)])
def test_a_broken_hook_is_shown_and_blocks_only_when_its_owner_said_so(root, on_failure, runs):
    broken = ("PreToolUse", "echo oops >&2; exit 7", {"on_failure": on_failure})
    stage = Stage(root, [calls(READ), says("ok")], hooks=[broken])
    stage.run("read")
    (failed,) = stage.of(HookFailed)
    assert (failed.event, failed.blocked) == ("PreToolUse", not runs)
    assert "oops" in failed.why
    assert stage.outputs()[0][2] is not runs


def test_a_message_of_a_hook_is_shown_to_the_person_only(root):
    tell = hook("PreToolUse", {"systemMessage": "Mind the step."})
    stage = Stage(root, [calls(READ), says("ok")], hooks=[tell])
    stage.run("read")
    assert [notice.text for notice in stage.of(Notice)] == ["Mind the step."]
    assert all("Mind" not in words for _, words in stage.words())
