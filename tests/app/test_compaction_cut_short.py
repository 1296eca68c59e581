"""A summary that is interrupted, killed, not paid for or refused leaves the conversation whole."""

import asyncio
import signal
import subprocess
import sys
from contextlib import suppress

from agentcli.agent.events import Answer, Compacted
from agentcli.llm.simulator import Hang, Turn, Use, says

READ = ("Read", {"path": "a.txt"})
NEARLY_FULL = Turn((Use("Read", {"path": "a.txt"}),), usage={"input_tokens": 990_000})


async def asked(here, count):
    """Until the provider was asked so often."""
    while len(here.server.requests) < count:
        await asyncio.sleep(0.01)


def goes_on(here, before=0):
    """The newest request begins with what an earlier one sent."""
    first, last = here.server.requests[before], here.server.requests[-1]
    return last.messages_bytes.startswith(first.messages_bytes)


def test_esc_during_a_summary_by_hand(house):
    here = house(says("One."), Hang(), says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            task = asyncio.create_task(app.compact(""))
            await asked(here, 2)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            end = await app.prompt("second")
            return end.reason, app.frontend.of(Compacted)

    assert asyncio.run(main()) == ("done", [])
    assert goes_on(here)


def test_esc_during_a_summary_that_was_due_within_a_turn(house):
    here = house(NEARLY_FULL, Hang(), says("SUMMARY"), says("Two."))

    async def main():
        async with here.app() as app:
            task = asyncio.create_task(app.prompt("first"))
            await asked(here, 2)
            app.interrupt()
            first = await task
            return first.reason, (await app.prompt("second")).reason

    assert asyncio.run(main()) == ("interrupted", "done")
    assert goes_on(here, 1) or here.said().count("SUMMARY") == 1
    assert here.said(2).count("alpha") == 1


def test_a_budget_too_small_for_a_summary_keeps_the_conversation(house):
    here = house(NEARLY_FULL, says("never"))

    async def main():
        async with here.app(Answer("no"), max_cost="2.2") as app:
            end = await app.prompt("first")
            return end.reason, len(app.talk.transcript.messages), app.frontend.of(Compacted)

    reason, kept, compacted = asyncio.run(main())
    assert (reason, compacted) == ("budget", [])
    assert kept >= 3
    assert len(here.server.requests) == 1


def test_a_process_killed_during_a_summary_is_taken_up_whole(house):
    here = house(NEARLY_FULL, Hang(), says("SUMMARY"), says("Two."))
    process = subprocess.Popen(
        [sys.executable, "-m", "agentcli", "-p", "first", "--permission-mode", "bypass"],
        cwd=here.root,
        env=here.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )

    async def main():
        await asked(here, 2)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        async with here.app(resume_last=True) as app:
            return await app.prompt("second")

    assert asyncio.run(main()).reason == "done"
    assert "Write a summary" in here.said(1)
    assert here.said(2).startswith(here.said(0))
    assert here.said(2).count("alpha") == 1
    assert here.said(3).count("SUMMARY") == 1
