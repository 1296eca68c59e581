"""Undoing a compaction: the conversation goes out as it was, with what was said since."""

import asyncio

import pytest

from agentcli.agent.events import Notice, Spent
from agentcli.lib.errors import UserError
from agentcli.llm.simulator import Turn, calls, says
from agentcli.llm.simulator.script import Say, Think

THOUGHT = Turn((Think("Let me see."), Say("One.")))
READ = ("Read", {"path": "a.txt"})
NEARLY_FULL = {"input_tokens": 990_000}


def whole(here, number, of):
    """Request `number` begins with all the bytes of request `of`."""
    requests = here.server.requests
    assert requests[number].head_bytes == requests[of].head_bytes
    assert requests[number].messages_bytes.startswith(requests[of].messages_bytes)
    return requests[number].messages_bytes


def in_order(text, *words):
    places = [text.index(word) for word in words]
    assert places == sorted(places)
    assert [text.count(word) for word in words] == [1] * len(words)


def test_undone_the_same_bytes_go_out_and_what_was_said_since(house):
    here = house(calls(READ), THOUGHT, says("SUMMARY"), says("Two."), says("Three."), says("Four."))

    async def main():
        async with here.app() as app:
            await app.prompt("first words" + " alpha" * 5_000)
            await app.compact("")
            await app.prompt("second words")
            told = app.undo_compaction()
            used = app.status().context_used
            await app.prompt("third words")
            await app.prompt("fourth words")
            return told, used, app.frontend.of(Spent)[4].usage.prompt

    told, used, sent = asyncio.run(main())
    assert told.startswith("Undone")
    assert abs(used - sent) < 0.05 * sent
    said = whole(here, 4, 1).decode()
    assert "Let me see." in said
    assert "signature" in said
    whole(here, 5, 4)
    in_order(here.said(4), "first words", "One.", "second words", "Two.", "third words")
    assert "SUMMARY" not in said


def test_it_is_undone_by_another_process_too(house):
    here = house(THOUGHT, says("SUMMARY"), says("Two."), says("Three."), says("Four."))

    async def main():
        async with here.app() as app:
            await app.prompt("first words")
            await app.compact("")
            await app.prompt("second words")
        async with here.app(resume_last=True) as app:
            app.undo_compaction()
            await app.prompt("third words")
        async with here.app(resume_last=True) as app:
            with pytest.raises(UserError, match="no compaction"):
                app.undo_compaction()
            await app.prompt("fourth words")

    asyncio.run(main())
    whole(here, 3, 0)
    whole(here, 4, 3)
    in_order(here.said(), "first words", "One.", "second words", "Two.", "third words")


def test_of_several_compactions_one_after_the_other_is_undone(house):
    here = house(
        says("One."), says("SUMMARY A"), says("Two."), says("SUMMARY B"), says("Three."),
        says("Four."), says("Five."),
    )  # fmt: skip

    async def main():
        async with here.app() as app:
            await app.prompt("first words")
            await app.compact("")
            await app.prompt("second words")
            await app.compact("")
            await app.prompt("third words")
            app.undo_compaction()
            await app.prompt("fourth words")
            app.undo_compaction()
            await app.prompt("fifth words")
            with pytest.raises(UserError, match="no compaction"):
                app.undo_compaction()

    asyncio.run(main())
    whole(here, 5, 2)
    in_order(here.said(5), "SUMMARY A", "second words", "Two.", "third words", "fourth words")
    whole(here, 6, 0)
    in_order(here.said(6), "first words", "One.", "second words", "third words", "fifth words")
    assert "SUMMARY" not in here.said(6)


def test_what_waited_for_an_answer_is_said_once(house):
    here = house(
        Turn((Say("A lot."),), usage=NEARLY_FULL), says("SUMMARY"), says("Two."), says("Three.")
    )

    async def main():
        async with here.app() as app:
            await app.prompt("first words")
            await app.prompt("second words")
            app.undo_compaction()
            await app.prompt("third words")

    asyncio.run(main())
    assert "SUMMARY" in here.said(2)
    assert "SUMMARY" not in here.said(3)
    in_order(here.said(3), "first words", "A lot.", "second words", "Two.", "third words")


def test_what_would_not_fit_stays_compacted(house):
    here = house(says("One."), says("SUMMARY"), says("Two."), says("Three."))
    (here.root / ".agent").mkdir()
    (here.root / ".agent/config.toml").write_text("[compaction]\nat = 0.1\n")

    async def main():
        async with here.app() as app:
            await app.prompt("alpha beta " * 48_000)
            await app.prompt("second words")
            with pytest.raises(UserError, match="would compact again"):
                app.undo_compaction()
            await app.prompt("third words")

    asyncio.run(main())
    assert here.server.requests[3].messages_bytes.startswith(here.server.requests[2].messages_bytes)
    assert "SUMMARY" in here.said()


def test_in_a_damaged_file_an_undone_compaction_is_not_undone_again(house):
    here = house(says("One."), says("SUMMARY"), says("Two."), says("Three."))

    async def main():
        async with here.app() as app:
            await app.prompt("first words")
            await app.compact("")
            app.undo_compaction()
            await app.prompt("second words")
            path = app.talk.file.path
        lines = path.read_bytes().splitlines(keepends=True)
        assert b'"kind":"epoch"' in lines[1]
        path.write_bytes(b"".join([lines[0], b"{\n", *lines[2:]]))
        async with here.app(resume_last=True) as app:
            with pytest.raises(UserError, match="no compaction"):
                app.undo_compaction()
            await app.prompt("third words")

    asyncio.run(main())
    in_order(here.said(), "first words", "One.", "second words", "Two.", "third words")


def test_nothing_was_compacted_so_nothing_is_undone(house):
    here = house(says("One."), says("Two."))

    async def main():
        async with here.app() as app:
            for text in ("first", "second"):
                with pytest.raises(UserError, match="no compaction"):
                    app.undo_compaction()
                await app.prompt(text)

    asyncio.run(main())
    here.server.assert_prefix()


def test_a_conversation_that_is_not_kept_can_not_be_made_whole(house):
    here = house(says("One."), says("SUMMARY"))

    async def main():
        async with here.app(session_persistence=False) as app:
            await app.prompt("first")
            await app.compact("")
            with pytest.raises(UserError, match="no compaction"):
                app.undo_compaction()

    asyncio.run(main())


def test_the_check_of_the_prefix_takes_an_undone_compaction(house):
    here = house(says("One."), says(" "), says("SUMMARY"), says("Two."), says("Three."))
    here.env["AGENT_CHECK_PREFIX"] = "1"

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            await app.compact("")
            await app.compact("")
            app.undo_compaction()
            reasons = [(await app.prompt(text)).reason for text in ("second", "third")]
            return reasons, [e for e in app.frontend.of(Notice) if e.level == "error"]

    assert asyncio.run(main()) == (["done", "done"], [])
    whole(here, 3, 0)
