"""The walls: who may import whom, and through which door a heavy library comes in."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "agentcli"
ROOMS = [
    "lib",
    "llm",
    "tools",
    "policy",
    "context",
    "agent",
    "session",
    "config",
    "app",
    "commands",
    "ui",
    "cli",
    "__main__",
]
DOORS = {
    "httpx": {"llm/http.py", "llm/auth.py"},
    "pydantic": {"tools/schema.py", "config/file.py", "session/store.py"},
    "typer": {"cli/"},
    "rich": {"ui/repl/"},
    "prompt_toolkit": {"ui/repl/"},
    "git": {"tools/git.py", "context/repo.py"},
    "pathspec": {"context/repo.py", "tools/search_python.py", "policy/rules.py"},
    "mcp": {"tools/mcp.py"},
    "mcp_types": {"tools/mcp.py"},
    "sqlite3": {"session/ledger_db.py"},
    "tree_sitter": {"policy/shell_tree.py"},
    "tree_sitter_bash": {"policy/shell_tree.py"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.append(node.module or "")
            if node.module == "agentcli":
                names += [f"agentcli.{alias.name}" for alias in node.names]
    return names


def room(dotted: str) -> str | None:
    parts = dotted.split(".")
    return parts[1] if parts[0] == "agentcli" and len(parts) > 1 and parts[1] in ROOMS else None


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_room_imports_the_room_above(path):
    mine = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if mine not in ROOMS:
        return
    for name in imports(path):
        other = room(name)
        if other is not None:
            assert ROOMS.index(other) <= ROOMS.index(mine), f"{path} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_library_has_its_door(path):
    here = path.relative_to(PACKAGE).as_posix()
    for name in imports(path):
        doors = DOORS.get(name.split(".")[0])
        if doors is not None:
            assert any(here == d or (d.endswith("/") and here.startswith(d)) for d in doors), (
                f"{here} imports {name}; its doors are {sorted(doors)}"
            )


def test_lib_is_stdlib_only():
    for path in (PACKAGE / "lib").rglob("*.py"):
        for name in imports(path):
            top = name.split(".")[0]
            assert top in sys.stdlib_module_names or name.startswith("agentcli.lib"), (
                f"{path} imports {name}"
            )
