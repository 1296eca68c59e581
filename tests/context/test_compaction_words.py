"""What is counted of a conversation for its summary, and how the outcome reads."""

from decimal import Decimal

import pytest

from agentcli.context.compaction import new_epoch, outcome, pinned_note, short, steps_a_turn
from agentcli.llm.cost import Cost
from agentcli.llm.types import AssistantMessage, Text, UserMessage

ASKED = UserMessage((Text("go"),))
NOTED = UserMessage((Text("Today is Monday."),), "reminder")
RESULT = UserMessage((Text("out"),), "tool")
REPLY = AssistantMessage((Text("ok"),), "m", "end_turn")


@pytest.mark.parametrize(
    ("messages", "steps"),
    [
        ((), 1),
        ((ASKED,), 1),
        ((ASKED, NOTED, REPLY), 1),
        ((ASKED, REPLY, RESULT, REPLY, RESULT, REPLY), 3),
        ((ASKED, REPLY, RESULT, REPLY, RESULT, REPLY, ASKED), 3),
        ((ASKED, REPLY, RESULT, REPLY, RESULT, REPLY, ASKED, REPLY), 2),
        ((ASKED, ASKED, REPLY, RESULT, REPLY), 2),
        ((REPLY, RESULT, REPLY), 2),
    ],
)
def test_steps_a_turn_are_replies_for_each_word_that_got_one(messages, steps):
    assert steps_a_turn(messages) == steps


def test_the_outcome_leaves_out_what_is_unknown():
    cost = Cost(total=Decimal("0.4149"))
    assert outcome(182_400, 6_040, cost, 3) == (
        "Compacted: 182k → 6.0k tokens for $0.4149; pays after 3 steps."
    )
    assert outcome(900, 380, cost, 1).endswith("380 tokens for $0.4149; pays after 1 step.")
    assert outcome(900, 380, None, None) == "Compacted: 900 → 380 tokens."


@pytest.mark.parametrize(
    ("tokens", "text"), [(999, "999"), (1_000, "1.0k"), (9_940, "9.9k"), (9_960, "10k")]
)
def test_sizes_are_short(tokens, text):
    assert short(tokens) == text


def test_a_pinned_note_is_not_repeated_where_it_waits_for_an_answer():
    note = pinned_note("Use tabs.")
    _, *rest = new_epoch("Did things.", (), (NOTED, note, ASKED), ("Use tabs.",))
    assert rest == [note, NOTED, ASKED]
