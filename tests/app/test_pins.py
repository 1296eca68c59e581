"""Pinned notes: told at once, and word for word after every compaction, in every process."""

import asyncio

import pytest

from agentcli.lib.errors import UserError
from agentcli.llm.simulator import Turn, says
from agentcli.llm.simulator.script import Say

NOTE = "Never touch  *legacy/*,\n\tnot even its tests."
NEARLY_FULL = {"input_tokens": 990_000}


def test_a_note_is_told_at_once_and_outlives_every_compaction(house):
    here = house(
        says("One."), says("Two."), says("SUMMARY A"), says("Three."), says("SUMMARY B"),
        says("Four."),
    )  # fmt: skip

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            app.pin(NOTE)
            await app.prompt("second")
            await app.compact("")
            await app.prompt("third")
            await app.compact("")
            await app.prompt("fourth")

    asyncio.run(main())
    requests = here.server.requests
    assert requests[1].messages_bytes.startswith(requests[0].messages_bytes)
    for number in (1, 3, 5):
        assert here.said(number).count(NOTE) == 1


def test_a_note_that_waits_for_an_answer_is_not_told_twice(house):
    here = house(Turn((Say("A lot."),), usage=NEARLY_FULL), says("SUMMARY"), says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            app.pin(NOTE)
            await app.prompt("second")

    asyncio.run(main())
    assert "SUMMARY" in here.said()
    assert here.said().count(NOTE) == 1


@pytest.mark.parametrize("fork", [False, True])
def test_a_note_outlives_the_process(house, fork):
    here = house(says("One."), says("SUMMARY"), says("Two."))

    async def main():
        async with here.app() as app:
            app.pin(NOTE)
            await app.prompt("first")
        (here.root / "AGENTS.md").write_text("Be a cat.")
        async with here.app(resume_last=True, fork_session=fork):
            pass
        async with here.app(resume_last=True) as app:
            await app.compact("")
            await app.prompt("second")
            return app.pins()

    assert NOTE in asyncio.run(main())
    assert here.said(0).count(NOTE) == 1
    assert here.said().count(NOTE) == 1
    requests = here.server.requests
    assert requests[1].head_bytes == requests[0].head_bytes
    assert requests[1].messages_bytes.startswith(requests[0].messages_bytes)


def test_a_note_taken_back_is_gone_after_the_next_compaction(house):
    here = house(says("One."), says("Two."), says("SUMMARY"), says("Three."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            app.pin(NOTE)
            app.pin("Use tabs.")
            app.unpin("1")
            listed = app.pins()
            await app.prompt("second")
            await app.compact("")
            await app.prompt("third")
            return listed

    listed = asyncio.run(main())
    assert NOTE not in listed
    assert "1  Use tabs." in listed
    assert f"no longer pins this: {NOTE}" in here.said(1)
    assert NOTE not in here.said()
    assert here.said().count("Use tabs.") == 1


def test_there_is_nothing_to_list_or_to_take_back_at_first(house):
    here = house()

    async def main():
        async with here.app() as app:
            assert "Nothing is pinned" in app.pins()
            for number in ("1", "0", "", "x"):
                with pytest.raises(UserError, match="/pin"):
                    app.unpin(number)
            app.pin(NOTE)
            with pytest.raises(UserError, match="already"):
                app.pin(NOTE)

    asyncio.run(main())
    assert here.server.requests == []
