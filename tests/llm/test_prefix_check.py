"""AGENT_CHECK_PREFIX: a request that edits what was sent is a bug that shows."""

import pytest

from agentcli.lib.value import replace
from agentcli.llm.cache import NO_PLAN
from agentcli.llm.models import ModelSpec
from agentcli.llm.prefix_check import Insistent
from agentcli.llm.testing import PrefixBroken
from agentcli.llm.types import Request, Text, ToolSpec, UserMessage

MODEL = ModelSpec("m", "p")


def said(*texts, origin="human"):
    return tuple(UserMessage((Text(text),), origin) for text in texts)


FIRST = Request("m", ("be brief",), (), said("a", "b"), session="s")


def check(then):
    insistent = Insistent(lambda *_: NO_PLAN)
    assert insistent(FIRST, MODEL, None, 0.0) == NO_PLAN
    return insistent(then, MODEL, None, 1.0)


@pytest.mark.parametrize(
    "then",
    [
        replace(FIRST, messages=said("a", "b", "c")),
        replace(FIRST, messages=said("x"), session="another"),
        replace(FIRST, messages=said("what happened", origin="summary")),
    ],
)
def test_what_grows_or_begins_anew_is_fine(then):
    assert check(then) == NO_PLAN


@pytest.mark.parametrize(
    "then",
    [
        replace(FIRST, messages=said("a", "B", "c")),
        replace(FIRST, messages=said("a")),
        replace(FIRST, system=("be brief today",)),
        replace(FIRST, tools=(ToolSpec("Late", "comes late", {}),)),
    ],
)
def test_what_changes_the_past_is_stopped(then):
    with pytest.raises(PrefixBroken):
        check(then)
