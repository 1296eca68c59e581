"""The first look at a repository, and at a folder that is none."""

import os
import subprocess

from agentcli.context.repo import RepoLook


def git(folder, *words):
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def test_branch_status_and_tree(tmp_path):
    git(tmp_path, "init", "-q", "-b", "topic")
    (tmp_path / "a.py").write_text("x")
    (tmp_path / "src").mkdir()
    (tmp_path / ".hidden").write_text("x")
    git(tmp_path, "add", "a.py")
    facts = RepoLook(tmp_path, os.environ).result()
    assert facts.branch == "topic"
    assert facts.changes == ("A  a.py", "?? .hidden")
    assert facts.tree == ("a.py", "src/")
    assert "Git branch: topic" in facts.text()


def test_long_status_is_cut_and_says_so(tmp_path):
    git(tmp_path, "init", "-q")
    for number in range(50):
        (tmp_path / f"f{number:02}").write_text("x")
    facts = RepoLook(tmp_path, os.environ).result()
    assert facts.changes[-1] == "(+20 more)"
    assert len(facts.changes) == 31


def test_no_repository_and_no_git(tmp_path):
    assert RepoLook(tmp_path, os.environ).result() is None
    assert RepoLook(tmp_path, {"PATH": str(tmp_path)}).result() is None
