"""What holds for the conversation holds for its subagents: modes, hooks, secrets, instructions."""

import asyncio

from test_subagents import READ, inner, lines, results, run, task, visit

from agentcli.agent.events import Answer, Decided
from agentcli.llm.simulator import calls, says


def test_plan_mode_holds_and_is_told(house):
    here = house(calls(task("a")), calls(run("touch x"), READ), says("A."), says("B."))
    app, _ = visit(here, "go", permission_mode="plan")
    assert not (here.root / "x").exists()
    assert "Plan mode is on" in here.said(1)
    assert [event.decision.verdict for event in inner(app, Decided)] == ["deny", "allow"]


def test_a_hook_that_stops_the_run_stops_it_from_within(house):
    here = house(calls(task("a")), calls(READ), says("never"))
    here.hook("PostToolUse", 'echo \'{"continue": false, "stopReason": "enough"}\'')
    _, (end,) = visit(here, "go")
    assert end.reason == "stopped"
    assert len(here.server.requests) == 2


def test_secrets_are_masked(house):
    print_it = run("echo sk-the-key-of-the-person | rev | rev")
    here = house(calls(task("a")), calls(print_it), says("A."), says("B."))
    visit(here, "go")
    assert "[secret]" in here.said(2)
    kept = [line["data"] for line in lines(here) if line["kind"] == "subagent"]
    outputs = [data["message"] for data in kept if data.get("message", {}).get("origin") == "tool"]
    assert "[secret]" in str(outputs)
    assert "sk-the-key" not in str(outputs)


def test_instructions_of_a_folder_go_to_the_one_that_reads_there(house):
    here = house(calls(task("a")), calls(("Read", {"path": "sub/b.txt"})), says("A."), says("B."))
    (here.root / "sub").mkdir()
    (here.root / "sub/AGENTS.md").write_text("Rules of sub.")
    (here.root / "sub/b.txt").write_text("beta")
    visit(here, "go")
    assert "Rules of sub." in here.said(2)
    assert "Rules of sub." not in here.said(3)


def test_a_fork_goes_on_with_the_same_head_and_all_that_was_spent(house):
    here = house(*[calls(task("a")), says("A."), says("B.")] * 2)
    visit(here, "go")
    app, _ = visit(here, "more", resume_last=True, fork_session=True)
    assert len({request.head_bytes for request in here.server.requests}) == 1
    assert app.talk.ledger.total().requests == 6


def test_compaction_keeps_the_list_of_agents(house):
    here = house(calls(task("a")), says("A."), says("B."), says("Summary."), says("C."))

    async def main():
        async with here.app() as app:
            await app.prompt("go")
            await app.compact("")
            await app.prompt("on")

    asyncio.run(main())
    assert here.server.requests[4].head_bytes == here.server.requests[0].head_bytes
    epochs = [line["data"]["agents"] for line in lines(here) if line["kind"] == "epoch"]
    assert epochs[0] == epochs[1] != {}


def test_without_a_session_file_they_work_too(house):
    here = house(calls(task("a")), says("A."), says("B."))
    app, (end,) = visit(here, "go", session_persistence=False)
    assert (end.reason, results(app)) == ("done", [("A.", False)])


def test_a_person_may_raise_the_budget_for_one(house):
    here = house(calls(task("a"), text="x" * 9_000), says("A."), says("B."))
    more = [Answer("yes", "raise it to $0.0800")] * 2
    app, (end,) = visit(here, "go", answers=more, max_cost="0.04")
    assert (end.reason, results(app)) == ("done", [("A.", False)])
