"""How the conversation on the screen shows subagents: a line each, and what it took at the end."""

from decimal import Decimal

from agentcli.agent.events import (
    HookFailed,
    Notice,
    OfSubagent,
    PermissionQuestion,
    Replied,
    Spent,
    Streamed,
    ToolEnd,
    ToolProgress,
    ToolStart,
    TurnStart,
)
from agentcli.llm.cost import Cost
from agentcli.llm.types import AssistantMessage, TextDelta, ToolCall, Usage
from agentcli.tools.base import Action, text_result
from agentcli.ui.facts import Facts
from agentcli.ui.repl.draw import Draw
from agentcli.ui.repl.question import question_rows
from agentcli.ui.repl.theme import text_of

TASK = {"description": "find it", "prompt": "Find it.", "agent": "explore"}
GREP = ToolCall("g", "Grep", {"pattern": "alpha"})


class Screen:
    """What was printed for good, and what stands below it."""

    def __init__(self, tmp_path, width=80):
        self.printed, self.tail = [], []
        self.root = tmp_path
        self.draw = Draw(self.show, lambda: width, root=tmp_path, clock=lambda: 0.0)
        self.draw.event(TurnStart(1, "m-1"))

    def show(self, finished, tail):
        self.printed += [text_of(row).rstrip() for row in finished]
        self.tail = [text_of(row).rstrip() for row in tail]

    def start(self, *ids):
        for call_id in ids:
            call = ToolCall(call_id, "Task", TASK)
            self.draw.event(ToolStart(call, Action("other", "explore")))

    def tell(self, call_id, *events):
        for event in events:
            self.draw.event(OfSubagent(call_id, "explore", event))
        self.draw.refresh()

    def end(self, call_id, result):
        self.draw.event(ToolEnd(ToolCall(call_id, "Task", TASK), result, 2.0))


def spent(cents="1.2"):
    cost = None if cents is None else Cost(total=Decimal(cents) / 100)
    usage = Usage(input=100, cache_read=900, output=20)
    return Spent("m-1", "subagent", usage, cost, 0, None, None)


def test_each_has_one_line_with_what_it_does_now(tmp_path):
    screen = Screen(tmp_path)
    screen.start("a", "b")
    screen.tell("a", spent(), ToolStart(GREP, Action("read", str(tmp_path))))
    screen.tell("b", Streamed(TextDelta("I am ")))
    assert screen.tail == [
        "○ Task explore: find it · Grep alpha · 1 step",
        "○ Task explore: find it · writing",
    ]


def test_a_call_that_waits_for_an_answer_is_named(tmp_path):
    screen = Screen(tmp_path)
    screen.start("a")
    screen.tell("a", Replied(AssistantMessage((GREP,), "m-1", "tool_use")), spent())
    assert screen.tail == ["○ Task explore: find it · Grep · 1 step"]


def test_its_words_are_not_shown_below_the_line(tmp_path):
    screen = Screen(tmp_path)
    screen.start("a")
    screen.tell("a", spent())
    screen.draw.event(ToolProgress("a", "I have looked.\n"))
    screen.draw.refresh()
    assert screen.tail == ["○ Task explore: find it · begins · 1 step"]


def test_the_end_says_what_it_took(tmp_path):
    screen = Screen(tmp_path)
    screen.start("a")
    screen.tell("a", spent(), spent())
    screen.end("a", text_result("It is there."))
    assert screen.printed[:2] == [
        "● Task explore: find it  2.0 s",
        "  2 steps · 2.0k in (90 % cached) · 40 out · $0.0240",
    ]
    assert screen.tail == []


def test_an_unknown_cost_is_not_zero(tmp_path):
    screen = Screen(tmp_path)
    screen.start("a")
    screen.tell("a", spent(), spent(None))
    screen.end("a", text_result("It failed.", is_error=True))
    assert screen.printed[:3] == [
        "✗ Task explore: find it  2.0 s",
        "  It failed.",
        "  2 steps · 2.0k in (90 % cached) · 40 out · cost unknown",
    ]


def test_trouble_of_a_subagent_is_told_at_once(tmp_path):
    screen = Screen(tmp_path)
    screen.start("a")
    failed = HookFailed("PreToolUse", "./guard", "exit 1", blocked=False)
    screen.tell("a", failed, Notice("info", "quiet"), Notice("warning", "loud"))
    assert screen.printed == [
        "explore: Hook PreToolUse (./guard) failed: exit 1",
        "explore: loud",
    ]


def test_a_narrow_terminal_cuts_the_line(tmp_path):
    screen = Screen(tmp_path, width=30)
    screen.start("a")
    screen.tell("a", spent())
    assert len(screen.tail) == 1
    assert len(screen.tail[0]) <= 30


def test_a_question_names_the_subagent(tmp_path):
    asked = PermissionQuestion(GREP, Action("exec", "ls"), "", (), "explore: find it")
    assert text_of(question_rows(asked, 60)[0]) == "? explore: find it: Grep wants to run:"


def test_starting_one_is_no_change_but_what_it_does_may_be():
    facts = Facts(clock=lambda: 0.0)
    facts.note(ToolStart(ToolCall("a", "Task", TASK), Action("other", "explore")))
    assert not facts.changed
    facts.note(OfSubagent("a", "explore", ToolStart(GREP, Action("exec", "touch x"))))
    assert facts.changed
