"""Compaction: a summary takes the place of the talk, on the live prefix, and nothing is lost."""

import asyncio
import json

import pytest

from agentcli.agent.events import Compacted, Notice, Spent
from agentcli.agent.loop import FULL_TEXT
from agentcli.lib.errors import UserError
from agentcli.llm.simulator import Fault, Turn, calls, says
from agentcli.llm.simulator.script import Say

READ = ("Read", {"path": "a.txt"})
TODO = ("Todo", {"items": [{"text": "water the plants", "state": "active"}]})
FULL = Fault("context_overflow")
NEARLY_FULL = {"input_tokens": 990_000}


def full(text):
    """A reply after which the window is nearly full."""
    return Turn((Say(text),), usage=NEARLY_FULL)


def test_compacting_by_hand_begins_a_new_epoch_with_the_summary(house):
    here = house(calls(READ), says("Seen."), says("SUMMARY of all."), says("Yes."), says("Still."))

    async def main():
        async with here.app() as app:
            await app.prompt("look")
            told = await app.compact("keep the names")
            await app.prompt("go on?")
            await app.prompt("sure?")
            return told, app.frontend

    told, front = asyncio.run(main())
    assert told.startswith("Compacted")
    before, asked, after, last = (here.server.requests[n] for n in (1, 2, 3, 4))
    assert asked.head_bytes == before.head_bytes
    assert asked.messages_bytes.startswith(before.messages_bytes)
    assert "keep the names" in here.said(2)
    assert "SUMMARY of all." in here.said(3)
    assert "look" not in here.sent(3)[0][1]
    assert after.head_bytes == before.head_bytes
    assert last.messages_bytes.startswith(after.messages_bytes)
    (compacted,) = front.of(Compacted)
    assert compacted.summary == "SUMMARY of all."
    assert compacted.after < compacted.before


def test_a_summary_is_billed_and_told_to_hooks(house, tmp_path):
    here = house(says("One."), says("SUMMARY"))
    here.hook("PostCompact", f"cat > {tmp_path / 'log'}")

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            before = app.status().cost.total
            await app.compact("")
            return before, app.status(), app.frontend

    before, status, front = asyncio.run(main())
    assert status.cost.total > before
    assert [event.role for event in front.of(Spent)] == ["main", "compaction"]
    assert status.context_used == front.of(Compacted)[0].after
    told = json.loads((tmp_path / "log").read_text())
    assert (told["trigger"], told["compact_summary"]) == ("manual", "SUMMARY")


def test_a_file_read_before_is_shown_again_in_the_new_epoch(house):
    here = house(calls(READ), says("One."), says("SUMMARY"), calls(READ), says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            await app.compact("")
            await app.prompt("second")

    asyncio.run(main())
    assert "alpha" in here.said()


def test_the_todo_list_survives_word_for_word(house):
    here = house(calls(TODO), says("Noted."), says("SUMMARY"), says("Yes."))

    async def main():
        async with here.app() as app:
            await app.prompt("note it")
            await app.compact("")
            await app.prompt("well?")

    asyncio.run(main())
    assert "- [active] water the plants" in here.said()


def test_compaction_is_due_when_the_window_fills(house):
    here = house(full("A lot."), says("SUMMARY"), says("Going on."))

    async def main():
        async with here.app() as app:
            await app.prompt("read everything")
            end = await app.prompt("and call it Ishmael")
            return end, app.frontend

    end, front = asyncio.run(main())
    assert end.reason == "done"
    assert len(front.of(Compacted)) == 1
    assert len(here.server.requests) == 3
    assert "SUMMARY" in here.said()


def test_words_that_wait_for_an_answer_survive_word_for_word(house):
    here = house(full("A lot."), says("SUMMARY"), says("Going on."))

    async def main():
        async with here.app() as app:
            await app.prompt("read everything")
            await app.run_shell("echo from-the-shell")
            await app.prompt("and call it Ishmael")

    asyncio.run(main())
    assert "and call it Ishmael" in here.said()
    assert "from-the-shell" in here.said()
    assert here.said().index("SUMMARY") < here.said().index("from-the-shell")
    assert "read everything" not in here.said()


def test_compaction_in_the_middle_of_a_turn_leaves_no_call_behind(house):
    here = house(
        Turn(calls(READ).parts, usage=NEARLY_FULL), says("SUMMARY"), calls(READ), says("Done.")
    )

    async def main():
        async with here.app() as app:
            return await app.prompt("read it twice")

    assert asyncio.run(main()).reason == "done"
    first, *rest = (role for role, _ in here.sent())
    assert first == "user"
    assert rest[-2:] == ["assistant", "user"]


def test_what_is_told_once_is_told_again_in_the_new_epoch(house):
    here = house(says("Plan."), says("SUMMARY"), says("Yes."))

    async def main():
        async with here.app(permission_mode="plan") as app:
            await app.prompt("plan it")
            await app.compact("")
            await app.prompt("go on")

    asyncio.run(main())
    assert here.said(0).count("Plan mode is on") == 1
    assert here.said().count("Plan mode is on") == 1
    assert here.said().count("Today is") == 1


@pytest.mark.parametrize("trouble", [Fault("unauthorized"), Fault("context_overflow")])
def test_a_summary_that_fails_loses_nothing(house, trouble):
    here = house(says("One."), trouble, says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            with pytest.raises(UserError, match="claude-sonnet-5-5"):
                await app.compact("")
            assert app.frontend.of(Compacted) == []
            return await app.prompt("second")

    assert asyncio.run(main()).reason == "done"
    assert here.server.requests[2].messages_bytes.startswith(here.server.requests[0].messages_bytes)


def test_a_conversation_too_long_to_be_summed_up_whole_is_summed_up_by_half(house):
    here = house(
        calls(READ),
        says("One."),
        says("Two."),
        FULL,
        says("SUMMARY of the beginning."),
        says("Yes."),
    )

    async def main():
        async with here.app() as app:
            for text in ("first", "second"):
                await app.prompt(text)
            await app.compact("")
            return await app.prompt("third")

    assert asyncio.run(main()).reason == "done"
    beginning = here.sent(4)[:-1]
    assert 0 < len(beginning) < len(here.sent(2))
    assert beginning == here.sent(2)[: len(beginning)]
    said = here.said()
    assert "first" not in said
    places = [said.index(word) for word in ("SUMMARY", "One.", "second", "Two.", "third")]
    assert places == sorted(places)


def test_a_request_that_proves_too_long_goes_on_in_a_new_epoch(house):
    here = house(says("One."), FULL, says("SUMMARY"), calls(READ), says("Two."))

    async def main():
        async with here.app(permission_mode="plan") as app:
            await app.prompt("first")
            return await app.prompt("and call it Ishmael"), app.frontend

    end, front = asyncio.run(main())
    assert end.reason == "done"
    assert len(front.of(Compacted)) == 1
    for word in ("SUMMARY", "and call it Ishmael", "Plan mode is on", "Today is"):
        assert here.said(3).count(word) == 1
    assert here.server.requests[4].messages_bytes.startswith(here.server.requests[3].messages_bytes)


def test_a_request_that_stays_too_long_ends_the_turn_and_loses_nothing(house):
    here = house(says("One."), FULL, FULL, FULL, says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            return [(await app.prompt(text)).reason for text in ("second", "third")]

    assert asyncio.run(main()) == ["error", "done"]
    here.server.requests[2:-1] = []
    here.server.assert_prefix()
    assert "second" in here.said()


@pytest.mark.parametrize(
    "reply", [calls(READ, text="Let me look first."), Turn((Say("I won't."),), stop="refusal")]
)
def test_a_reply_that_is_no_summary_changes_nothing(house, reply):
    here = house(says("One."), reply, says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            assert await app.compact("") == "Nothing was compacted."
            await app.prompt("second")

    asyncio.run(main())
    assert "first" in here.said()
    assert here.server.requests[2].messages_bytes.startswith(here.server.requests[0].messages_bytes)


def test_a_summary_that_fails_when_due_ends_the_turn_and_loses_nothing(house):
    here = house(full("A lot."), Fault("unauthorized"), says("SUMMARY"), says("Done."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            return [(await app.prompt(text)).reason for text in ("second", "third")]

    assert asyncio.run(main()) == ["error", "done"]
    asked = here.said(2)
    assert [word in asked for word in ("first", "second", "third")] == [True] * 3
    assert "SUMMARY" in here.said()


def test_an_empty_summary_changes_nothing(house):
    here = house(says("One."), says("  \n"), says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            told = await app.compact("")
            await app.prompt("second")
            return told, app.frontend

    told, front = asyncio.run(main())
    assert told == "Nothing was compacted."
    assert front.of(Notice)[0].level == "warning"
    assert here.server.requests[2].messages_bytes.startswith(here.server.requests[0].messages_bytes)


def test_there_is_nothing_to_compact_at_first(house):
    here = house()

    async def main():
        async with here.app() as app:
            return await app.compact("")

    assert asyncio.run(main()) == "Nothing was compacted."
    assert here.server.requests == []


def test_a_hook_keeps_the_conversation_as_it_is(house):
    here = house(says("One."), says("Two."))
    here.hook("PreCompact", "echo no >&2; exit 2")

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            await app.compact("")
            await app.prompt("second")
            assert "no" in app.frontend.of(Notice)[0].text

    asyncio.run(main())
    here.server.assert_prefix()


def test_a_session_is_resumed_from_its_newest_epoch(house):
    here = house(says("One."), says("SUMMARY"), says("Two."), says("Three."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            await app.compact("")
            await app.prompt("second")
        async with here.app(resume_last=True) as app:
            await app.prompt("third")

    asyncio.run(main())
    assert here.server.requests[3].messages_bytes.startswith(here.server.requests[2].messages_bytes)
    assert here.server.requests[3].head_bytes == here.server.requests[2].head_bytes


def test_a_reply_that_fills_the_window_goes_on_in_a_new_epoch(house):
    here = house(
        says("One."), Turn((Say("Half"),), stop="context_full"), says("SUMMARY"), says("Done.")
    )

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            return await app.prompt("second"), app.frontend

    end, front = asyncio.run(main())
    assert end.reason == "done"
    assert front.of(Compacted)
    assert "SUMMARY" in here.said()
    assert FULL_TEXT in here.said()
