"""Sessions of an app: resumed byte for byte, cleared, switched, and going on after a crash."""

import asyncio
import json

import pytest

from agentcli.agent.events import Notice
from agentcli.app.app import NO_MODEL
from agentcli.lib.errors import UserError
from agentcli.llm.simulator import Fault, Turn, calls, says, thinks
from agentcli.llm.simulator.script import Say

READ = ("Read", {"path": "a.txt"})
OTHER = "claude-opus-5-5"


def turns(house, *prompts, **options):
    """One app for these prompts; what it was at last."""

    async def main():
        async with house.app(**options) as app:
            ends = [await app.prompt(text) for text in prompts]
            assert [end.reason for end in ends] == ["done"] * len(prompts)
            return app.status()

    return asyncio.run(main())


def kept(house):
    """The only session file."""
    (path,) = (house.root.parent / ".local").rglob("*.jsonl")
    return path


def test_a_resumed_session_sends_the_same_bytes_and_more(house):
    here = house(
        thinks("hm", calls(READ, ("Bash", {"command": "exit 3"}), text="Looking…")),
        says("Seen: “alpha” 日本."),
        says("Yes."),
        calls(READ),
        says("Still."),
    )
    first = turns(here, "look")
    second = turns(here, "sure?", resume_last=True)
    third = turns(here, "really?", resume=first.session_id[:12])
    assert first.session_id == second.session_id == third.session_id
    here.server.assert_prefix()
    assert third.cost.total > second.cost.total > first.cost.total


def test_another_system_prompt_comes_too_late_for_a_session_and_that_is_said(house):
    here = house(says("One."), says("Two."), says("Three."))

    def warned(prompt, **options):
        async def main():
            async with here.app(**options) as app:
                await app.prompt(prompt)
                return [event.text for event in app.frontend.of(Notice)]

        return asyncio.run(main())

    assert warned("first", append_system_prompt="Be brief.") == []
    assert warned("second", append_system_prompt="Be brief.", resume_last=True) == []
    (told,) = warned("third", append_system_prompt="Be long.", resume_last=True)
    assert told.startswith("--append-system-prompt comes too late")
    here.server.assert_prefix()


def test_what_the_head_was_made_of_may_change_while_nobody_looks(house):
    here = house(says("One."), says("Two."))
    (here.root / "AGENTS.md").write_text("Use tabs.")
    turns(here, "first")
    (here.root / "AGENTS.md").write_text("Use spaces.")
    (here.root / "new.txt").write_text("")
    turns(here, "second", resume_last=True)
    here.server.assert_prefix()


def test_instructions_in_the_head_are_not_told_again_after_resuming(house):
    here = house(says("One."), calls(READ), says("Two."))
    (here.root / "AGENTS.md").write_text("Use tabs.")
    turns(here, "first")
    turns(here, "second", resume_last=True)
    assert here.server.requests[-1].raw.count(b"Use tabs.") == 1


def test_another_process_tells_the_model_nothing_it_was_told(house):
    """The date and the instructions of a folder would be paid for again with every `-c`."""
    look = calls(("Read", {"path": "sub/b.txt"}))
    here = house(*[look, says("Seen.")] * 3)
    (here.root / "sub").mkdir()
    (here.root / "sub/b.txt").write_text("beta\n")
    (here.root / "sub/AGENTS.md").write_text("Sub rules.")
    turns(here, "first")
    turns(here, "second", resume_last=True)
    (here.root / "sub/AGENTS.md").write_text("New rules.")
    turns(here, "third", resume_last=True)
    said = here.said()
    assert said.count("Today is") == said.count("Sub rules.") == said.count("New rules.") == 1


def test_a_process_without_plan_mode_says_that_it_is_over(house):
    here = house(says("A plan."), says("More of it."), says("Done."))
    turns(here, "plan it", permission_mode="plan")
    turns(here, "go on planning", permission_mode="plan", resume_last=True)
    assert here.said().count("Plan mode is on") == 1
    turns(here, "do it", resume_last=True)
    assert here.said().index("Plan mode is off") > here.said().index("go on planning")


def test_a_resumed_session_knows_how_full_its_window_is(house):
    here = house(
        Turn((Say("A lot."),), usage={"input_tokens": 990_000}), says("SUMMARY"), says("ok")
    )
    turns(here, "first")
    turns(here, "second", resume_last=True)
    assert "SUMMARY" in here.said()


def test_a_resumed_session_goes_on_with_the_model_it_talked_to_last(house):
    here = house(says("One."), says("Two."), says("Three."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            app.set_model(OTHER)
            await app.prompt("second")

    asyncio.run(main())
    here.env.pop("AGENT_MODEL")
    assert turns(here, "third", resume_last=True).model == OTHER
    assert [r.body["model"] for r in here.server.requests] == ["claude-sonnet-5-5", OTHER, OTHER]


def test_a_fork_leaves_the_first_session_as_it_is(house):
    here = house(says("One."), says("Two."), says("Three."))
    first = turns(here, "first")
    before = kept(here).read_bytes()
    fork = turns(here, "second", resume=first.session_id, fork_session=True)
    assert fork.session_id != first.session_id
    paths = {path.stem: path for path in (here.root.parent / ".local").rglob("*.jsonl")}
    assert paths[first.session_id].read_bytes() == before
    turns(here, "third", resume=fork.session_id)
    here.server.assert_prefix()


def test_a_model_is_switched_between_two_turns(house):
    here = house(thinks("hm", calls(READ)), says("One."), says("Two."), says("Three."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            told = app.set_model(OTHER)
            await app.prompt("second")
            app.set_model("claude-sonnet-5-5")
            await app.prompt("third")
            return told

    assert OTHER in asyncio.run(main())
    assert [r.body["model"] for r in here.server.requests][2:] == [OTHER, "claude-sonnet-5-5"]
    assert here.said().index("first") < here.said().index("second") < here.said().index("third")
    here.server.assert_prefix()


def test_a_model_of_another_vendor_gets_the_tools_that_suit_it(house):
    here = house(calls(READ), says("One."), says("Two."), says("Three."))
    here.env |= {"OPENAI_BASE_URL": f"{here.server.url}/v1", "OPENAI_API_KEY": "key"}

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            app.set_model("gpt-6.1-sol")
            await app.prompt("second")
            app.set_model("claude-sonnet-5-5")
            await app.prompt("third")

    asyncio.run(main())
    tools = [{tool["name"] for tool in r.body["tools"]} for r in here.server.requests[1:]]
    assert [{"Edit", "ApplyPatch"} & names for names in tools] == [
        {"Edit"},
        {"ApplyPatch"},
        {"Edit"},
    ]
    assert "alpha" in here.server.requests[2].raw.decode()
    here.server.assert_prefix()


def test_a_visit_without_a_word_leaves_no_file_and_no_process(house):
    here = house()

    async def main():
        async with here.app() as app:
            return app.talk.look

    look = asyncio.run(main())
    assert look._process.returncode is not None
    assert list(here.root.parent.rglob("*.jsonl")) == []


def test_an_unknown_model_changes_nothing(house):
    here = house(says("One."))

    async def main():
        async with here.app() as app:
            with pytest.raises(UserError):
                app.set_model("")
            await app.prompt("first")
            return app.model

    assert asyncio.run(main()) == "claude-sonnet-5-5"


def test_clear_begins_another_session_with_an_empty_context(house):
    here = house(calls(READ), says("One."), says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            before = app.status()
            await app.clear()
            assert app.status().context_used == 0
            await app.prompt("second")
            return before.session_id, app.status().session_id, app.sessions()

    first, second, found = asyncio.run(main())
    assert first != second
    assert "first" not in here.said()
    assert {info.id: info.title for info in found} == {first: "first", second: "second"}


def test_resuming_another_session_from_within(house):
    here = house(says("One."), says("Two."), says("Three."))
    first = turns(here, "first")

    async def main():
        async with here.app() as app:
            await app.prompt("second")
            await app.resume(first.session_id)
            await app.prompt("third")
            return app.status().session_id

    assert asyncio.run(main()) == first.session_id
    talk = here.server.requests[2].messages_bytes
    assert talk.startswith(here.server.requests[0].messages_bytes)
    assert "second" not in here.said()


def test_a_session_that_is_not_there_leaves_this_one_usable(house):
    here = house(says("One."), says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            with pytest.raises(UserError, match="no session"):
                await app.resume("nonsense")
            await app.prompt("second")

    asyncio.run(main())
    here.server.assert_prefix()


def test_a_session_open_elsewhere_is_not_written_to(house):
    here = house(says("One."), says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            with pytest.raises(UserError, match="another terminal"):
                async with here.app(resume_last=True):
                    raise AssertionError
            await app.prompt("second")

    asyncio.run(main())
    here.server.assert_prefix()


@pytest.mark.parametrize("lost", [1, 40, 400])
def test_a_session_goes_on_after_a_crash_in_the_middle_of_a_line(house, lost):
    here = house(calls(READ), says("One."), says("Two."), says("Three."))
    turns(here, "first")
    path = kept(here)
    lines = path.read_bytes().splitlines(keepends=True)
    whole = b"".join(line for line in lines if b'"spent"' not in line)
    path.write_bytes(whole[:-lost])
    turns(here, "second", resume_last=True)
    turns(here, "third", resume_last=True)
    here.server.requests.pop(1)
    here.server.assert_prefix()
    readable = [json.loads(line) for line in path.read_bytes().splitlines() if parses(line)]
    assert len(readable) >= len(path.read_bytes().splitlines()) - 1


def parses(line):
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def test_a_crash_before_a_call_was_answered_leaves_a_session_that_goes_on(house):
    here = house(calls(READ), says("One."), says("Two."), says("Three."))
    turns(here, "first")
    path = kept(here)
    lines = path.read_bytes().splitlines(keepends=True)
    call = next(n for n, line in enumerate(lines) if b'"tool_use"' in line)
    path.write_bytes(b"".join(lines[: call + 1]))
    turns(here, "second", "third", resume_last=True)
    assert "first" in here.said()
    del here.server.requests[1]
    here.server.assert_prefix()


def test_a_turn_that_failed_is_part_of_what_is_resumed(house):
    here = house(says("One."), Fault("unauthorized"), says("Three."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            return (await app.prompt("second")).reason

    assert asyncio.run(main()) == "error"
    turns(here, "third", resume_last=True)
    assert "second" in here.said()
    here.server.assert_prefix()


def test_no_model_is_told(house):
    here = house()
    for name in ("AGENT_MODEL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"):
        here.env.pop(name)

    async def main():
        async with here.app():
            pass

    with pytest.raises(UserError) as caught:
        asyncio.run(main())
    assert str(caught.value) == NO_MODEL


def test_a_session_keeps_the_id_it_was_given_until_it_is_cleared(house):
    here = house(says("One."), says("Two."))

    async def main():
        async with here.app(session_id="mine") as app:
            await app.prompt("first")
            before = app.status().session_id
            await app.clear()
            await app.prompt("second")
            return before, app.status().session_id

    first, second = asyncio.run(main())
    assert first == "mine"
    assert second != "mine"
    assert turns(here, resume="mine").session_id == "mine"


@pytest.mark.parametrize("name", ["mine", "../mine", "", "a/b", ".", "x" * 300])
def test_an_id_that_is_taken_or_no_name_is_refused(house, name):
    here = house(says("One."), says("Two."))
    turns(here, "first", session_id="mine")
    before = kept(here).read_bytes()
    with pytest.raises(UserError, match="session"):
        turns(here, "second", session_id=name)
    assert kept(here).read_bytes() == before


def test_a_fork_is_made_once(house):
    here = house(*[says("ok")] * 4)
    first = turns(here, "first")
    other = turns(here, "second")

    async def main():
        async with here.app(resume=first.session_id, fork_session=True) as app:
            await app.prompt("third")
            await app.resume(other.session_id)
            return app.status().session_id

    assert asyncio.run(main()) == other.session_id


def test_a_session_that_can_not_be_opened_leaves_this_one_usable(house):
    here = house(*[says("ok")] * 4)

    async def main():
        async with here.app() as busy, here.app() as app:
            await busy.prompt("first")
            await app.prompt("second")
            with pytest.raises(UserError, match="another terminal"):
                await app.resume(busy.status().session_id)
            await app.prompt("third")
            return app.status().session_id

    mine = asyncio.run(main())
    assert "second" in here.said()
    turns(here, "fourth", resume=mine)
    assert [text for _, found in here.sent() for text in found if text in ORDINALS] == [
        "second",
        "third",
        "fourth",
    ]


ORDINALS = ("first", "second", "third", "fourth")
