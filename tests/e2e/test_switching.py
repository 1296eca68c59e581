"""`/model` and plan mode's own model in a terminal, over servers of several vendors."""

import re

from agentcli.llm.simulator import calls, says, thinks

LOOK = thinks("I look.", calls(("Read", {"path": "a.txt"})))
CLAUDE, GPT = "claude-sonnet-5-5", "gpt-6.1-sol"
FORETOLD = re.compile(r"sends ([\d,]+) tokens uncached: \$(\d+\.\d+)")


def foretold(agent):
    """(tokens, USD) of the last switch on the screen."""
    tokens, usd = FORETOLD.findall(" ".join(agent.shown.split()))[-1]
    return int(tokens.replace(",", "")), float(usd)


def say(agent, words, until):
    agent.send(f"{words}\r")
    agent.until(until)
    agent.until(lambda driven: driven.shown.rstrip().splitlines()[-1].startswith(("claude", "gpt")))


def thoughts(request):
    """The signed thoughts in a request to Claude."""
    parts = (part for message in request.body["messages"] for part in message["content"])
    return [part["thinking"] for part in parts if part["type"] == "thinking" and part["signature"]]


def test_a_switch_says_its_price_first_and_the_way_back_is_cheap(talk, project, provider):
    (project.root / "a.txt").write_text("alpha beta\n" * 4000)
    gpt = provider([LOOK, says("Beta.")], "openai-responses")
    claude = provider([LOOK, says("Alpha."), thinks("so", says("Back again."))])
    agent = talk(rows=40, columns=200)
    say(agent, "what is in it?", "Alpha.")
    agent.send(f"/model {GPT}\r")
    agent.until("Model is now gpt-6.1-sol (openai).")
    tokens, usd = foretold(agent)
    assert tokens > 10_000
    assert 0.9 < usd / (tokens * 2.5 / 1e6) < 1.1  # it bills what it writes
    assert not gpt.requests
    say(agent, "and you?", "Beta.")
    assert "signature" not in gpt.requests[0].raw.decode()
    agent.send(f"/model {CLAUDE}\r")
    agent.until("are still cached")
    again, _ = foretold(agent)
    assert again < tokens / 2
    say(agent, "now?", "Back again.")
    assert thoughts(claude.requests[-1]) == ["I look."]
    assert "cache miss" not in agent.shown.partition("Back again.")[2]
    agent.send("\x04")
    assert agent.finish() == 0


def test_a_model_that_takes_less_says_what_it_leaves_out(talk, project, provider):
    home = project.root.parent / "home/.config/agentcli"
    home.mkdir(parents=True)
    (home / "config.toml").write_text('[models."deepseek-v4-pro"]\ncontext = 1000\n')
    provider([says("never")], "openai-chat")
    provider([says("Hello.")])
    agent = talk(rows=40, columns=200)
    say(agent, "hi", "Hello.")
    agent.send("/model deepseek/deepseek-v4-pro\r")
    agent.until("Its window holds 1,000 tokens")
    agent.send("\x04")
    assert agent.finish() == 0


def test_plan_mode_with_a_model_of_its_own_says_so_and_has_its_tools(talk, project, provider):
    home = project.root.parent / "home/.config/agentcli"
    home.mkdir(parents=True)
    (home / "config.toml").write_text(f'[roles]\nplan = "{GPT}"\n')
    gpt = provider([says("A plan.")], "openai-responses")
    claude = provider([says("Hello."), says("Done.")])
    agent = talk("--permission-mode", "accept-edits", rows=40, columns=200)
    say(agent, "hi", "Hello.")
    agent.send("\x1b[Z")
    agent.until("Model is now gpt-6.1-sol (openai). The next message sends")
    say(agent, "plan it", "A plan.")
    agent.send("\x1b[Z")
    agent.until("Model is now claude-sonnet-5-5 (anthropic). The next message sends")
    for _ in range(4):
        agent.send("\x1b[Z")
        agent.read_for(0.3)
        if "accept-edits" in agent.shown.rstrip().splitlines()[-1]:
            break
    say(agent, "do it", "Done.")
    names = [
        {tool["name"] for tool in server.requests[-1].body["tools"]} for server in (gpt, claude)
    ]
    assert "ApplyPatch" in names[0] - names[1]
    assert "Edit" in names[1] - names[0]
    agent.send("\x04")
    assert agent.finish() == 0
