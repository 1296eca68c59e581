"""Compaction: a summary takes the place of the talk, on the live prefix, and nothing is lost."""

import asyncio
import json
import re

import pytest

from agentcli.agent.events import Compacted, Notice, Spent
from agentcli.agent.loop import FULL_TEXT
from agentcli.lib.errors import UserError
from agentcli.llm.simulator import Fault, Turn, calls, says, thinks
from agentcli.llm.simulator.script import Say

READ = ("Read", {"path": "a.txt"})
TODO = ("Todo", {"items": [{"text": "water the plants", "state": "active"}]})
FULL = Fault("context_overflow")
NEARLY_FULL = {"input_tokens": 990_000}


LONG = "the red fox " * 22_000
"""Some 70,000 tokens."""
PAUSE = 30 * 60


def wait(here, app, seconds=PAUSE):
    """Time passes, for the agent and for the provider."""
    engine, before = app.engine(), app.engine().billing.clock

    def later():
        return before() + seconds

    engine.billing.clock = engine.client.clock = here.server.provider._clock = later


def by_cost(here):
    (here.root / ".agent").mkdir()
    (here.root / ".agent/config.toml").write_text("[compaction]\nby_cost = true\n")


def notices(front):
    return [event.text for event in front.of(Notice) if "no longer holds" in event.text]


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


def test_the_todo_list_survives_the_process_and_every_compaction(house):
    wrong = ("Todo", {"items": [{"text": "no such state", "state": "maybe"}]})
    replies = ("Noted.", "SUMMARY A", "Two.", "SUMMARY B", "Three.")
    here = house(calls(TODO), calls(wrong), *(says(text) for text in replies))

    async def main():
        async with here.app() as app:
            await app.prompt("note it")
        for text in ("first", "second"):
            async with here.app(resume_last=True) as app:
                await app.compact("")
                await app.prompt(text)

    asyncio.run(main())
    assert here.said(4).count("- [active] water the plants") == 1
    assert here.said().count("- [active] water the plants") == 1
    assert "no such state" not in here.said(4)


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
    whole = [spent.cost.total for spent in front.of(Spent)[-2:]]
    assert end.cost.total == sum(whole)


def test_a_summary_between_two_turns_is_part_of_neither(house):
    here = house(says("One."), says("SUMMARY"), says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt("first")
            await app.compact("")
            return await app.prompt("second"), app.frontend

    end, front = asyncio.run(main())
    assert end.cost.total == front.of(Spent)[-1].cost.total


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


def two_turns_a_summary_and_a_third(here):
    async def main():
        async with here.app() as app:
            for text in ("first", "second"):
                await app.prompt(text)
            await app.compact("")
            return await app.prompt("third")

    assert asyncio.run(main()).reason == "done"


def test_a_conversation_too_long_to_be_summed_up_whole_is_summed_up_by_half(house):
    half = says("SUMMARY of the beginning.")
    here = house(calls(READ), says("One."), says("Two."), FULL, half, says("Yes."))
    two_turns_a_summary_and_a_third(here)
    beginning = here.sent(4)[:-1]
    assert 0 < len(beginning) < len(here.sent(2))
    assert beginning == here.sent(2)[: len(beginning)]
    said = here.said()
    assert "first" not in said
    places = [said.index(word) for word in ("SUMMARY", "One.", "second", "Two.", "third")]
    assert places == sorted(places)


def test_recent_turns_kept_after_half_a_summary_lose_the_thoughts_that_no_longer_fit(house):
    """They are signed for what stood before them, which the summary took the place of."""
    first = (thinks("hm", calls(READ)), thinks("so", says("One.")), thinks("ah", says("Two.")))
    here = house(*first, FULL, says("SUMMARY of the beginning."), says("Yes."))
    two_turns_a_summary_and_a_third(here)
    assert "SUMMARY" in here.said()
    assert "third" in here.said()


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


def test_what_a_compaction_cost_and_when_it_pays_is_told(house):
    here = house(says("One."), says("SUMMARY " * 500))

    async def main():
        async with here.app() as app:
            await app.prompt(LONG)
            return await app.compact(""), app.frontend

    told, front = asyncio.run(main())
    found = re.fullmatch(
        r"Compacted: (\d+)k → ([\d.]+)k tokens for \$([\d.]+); pays after (\d+) steps\.", told
    )
    assert found, told
    before, after, usd, steps = (float(part) for part in found.groups())
    assert before > 60
    assert after < 8
    (spent,) = (event for event in front.of(Spent) if event.role == "compaction")
    assert abs(usd - float(spent.cost.total)) < 0.0001
    assert 1 < steps < 10
    (event,) = front.of(Compacted)
    assert (event.cost, event.pays_after, event.by_hand) == (spent.cost, steps, True)


def test_a_summary_as_long_as_what_it_sums_up_never_pays(house):
    here = house(says("One."), says("SUMMARY " * 60_000))

    async def main():
        async with here.app() as app:
            await app.prompt(LONG[:25_000])
            return await app.compact(""), app.frontend.of(Compacted)[0]

    told, compacted = asyncio.run(main())
    assert compacted.after > compacted.before
    assert compacted.pays_after is None
    assert "pays" not in told


def test_a_summary_that_was_dear_pays_later(house):
    here = house(says("One."), Turn((Say("SUMMARY"),), usage={"output_tokens": 60_000}))

    async def main():
        async with here.app() as app:
            await app.prompt(LONG)
            await app.compact("")
            return app.frontend.of(Compacted)[0].pays_after

    assert asyncio.run(main()) > 60


def test_what_is_left_is_what_the_next_request_sends(house):
    here = house(says("One."), says("the sum of it all " * 500), says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt(LONG)
            await app.compact("")
            await app.prompt("on")
            return app.frontend

    front = asyncio.run(main())
    after = front.of(Compacted)[0].after
    assert abs(front.of(Spent)[-1].usage.prompt - after) < 0.08 * after


@pytest.mark.parametrize("cold", [False, True])
def test_the_request_for_a_summary_writes_nothing_that_is_not_read_again(house, cold):
    here = house(says("One."), says("SUMMARY"), says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt(LONG)
            if cold:
                wait(here, app)
            await app.compact("")
            await app.prompt("on")
            return app.frontend

    _, summary, after = (event.usage for event in asyncio.run(main()).of(Spent))
    marked = [block for m in here.server.requests[1].body["messages"] for block in m["content"]]
    assert any("cache_control" in block for block in marked) is not cold
    if cold:
        assert summary.input > 60_000
        assert 0 < summary.cache_write_5m < 20_000
        assert after.cache_read == summary.cache_write_5m
    else:
        assert summary.cache_read > 60_000
        assert summary.cache_write_5m == 0


def test_a_cold_cache_is_told_once_with_both_prices(house):
    here = house(*(says(f"Reply {number}.") for number in range(6)))

    async def main():
        async with here.app() as app:
            await app.prompt(LONG)
            await app.prompt("still warm")
            assert notices(app.frontend) == []
            wait(here, app)
            await app.prompt("cold")
            await app.prompt("warm again")
            (told,) = notices(app.frontend)
            wait(here, app, 4 * 3600)
            await app.prompt("cold again")
            assert len(notices(app.frontend)) == 2
            return told, app.frontend.of(Spent)[2].cost.total, app.frontend

    told, paid, front = asyncio.run(main())
    going, compacting = (float(usd) for usd in re.findall(r"\$([\d.]+\d)", told))
    assert abs(going - float(paid)) < 0.02 * float(paid)
    assert 0 < compacting < 2 * going
    assert front.of(Compacted) == []


def test_the_status_says_what_the_next_message_costs_either_way(house):
    here = house(says("One."), says("SUMMARY"))

    async def main():
        async with here.app() as app:
            await app.prompt(LONG)
            warm = app.status()
            wait(here, app)
            cold = app.status()
            await app.compact("")
            wait(here, app)
            return warm, cold, app.status()

    warm, cold, after = asyncio.run(main())
    assert (warm.rewrite, warm.with_summary) == (None, None)
    assert cold.rewrite.tokens > 60_000
    assert 0 < cold.with_summary < 2 * cold.rewrite.usd
    assert after.rewrite.tokens <= after.context_used
    assert after.with_summary is None


def test_a_cold_cache_is_not_told_again_while_it_stays_cold(house):
    here = house(says("One."), Fault("unauthorized"), says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt(LONG)
            wait(here, app)
            reasons = [(await app.prompt(text)).reason for text in ("cold", "still cold")]
            return reasons, len(notices(app.frontend))

    assert asyncio.run(main()) == (["error", "done"], 1)


def test_what_was_kept_for_an_hour_is_told_at_its_price(house):
    here = house(says("One."), says("Two."))
    (here.root / ".agent").mkdir()
    (here.root / ".agent/config.toml").write_text('[cache]\nlatest = "1h"\n')

    async def main():
        async with here.app() as app:
            await app.prompt(LONG)
            wait(here, app, 2 * 3600)
            await app.prompt("cold")
            return notices(app.frontend), app.frontend.of(Spent)[1].cost.total

    (told,), paid = asyncio.run(main())
    going = float(re.search(r"\$([\d.]+\d)", told)[1])
    assert abs(going - float(paid)) < 0.02 * float(paid)


def test_what_a_model_never_read_is_cold_to_it(house):
    here = house(says("One."), says("Two."), says("Three."))

    async def main():
        async with here.app() as app:
            await app.prompt(LONG)
            app.set_model("claude-opus-5-5")
            await app.prompt("you too")
            assert len(notices(app.frontend)) == 1
            await app.prompt("and now?")
            return len(notices(app.frontend))

    assert asyncio.run(main()) == 1


def test_of_a_short_conversation_nothing_is_offered(house):
    here = house(says("One."), says("Two."))

    async def main():
        async with here.app() as app:
            await app.prompt(LONG[: len(LONG) // 2])
            wait(here, app)
            await app.prompt("cold")
            return notices(app.frontend)

    assert asyncio.run(main()) == []


def test_by_cost_it_compacts_before_a_prompt_that_would_rewrite_more(house):
    work = [calls(READ)] * 6
    here = house(*work, says("One."), says("Warm."), says("SUMMARY"), says("Two."))
    by_cost(here)

    async def main():
        async with here.app() as app:
            await app.prompt(LONG)
            await app.prompt("warm")
            assert app.frontend.of(Compacted) == []
            wait(here, app)
            await app.prompt("and call it Ishmael")
            return app.frontend

    front = asyncio.run(main())
    assert [event.role for event in front.of(Spent)][-2:] == ["compaction", "main"]
    assert len(front.of(Compacted)) == 1
    assert notices(front) == []
    assert "SUMMARY" in here.said()
    assert "and call it Ishmael" in here.said()
    assert LONG not in here.said()


def test_by_cost_it_goes_on_where_a_usual_turn_is_too_short_to_pay_for_a_summary(house):
    here = house(says("One."), says("Two."))
    by_cost(here)

    async def main():
        async with here.app() as app:
            await app.prompt(LONG)
            wait(here, app)
            await app.prompt("cold")
            return app.frontend

    front = asyncio.run(main())
    assert front.of(Compacted) == []
    assert notices(front) == []
    assert len(here.server.requests) == 2


def test_a_summary_only_meant_to_save_does_not_end_the_turn_when_it_fails(house):
    here = house(*[calls(READ)] * 6, says("One."), Fault("server_error"), says("Two."))
    by_cost(here)

    async def main():
        async with here.app() as app:
            await app.prompt(LONG)
            wait(here, app)
            app.engine().client.attempts = 1
            return await app.prompt("cold"), app.frontend

    end, front = asyncio.run(main())
    assert end.reason == "done"
    assert any(event.text.startswith("Nothing was compacted") for event in front.of(Notice))
    assert LONG in here.said()


def test_the_share_of_the_window_past_which_a_summary_is_due_is_a_setting(house):
    here = house(says("One."), says("SUMMARY"), says("Two."))
    (here.root / ".agent").mkdir()
    (here.root / ".agent/config.toml").write_text("[compaction]\nat = 0.1\n")

    async def main():
        async with here.app() as app:
            await app.prompt(LONG + LONG)
            await app.prompt("on")
            return app.frontend

    (compacted,) = asyncio.run(main()).of(Compacted)
    assert compacted.cost.total > 0
    assert compacted.pays_after > 0
    assert not compacted.by_hand
