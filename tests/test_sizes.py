"""Files of at most 400 lines, functions of at most 40; no exceptions, so that nothing swells."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "agentcli").rglob("*.py"))
MAX_FILE = 400
MAX_FUNCTION = 40


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_sizes(path):
    source = path.read_text()
    lines = source.count("\n")
    assert lines <= MAX_FILE, f"{path} has {lines} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MAX_FUNCTION, f"{path}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_size_and_layer_rules_are_not_silenced(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for word in ("noqa: PLR", "noqa: C90", "noqa: TID"):
            assert word not in line, f"{path}:{number} silences a wall"
