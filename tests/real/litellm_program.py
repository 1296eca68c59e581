"""LiteLLM as a program in a virtual environment of its own, where `make test-real` puts it."""

import os
from pathlib import Path

import pytest

BIN = os.environ.get("AGENT_TEST_LITELLM", "")
"""The folder with its `python` and its `litellm`; read before the tests empty the environment."""
if BIN and not (Path(BIN) / "litellm").exists():
    raise RuntimeError(f"AGENT_TEST_LITELLM: there is no litellm in {BIN}")
needs_litellm = pytest.mark.skipif(not BIN, reason="LiteLLM is not installed: `make test-real`")
OFFLINE = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "NO_PROXY": "127.0.0.1",
}


def program(name):
    """A program of that environment, and the variables it runs with."""
    return str(Path(BIN) / name), {**os.environ, **OFFLINE, "PATH": f"{BIN}:{os.environ['PATH']}"}
