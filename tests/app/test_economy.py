"""What the model is shown only once, or only in part, it can have again."""

import asyncio

from agentcli.cli.causes import entries
from agentcli.llm.simulator import calls, says
from agentcli.session.attribution import attribute, input_side
from agentcli.session.ledger_rebuild import bills_of
from agentcli.session.store import new_id

READ = ("Read", {"path": "a.txt"})
UNCHANGED = "a.txt is unchanged since you read these lines; see above."


def prompts(here, *words, **options):
    async def main():
        async with here.app(**options) as app:
            for text in words:
                await (app.compact("") if text == "/compact" else app.prompt(text))

    asyncio.run(main())


def test_a_file_is_shown_again_after_a_compaction(house):
    look = [calls(READ), calls(READ), says("Seen.")]
    here = house(*look, says("SUMMARY"), *look)
    prompts(here, "look", "/compact", "look again")
    before, after = here.said(2), here.said(-1)
    assert (before.count("alpha"), before.count(UNCHANGED)) == (1, 1)
    assert (after.count("alpha"), after.count(UNCHANGED)) == (1, 1)


def test_what_was_cut_is_read_without_a_question(house, tmp_path):
    """Nobody is there to answer one."""
    session = new_id(0)
    kept = tmp_path / ".local/share/agentcli/outputs" / session / "bash-1.txt"
    other = kept.parent.parent / "another-session" / "bash-1.txt"
    for path in (kept, other):
        path.parent.mkdir(parents=True)
        path.write_text("the rest of it\n")
    reading = calls(("Read", {"path": str(kept)}), ("Read", {"path": str(other)}))
    here = house(reading, says("Seen."))
    prompts(here, "look", permission_mode="dont-ask", session_id=session)
    mine, others = here.sent()[-1][1]
    assert "the rest of it" in mine
    assert "outside the project" in others


def test_a_cap_of_the_configuration_holds(house, tmp_path):
    (tmp_path / ".config/agentcli").mkdir(parents=True)
    (tmp_path / ".config/agentcli/config.toml").write_text("[caps]\noutput = 500\n")
    here = house(calls(("Bash", {"command": "seq 1000"})), says("Seen."))
    prompts(here, "count")
    shown = here.sent()[-1][1][0]
    assert len(shown) < 800
    assert shown.endswith("1000")


def test_what_a_real_session_and_its_fork_spent_is_all_attributed(house, tmp_path):
    look = [calls(READ), calls(("Grep", {"pattern": "alpha"})), says("Seen.")]
    here = house(*look, says("SUMMARY"), says("Yes."), says("Forked."))
    prompts(here, "look", "/compact", "go on?")
    (first,) = (tmp_path / ".local/share/agentcli/sessions").glob("*/*.jsonl")
    prompts(here, "and now?", resume=first.stem, fork_session=True)
    files = sorted(first.parent.glob("*.jsonl"))
    bills = {bill.id: bill for file in files for bill in bills_of(file)}
    assert (len(files), len(bills)) == (2, 6)
    found = attribute(map(entries, files), "file")
    assert sum(share.cost for share in found.shares) == sum(
        part for bill in bills.values() for part in input_side(bill)
    )
    requests = {share.cause: share.requests for share in found.shares}
    assert requests[str(here.root / "a.txt")] == 3
    assert requests["Grep"] == 2
    assert requests["summaries"] == 2
    assert requests["system and tools"] == 6
