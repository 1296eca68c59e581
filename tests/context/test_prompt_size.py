"""What every request begins with is paid for every time, so it stays short."""

import json

import pytest

from agentcli.context.system_prompt import system_parts
from agentcli.tools.registry import toolbox

MOST = 2_500
"""Tokens of tools and system prompt together, at four characters each."""


@pytest.mark.parametrize("edit", ["replace", "patch"])
def test_tools_and_system_prompt_are_short(edit, tmp_path):
    system = system_parts(tmp_path, None, ())
    tools = [
        spec.name + spec.description + json.dumps(spec.input_schema) + (spec.grammar or "")
        for spec in toolbox(edit=edit).specs()
    ]
    assert sum(map(len, (*tools, *system))) // 4 < MOST
