"""The frozen head, reminders told once, mentions, and when a summary is due."""

from pathlib import Path

from agentcli.context.compaction import due, new_epoch, summary_request
from agentcli.context.memory import MemoryFile
from agentcli.context.mentions import mentioned
from agentcli.context.reminders import Reminders
from agentcli.context.repo import RepoFacts
from agentcli.context.system_prompt import system_parts
from agentcli.llm.types import Request, Text, UserMessage
from agentcli.tools.base import TodoItem

NOON = 1_763_985_600.0
DAY = 86_400.0


def said(messages):
    return [message.content[0].text for message in messages]


def test_the_head_holds_no_date_and_is_the_same_twice(tmp_path):
    facts = RepoFacts("main", ("M  a.py",), ("a.py",))
    memory = (MemoryFile(tmp_path / "AGENTS.md", "Use tabs."),)
    parts = system_parts(tmp_path, facts, memory)
    assert parts == system_parts(tmp_path, facts, memory)
    assert len(parts) == 2
    assert "Use tabs." in parts[1]
    assert "Git branch: main" in parts[1]
    assert "202" not in parts[0]


def test_the_prompt_can_be_replaced_and_added_to(tmp_path):
    assert system_parts(tmp_path, None, (), replace="Be a cat.")[0] == "Be a cat."
    assert system_parts(tmp_path, None, (), append="Purr.")[0].endswith("\n\nPurr.")


def test_date_and_plan_mode_are_told_when_they_are_news(tmp_path):
    reminders = Reminders(tmp_path, set())
    first = said(reminders.due(NOON, "default", ()))
    assert len(first) == 1
    assert "2025-11-24" in first[0]
    assert reminders.due(NOON + 60, "accept-edits", ()) == ()
    assert "Plan mode is on" in said(reminders.due(NOON + 61, "plan", ()))[0]
    assert "Plan mode is off" in said(reminders.due(NOON + 62, "default", ()))[0]
    assert "2025-11-25" in said(reminders.due(NOON + DAY, "default", ()))[0]


def test_instructions_below_are_told_once(tmp_path):
    sub = tmp_path / "sub"
    sub.mkdir()
    (sub / "AGENTS.md").write_text("Sub rules.")
    reminders = Reminders(tmp_path, set())
    reminders.due(NOON, "default", ())
    assert "Sub rules." in said(reminders.due(NOON, "default", (sub / "a.py",)))[0]
    assert reminders.due(NOON, "default", (sub / "b.py",)) == ()


def test_mentions_are_existing_files_once_each(tmp_path):
    (tmp_path / "a.py").write_text("")
    (tmp_path / "my file.txt").write_text("")
    text = 'look at @a.py, then @a.py and @"my file.txt" but not me@a.py nor @none.py'
    assert mentioned(text, tmp_path) == (tmp_path / "a.py", tmp_path / "my file.txt")


def test_compaction_is_due_by_window_only():
    assert not due(1_000_000, None, None)
    assert not due(100_000, 200_000, 32_000)
    assert due(150_000, 200_000, 32_000)


def test_the_summary_request_extends_the_live_prefix():
    history = (UserMessage((Text("hi"),)),)
    request = Request("m", ("p",), (), history)
    asked = summary_request(request, "keep the port number")
    assert asked.messages[:1] == history
    assert (asked.system, asked.tools, asked.model) == (("p",), (), "m")
    assert "keep the port number" in asked.messages[-1].content[0].text


def test_the_todo_list_survives_compaction_word_for_word():
    (message,) = new_epoch("Did things.", (TodoItem("Fix the *port*", "active"),))
    assert message.origin == "summary"
    assert "- [active] Fix the *port*" in message.content[0].text


def test_prompts_are_where_they_are_looked_for():
    from agentcli.context import system_prompt

    assert Path(system_prompt.PROMPTS, "system.md").is_file()
    assert system_prompt.prompt("compaction").startswith("Write a summary")
