from pathlib import Path

import pytest

from agentcli.lib.paths import absolute


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("a/../b.txt", "/p/b.txt"),
        ("/etc/hosts", "/etc/hosts"),
        ("~/notes", "/h/notes"),
        ("~nobody-of-that-name/x", "/p/~nobody-of-that-name/x"),
    ],
)
def test_a_path_as_a_model_gives_it(monkeypatch, given, meant):
    monkeypatch.setenv("HOME", "/h")
    assert absolute(Path("/p"), given) == Path(meant)
