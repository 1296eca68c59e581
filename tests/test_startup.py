"""Start-up: each heavy library behind its doors, and no door opened before it is needed."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mcp_house import Old, configure
from strict_server import serve

from agentcli.llm.simulator import SimulatedProvider, calls, says

PACKAGE = Path(__file__).parent.parent / "agentcli"
DOORS = {
    "httpx": {"llm/http.py"},
    "pydantic": {"config/file.py"},
    "pydantic_core": {"tools/schema.py"},
    "typer": {
        f"cli/{name}.py"
        for name in (
            "cache_commands",
            "commands",
            "cost_commands",
            "debug",
            "inspect_commands",
            "mcp_commands",
            "models_commands",
        )
    },
    "prompt_toolkit": {
        f"ui/repl/{name}.py" for name in ("completer", "input", "keys", "layout", "terminal")
    },
    "git": {"tools/git.py"},
    "pathspec": {"policy/rules.py", "tools/search_python.py"},
    "mcp": {"tools/mcp.py"},
    "mcp_types": {"tools/mcp.py"},
    "sqlite3": {"session/ledger_db.py"},
    "tree_sitter": {"policy/shell_tree.py"},
    "tree_sitter_bash": {"policy/shell_tree.py"},
}
"""Library → the only modules that may import it, and that do."""
UNUSED = {
    "rich",
    "anyio",
    "httpx2",
    "starlette",
    "jsonschema",
    "click",
    "httpcore",
    "requests",
    "yaml",
}
"""Libraries that come along with others and that nothing of ours may lean on."""
HEAVY = set(DOORS) | UNUSED
TELL = """
import json, sys
before = set(sys.modules)
{doing}
json.dump(sorted(set(sys.modules) - before), sys.stderr)
"""


def opened(doing, *, cwd=None, env=None):
    """The modules that a fresh interpreter loads while `doing` this."""
    done = subprocess.run(
        [sys.executable, "-c", TELL.format(doing=doing)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
        env={**os.environ, **(env or {}), "PYTHONPATH": str(PACKAGE.parent)},
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def command(*words):
    return f"sys.argv = {['agent', *words]!r}; from agentcli.__main__ import main; main()"


def ours(modules):
    return {name for name in modules if name.split(".")[0] == "agentcli"}


def foreign(modules):
    """Libraries that are neither ours nor Python's."""
    tops = {name.split(".")[0] for name in modules}
    return {top for top in tops if top != "agentcli" and top not in sys.stdlib_module_names}


def imports(path):
    """Names of the modules a file imports when it runs; those for the type checker are left out."""
    names = []
    open_nodes = [ast.parse(path.read_text())]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            open_nodes += node.orelse
            continue
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
        open_nodes += ast.iter_child_nodes(node)
    return names


def test_each_library_is_imported_in_its_doors_and_nowhere_else():
    found = {}
    for path in PACKAGE.rglob("*.py"):
        for name in imports(path):
            top = name.split(".")[0]
            if top in HEAVY:
                found.setdefault(top, set()).add(path.relative_to(PACKAGE).as_posix())
    assert found == DOORS


def test_the_version_is_told_by_the_package_alone():
    modules = opened(command("--version"))
    assert ours(modules) == {"agentcli", "agentcli.__main__"}
    assert foreign(modules) == set()


@pytest.mark.parametrize("module", ["__main__", "cli", "cli.entry", "cli.quick", "cli.start"])
def test_the_command_line_is_read_with_the_standard_library_alone(module):
    modules = opened(f"import agentcli.{module}")
    assert foreign(modules) == set()
    assert "asyncio" not in modules


def test_help_is_told_without_any_library():
    modules = opened(command("--help"))
    assert foreign(modules) == set()
    assert "asyncio" not in modules


@pytest.mark.parametrize("module", ["app.app", "ui.print", "ui.repl.app", "commands.builtin"])
def test_front_ends_and_the_app_open_no_library_when_they_are_imported(module):
    assert foreign(opened(f"import agentcli.{module}")) == set()


def test_the_ledger_is_opened_with_the_first_bill_and_not_before():
    assert "sqlite3" not in opened("import agentcli.app.engine")


def test_a_mistake_on_the_command_line_opens_typer():
    assert "typer" in opened(command("--no-such-flag"))


def turn(tmp_path, script, *flags):
    """What a headless turn opens."""
    with serve(SimulatedProvider(script)) as server:
        env = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "key"}
        line = ("-p", "hi", "--model", "claude-sonnet-5-5", *flags)
        modules = opened(command(*line), cwd=tmp_path, env=env)
        assert len(server.requests) == len(script)
    return modules & HEAVY


def test_a_known_mcp_server_is_sent_without_its_library(tmp_path):
    old = Old(tmp_path)
    configure(tmp_path, old=old.entry)
    assert {"mcp", "pydantic"} <= turn(tmp_path, [says("Hello.")], "--trust")
    second = turn(tmp_path, [says("Hello.")], "--trust")
    assert second == {"httpx", "pydantic", "pydantic_core", "sqlite3"}
    assert len(old.starts) == 1


def test_an_answer_without_tools_opens_the_network_and_nothing_else(tmp_path):
    assert turn(tmp_path, [says("Hello.")]) == {"httpx", "sqlite3"}


def test_a_tool_opens_the_checker_of_arguments_but_not_all_of_pydantic(tmp_path):
    (tmp_path / "a.txt").write_text("alpha\n")
    script = [calls(("Read", {"path": "a.txt"})), says("Seen.")]
    assert turn(tmp_path, script) == {"httpx", "pydantic_core", "sqlite3"}


def test_a_command_opens_the_parser_of_shell_lines(tmp_path):
    script = [calls(("Bash", {"command": "echo hi | cat"})), says("Seen.")]
    found = turn(tmp_path, script, "--permission-mode", "bypass")
    assert found == {"httpx", "pydantic_core", "sqlite3", "tree_sitter", "tree_sitter_bash"}
