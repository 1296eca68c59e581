"""What an app does around a prompt: hooks, mentions, commands of the person, reminders, limits."""

import asyncio
import json

import pytest

from agentcli.agent.events import (
    Answer,
    Notice,
    Queued,
    Spent,
    Streamed,
    ToolEnd,
    ToolProgress,
    ToolStart,
    TurnEnd,
)
from agentcli.llm.simulator import Fault, breaks, calls, says

READ = ("Read", {"path": "a.txt"})
WRITE = ("Write", {"path": "c.txt", "content": "x"})


def visit(house, *prompts, answers=(), **options):
    """One app for these prompts; its front-end and the ends of the turns."""

    async def main():
        async with house.app(*answers, **options) as app:
            return app.frontend, [await app.prompt(text) for text in prompts]

    return asyncio.run(main())


def test_a_command_of_the_person_is_shown_and_told_with_the_next_prompt(house):
    here = house(says("I see."), says("Yes."))

    async def main():
        async with here.app() as app:
            await app.run_shell("echo out; cd /; exit 3")
            assert here.server.requests == []
            await app.prompt("what happened?")
            await app.run_shell("pwd")
            await app.prompt("where am I?")
            return app.frontend, app.sessions()

    front, found = asyncio.run(main())
    assert [event.call.name for event in front.of(ToolStart)] == ["Bash", "Bash"]
    assert [event.result.is_error for event in front.of(ToolEnd)] == [True, False]
    first = here.said(0)
    assert first.index("echo out") < first.index("exit code 3") < first.index("what happened?")
    here.server.assert_prefix()
    assert [info.title for info in found] == ["what happened?"]


def test_a_command_of_the_person_shows_its_output_as_it_comes_and_can_be_stopped(house):
    here = house(says("I see."))

    async def main():
        async with here.app() as app:
            running = asyncio.create_task(app.run_shell("echo begun; sleep 60; touch late"))
            while not app.frontend.of(ToolProgress):
                await asyncio.sleep(0.001)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await app.prompt("well?")
            return app.frontend

    front = asyncio.run(main())
    assert front.of(ToolProgress)[0].text.strip() == "begun"
    (end,) = front.of(ToolEnd)
    assert end.result.is_error
    assert "begun" not in here.said()


def test_a_command_of_the_person_alone_is_resumed(house):
    here = house(says("I see."))

    async def main():
        async with here.app() as app:
            await app.run_shell("echo from-before")
        async with here.app(resume_last=True) as app:
            await app.prompt("well?")

    asyncio.run(main())
    assert "from-before" in here.said()


def test_a_command_that_cannot_run_is_told_and_leaves_nothing_behind(house):
    here = house(says("Hello."))

    async def main():
        async with here.app() as app:
            await app.run_shell("echo \0")
            assert "NUL" in app.frontend.of(ToolEnd)[0].result.content[0].text
            await app.prompt("hi")

    asyncio.run(main())
    assert "echo" not in here.said()


def test_secrets_of_the_person_reach_neither_model_nor_file(house):
    here = house(calls(("Bash", {"command": "cat key.txt"})), says("A key."), says("Yes."))
    secret = here.env["ANTHROPIC_API_KEY"]
    (here.root / "key.txt").write_text(f"key={secret}\n")

    async def main():
        async with here.app() as app:
            await app.run_shell("cat key.txt; env")
            await app.prompt("what is in @key.txt ?")
            await app.prompt("sure?")
            return app.talk.file.path

    path = asyncio.run(main())
    assert all(secret not in request.raw.decode() for request in here.server.requests)
    assert secret not in path.read_text()
    assert here.said().count("key=") >= 3


def test_files_that_are_mentioned_come_with_the_prompt(house):
    here = house(says("Seen."))
    visit(here, "look at @a.txt and @gone.txt")
    assert "alpha" in here.said()
    assert here.said().count("gone.txt") == 1


def test_a_hook_refuses_a_prompt_before_anything_is_sent_or_kept(house):
    here = house(says("Hello."))
    here.hook("UserPromptSubmit", "grep -q secret && { echo 'no secrets' >&2; exit 2; }; exit 0")
    front, ends = visit(here, "the secret is 7", "hello")
    assert [end.reason for end in ends] == ["stopped", "done"]
    assert "no secrets" in front.of(Notice)[0].text
    assert len(here.server.requests) == 1
    assert "secret is 7" not in here.said()


def test_hooks_add_context_to_the_session_and_to_each_prompt(house):
    here = house(says("One."), says("Two."))
    here.hook("SessionStart", "echo SESSION-BEGINS")
    here.hook("UserPromptSubmit", "echo AT-EACH-PROMPT")
    visit(here, "first", "second")
    assert here.said().count("SESSION-BEGINS") == 1
    assert here.said().count("AT-EACH-PROMPT") == 2
    here.server.assert_prefix()


def test_hooks_are_told_how_a_session_began_and_ended(house, tmp_path):
    here = house(*[says("ok")] * 4)
    log = tmp_path / "log"
    for event in ("SessionStart", "SessionEnd"):
        here.hook(event, f"(cat; echo) >> {log}")

    async def main():
        async with here.app() as app:
            await app.prompt("one")
            await app.compact("")
            await app.clear()
            await app.prompt("two")
        async with here.app(resume_last=True) as app:
            await app.prompt("three")

    asyncio.run(main())
    lines = [json.loads(line) for line in log.read_text().splitlines() if line]
    told = [(line["hook_event_name"], line.get("source") or line["reason"]) for line in lines]
    assert told == [
        ("SessionStart", "startup"),
        ("SessionStart", "compact"),
        ("SessionEnd", "clear"),
        ("SessionStart", "clear"),
        ("SessionEnd", "exit"),
        ("SessionStart", "resume"),
        ("SessionEnd", "exit"),
    ]
    assert all(line["transcript_path"].endswith(".jsonl") for line in lines[1:])


def test_context_of_a_session_start_comes_back_after_compaction(house):
    here = house(says("One."), says("SUMMARY"), says("Two."))
    here.hook("SessionStart", "echo HOUSE-RULES")

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            await app.compact("")
            await app.prompt("second")

    asyncio.run(main())
    assert here.said().count("HOUSE-RULES") == 1


def test_instructions_of_a_folder_are_told_once_when_it_is_touched(house):
    here = house(calls(("Read", {"path": "sub/b.txt"})), calls(READ), says("Seen."), says("Yes."))
    (here.root / "sub").mkdir()
    (here.root / "sub/b.txt").write_text("beta\n")
    (here.root / "sub/AGENTS.md").write_text("Only here: no semicolons.")
    visit(here, "look", "well?")
    assert "semicolons" not in here.said(0)
    assert here.said(1).count("semicolons") == 1
    assert here.said().count("semicolons") == 1
    here.server.assert_prefix()


def test_a_change_of_mode_is_appended(house):
    here = house(says("One."), calls(WRITE), says("Planned."), says("Off."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            app.set_mode("plan")
            await app.prompt("second")
            app.set_mode("default")
            await app.prompt("third")

    asyncio.run(main())
    assert not (here.root / "c.txt").exists()
    assert "Plan mode is on" not in here.said(0)
    assert here.said().index("Plan mode is on") < here.said().index("Plan mode is off")
    here.server.assert_prefix()


def test_always_holds_for_the_next_session_of_the_project(house):
    here = house(calls(WRITE), says("Written."), calls(WRITE), says("Again."))
    always = [Answer("always")]
    visit(here, "write", answers=always, permission_mode="default")
    (here.root / "c.txt").unlink()
    visit(here, "write again", permission_mode="default")
    assert (here.root / "c.txt").exists()


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"max_turns": 2}, "limit"),
        ({"max_cost": "0.000001"}, "budget"),
        ({"deadline": 0}, "deadline"),
    ],
)
def test_limits_of_the_command_line_hold(house, limit, reason):
    here = house(*[calls(READ)] * 5)
    _, (end,) = visit(here, "go on and on", answers=[Answer("no")], **limit)
    assert end.reason == reason
    assert len(here.server.requests) == end.steps


def test_the_budget_is_that_of_the_whole_session_also_after_resuming(house):
    here = house(says("One."), says("Two."))
    visit(here, "first")
    no = [Answer("no")]
    _, (end,) = visit(here, "second", answers=no, resume_last=True, max_cost="0.000001")
    assert end.reason == "budget"
    assert len(here.server.requests) == 1


def test_words_typed_meanwhile_are_delivered_in_the_turn(house):
    here = house(calls(READ), says("Both."))

    async def main():
        async with here.app() as app:
            app.frontend.react = lambda e: isinstance(e, ToolEnd) and app.steer("and b")
            await app.prompt("read a")
            return app.frontend

    assert [event.text for event in asyncio.run(main()).of(Queued)] == ["and b"]
    assert "and b" in here.said()


def test_an_interrupted_turn_is_kept_and_gone_on_with(house):
    here = house(says("One two three four five six seven eight nine ten."), says("Eleven."))

    async def main():
        async with here.app() as app:
            app.frontend.react = lambda e: isinstance(e, Streamed) and app.interrupt()
            first = await app.prompt("count")
            app.frontend.react = lambda e: None
            return first.reason, (await app.prompt("go on")).reason, app.busy

    assert asyncio.run(main()) == ("interrupted", "done", False)
    assert "One two" in here.said()
    here.server.assert_prefix()


def test_a_bug_is_logged_and_the_session_goes_on(house):
    here = house(says("One."), says("Two."))

    async def main():
        async with here.app() as app:

            def react(event):
                if isinstance(event, Spent):
                    app.frontend.react = lambda event: None
                    raise ZeroDivisionError("a bug of ours")

            app.frontend.react = react
            return [(await app.prompt(text)).reason for text in ("first", "second")], app

    reasons, app = asyncio.run(main())
    assert reasons == ["error", "done"]
    assert [end.reason for end in app.frontend.of(TurnEnd)] == reasons
    assert "ZeroDivisionError: a bug of ours" in app.ground.places.log.read_text()
    here.server.assert_prefix()


def test_a_session_that_is_not_to_be_kept_leaves_no_file(house):
    here = house(says("One."), says("SUMMARY"))

    async def main():
        async with here.app(session_persistence=False) as app:
            await app.prompt("first")
            await app.compact("")

    asyncio.run(main())
    assert list(here.root.parent.rglob("*.jsonl")) == []


def test_what_a_refused_request_cost_is_nothing(house):
    here = house(Fault("unauthorized"))

    async def main():
        async with here.app() as app:
            end = await app.prompt("hi")
            return end, app.status()

    end, status = asyncio.run(main())
    assert end.reason == "error"
    assert (end.cost.total, status.unpriced) == (0, 0)


def test_background_commands_end_with_the_session(house):
    line = "trap 'echo ended > ended.txt; exit' TERM; while :; do sleep 0.05; done"
    here = house(calls(("Bash", {"command": line, "background": True})), says("Started."))

    async def main():
        async with here.app() as app:
            await app.prompt("start it")
            (job,) = app.talk.workspace.jobs.values()
        return job.exit

    assert asyncio.run(main()) is not None


def test_warming_up_first_changes_nothing_in_the_request(house):
    here = house(says("One."), says("One."))

    async def main(warm):
        async with here.app() as app:
            if warm:
                await app.warm_up()
            await app.prompt("first")

    for warm in (False, True):
        asyncio.run(main(warm))
    first, second = (request.body for request in here.server.requests)
    first.pop("metadata", None), second.pop("metadata", None)
    assert first == second


def test_a_request_that_was_asked_again_counts_once_in_the_turn(house):
    here = house(breaks(says("Half of it"), "cut", 900), calls(READ), says("Whole."))

    async def main():
        async with here.app() as app:
            return app.talk, await app.prompt("go")

    talk, end = asyncio.run(main())
    assert {bill["role"] for bill in bills(talk)} == {"main", "retry"}
    assert end.usage == talk.ledger.total().usage


def bills(talk):
    """The bills in the session's file."""
    lines = map(json.loads, talk.file.path.read_text().splitlines())
    return [line["data"] for line in lines if line["kind"] == "spent"]
