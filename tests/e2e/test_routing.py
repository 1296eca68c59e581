"""Other models step in, are switched to, and plan: from the outside."""

import json

import pytest

from agentcli.llm.simulator import Fault, calls, says

CLAUDE, GPT, DEEPSEEK = "claude-sonnet-5-5", "gpt-6.1-sol", "deepseek/deepseek-v4-pro"


@pytest.mark.parametrize("fault", ["quota", "unauthorized"])
def test_a_fallback_answers_and_the_reason_is_told(project, provider, fault):
    first = provider([Fault(fault)])
    second = provider([says("Here.")], "openai-responses")
    third = provider([Fault(fault)], "openai-chat")
    chain = f"{DEEPSEEK},{GPT}"
    done = project.agent("-p", "hi", "-m", CLAUDE, "--fallback-model", chain, "--verbose")
    assert (done.out, done.code) == ("Here.\n", 0), done.err
    assert "deepseek/deepseek-v4-pro goes on, reading" in done.err
    assert "openai/gpt-6.1-sol goes on, reading" in done.err
    assert [len(server.requests) for server in (first, third, second)] == [1, 1, 1]


def test_what_a_fallback_cost_is_booked_under_its_name(project, provider):
    provider([Fault("quota")])
    provider([says("Here.")], "openai-responses")
    done = project.agent(
        "-p", "hi", "-m", CLAUDE, "--fallback-model", GPT, "--output-format", "json"
    )
    assert list(done.json["model_usage"]) == [GPT]
    assert done.json["total_cost_usd"] > 0


def test_a_fallback_that_nobody_can_reach_is_told_at_once(project, provider):
    server = provider([says("never")])
    done = project.agent("-p", "hi", "--fallback-model", "grok")
    assert done.code == 2
    assert "XAI_API_KEY" in done.err
    assert server.requests == []


def test_a_session_walks_through_vendors_with_its_tools(project, provider, wire):
    """Each takes over a history with calls and thinking that another one made."""
    here = provider([calls(("Read", {"path": "a.txt"})), says("alpha")], wire)
    model = project.env["AGENT_MODEL"]
    assert project.agent("-p", "read a").out == "alpha\n"
    for other in ("anthropic", "openai-responses", "openai-chat"):
        next_one = provider([calls(("Glob", {"pattern": "*"})), says(f"on {other}")], other)
        done = project.agent("-p", "-c", "-m", project.env["AGENT_MODEL"], "and now")
        assert done.out == f"on {other}\n", done.err
        assert "alpha" in next_one.requests[0].raw.decode()
    assert here.requests
    assert model


def test_deployments_of_a_group_take_over_from_each_other(project, provider):
    """Of five conversations in six the heavier one is asked first; this is one of them."""
    bad = provider([Fault("unauthorized")], "openai-chat")
    good = provider([says("Here.")])
    config = project.root.parent / "home/.config/agentcli/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(
        '[deployments.fast]\nmodels = ["mycorp/m", "claude-sonnet-5-5"]\nweights = [5, 1]\n'
        f'[providers.mycorp]\nurl = "{bad.url}/v1"\nkey_env = "DEEPSEEK_API_KEY"\n'
    )
    done = project.agent("-p", "hi", "-m", "fast", "--session-id", "first")
    assert done.out == "Here.\n", done.err
    assert (len(bad.requests), len(good.requests)) == (1, 1)


def test_plan_mode_has_a_model_of_its_own(project, provider):
    claude = provider([says("Done.")])
    gpt = provider([says("A plan.")], "openai-responses")
    config = project.root.parent / "home/.config/agentcli/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[roles]\nplan = "{GPT}"\n')
    assert project.agent("-p", "x", "-m", CLAUDE, "--permission-mode", "plan").out == "A plan.\n"
    assert project.agent("-p", "x", "-m", CLAUDE).out == "Done.\n"
    assert json.loads(gpt.requests[0].raw)["model"] == GPT
    assert len(claude.requests) == 1


def test_what_the_configuration_says_of_a_model_holds(project, provider):
    provider([says("Hello.")])
    config = project.root.parent / "home/.config/agentcli/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(
        '[models."claude-*"]\ninput = 1000\noutput = 0\ncache_read = 1000\ncache_write = 1000\n'
    )
    done = project.agent("-p", "x", "-m", CLAUDE, "--output-format", "json")
    usage = done.json["usage"]
    sent = usage["input_tokens"] + usage["cache_creation_input_tokens"]
    assert done.json["total_cost_usd"] == pytest.approx(sent / 1000)
