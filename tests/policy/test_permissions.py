"""Files: what may be read and written, in every mode, whichever road leads there."""

import pytest

from agentcli.llm.types import ToolCall
from agentcli.policy.permissions import Policy, decide
from agentcli.policy.rules import parse_rule
from agentcli.policy.secrets import known_values, mask, scrub_env
from agentcli.tools.base import Action


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    return root


def policy(project, mode="default", *rules, extra=()):
    parsed = tuple(parse_rule(text, verdict, project) for verdict, text in rules)
    return Policy(mode, parsed, project, extra, project.parent / "home")


def verdict(tool, kind, path, given, hook=None):
    action = Action(kind, str(path), None, (str(path),) if kind == "edit" else ())
    return decide(ToolCall("1", tool, {}), action, given, hook=hook).verdict


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("default", "ask"),
        ("accept-edits", "allow"),
        ("plan", "deny"),
        ("dont-ask", "deny"),
        ("bypass", "allow"),
    ],
)
def test_editing_in_the_project_by_mode(mode, expected, project):
    for tool in ("Edit", "Write", "ApplyPatch"):
        assert verdict(tool, "edit", project / "src/a.py", policy(project, mode)) == expected


@pytest.mark.parametrize(
    "name",
    [
        ".git/hooks/pre-commit",
        ".git/config",
        ".agent/config.toml",
        ".agent/hooks.toml",
        ".envrc",
        "../home/.bashrc",
        "../home/.zshrc",
        "../home/.config/agentcli/config.toml",
        "../home/.local/share/agentcli/trust.json",
        "../home/.ssh/authorized_keys",
    ],
)
def test_what_can_run_things_is_never_written_unasked(name, project):
    path = (project / name).resolve()
    for mode in ("default", "accept-edits", "bypass"):
        given = policy(project, mode, ("allow", "Edit"))
        assert verdict("Write", "edit", path, given) == "ask"
        assert verdict("Write", "edit", path, given, hook="allow") == "ask"
    assert verdict("Write", "edit", path, policy(project, "dont-ask")) == "deny"


def test_outside_the_project_and_through_links(project):
    outside = project.parent / "elsewhere.txt"
    outside.write_text("x")
    (project / "link").symlink_to(outside)
    (project / "dir").symlink_to(project.parent)
    for path in (outside, project / "link", project / "dir" / "new.txt"):
        assert verdict("Edit", "edit", path, policy(project, "accept-edits")) == "ask"
        assert verdict("Read", "read", path, policy(project)) == "ask"
    extra = policy(project, "accept-edits", extra=(project.parent,))
    assert verdict("Edit", "edit", outside, extra) == "allow"


def test_reading_is_free_in_the_project_but_secrets_ask(project):
    given = policy(project)
    assert verdict("Read", "read", project / "src/a.py", given) == "allow"
    assert verdict("Grep", "read", project, given) == "allow"
    for name in (".env", ".env.local", "key.pem", "sub/id_rsa", ".npmrc"):
        assert verdict("Read", "read", project / name, given) == "ask"
    assert verdict("Read", "read", project / ".env.example", given) == "allow"


@pytest.mark.parametrize(
    ("rule", "name", "covered"),
    [
        ("Read(./.env)", ".env", True),
        ("Read(*.env)", "deep/x.env", True),
        ("Read(/src/**)", "src/a/b.py", True),
        ("Read(/src/**)", "lib/src/a.py", False),
        ("Read(secrets/)", "secrets/a.txt", True),
        ("Read(~/x)", "../home/x", True),
        ("Read", "anything", True),
        ("Edit(src/**)", "src/a.py", False),
    ],
)
def test_path_rules(rule, name, covered, project):
    given = policy(project, "bypass", ("deny", rule))
    path = (project / name).resolve()
    assert (verdict("Read", "read", path, given) == "deny") is covered


def test_one_policy_for_every_road(project):
    given = policy(project, "default", ("deny", "Read(./private.txt)"), ("deny", "Edit(./lock)"))
    (project / "private.txt").write_text("x")
    bash = decide(ToolCall("1", "Bash", {}), Action("exec", "cat private.txt"), given)
    assert bash.verdict == "deny"
    redirect = decide(ToolCall("1", "Bash", {}), Action("exec", "echo x > lock"), given)
    assert redirect.verdict == "deny"


def test_a_double_slash_rule_starts_at_the_root_of_the_file_system(project):
    given = policy(project, "default", ("allow", "Read(//etc/hosts)"))
    assert verdict("Read", "read", "/etc/hosts", given) == "allow"
    assert verdict("Read", "read", "/etc/hostname", given) == "ask"


def test_hooks_may_skip_a_question_but_not_a_rule(project):
    path = project / "a.py"
    assert verdict("Edit", "edit", path, policy(project), hook="allow") == "allow"
    assert verdict("Edit", "edit", path, policy(project), hook="deny") == "deny"
    assert verdict("Edit", "edit", path, policy(project, "accept-edits"), hook="ask") == "ask"
    for kind in ("ask", "deny"):
        given = policy(project, "default", (kind, "Edit"))
        assert verdict("Edit", "edit", path, given, hook="allow") == kind


def test_secrets_are_scrubbed_and_masked():
    env = {"OPENAI_API_KEY": "sk-12345678", "PATH": "/bin", "DB_PASSWORD": "hunter22", "X": "y"}
    assert scrub_env(env) == {"PATH": "/bin", "X": "y"}
    text = mask("key sk-12345678 and hunter22", known_values(env))
    assert text == "key [secret] and [secret]"
    assert known_values({"API_TOKEN": "short"}) == ()


@pytest.mark.parametrize(
    ("rule", "mode", "expected"),
    [
        (("deny", "Task(explore)"), "bypass", "deny"),
        (("deny", "Task(exp*)"), "default", "deny"),
        (("deny", "Task"), "default", "deny"),
        (("deny", "Task(general)"), "default", "allow"),
        (("ask", "Task(explore)"), "default", "ask"),
        (("ask", "Task(explore)"), "dont-ask", "deny"),
        (("deny", "Skill(explore)"), "plan", "allow"),
    ],
)
def test_subagents_by_name(rule, mode, expected, project):
    action = Action("other", "explore")
    given = policy(project, mode, rule)
    assert decide(ToolCall("1", "Task", {}), action, given).verdict == expected
