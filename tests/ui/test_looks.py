"""What displays, questions and status lines say, without colour."""

import asyncio
from decimal import Decimal

import pytest

from agentcli.agent.events import (
    Answer,
    Compacted,
    Decided,
    HookFailed,
    Notice,
    PermissionQuestion,
    Retrying,
    ToolEnd,
    TurnEnd,
    UserQuestion,
)
from agentcli.llm.cost import Cost
from agentcli.llm.types import ToolCall, Usage
from agentcli.policy.permissions import Decision
from agentcli.tools.base import (
    Action,
    Changes,
    Command,
    Diff,
    Listing,
    Plain,
    Todo,
    TodoItem,
    ToolResult,
    text_result,
)
from agentcli.ui.repl.asking import Questions
from agentcli.ui.repl.displays import display_rows
from agentcli.ui.repl.question import ask, question_rows
from agentcli.ui.repl.results import result_rows, told
from agentcli.ui.repl.theme import text_of
from agentcli.ui.status_line import ContextFacts, cache_part, cost_part, tokens, turn_line

CALL = ToolCall("c1", "Bash", {"command": "ls"})
EXEC = Action("exec", "ls -la")


def shown(rows):
    return [text_of(row).rstrip() for row in rows]


@pytest.mark.parametrize(
    ("display", "expected"),
    [
        (
            Diff("a.py", "one\ntwo\n", "one\n2\n"),
            ["a.py  +1 −1", "1   one", "2 - two", "2 + 2"],
        ),
        (Diff("n.py", None, "x\ny\n"), ["n.py  new file +2 −0", "1 + x", "2 + y"]),
        (Diff("o.py", "x\n", None), ["o.py  deleted +0 −1", "1 - x"]),
        (
            Changes((Diff("a", "1\n", "2\n"), Diff("b", None, "3\n"))),
            ["a  +1 −1", "1 - 1", "1 + 2", "b  new file +1 −0", "1 + 3"],
        ),
        (Command("false", 1, "oh no\n"), ["$ false", "oh no", "exit 1"]),
        (
            Command("seq 20", 0, "\n".join(map(str, range(20)))),
            ["$ seq 20", *"012", "… 10 lines", *map(str, range(13, 20))],
        ),
        (Listing("3 files", ("a", "b", "c")), ["3 files", "  a", "  b", "  c"]),
        (
            Listing("many", tuple("abcdefghij")),
            ["many", *(f"  {c}" for c in "abcdefgh"), "… 2 more"],
        ),
        (
            Todo((TodoItem("a", "done"), TodoItem("b", "active"), TodoItem("c", "pending"))),
            ["[x] a", "[>] b", "[ ] c"],
        ),
        (Plain("hello\n"), ["hello"]),
        (Plain("\n".join("abcdefghijkl")), [*"abcdefgh", "… 4 more lines"]),
        (Plain("a\x1b]0;t\x07b"), ["ab"]),
        (Diff("x\x1b[2J", "", "\u202eevil\n"), ["x\\x1b[2J  +1 −0", "1 + \\u202eevil"]),
        (Command("echo \x1b[31m\u202e", None, ""), ["$ echo \\x1b[31m\\u202e"]),
    ],
)
def test_displays(display, expected):
    assert shown(display_rows(display, 60)) == expected


def test_progress_bars_are_shown_as_they_end():
    assert shown(display_rows(Command("x", 0, "10 %\r50 %\r100 %\n"), 40)) == ["$ x", "100 %"]


def test_a_huge_difference_is_found_quickly_and_cut():
    before = "".join(f"line {n}\n" for n in range(20_000))
    after = before.replace("line 10000\n", "changed\n")
    rows = shown(display_rows(Diff("big", before, after), 60))
    assert rows == ["big  +1 −1", "10001 - line 10000", "10001 + changed"]
    many = shown(display_rows(Diff("new", None, before), 60))
    assert many[-1] == "… 19,940 more lines"


def test_results_headline_and_errors():
    ok = ToolEnd(CALL, ToolResult((), Command("ls", 0, "a\n")), 2.34)
    assert shown(result_rows(ok, "Bash ls", 60, brief=False)) == ["● Bash ls  2.3 s", "  a"]
    bad = ToolEnd(CALL, ToolResult((), Command("ls", 2, "")), 0.1)
    assert shown(result_rows(bad, "Bash ls", 60, brief=False)) == ["✗ Bash ls", "  exit 2"]
    denied = ToolEnd(CALL, text_result("Not allowed: no", is_error=True), 0.0)
    assert shown(result_rows(denied, "Bash ls", 60, brief=False)) == [
        "✗ Bash ls",
        "  Not allowed: no",
    ]
    edit = ToolEnd(CALL, ToolResult((), Diff("a", "1", "2")), 0.0)
    assert shown(result_rows(edit, "Edit a", 60, brief=True)) == ["● Edit a"]
    silent = ToolEnd(CALL, text_result("for the model"), 0.0)
    assert shown(result_rows(silent, "Read a", 60, brief=False)) == ["● Read a"]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Notice("error", "No network."), "No network."),
        (Retrying(2, 1.25, "Overloaded."), "Overloaded. (retry 2 in 1.2 s)"),
        (HookFailed("Stop", "./x", "exit 3", True), "Hook Stop (./x) failed, and blocks: exit 3"),
        (Compacted(120_000, 9000, "…"), "Compacted: 120k → 9.0k tokens."),
        (Compacted(120_000, 9000, "…", by_hand=True), ""),
        (Decided(CALL, Decision("deny", "no", "user")), ""),
    ],
)
def test_rarer_events_in_words(event, text):
    assert told(event)[0] == text


def test_a_question_shows_the_whole_command_with_its_newlines():
    line = "ls -la\nrm -rf x" + " y" * 100 + " LAST\x1b[8m"
    rows = shown(question_rows(PermissionQuestion(CALL, Action("exec", line), "why"), 40))
    assert rows[0] == "? Bash wants to run:"
    assert rows[1] == "  $ ls -la ⏎"
    assert rows[2].startswith("  │ rm -rf x")
    assert "LAST\\x1b[8m" in "".join(row.removeprefix("  │ ") for row in rows)
    assert rows[-1] == "why"


def test_a_question_shows_a_whole_difference():
    diff = Diff("a", None, "".join(f"{n}\n" for n in range(500)))
    rows = shown(question_rows(PermissionQuestion(CALL, Action("edit", "/a", diff), ""), 40))
    assert rows[-1] == "500 + 499"


def test_answers_by_key_cursor_and_text():
    asking = ask(PermissionQuestion(CALL, EXEC, "why", ("Bash(ls *)",)))
    assert asking.pressed("y") == Answer("yes")
    assert asking.pressed("A") == Answer("always")
    assert asking.moved(1).chosen() == Answer("always")
    assert asking.pressed("x") == asking
    assert "Bash(ls *)" in asking.choices[1].label
    writing = asking.moved(-1).chosen()
    assert writing.writing
    assert writing.written(" not there ") == Answer("no", "not there")
    assert len(ask(PermissionQuestion(CALL, EXEC, "why")).choices) == 2, "nothing to store"


def test_answers_to_a_users_question():
    asking = ask(UserQuestion("Which?", ("red", "blue")))
    assert asking.pressed("2") == Answer("yes", "blue")
    assert asking.pressed("0").written("green") == Answer("yes", "green")
    assert ask(UserQuestion("Why?")).writing


class Place:
    def __init__(self):
        self.log = []

    def put(self, rows, call_id):
        self.log.append(f"put {text_of(rows[0])}")

    def answered(self, text):
        self.log.append(text.strip())

    def width(self):
        return 60

    def flush_input(self):
        self.log.append("flush")


def test_questions_queue_and_typing_is_no_answer():
    now = [100.0]
    place = Place()

    async def scenario():
        questions = Questions(lambda: None, clock=lambda: now[0])
        first = asyncio.ensure_future(questions.ask(UserQuestion("A?", ("x",)), place))
        second = asyncio.ensure_future(
            questions.ask(PermissionQuestion(CALL, EXEC, "why", ("Bash(ls *)",)), place)
        )
        await asyncio.sleep(0)
        questions.key("1")
        assert await first == Answer("yes", "x")
        questions.key_seen()
        while questions.open is None:
            await asyncio.sleep(0)
        questions.key("y")
        assert not second.done(), "a key right after typing is not an answer"
        now[0] += 1
        for letter in "yes, and then":
            questions.key(letter)
        questions.enter("")
        await asyncio.sleep(0.3)
        assert not second.done(), "a sentence is not an answer"
        now[0] += 1
        questions.key("y")
        return await second

    assert asyncio.run(scenario()) == Answer("yes")
    assert place.log == ["put ? A?", "flush", "→ x", "put ? Bash wants to run:", "flush", "→ yes"]


USAGE = Usage(input=2900, output=1100, cache_read=38_300)
COST = Cost(total=Decimal("0.0123"), saved=Decimal("0.0871"))


@pytest.mark.parametrize(
    ("end", "facts", "line"),
    [
        (
            TurnEnd("done", 3, USAGE, COST),
            ContextFacts(8000, 200_000, 1298.9),
            "3 steps · 41.2k in (93 % cached) · 1.1k out · $0.0123 (saved $0.0871)"
            " · context 4 % · cache 4:58",
        ),
        (
            TurnEnd("done", 1, Usage(input=10, output=2), None),
            ContextFacts(12, None, None),
            "1 step · 10 in (0 % cached) · 2 out · cost unknown · context 12",
        ),
        (TurnEnd("done", 1, Usage(), None), None, "1 step · 0 in · 0 out · cost unknown"),
        (TurnEnd("stopped", 0, Usage(), Cost()), None, ""),
    ],
)
def test_the_cost_line(end, facts, line):
    assert turn_line(end, facts, now=1000.0) == line


def test_parts_of_the_cost_line():
    assert [tokens(n) for n in (0, 999, 1000, 41_200, 999_949, 1_300_000)] == [
        "0",
        "999",
        "1.0k",
        "41.2k",
        "999.9k",
        "1.3M",
    ]
    assert cost_part(Cost(total=Decimal("0.5"), saved=Decimal("-0.1"))) == (
        "$0.5000 (cache cost $0.1000 more)"
    )
    assert cache_part(5000.0, 1000.0) == "cache 1:06:40"
    assert cache_part(1000.0, 1000.5) == "cache expired"
    almost = TurnEnd("done", 1, Usage(input=1, cache_read=100_000), COST)
    assert "99 % cached" in turn_line(almost), "what is not all is not called all"
