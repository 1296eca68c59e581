"""A tool context in an empty project."""

import os

import pytest

from agentcli.lib.process import hardened_env
from agentcli.tools.base import ToolContext
from agentcli.tools.workspace import Workspace


@pytest.fixture
def ctx(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    return ToolContext(root, Workspace(root), tmp_path / "outputs", hardened_env(os.environ))
