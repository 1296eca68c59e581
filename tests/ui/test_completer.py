"""Completion of commands and files."""

import subprocess

from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from agentcli.commands.builtin import builtin
from agentcli.ui.repl.completer import Files, InputCompleter, matching
from agentcli.ui.repl.input import Pastes

PATHS = ("src/app.py", "src/application/main.py", "tests/test_app.py", "docs/a b.md", "README.md")


def complete(text):
    completer = InputCompleter(builtin(), lambda: PATHS)
    return [c.text for c in completer.get_completions(Document(text), CompleteEvent())]


def test_what_is_completed():
    assert complete("/co") == ["/cost", "/context", "/compact"]
    assert complete("/qu") == ["/exit"]
    assert complete("/model x") == []
    assert complete("see @app") == ["@src/app.py", "@tests/test_app.py", "@src/application/main.py"]
    assert '@"docs/a b.md"' in complete("@docs")
    assert complete("mail@app") == []
    assert complete("plain words") == []


def test_letters_in_order_are_enough():
    assert matching("tsapp", PATHS) == ["tests/test_app.py"]
    assert matching("xyz", PATHS) == []
    assert len(matching("", tuple(map(str, range(1000))))) == 50


def test_files_come_from_git_or_from_walking(tmp_path):
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "x.js").write_text("")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.py").write_text("")
    (tmp_path / "a.py").write_text("")
    (tmp_path / "bad\x1bname").write_text("")
    assert Files(tmp_path)() == ("a.py", "sub/b.py")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("node_modules\nsub\n")
    assert Files(tmp_path)() == (".gitignore", "a.py")


def test_the_list_is_kept_for_a_while(tmp_path):
    now = [0.0]
    files = Files(tmp_path, clock=lambda: now[0])
    assert files() == ()
    (tmp_path / "new.py").write_text("")
    assert files() == ()
    now[0] = 60.0
    assert files() == ("new.py",)


def test_large_pastes_are_folded_and_sent_whole():
    pastes = Pastes()
    assert pastes.fold("short\r\nlines") == "short\nlines"
    big = "\n".join(map(str, range(100)))
    first, second = pastes.fold(big), pastes.fold("x" * 5000)
    assert (first, second) == ("[paste 1: 100 lines]", "[paste 2: 5000 characters]")
    assert pastes.unfold(f"see {first} and {second}!") == f"see {big} and {'x' * 5000}!"
    assert pastes.unfold("[paste 9: 1 lines]") == "[paste 9: 1 lines]"
