"""Every test runs in an empty home, with no provider keys and no user configuration."""

import os

import pytest

KEPT = {"PATH", "LANG", "LC_ALL", "TMPDIR", "TERM", "VIRTUAL_ENV", "SYSTEMROOT"}


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """An empty home directory, also the only place the environment points to."""
    folder = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name not in KEPT and not name.startswith(("PYTEST", "PYTHON", "COV")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")
    return folder
