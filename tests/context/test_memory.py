"""Which instruction files are read, in which order, and what an import may reach."""

from agentcli.context.memory import below, load, repository_root


def texts(files):
    return [file.text for file in files]


def test_user_file_then_root_then_folders_down(tmp_path):
    user, root = tmp_path / "user", tmp_path / "repo"
    deep = root / "a" / "b"
    deep.mkdir(parents=True)
    user.mkdir()
    (user / "AGENTS.md").write_text("user")
    (root / "AGENTS.md").write_text("root")
    (root / "a" / "AGENTS.md").write_text("a")
    assert texts(load(root, deep, user)) == ["user", "root", "a"]


def test_other_agents_files_only_where_there_is_no_agents_md(tmp_path):
    (tmp_path / "AGENTS.md").write_text("ours")
    (tmp_path / "CLAUDE.md").write_text("theirs")
    sub = tmp_path / "sub"
    sub.mkdir()
    (sub / "CLAUDE.md").write_text("theirs below")
    (sub / "GEMINI.md").write_text("gemini below")
    found = texts(load(tmp_path, sub, tmp_path / "none"))
    assert found == ["ours", "theirs below", "gemini below"]


def test_imports_are_followed_four_deep_and_not_inside_code(tmp_path):
    (tmp_path / "AGENTS.md").write_text("see @one.md\n```\n@fenced.md\n```\nand `@quoted.md`")
    for name in ("fenced", "quoted"):
        (tmp_path / f"{name}.md").write_text(f"never {name}")
    names = ["one", "two", "three", "four", "five"]
    for name, following in zip(names, [*names[1:], "six"], strict=True):
        (tmp_path / f"{name}.md").write_text(f"text {name} @{following}.md")
    text = load(tmp_path, tmp_path, tmp_path / "none")[0].text
    assert "text four" in text
    assert "text five" not in text
    assert "never" not in text


def test_an_import_cycle_ends_and_an_import_outside_is_not_read(tmp_path):
    root = tmp_path / "repo"
    root.mkdir()
    (tmp_path / "secret.md").write_text("outside")
    (root / "AGENTS.md").write_text("@b.md @../secret.md")
    (root / "b.md").write_text("b @AGENTS.md")
    text = load(root, root, tmp_path / "none")[0].text
    assert text.count("[b.md]") == 1
    assert "outside" not in text


def test_a_folder_below_speaks_up_once_its_files_are_touched(tmp_path):
    sub = tmp_path / "sub"
    sub.mkdir()
    (sub / "AGENTS.md").write_text("sub rules")
    known = set()
    found = below(sub / "x.py", tmp_path, known)
    assert texts(found) == ["sub rules"]
    known.update(file.path for file in found)
    assert below(sub / "y.py", tmp_path, known) == ()
    assert below(tmp_path.parent / "z.py", tmp_path, set()) == ()


def test_the_repository_root_is_where_git_is(tmp_path):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert repository_root(deep) == deep
    (tmp_path / ".git").mkdir()
    assert repository_root(deep) == tmp_path
