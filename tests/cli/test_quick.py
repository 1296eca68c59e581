"""The quick parser and typer read the same command lines into the same options."""

from pathlib import Path

import pytest

from agentcli.cli.commands import options_from, root, run_typer
from agentcli.cli.entry import HELP
from agentcli.cli.quick import parse

LINES = [
    [],
    ["-p", "fix the tests"],
    ["fix the tests"],
    ["-p", "--model", "gpt-5", "hello", "there"],
    ["--model=sonnet", "-p", "x"],
    ["-m", "sonnet", "-p", "x", "--max-turns", "3", "--max-cost", "0.5", "--deadline", "9.5"],
    ["--allowed-tools", "Bash(git log:*)", "--allowed-tools", "Edit", "-p", "x"],
    ["-c"],
    ["--resume", "abc", "--fork-session"],
    ["-p", "--no-session-persistence", "x"],
    ["-p", "--output-format", "stream-json", "--include-partial-messages", "x"],
    ["-p", "--permission-mode=plan", "--effort", "high", "--verbose", "--trust", "x"],
    ["-p", "--", "--model"],
    ["--add-dir", "/a", "--system-prompt", "be", "--append-system-prompt", "brief", "-p", "q"],
    ["--json-schema", "{}", "-p", "x", "--session-id", "s", "--input-format", "text"],
]

MISTAKES = [
    ["--modle", "x"],
    ["--model"],
    ["--max-turns", "many", "-p", "x"],
    ["--max-turns", "0", "-p", "x"],
    ["--output-format", "xml", "-p", "x"],
    ["--print=yes", "x"],
]

STRANGE = [*MISTAKES, ["-pm", "x", "y"], ["debug", "decode"], ["--help"]]


def through_typer(argv):
    """What typer makes of a command line, caught before anything starts."""
    import typer.main

    command = typer.main.get_command(root())
    context = command.make_context("agent", list(argv))
    return options_from(context.params)


@pytest.mark.parametrize("argv", LINES, ids=" ".join)
def test_both_read_the_same(argv):
    assert parse(argv) == through_typer(argv)


@pytest.mark.parametrize("argv", STRANGE, ids=" ".join)
def test_anything_unusual_is_left_to_typer(argv):
    assert parse(argv) is None


@pytest.mark.parametrize("argv", MISTAKES, ids=" ".join)
def test_mistakes_are_one_sentence_and_exit_2(argv, capsys):
    assert run_typer(argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("agent: ")
    assert captured.err.count("\n") == 1


def test_the_rendered_help_is_typers(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert run_typer(["--help"]) == 0
    assert capsys.readouterr().out == Path(HELP).read_text(encoding="utf-8")
