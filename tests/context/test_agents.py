"""Kinds of subagents: what files may say, which of them count, and what the model is told."""

import pytest

from agentcli.context.agents import LISTED, Roster, briefing, folders, load
from agentcli.policy.trust import fingerprint, is_trusted, trust
from agentcli.tools.base import ToolError


def define(folder, name, head, body="Do it."):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(f"---\n{head}\n---\n{body}\n")


def only(folder):
    roster, notices = load([folder])
    assert notices == ()
    return roster.kinds[-1]


def test_general_and_explore_are_always_there():
    roster, notices = load([])
    assert (list(roster.listing()), notices) == (["general", "explore"], ())
    assert roster.find("explore").read_only
    assert not roster.find("general").read_only


def test_a_file_in_the_words_of_others_is_understood(tmp_path):
    head = "name: reviewer\ndescription: Reviews code.\ntools: Read, LS, MultiEdit, TodoWrite"
    define(tmp_path, "x", head + "\nmodel: inherit\ncolor: red")
    kind = only(tmp_path)
    assert (kind.name, kind.description, kind.model) == ("reviewer", "Reviews code.", "")
    usable = {"Read", "Glob", "Edit", "ApplyPatch", "Todo"}
    every = usable | {"Write", "Bash", "BashOutput", "Grep", "Git", "Task", "mcp__a__b"}
    assert {name for name in every if kind.may_use(name)} == usable


@pytest.mark.parametrize(
    ("tools", "usable"),
    [
        ("", {"Bash", "Write", "Read", "mcp__a__b"}),
        ('tools: "*"', {"Bash", "Write", "Read", "mcp__a__b"}),
        ("tools: []", set()),
        ("tools: [Read, 'Write']", {"Read", "Write"}),
        ("tools:\n  - Bash\n  - mcp__a", {"Bash", "BashOutput", "mcp__a__b"}),
    ],
)
def test_tools(tools, usable, tmp_path):
    define(tmp_path, "x", f"description: d\n{tools}")
    kind = only(tmp_path)
    every = ("Bash", "Write", "Read", "BashOutput", "mcp__a__b", "mcp__other__b")
    found = {name for name in every if kind.may_use(name)}
    assert found - {"BashOutput", "mcp__other__b"} == usable - {"BashOutput"}
    assert kind.may_use("BashOutput") == kind.may_use("Bash")
    assert kind.may_use("mcp__other__b") == (kind.tools is None)


def test_a_plan_mode_agent_only_reads(tmp_path):
    define(tmp_path, "x", "description: d\npermissionMode: plan")
    assert only(tmp_path).read_only
    define(tmp_path, "x", "description: d\npermissionMode: bypassPermissions")
    assert not only(tmp_path).read_only


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("name: x", "it has no description"),
        ("name: a b\ndescription: d", "its name may hold"),
        ("description: d\ntools: Bash(git *)", "patterns belong to permissions"),
    ],
)
def test_an_unusable_file_is_named_with_its_reason(head, why, tmp_path):
    define(tmp_path, "bad", head)
    define(tmp_path, "good", "description: d")
    roster, (notice,) = load([tmp_path])
    assert why in notice
    assert "bad.md" in notice
    assert list(roster.listing()) == ["general", "explore", "good"]


def test_bytes_that_are_no_text_are_unusable(tmp_path):
    (tmp_path / "x.md").write_bytes(b"---\ndescription: \xff\n---\n")
    _, (notice,) = load([tmp_path])
    assert "x.md" in notice


def test_earlier_folders_win_and_a_file_may_replace_a_built_in_kind(tmp_path):
    define(tmp_path / "one", "explore", "description: mine", "Look closely.")
    define(tmp_path / "two", "explore", "description: other")
    roster, _ = load([tmp_path / "one", tmp_path / "two", tmp_path / "missing"])
    assert roster.listing() == {"general": "does what you can do", "explore": "mine"}
    assert not roster.find("explore").read_only


def test_a_long_description_is_cut_since_every_request_pays_for_it(tmp_path):
    define(tmp_path, "x", f"description: {'word ' * 100}")
    roster, _ = load([tmp_path])
    assert len(roster.listing()["x"]) <= LISTED


def test_a_kind_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(ToolError, match="no agent wizard; there are: general, explore"):
        Roster().find("wizard")


def test_the_briefing_holds_instructions_limits_and_the_task(tmp_path):
    define(tmp_path, "x", "description: d\ntools: Read, Grep", "Be strict.")
    text = briefing(only(tmp_path), "Check a.py.")
    assert "Of your tools you may use only: Grep, Read." in text
    assert "Instructions for the x agent:\nBe strict." in text
    assert text.endswith("Task:\nCheck a.py.")
    assert "You may only read" in briefing(Roster().find("explore"), "Look.")


def test_agents_of_a_project_need_trust_and_again_when_they_change(tmp_path):
    root, store = tmp_path / "project", tmp_path / "trust.json"
    root.mkdir()
    assert is_trusted(store, root)
    for folder in (".agent/agents", ".agents/agents", ".claude/agents"):
        before = fingerprint(root)
        define(root / folder, "x", "description: d")
        assert fingerprint(root) != before
        assert not is_trusted(store, root)
        trust(store, root)
        assert is_trusted(store, root)
    define(root / ".claude/agents", "x", "description: d\nmodel: opus")
    assert not is_trusted(store, root)
    config = tmp_path / "config"
    assert folders(root, config, trusted=False) == [config / "agents"]
    assert len(folders(root, config, trusted=True)) == 4
