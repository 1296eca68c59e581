"""Hooks: who is asked, what their answers mean, and that a broken one is never silent."""

import asyncio
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from agentcli.lib.errors import UserError
from agentcli.policy.hooks import (
    HookAnswer,
    HookFailure,
    Hooks,
    HookSpec,
    aggregate,
    hook_spec,
    matches,
)

EXAMPLE = Path(__file__).parents[2] / "hooks.example.toml"
FACTS = {"session_id": "s1", "cwd": "/x", "permission_mode": "default", "cost_usd": 0.5}


def fire(specs, event, tmp_path, env=None, **fields):
    hooks = Hooks(specs, facts=lambda: FACTS, env=env or {"PATH": "/usr/bin:/bin"}, cwd=tmp_path)
    return asyncio.run(hooks.fire(event, **fields))


def python(code):
    return (sys.executable, "-c", code)


def test_without_hooks_nothing_happens(tmp_path):
    assert fire([], "PreToolUse", tmp_path, tool_name="Bash") == HookAnswer()


@pytest.mark.parametrize(
    ("matcher", "tool", "expected"),
    [
        ("", "Bash", True),
        ("*", "Bash", True),
        ("Bash", "Bash", True),
        ("Bash", "BashOutput", False),
        ("Bash|Write", "Write", True),
        ("Bash, Write", "Write", True),
        ("mcp__.*", "mcp__github__list", True),
        ("mcp__.*", "Bash", False),
        ("[", "Bash", False),
    ],
)
def test_matchers(matcher, tool, expected):
    assert matches(HookSpec("PreToolUse", "x", matcher), "PreToolUse", tool) is expected
    assert not matches(HookSpec("Stop", "x", matcher), "PreToolUse", tool)


def test_the_payload_holds_event_and_facts(tmp_path):
    code = "import sys, json; print(json.dumps({'systemMessage': sys.stdin.read()}))"
    answer = fire(
        [HookSpec("PreToolUse", python(code))],
        "PreToolUse",
        tmp_path,
        tool_name="Bash",
        tool_input={"command": "ls"},
        tool_use_id="t1",
    )
    seen = json.loads(answer.system_messages[0])
    assert seen == FACTS | {
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": "ls"},
        "tool_use_id": "t1",
    }


def test_exit_2_blocks_and_standard_error_is_the_reason(tmp_path):
    answer = fire(
        [HookSpec("PreToolUse", "echo no >&2; exit 2")], "PreToolUse", tmp_path, tool_name="Bash"
    )
    assert (answer.decision, answer.reason, answer.failures) == ("deny", "no", ())


@pytest.mark.parametrize(
    "command", ["exit 1", "exit 127", "no-such-program-here", "echo '{broken'"]
)
@pytest.mark.parametrize("on_failure", ["warn", "block"])
def test_a_failure_is_shown_and_blocks_only_when_asked(tmp_path, command, on_failure):
    spec = HookSpec("PreToolUse", command, on_failure=on_failure)
    answer = fire([spec], "PreToolUse", tmp_path, tool_name="Bash")
    assert len(answer.failures) == 1
    assert answer.failures[0].blocked is (on_failure == "block")
    assert answer.decision == ("deny" if on_failure == "block" else "none")


def test_a_missing_program_is_a_failure(tmp_path):
    answer = fire([HookSpec("Stop", ("/no/such/hook",))], "Stop", tmp_path)
    assert answer.failures[0].why == "No such file or directory"


def test_a_hook_that_hangs_is_ended(tmp_path):
    spec = HookSpec("Stop", "sleep 60", timeout=0.2)
    answer = fire([spec], "Stop", tmp_path)
    assert answer.failures == (HookFailure("sleep 60", "no answer within 0.2 s", False),)


def test_json_answers(tmp_path):
    out = {
        "continue": False,
        "stopReason": "enough",
        "hookSpecificOutput": {
            "permissionDecision": "ask",
            "permissionDecisionReason": "look",
            "updatedInput": {"command": "ls -l"},
            "additionalContext": "note",
            "updatedToolOutput": "short",
        },
    }
    code = f"print({json.dumps(json.dumps(out))})"
    answer = fire([HookSpec("PreToolUse", python(code))], "PreToolUse", tmp_path, tool_name="Bash")
    assert answer == HookAnswer(
        "ask", "look", "note", {"command": "ls -l"}, "short", True, "enough"
    )


def test_plain_output_is_context_only_where_it_should_be(tmp_path):
    spec = HookSpec("UserPromptSubmit", "echo remember the milk")
    assert fire([spec], "UserPromptSubmit", tmp_path, prompt="x").context == "remember the milk"
    spec = HookSpec("PostToolUse", "echo chatter")
    assert fire([spec], "PostToolUse", tmp_path, tool_name="Bash").context == ""


def test_secrets_are_not_in_a_hooks_environment(tmp_path):
    env = {"PATH": "/usr/bin:/bin", "OPENAI_API_KEY": "sk-x", "GITHUB_TOKEN": "t", "PLAIN": "1"}
    answer = fire(
        [HookSpec("SessionStart", "env")], "SessionStart", tmp_path, env, source="startup"
    )
    assert "PLAIN=1" in answer.context
    assert "sk-x" not in answer.context
    assert "GITHUB_TOKEN" not in answer.context
    for name in ("AGENT_PROJECT_DIR", "CLAUDE_PROJECT_DIR"):
        assert f"{name}={tmp_path}" in answer.context
    assert "AGENT_SESSION_ID=s1" in answer.context


def test_folding_answers():
    allow, deny = HookAnswer("allow", "fine"), HookAnswer("deny", "no")
    assert aggregate([allow, HookAnswer("ask", "hm"), deny]).decision == "deny"
    assert aggregate([allow, HookAnswer("ask", "hm")]).reason == "hm"
    assert aggregate([allow, HookAnswer()]).decision == "allow"
    assert aggregate([HookAnswer(stop=True), allow]).stop
    assert aggregate([HookAnswer(context="a"), HookAnswer(context="b")]).context == "a\nb"


def test_two_new_inputs_for_one_call_block_it():
    patched = HookAnswer("allow", input_patch={"a": 1})
    folded = aggregate([patched, patched])
    assert (folded.decision, folded.input_patch) == ("deny", None)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({}, "command must be"),
        ({"command": "x", "timout": 3}, "unknown key timout"),
        ({"command": "x", "on_failure": "explode"}, "block or warn"),
        ({"command": "x", "timeout": 0}, "number of seconds"),
    ],
)
def test_a_wrong_table_is_named(table, told):
    with pytest.raises(UserError, match=told):
        hook_spec("Stop", table, Path("hooks.toml"))
    with pytest.raises(UserError, match="no such event"):
        hook_spec("Stopp", {"command": "x"}, Path("hooks.toml"))


@pytest.fixture
def example():
    tables = tomllib.loads(EXAMPLE.read_text())["hooks"]
    return [hook_spec(event, t, EXAMPLE) for event, found in tables.items() for t in found]


def test_the_example_blocks_a_force_push(example, tmp_path):
    def push(command):
        return fire(
            example, "PreToolUse", tmp_path, tool_name="Bash", tool_input={"command": command}
        )

    assert push("git push origin main").decision == "none"
    for command in ("git push --force origin x", "git push -f", "cd a && git push origin --force"):
        answer = push(command)
        assert answer.decision == "deny", command
        assert "Force pushes" in answer.reason
        assert answer.failures == ()


def test_the_example_protects_generated_files(example, tmp_path):
    def edit(path):
        given = {"path": path, "old": "a", "new": "b"}
        return fire(example, "PreToolUse", tmp_path, tool_name="Edit", tool_input=given)

    assert edit("src/generated/api.py").decision == "deny"
    assert edit("src/api.py").decision == "none"


def test_the_example_logs_calls_and_names_the_ticket(example, tmp_path):
    subprocess.run(["git", "init", "-q", "-b", "fix/ABC-12-cart"], cwd=tmp_path, check=True)
    answer = fire(example, "UserPromptSubmit", tmp_path, prompt="hi")
    assert answer.context == "This branch is about ticket ABC-12."
    answer = fire(example, "PostToolUse", tmp_path, tool_name="Bash", duration_ms=12)
    assert answer.failures == ()
    assert "Bash 12 ms" in (tmp_path / ".agent-calls.log").read_text()
