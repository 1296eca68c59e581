"""`agent -p --fallback-model a,b` as a person has it, each link an HTTP server of its own."""

import base64
import json
import zlib

import pytest

from agentcli.lib.value import replace
from agentcli.llm.simulator import Fault, breaks, calls, says, thinks

CLAUDE, GPT, DEEPSEEK = "claude-sonnet-5-5", "gpt-6.1-sol", "deepseek/deepseek-v4-pro"
STREAM = ("--output-format", "stream-json")
SOON = 0.01
REASONS = {
    "overloaded": ([Fault("overloaded", SOON)] * 5, "HTTP 529"),
    "rate limit": ([Fault("rate_limited", SOON)] * 5, "HTTP 429"),
    "rate limit of hours": ([Fault("rate_limited", 7200)], "asks to wait 2 h"),
    "quota": ([Fault("quota")], "out of credit or quota"),
    "authentication": ([Fault("unauthorized")], "access was refused"),
    "broken": ([Fault("server_error", SOON)] * 5, "HTTP 500"),
    "no such model": ([Fault("model_not_found")], "no such model"),
}
LONG = says("Half an answer, and then " * 20)


def lines(done):
    return [json.loads(line) for line in done.out.splitlines()]


def told(done):
    """What the machine-readable output says of tries that failed."""
    return [line for line in lines(done) if line.get("subtype") == "api_retry"]


def answers(done):
    return [line["message"] for line in lines(done) if line["type"] == "assistant"]


def roles(project):
    """(role, model) of each bill."""
    bills = [entry["data"] for entry in project.kept() if entry["kind"] == "spent"]
    return [(bill["role"], bill["model"]) for bill in bills]


@pytest.fixture
def chain(project, provider):
    """Claude, then GPT, then DeepSeek; `chain(claude, gpt, deepseek)` are their scripts."""

    def start(first, second=(), third=()):
        servers = [
            provider(first),
            provider(second, "openai-responses"),
            provider(third, "openai-chat"),
        ]
        return servers, lambda *words: project.agent(
            "-p", "hi", "-m", CLAUDE, "--fallback-model", f"{GPT},{DEEPSEEK}", *words
        )

    return start


@pytest.mark.parametrize("why", REASONS)
def test_the_next_model_answers_once_and_everything_is_told_and_booked(project, chain, why):
    script, reason = REASONS[why]
    servers, run = chain(script, [says("Here.")])
    done = run(*STREAM)
    assert done.code == 0
    assert [len(server.requests) for server in servers] == [len(script), 1, 0]
    *tries, last = told(done)
    assert len(tries) == len(script) - 1
    assert all(line["delay_ms"] == SOON * 1000 and reason in line["error"] for line in tries)
    assert reason in last["error"]
    assert f"; openai/{GPT} goes on, reading " in last["error"]
    assert " tokens for $0.0" in last["error"]
    (answer,) = answers(done)
    assert (answer["model"], answer["content"]) == (GPT, [{"type": "text", "text": "Here."}])
    assert roles(project) == [("fallback", GPT)]
    result = lines(done)[-1]
    assert (result["result"], list(result["model_usage"])) == ("Here.", [GPT])
    assert result["total_cost_usd"] > 0


def test_a_server_that_is_gone_is_an_outage_too(project, chain):
    (claude, gpt, _), run = chain([], [says("Here.")])
    claude.refuse()
    done = run(*STREAM)
    claude.accept()
    assert (answers(done)[0]["model"], len(gpt.requests), done.code) == (GPT, 1, 0)
    assert "connection refused" in told(done)[-1]["error"]


def test_when_all_fail_the_exit_code_says_so_and_nothing_was_spent(project, chain):
    servers, run = chain([Fault("quota")], [Fault("unauthorized")], [Fault("quota")])
    done = run(*STREAM)
    assert done.code == 1
    assert [len(server.requests) for server in servers] == [1, 1, 1]
    result = lines(done)[-1]
    assert (result["subtype"], result["total_cost_usd"]) == ("error_api", 0)
    assert "deepseek/deepseek-v4-pro: the account is out of credit" in result["errors"][0]
    assert answers(done) == []


def test_a_reply_that_broke_off_is_void_and_said_so_before_it_is_asked_again(project, chain):
    servers, run = chain([breaks(LONG, "error", 4), says("Whole.")])
    done = run(*STREAM, "--include-partial-messages")
    assert [len(server.requests) for server in servers] == [2, 0, 0]
    assert [answer["content"][0]["text"] for answer in answers(done)] == ["Whole."]
    kinds = [line.get("event", line).get("type") for line in lines(done)]
    before, after = kinds.index("message_discarded"), kinds.index("assistant")
    assert "text_delta" in kinds[:before]
    assert "text_delta" in kinds[before:after]
    assert roles(project) == [("main", CLAUDE), ("retry", CLAUDE)]


def test_a_reply_that_breaks_off_again_is_asked_of_the_next(project, chain):
    """The first time the cache is warm where it was asked; the second time it is an outage."""
    servers, run = chain([breaks(LONG, "error", 4)] * 2, [says("Here.")])
    done = run(*STREAM)
    assert [len(server.requests) for server in servers] == [2, 1, 0]
    assert f"openai/{GPT} goes on, reading" in told(done)[-1]["error"]
    assert [answer["model"] for answer in answers(done)] == [GPT]
    assert roles(project) == [("main", CLAUDE), ("retry", CLAUDE), ("fallback", GPT)]


def test_money_that_runs_out_in_the_middle_of_a_reply_is_somebody_elses(project, chain):
    broken = breaks(LONG, "error", 4, error="billing_error")
    servers, run = chain([broken], [says("Here.")])
    done = run(*STREAM)
    assert [len(server.requests) for server in servers] == [1, 1, 0]
    assert done.code == 0
    assert roles(project) == [("main", CLAUDE), ("fallback", GPT)]


def test_half_an_answer_nobody_can_finish_stays_and_is_no_success(project, provider):
    provider([breaks(LONG, "error", 4, error="billing_error")])
    done = project.agent("-p", "hi", *STREAM)
    assert done.code == 1
    assert answers(done)[0]["stop_reason"] == "interrupted"
    assert lines(done)[-1]["subtype"] == "error_api"


def test_a_long_wait_in_the_middle_is_told_and_not_slept(project, provider):
    """A rate limit of an hour, said in a stream."""
    slow = breaks(LONG, "error", 4, error="rate_limit_error")
    server = provider([slow, Fault("rate_limited", 3600)])
    done = project.agent("-p", "hi", *STREAM, timeout=20)
    assert done.code == 1
    assert len(server.requests) == 2
    assert "asks to wait 60 min" in lines(done)[-1]["errors"][0]


def png():
    def chunk(kind, data):
        body = kind + data
        return len(data).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)

    head = chunk(b"IHDR", b"\0\0\0\1\0\0\0\1\x08\2\0\0\0")
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("other", ["openai-responses", "openai-chat"])
def test_thoughts_calls_and_pictures_go_along_in_the_middle_of_a_turn(project, provider, other):
    (project.root / "dot.png").write_bytes(png())
    look = thinks("I look.", calls(("Read", {"path": "dot.png"}), ("Read", {"path": "a.txt"})))
    provider([look, Fault("quota")])
    second = provider([says("A dot.")], other)
    name = GPT if other == "openai-responses" else DEEPSEEK
    done = project.agent("-p", "what is it?", "-m", CLAUDE, "--fallback-model", name)
    assert (done.out, done.code) == ("A dot.\n", 0), done.err
    sent = second.requests[0].raw.decode()
    assert "alpha" in sent
    assert (base64.b64encode(png()).decode() in sent) == (name == GPT)
    assert ("this model sees none" in sent) == (name == DEEPSEEK)
    assert "signature" not in sent


def test_the_price_of_reading_anew_is_what_the_bill_then_says(project, chain):
    """Foretold from our own count of tokens; the bill has the provider's."""
    _, run = chain([Fault("quota")], [replace(says("x"), usage={"output_tokens": 0})])
    done = run(*STREAM)
    foretold = float(told(done)[0]["error"].rpartition("$")[2])
    assert foretold == pytest.approx(lines(done)[-1]["total_cost_usd"], rel=0.5)


def test_a_group_of_deployments_may_stand_in(project, provider):
    provider([Fault("quota")])
    gpt = provider([says("Here.")], "openai-responses")
    config = project.root.parent / "home/.config/agentcli/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'fallback = ["spare"]\n[deployments.spare]\nmodels = ["{GPT}"]\n')
    done = project.agent("-p", "hi", "-m", CLAUDE)
    assert (done.out, len(gpt.requests)) == ("Here.\n", 1), done.err
