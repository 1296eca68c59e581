"""Subagents of a real app: the bytes they send, what they cost, and what becomes of their end."""

import asyncio
import json
from decimal import Decimal

import pytest

from agentcli.agent.events import (
    Answer,
    Decided,
    Notice,
    OfSubagent,
    PermissionQuestion,
    Spent,
    ToolEnd,
)
from agentcli.lib.value import replace
from agentcli.llm.simulator import Fault, When, calls, says
from agentcli.llm.simulator.script import Hang
from agentcli.session import ledger_db as db

READ = ("Read", {"path": "a.txt"})
HAIKU = "claude-haiku-5-5"


def task(prompt, agent="general", description="look around"):
    return ("Task", {"description": description, "prompt": prompt, "agent": agent})


def run(command):
    return ("Bash", {"command": command})


def at(word):
    """Whether a request is of the subagent that was given this task."""
    return lambda asked: any(text.endswith(f"Task:\n{word}") for text in asked.texts)


def for_each(**replies):
    """Rules that answer subagents by their task, whatever comes first."""
    return tuple(When(at(word), reply) for word, reply in replies.items())


def visit(house, *prompts, answers=(), react=None, **options):
    """(app, ends) of a session that ends afterwards."""

    async def main():
        async with house.app(*answers, **options) as app:
            if react is not None:
                app.frontend.react = lambda event: react(app, event)
            ends = [await app.prompt(words) for words in prompts]
            return app, ends

    return asyncio.run(main())


def configure(house, text):
    (house.root / ".agent").mkdir(exist_ok=True)
    (house.root / ".agent/config.toml").write_text(text)


def define(house, name, text, folder=".agent/agents"):
    (house.root / folder).mkdir(parents=True, exist_ok=True)
    (house.root / folder / f"{name}.md").write_text(text)


def inner(app, kind):
    """Events of this kind that happened in subagents."""
    return [e.event for e in app.frontend.of(OfSubagent) if isinstance(e.event, kind)]


def results(app):
    """What the conversation itself was answered by its Task calls: (text, is_error)."""
    ends = [event for event in app.frontend.of(ToolEnd) if event.call.name == "Task"]
    return [(end.result.content[0].text, end.result.is_error) for end in ends]


def is_brief(request):
    """Whether a subagent sent it."""
    return "You are a subagent" in request.raw.decode()


def booked(house):
    data = house.root.parent / ".local/share/agentcli"
    with db.opened(data / "ledger.db") as base:
        rows = base.execute("SELECT session, role, model, counted FROM requests ORDER BY at")
        return rows.fetchall()


def lines(house):
    (path,) = (house.root.parent / ".local/share/agentcli/sessions").rglob("*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_subagent_sends_the_same_head_and_only_its_end_comes_back(house):
    here = house(
        calls(task("find it")), calls(READ, text="I look."), says("a.txt:1"), says("Found.")
    )
    _, (end,) = visit(here, "where is it?")
    parent, first, second, after = here.server.requests
    assert first.head_bytes == second.head_bytes == parent.head_bytes == after.head_bytes
    assert second.messages_bytes.startswith(first.messages_bytes)
    assert after.messages_bytes.startswith(parent.messages_bytes)
    assert "where is it?" not in first.raw.decode()
    assert "a.txt:1" in here.said(3)
    assert "I look." not in here.said(3)
    assert end.reason == "done"


@pytest.mark.parametrize("model", ["claude-sonnet-5-5", "gpt-6.1-sol"])
def test_its_first_request_reads_what_the_parent_wrote(house, model):
    here = house(calls(task("find it")), says("Nothing."), says("Fine."))
    here.env |= {"OPENAI_BASE_URL": f"{here.server.url}/v1", "OPENAI_API_KEY": "k"}
    app, (end,) = visit(here, "where is it?", model=model)
    (spent,) = inner(app, Spent)
    assert spent.role == "subagent"
    head = spent.usage.cache_read
    written = app.frontend.of(Spent)[0].usage.cache_write_5m
    assert 1_000 < head < written
    assert spent.usage.input + spent.usage.cache_write_5m < 400
    bills = [line["data"] for line in lines(here) if line["kind"] == "spent"]
    (bill,) = [bill for bill in bills if bill["role"] == "subagent"]
    assert bill["expected_read"] == pytest.approx(head, rel=0.15)
    assert bill["session"] == app.talk.id
    assert end.cost.total == sum(Decimal(b["cost"]["total"]) for b in bills)
    assert end.usage.prompt == sum(
        sum(b["usage"][name] for name in ("input", "cache_read", "cache_write_5m")) for b in bills
    )


def test_the_ledger_has_its_requests_under_the_session_with_their_role(house):
    here = house(calls(task("find it")), says("Nothing."), says("Fine."))
    app, _ = visit(here, "hi")
    assert [(s, role) for s, role, *_ in booked(here)] == [
        (app.talk.id, "main"),
        (app.talk.id, "subagent"),
        (app.talk.id, "main"),
    ]
    assert app.talk.ledger.total().requests == 3


def test_tasks_of_one_reply_run_at_the_same_time(house):
    """Each waits for a file that another one makes, so that one after the other none would end."""
    wait = "until [ -e {} ]; do sleep 0.01; done"
    rules = (
        When(lambda a: at("one")(a) and not a.results, calls(run("touch 1; " + wait.format(2)))),
        When(lambda a: at("two")(a) and not a.results, calls(run("touch 2; " + wait.format(1)))),
        *for_each(one=says("first"), two=says("second")),
    )
    here = house(calls(task("one"), task("two")), says("Both."), rules=rules)
    app, (end,) = visit(here, "go")
    assert sorted(results(app)) == [("first", False), ("second", False)]
    assert here.said().index("first") < here.said().index("second")
    assert end.reason == "done"


def test_no_more_of_them_work_at_once_than_configured(house):
    rules = for_each(one=says("1"), two=says("2"), three=says("3"))
    here = house(calls(task("one"), task("two"), task("three")), says("All."), rules=rules)
    configure(here, "[subagents]\nat_once = 1\n")
    open_now, most = set(), []

    def react(app, event):
        if isinstance(event, OfSubagent):
            name = type(event.event).__name__
            if name == "TurnStart":
                open_now.add(event.call_id)
            most.append(len(open_now))
            if name == "TurnEnd":
                open_now.discard(event.call_id)

    app, _ = visit(here, "go", react=react)
    assert len(results(app)) == 3
    assert max(most) == 1


def test_one_that_no_budget_holds_is_stopped_before_it_asks(house):
    here = house(calls(task("find it"), text="x" * 9_000), says("never"))
    app, (end,) = visit(here, "hi", answers=[Answer("no")] * 2, max_cost="0.04")
    assert len(here.server.requests) == 1
    ((text, failed),) = results(app)
    assert failed
    assert "The general agent did not finish: The session budget of $0.0400 is reached" in text
    assert end.reason == "budget"


def test_two_at_once_do_not_spend_the_same_money(house):
    slow = replace(says("x" * 3_000), wait=0.3)
    rules = for_each(one=slow, two=slow)
    here = house(calls(task("one"), task("two")), says("Done."), rules=rules)
    app, _ = visit(here, "hi", answers=[Answer("no")] * 4, max_cost="0.045")
    assert app.talk.ledger.total().cost.total <= Decimal("0.045")
    room = Decimal("0.045") - app.frontend.of(Spent)[0].cost.total
    lengths = [request.body["max_tokens"] for request in here.server.requests if is_brief(request)]
    assert 1 <= len(lengths) <= 2
    assert sum(lengths) * Decimal(10) / 1_000_000 < room


def test_what_it_may_do_is_asked_and_the_question_says_who_asks(house):
    write = ("Write", {"path": "new.txt", "content": "x\n"})
    here = house(calls(task("write it")), calls(write), says("Written."), says("Good."))
    asked = []

    async def main():
        async with here.app(Answer("yes"), permission_mode="default") as app:
            ask = app.frontend.ask

            async def noted(question):
                asked.append(question)
                return await ask(question)

            app.frontend.ask = noted
            return await app.prompt("go")

    asyncio.run(main())
    (question,) = asked
    assert isinstance(question, PermissionQuestion)
    assert question.agent == "general: look around"
    assert (here.root / "new.txt").read_text() == "x\n"


def test_a_plain_no_to_a_subagent_ends_the_turn(house):
    write = ("Write", {"path": "new.txt", "content": "x\n"})
    here = house(calls(task("write it")), calls(write), says("never"))
    _, (end,) = visit(here, "go", answers=[Answer("no")], permission_mode="default")
    assert end.reason == "stopped"
    assert len(here.server.requests) == 2
    assert not (here.root / "new.txt").exists()


@pytest.mark.parametrize("mode", ["default", "accept-edits", "bypass"])
def test_explore_changes_nothing_in_any_mode(house, mode):
    write = ("Write", {"path": "new.txt", "content": "x\n"})
    here = house(
        calls(task("look", "explore")),
        calls(write, ("Bash", {"command": "touch new.txt"}), ("Bash", {"command": "cat a.txt"})),
        says("I could not."),
        says("Well."),
    )
    app, _ = visit(here, "go", permission_mode=mode)
    assert not (here.root / "new.txt").exists()
    verdicts = [event.decision.verdict for event in inner(app, Decided)]
    assert verdicts == ["deny", "deny", "allow"]
    assert here.said(2).count("the explore agent may only read") == 2
    assert "alpha" in here.said(2)
    assert here.server.requests[1].head_bytes == here.server.requests[0].head_bytes


def test_a_rule_may_forbid_one_kind(house):
    here = house(calls(task("a", "explore"), task("b")), says("B."), says("So."))
    configure(here, '[permissions]\ndeny = ["Task(explore)"]\n')
    app, _ = visit(here, "go")
    assert ("Not allowed: rule Task(explore)", True) in results(app)
    assert ("B.", False) in results(app)
    assert len(here.server.requests) == 3


def test_a_subagent_cannot_start_another(house):
    here = house(calls(task("a")), calls(task("deeper")), says("Alone then."), says("Ok."))
    app, _ = visit(here, "go")
    assert "A subagent can't start another one: do this task yourself" in here.said(2)
    assert results(app)[-1] == ("Alone then.", False)


def test_an_unknown_kind_is_told_with_those_there_are(house):
    here = house(calls(task("a", "expert")), says("Ok."))
    app, _ = visit(here, "go")
    assert results(app) == [("There is no agent expert; there are: general, explore.", True)]


def test_one_that_fails_says_what_happened_and_what_it_said_last(house):
    here = house(calls(task("a")), calls(READ, text="Halfway."), Fault("quota"), says("I see."))
    app, (end,) = visit(here, "go")
    ((text, failed),) = results(app)
    assert failed
    assert text.startswith("The general agent did not finish: ")
    assert "quota" in text
    assert text.endswith("The last it said:\nHalfway.")
    assert end.reason == "done"
    assert [role for _, role, *_ in booked(here)] == ["main", "subagent", "main"]


def test_its_steps_are_limited(house):
    here = house(calls(task("a")), calls(READ), calls(READ), says("never heard"))
    configure(here, "[subagents]\nsteps = 2\n")
    app, _ = visit(here, "go")
    ((text, failed),) = results(app)
    assert (text, failed) == (
        "The general agent did not finish: it reached its limit of 2 steps.",
        True,
    )


def test_esc_ends_it_and_what_it_had_said_is_kept(house):
    here = house(calls(task("a")), calls(READ, text="Half of it."), Hang(), says("Again."))

    def react(app, event):
        if isinstance(event, OfSubagent) and isinstance(event.event, Spent):
            asyncio.get_running_loop().call_later(0.2, app.interrupt)

    app, ends = visit(here, "go", "and now?", react=react)
    assert [end.reason for end in ends] == ["interrupted", "done"]
    said = here.said()
    assert "Interrupted by the person before it finished." in said
    assert "Half of it." in said
    first, asked = app.frontend.of(Spent)[0], inner(app, Spent)[0]
    assert ends[0].usage == first.usage + asked.usage
    (ended,) = [line["data"] for line in lines(here) if "ended" in line["data"]]
    assert ended["ended"] == "interrupted"


def test_its_own_words_are_kept_beside_the_talk(house):
    here = house(calls(task("a")), calls(READ, text="I look."), says("alpha"), says("Ok."))
    visit(here, "go")
    found = [line["data"] for line in lines(here) if line["kind"] == "subagent"]
    began, *said, ended = found
    assert len({line["agent"] for line in found}) == 1
    assert began["began"]["type"] == "general"
    assert began["began"]["call"].startswith("toolu")
    assert ended["ended"] == "done"
    roles = [line["message"]["role"] for line in said]
    assert roles[:1] + roles[-3:] == ["user", "assistant", "user", "assistant"]
    assert said[-1]["message"]["content"][0]["text"] == "alpha"


def test_a_resumed_session_sends_the_same_bytes(house):
    here = house(calls(task("a")), says("A."), says("Ok."), says("On."))
    define(here, "tester", "---\ndescription: runs the tests\n---\nRun them.")
    visit(here, "go")
    define(here, "late", "---\ndescription: came later\n---\nBe late.")
    define(here, "tester", "---\ndescription: does something else\n---\nRun them.")
    app, _ = visit(here, "and now?", resume_last=True)
    *_, before, after = here.server.requests
    assert after.head_bytes == before.head_bytes
    assert after.messages_bytes.startswith(before.messages_bytes)
    assert "tester: runs the tests" in after.raw.decode()
    assert app.talk.used > 1_000


def test_a_defined_agent_has_its_instructions_tools_and_model(house):
    here = house(
        calls(task("check", "tester")),
        calls(READ, run("touch new.txt")),
        says("It fails."),
        says("So."),
    )
    define(
        here,
        "tester",
        "---\nname: tester\ndescription: runs the tests\ntools: Read, Grep\nmodel: haiku\n---\n"
        "Be strict.",
        ".claude/agents",
    )
    app, _ = visit(here, "go")
    parent, child, *_ = here.server.requests
    assert child.body["model"] == HAIKU
    assert child.body["tools"] == parent.body["tools"]
    assert child.body["system"][0]["text"] == parent.body["system"][0]["text"]
    assert "Instructions for the tester agent:\nBe strict." in here.said(1)
    assert "The tester agent may not use Bash. Its tools: Grep, Read." in here.said(2)
    assert not (here.root / "new.txt").exists()
    assert [(role, model) for _, role, model, _ in booked(here)] == [
        ("main", "claude-sonnet-5-5"),
        ("subagent", HAIKU),
        ("subagent", HAIKU),
        ("main", "claude-sonnet-5-5"),
    ]
    assert set(app.talk.ledger.accounts) == {"claude-sonnet-5-5", HAIKU}


def test_the_role_names_the_model_of_all_of_them(house):
    here = house(calls(task("a")), says("A."), says("Ok."))
    configure(here, '[roles]\nsubagent = "haiku"\n')
    visit(here, "go")
    models = [request.body["model"] for request in here.server.requests]
    assert models == ["claude-sonnet-5-5", HAIKU, "claude-sonnet-5-5"]


def test_a_model_out_of_reach_is_told_and_the_sessions_own_works(house):
    here = house(calls(task("a", "far")), says("A."), says("Ok."))
    define(here, "far", "---\ndescription: far away\nmodel: gpt\n---\n")
    app, _ = visit(here, "go")
    assert {request.body["model"] for request in here.server.requests} == {"claude-sonnet-5-5"}
    (told,) = [event.text for event in app.frontend.of(Notice)]
    assert "The far agent works with claude-sonnet-5-5: " in told
    assert "OPENAI_API_KEY" in told


def test_an_unusable_definition_is_told_and_left_out(house):
    here = house(says("Ok."))
    define(here, "mute", "no head at all")
    define(here, "odd", "---\ndescription: x\ntools: Bash(git *)\n---\n")
    app, _ = visit(here, "go")
    told = [event.text for event in app.frontend.of(Notice)]
    assert len(told) == 2
    assert "mute.md defines no usable agent: it has no description" in told[0]
    assert "odd.md defines no usable agent: tools: Bash(git *) is no name of a tool" in told[1]
    assert "mute" not in here.server.requests[0].raw.decode()


def test_hooks_see_subagents(house):
    here = house(calls(task("a", "explore")), calls(READ), says("A."), says("More."), says("Ok."))
    log = here.root.parent / "log"
    for event in ("PreToolUse", "SubagentStart", "SubagentStop", "Stop"):
        here.hook(event, f"cat >> {log}; echo >> {log}")
    once = here.root.parent / "once"
    here.hook(
        "SubagentStop", f"[ -e {once} ] || {{ touch {once}; echo Say more. >&2; exit 2; }}; exit 0"
    )
    more = '{"hookSpecificOutput": {"hookEventName": "SubagentStart", "additionalContext": "Hm."}}'
    here.hook("SubagentStart", f"echo '{more}'")
    app, _ = visit(here, "go")
    seen = [json.loads(line) for line in log.read_text().splitlines() if line]
    names = [line["hook_event_name"] for line in seen]
    kinds = [line.get("agent_type") for line in seen]
    assert list(zip(names, kinds, strict=True)) == [
        ("PreToolUse", None),
        ("SubagentStart", "explore"),
        ("PreToolUse", "explore"),
        ("SubagentStop", "explore"),
        ("SubagentStop", "explore"),
        ("Stop", None),
    ]
    assert len({line["agent_id"] for line in seen if "agent_id" in line}) == 1
    assert "Hm." in here.said(1)
    assert "Say more." in here.said(3)
    assert results(app) == [("More.", False)]


def test_the_todo_list_and_the_files_seen_are_its_own(house):
    items = [{"text": "child", "state": "pending"}]
    here = house(
        calls(READ),
        calls(task("a")),
        calls(READ, ("Todo", {"items": items}), run("cd /")),
        says("A."),
        calls(run("pwd")),
        says("Ok."),
    )
    app, _ = visit(here, "go")
    assert app.talk.workspace.todos == ()
    assert "alpha" in here.said(3)
    assert str(here.root) in here.said(5)


def test_with_another_model_one_goes_ahead_and_the_others_read_what_it_wrote(house):
    """The conversation has cached nothing there, and requests at once would all write it."""
    slow = replace(says("Done."), wait=0.2)
    rules = for_each(one=slow, two=slow, three=slow)
    here = house(calls(task("one"), task("two"), task("three")), says("All."), rules=rules)
    configure(here, '[roles]\nsubagent = "haiku"\n')
    (here.root / "AGENTS.md").write_text("Be kind to the code.\n" * 200)
    app, _ = visit(here, "go")
    first, *others = [event.usage for event in inner(app, Spent)]
    assert first.cache_read == 0
    assert first.cache_write_5m > 2_000
    assert [usage.cache_read > 2_000 for usage in others] == [True, True]


def test_the_others_go_on_when_the_one_ahead_fails(house):
    rules = (When(at("one"), Fault("quota")), *for_each(two=says("2."), three=says("3.")))
    here = house(calls(task("one"), task("two"), task("three")), says("All."), rules=rules)
    configure(here, '[roles]\nsubagent = "haiku"\n')
    app, _ = visit(here, "go")
    assert [failed for _, failed in sorted(results(app))] == [False, False, True]


def test_its_steps_are_no_more_than_the_flag_allows(house):
    here = house(calls(task("a")), calls(READ), calls(READ), calls(READ), says("So."))
    app, _ = visit(here, "go", max_turns=3)
    ((text, _),) = results(app)
    assert "it reached its limit of 3 steps" in text


def test_a_long_answer_is_cut_and_kept_whole_in_a_file(house):
    here = house(calls(task("a")), says("word " * 2_000 + "END"), says("So."))
    configure(here, "[caps]\noutput = 1000\n")
    app, _ = visit(here, "go")
    ((text, _),) = results(app)
    assert len(text) < 1_500
    kept = here.root.parent / ".local/share/agentcli/outputs" / app.talk.id
    (file,) = kept.iterdir()
    assert str(file) in text
    assert file.read_text().endswith("END")


def test_two_that_edit_one_file_do_not_overwrite_each_other(house):
    """Both have read it before either writes."""
    edit = {"path": "a.txt", "old": "alpha"}
    wait = "until [ -e {} ]; do sleep 0.01; done"

    def worker(mine, other):
        def play(asked):
            step = sum(m["role"] == "assistant" for m in asked.body["messages"])
            new = ("Edit", edit | {"new": f"alpha {mine}"})
            meet = run(f"touch ../{mine}; " + wait.format(f"../{other}"))
            return [calls(READ), calls(meet), calls(new), says(asked.latest)][step]

        return play

    rules = (When(at("one"), worker("one", "two")), When(at("two"), worker("two", "one")))
    here = house(calls(task("one"), task("two")), says("So."), rules=rules)
    app, _ = visit(here, "go")
    assert sorted((here.root / "a.txt").read_text().split()) == ["alpha", "one", "two"]
    assert sum("had changed on disk" in text for text, _ in results(app)) == 1
