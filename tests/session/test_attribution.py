"""Every dollar of the input side has a cause, and what stays in the context goes on costing."""

from decimal import Decimal
from pathlib import Path

import pytest

from agentcli.llm.cost import Cost
from agentcli.llm.estimate import tokens_of
from agentcli.llm.shape import Shape
from agentcli.llm.types import AssistantMessage, Text, ToolCall, ToolOutput, Usage, UserMessage
from agentcli.session.attribution import (
    GONE,
    HEAD,
    OTHERS,
    Share,
    attribute,
    input_side,
    top,
)
from agentcli.session.bills import Bill, bill_to_json
from agentcli.session.codec import message_to_json
from agentcli.session.entries import Entry

READ = Decimal("0.0000001")
WRITE = Decimal("0.00000125")
FRESH = Decimal("0.000001")
SYSTEM = "be brief " * 100


class Talk:
    """A session as its file would hold it, every request reading what the one before wrote."""

    def __init__(self, name="s", *, system=SYSTEM):
        self.name = name
        self.entries = []
        self.messages = []
        self.sent = 0
        self.put("header", {"session": name, "cwd": "/here"})
        self.epoch(system)

    def put(self, kind, data):
        self.entries.append(Entry(f"{len(self.entries)}", "", 100.0, kind, data))

    def epoch(self, system=SYSTEM, *messages):
        self.messages = list(messages)
        self.sent = 0
        told = [message_to_json(message) for message in messages]
        self.put("epoch", {"model": "m", "system": [system], "messages": told})

    def say(self, message):
        self.messages.append(message)
        self.put("message", message_to_json(message))

    def call(self, name, given, output):
        number = f"c{len(self.entries)}"
        self.say(AssistantMessage((ToolCall(number, name, given),), "m", "tool_use"))
        self.say(UserMessage((ToolOutput(number, (Text(output),)),), "tool"))

    def pay(self, new=0, *, role="main", **more):
        """A request of which `new` tokens are new."""
        usage = Usage(3, 50, self.sent, new)
        self.sent += new
        cost = Cost(3 * FRESH, Decimal("0.1"), usage.cache_read * READ, new * WRITE, Decimal(9))
        shape = Shape("m", (), "", "", "", "", len(self.messages))
        fields = {"usage": usage, "cost": cost, "shape": shape, "at": 100.0, **more}
        number = f"{self.name}-{len(self.entries)}"
        bill = Bill(
            number, session=self.name, repo="/", model="m", provider="p", role=role, **fields
        )
        self.put("spent", bill_to_json(bill))
        return bill


def human(text):
    return UserMessage((Text(text),), "human")


def costs(*talks, by="tool", **more):
    found = attribute([talk.entries for talk in talks], by, **more)
    return {share.cause: share.cost for share in found.shares}


def test_the_shares_add_up_to_the_bills_to_the_last_digit():
    talk = Talk()
    talk.say(human("fix it, please"))
    odd = Cost(
        Decimal("0.0000007"),
        Decimal(1),
        Decimal("0.01234567890123457"),
        Decimal("0.00123457"),
        Decimal(2),
    )
    bills = [talk.pay(1_000)]
    for number in range(7):
        talk.call("Bash", {"command": "make"}, "out " * (37 * number + 1))
        bills.append(talk.pay(317, cost=odd))
    whole = sum((part for bill in bills for part in input_side(bill)), Decimal(0))
    for by in ("tool", "file"):
        assert sum(costs(talk, by=by, tools=777).values()) == whole


def test_a_result_of_the_first_step_costs_a_write_and_a_read_on_each_later_one():
    talk = Talk(system="")
    talk.say(human("go"))
    start = tokens_of("go") + 4
    talk.pay(start)
    output = "word " * 4_000
    size = tokens_of(output) + 4
    talk.call("Bash", {"command": "make"}, output)
    talk.pay(size)
    for _ in range(49):
        talk.say(human("on"))
        talk.pay(1)
    paid = costs(talk)["Bash"] / (size * READ)
    once = WRITE / READ
    assert 49 + float(once) == pytest.approx(float(paid), rel=0.02)


def test_an_item_pays_what_its_place_in_the_prompt_cost():
    """Read from the front, then written, then at full price."""
    talk = Talk(system="")
    for name in ("Read", "Bash", "Grep"):
        talk.call(name, {}, "word " * 700)
    cost = Cost(Decimal(4), Decimal(100), Decimal(1), Decimal(2))
    talk.pay(usage=Usage(500, 7, 500, 500), cost=cost)
    assert costs(talk) == {"Read": Decimal(1), "Bash": Decimal(2), "Grep": Decimal(4)}
    talk.pay(usage=Usage(1_500, 7), cost=Cost(Decimal(3), Decimal(100)))
    assert costs(talk) == {"Read": Decimal(2), "Bash": Decimal(3), "Grep": Decimal(5)}


def test_what_is_told_of_every_tool_counts_with_the_system_prompt():
    talk = Talk(system="be brief " * 100)
    talk.say(human("go " * 100))
    talk.pay(1_000)
    assert costs(talk, tools=3_000)[HEAD] > costs(talk, tools=0)[HEAD]
    assert costs(talk)[HEAD] > costs(talk)["your words"]


def test_a_prompt_of_which_nothing_is_known_is_paid_for_all_the_same():
    talk = Talk(system="")
    bill = talk.pay(700)
    assert costs(talk) == {HEAD: sum(input_side(bill))}


def test_a_session_kept_twice_counts_once():
    talk = Talk()
    talk.pay(700)
    assert costs(talk, talk) == costs(talk)


def test_each_cause_has_its_name():
    talk = Talk()
    talk.say(human("look around " * 50))
    talk.say(UserMessage((Text("git status is " * 50),), "reminder"))
    talk.say(AssistantMessage((Text("I will " * 50),), "m", "end_turn"))
    talk.call("Grep", {"pattern": "x", "path": "src"}, "match " * 50)
    talk.pay(3_000)
    assert set(costs(talk, tools=500)) == {
        HEAD,
        "your words",
        "reminders",
        "model's words",
        "Grep",
    }


def test_by_file_the_same_file_counts_once_whichever_tool_touched_it():
    talk = Talk()
    talk.call("Read", {"path": "src/a.py"}, "text " * 100)
    talk.call("Edit", {"path": "/here/src/../src/a.py", "old": "a", "new": "b" * 300}, "done")
    talk.call("ApplyPatch", {"input": "*** Begin Patch\n*** Update File: src/b.py\n x\n"}, "done")
    talk.call("Grep", {"pattern": "x"}, "match " * 50)
    talk.call("Glob", {"pattern": "*", "path": "."}, "match " * 50)
    talk.call("Read", {"path": "~nobody-of-this-name/a"}, "No file")
    talk.pay(3_000)
    found = set(costs(talk, by="file"))
    assert found == {HEAD, "/here/src/a.py", "/here/src/b.py", "Grep", "Glob"} | {
        "/here/~nobody-of-this-name/a"
    }


def test_a_compaction_ends_what_an_item_costs():
    talk = Talk()
    talk.call("Bash", {"command": "make"}, "word " * 4_000)
    talk.pay(5_000)
    before = costs(talk)["Bash"]
    talk.epoch(SYSTEM, UserMessage((Text("so far: " * 30),), "summary"))
    for _ in range(5):
        talk.pay(300)
    after = costs(talk)
    assert after["Bash"] == before
    assert after["summaries"] > 0


def test_a_request_pays_only_for_what_it_carried():
    """A reply is kept a moment before the bill of its own request, or after it."""
    early, late = Talk(), Talk()
    for talk in (early, late):
        talk.say(human("go " * 100))
    early.pay(500)
    count = len(late.messages)
    for talk in (early, late):
        talk.say(AssistantMessage((Text("done " * 100),), "m", "end_turn"))
    late.pay(500, shape=Shape("m", (), "", "", "", "", count))
    assert costs(early) == costs(late)
    assert "model's words" not in costs(late)


def forked(talk):
    copy = Talk("fork")
    copy.epoch(SYSTEM, *talk.messages)
    for entry in talk.entries:
        if entry.kind == "spent":
            copy.put("spent", entry.data)
    copy.sent = talk.sent
    return copy


def test_a_fork_does_not_count_its_past_again():
    talk = Talk()
    talk.call("Bash", {"command": "make"}, "word " * 400)
    talk.pay(900)
    alone = costs(talk)
    fork = forked(talk)
    assert costs(talk, fork) == costs(fork, talk) == alone
    fork.pay(0)
    assert costs(talk, fork)["Bash"] > alone["Bash"]


def test_the_past_of_a_fork_whose_source_is_gone_is_still_in_the_sum():
    talk = Talk()
    bill = talk.pay(900)
    assert costs(forked(talk)) == {GONE: sum(input_side(bill))}


def test_other_requests_than_those_of_the_talk_stand_alone():
    talk = Talk()
    talk.say(human("go " * 100))
    bill = talk.pay(500, role="subagent")
    assert costs(talk) == {"subagent": sum(input_side(bill))}


def test_what_has_no_price_is_counted_and_what_is_only_stated_is_shared():
    talk = Talk()
    talk.say(human("go"))
    talk.pay(500, cost=None)
    talk.pay(500, cost=Cost(total=Decimal("0.07"), exact=True), usage=None)
    found = attribute([talk.entries], "tool")
    assert found.unknown == 1
    assert sum(share.cost for share in found.shares) == Decimal("0.07")


def test_a_stated_total_is_shared_by_size_though_nothing_was_sent_at_full_price():
    talk = Talk(system="")
    for name in ("Read", "Bash"):
        talk.call(name, {}, "word " * 700)
    talk.pay(usage=Usage(0, 7, 900, 0), cost=Cost(total=Decimal("0.5"), exact=True))
    assert costs(talk) == {"Read": Decimal("0.25"), "Bash": Decimal("0.25")}


def test_since_leaves_out_what_is_older():
    talk = Talk()
    talk.pay(500)
    late = talk.pay(0, at=900.0)
    assert sum(costs(talk, since=500.0).values()) == sum(input_side(late))


def test_damaged_entries_are_passed_over():
    talk = Talk()
    talk.put("message", {"role": "user"})
    talk.put("spent", {"usage": 7})
    bill = talk.pay(500)
    assert sum(costs(talk).values()) == sum(input_side(bill))


def test_the_rest_is_one_share():
    shares = tuple(Share(f"t{n:02}", Decimal(100 - n), n) for n in range(20))
    shown = top(shares)
    assert shown[:15] == shares[:15]
    assert shown[15:] == (Share(OTHERS, sum(share.cost for share in shares[15:]), 19),)
    assert top(shares[:16]) == shares[:16]


def test_a_path_is_seen_from_the_session_it_was_named_in():
    talk = Talk()
    talk.call("Read", {"path": str(Path("..") / "there" / "a")}, "x")
    talk.pay(500)
    assert "/there/a" in costs(talk, by="file")
