"""The library over a real connection: its guide, both forms, and what a call may go through."""

import asyncio
import gc
import io
import re
import runpy
import signal
import subprocess
import sys
import threading
import time
from contextlib import redirect_stdout
from decimal import Decimal
from pathlib import Path

import pytest
from strict_server import serve

from agentcli import acomplete, astream, complete, stream
from agentcli.lib.errors import UserError
from agentcli.lib.value import replace
from agentcli.library import Image, Options, Provider, Text, TextDelta, ToolOutput, UserMessage
from agentcli.llm.errors import AuthFailed, ConnectionFailed, LLMError
from agentcli.llm.simulator import Failure, Fault, Hang, SimulatedProvider, calls, says, thinks

GUIDE = Path(__file__).parent.parent / "docs/guide/library.md"
SPENT = {"input_tokens": 14, "output_tokens": 5}
SCRIPTS = {
    "One answer": [replace(says("Oslo."), usage=SPENT)],
    "As it comes": [replace(says("One, two, three."), usage=SPENT)],
    "Async": [says("Pong.")] * 3,
    "Tools": [calls(("weather", {"city": "Bergen"})), says("Yes, it rains.")],
    "Answers in JSON": [says('{"city": "Oslo"}')],
    "Options": [says("Pong.")],
    "When it fails": [Failure(401)],
}
"""What the model says to each section of the guide."""

CODE = re.compile(r"^## ([^\n]+)|^```python\n(.*?)^```\n```text\n(.*?)^```", re.M | re.S)


def examples():
    """(section, program, what it prints) as the guide has them."""
    section, found = "", []
    for heading, program, output in CODE.findall(GUIDE.read_text("utf-8")):
        section = heading or section
        if program:
            found.append(pytest.param(section, program, output, id=section))
    return found


@pytest.fixture
def provider(monkeypatch):
    """`provider(step, …)` opens one that the environment points to."""
    opened = []

    def start(*script):
        context = serve(SimulatedProvider(script))
        server = context.__enter__()
        opened.append(context)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-env")
        return server

    yield start
    for context in opened:
        context.__exit__(None, None, None)


def all_left(server):
    """Whether the server's every connection was closed by us; asked for some seconds."""
    for _ in range(500):
        if not server._open:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize(("section", "program", "output"), examples())
def test_the_guide_does_what_it_says(provider, section, program, output):
    server = provider(*SCRIPTS[section])
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(program, {"url": server.url})
    assert printed.getvalue() == output
    assert server.provider.steps_left == 0


def test_every_program_of_the_guide_is_run():
    programs = GUIDE.read_text("utf-8").count("```python")
    assert programs == len(examples()) == len(SCRIPTS)


def test_the_guide_names_every_option():
    text = GUIDE.read_text("utf-8").partition("## Options")[2]
    rows = re.findall(r"^\| `(\w+)` \|", text, re.M)
    assert sorted(rows) == sorted(Options.__annotations__)


def test_the_environment_given_is_the_only_one(provider):
    server = provider(says("Hi."))
    with pytest.raises(UserError, match="ANTHROPIC_API_KEY"):
        complete("claude-sonnet-5-5", "Hi", env={})
    assert not server.requests


def test_a_key_given_wins_over_the_environment(provider):
    server = provider(says("Hi."))
    complete("sonnet", "Hi", keys={"anthropic": "sk-mine"})
    assert server.requests[0].headers["x-api-key"] == "sk-mine"
    with pytest.raises(UserError, match="nobody"):
        complete("sonnet", "Hi", keys={"nobody": "sk"})


def test_a_talk_goes_back_with_what_the_model_thought(provider):
    server = provider(thinks("Hm.", calls(("look", {"at": "it"}))), says("A cat."))
    first = complete("sonnet", ["What is it?"], effort="high")
    assert (first.thinking, first.stop) == ("Hm.", "tool_use")
    call = first.tool_calls[0]
    seen = ToolOutput(call.id, (Text("a picture"),))
    talk = ["What is it?", first.message, seen, Image("image/png", "iVBORw0K"), "Well?"]
    assert complete("sonnet", talk, effort="high").text == "A cat."
    asked, answered, last = server.requests[1].body["messages"]
    assert (asked["role"], answered["role"], last["role"]) == ("user", "assistant", "user")
    assert answered["content"][0]["signature"]
    assert [part["type"] for part in last["content"]] == ["tool_result", "image", "text"]


def test_without_the_cache_nothing_is_marked(provider):
    server = provider(says("a"), says("b"))
    long = "word " * 5000
    marked, plain = (complete("sonnet", long, cache=cache) for cache in (True, False))
    assert marked.usage.cache_write_5m > 4000
    assert plain.usage.cache_write_5m == 0
    assert b"cache_control" not in server.requests[1].raw
    assert plain.cost == Decimal(plain.usage.input * 2 + plain.usage.output * 10) / 1_000_000


def test_a_cost_nobody_knows_is_none(provider):
    server = provider(says("Hi."))
    row = Provider("mycorp", server.url, "anthropic", auth="none", key_env=("MYCORP_KEY",))
    result = complete("mycorp/secret-1", "Hi", keys={"mycorp": "k"}, providers=[row])
    assert (result.cost, result.bill, result.cost_is_exact) == (None, None, False)
    assert result.usage.output > 0


@pytest.mark.parametrize("wire", ["anthropic", "openai-chat", "openai-responses"])
def test_a_cost_that_is_stated_wins_on_every_wire(provider, wire):
    server = provider(replace(says("Hi."), usage={"cost": 0.25}))
    base = server.url if wire == "anthropic" else f"{server.url}/v1"
    row = Provider("gateway", base, wire, key_env=("GATEWAY_KEY",))
    result = complete("gateway/llama-5", "Hi", keys={"gateway": "k"}, providers=[row])
    assert (result.cost, result.cost_is_exact) == (Decimal("0.25"), True)


def test_the_blocking_forms_work_inside_a_running_loop(provider):
    provider(says("One."), says("Two."))

    async def notebook():
        with stream("sonnet", "Hi") as answer:
            streamed = list(answer.texts())
        return complete("sonnet", "Hi").text, "".join(streamed)

    assert asyncio.run(notebook()) == ("Two.", "One.")


def test_a_blocking_call_leaves_neither_thread_nor_connection(provider):
    server = provider(says("Hi."), says("word " * 1000), Failure(400))
    before = threading.active_count()
    complete("sonnet", "Hi")
    with stream("sonnet", "Hi") as answer:
        next(iter(answer))
    with pytest.raises(LLMError):
        complete("sonnet", "Hi")
    assert threading.active_count() == before
    assert answer.result.stop == "interrupted"
    assert all_left(server)


def test_leaving_early_keeps_what_came(provider):
    provider(says("word " * 1000))

    async def first():
        async with astream("sonnet", "Hi") as answer:
            async for delta in answer:
                if isinstance(delta, TextDelta):
                    return delta.text, answer.result

    text, result = asyncio.run(first())
    assert result.text == text
    assert result.stop == "interrupted"


def test_a_call_ends_when_its_time_is_over(provider):
    provider(Hang(), Hang())
    with pytest.raises(ConnectionFailed, match=r"anthropic/claude-sonnet-5-5: .*time-out"):
        complete("sonnet", "Hi", timeout=0.2)
    with (
        pytest.raises(ConnectionFailed, match="time-out"),
        stream("sonnet", "Hi", timeout=0.2) as answer,
    ):
        list(answer)


def test_a_task_that_is_cancelled_ends_its_call(provider):
    server = provider(replace(says("word " * 1000), pause=0.01))

    async def give_up():
        task = asyncio.create_task(acomplete("sonnet", "Hi"))
        while not server.requests:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(give_up())
    assert all_left(server)


def test_ctrl_c_ends_a_blocking_call_and_its_connection(provider):
    server = provider(replace(says("word " * 1000), pause=0.01))

    def interrupt():
        while not server.requests:
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    before = threading.active_count()
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        complete("sonnet", "Hi")
    thread.join()
    assert all_left(server)
    assert threading.active_count() == before


def test_what_may_be_retried_is_retried(provider):
    server = provider(Fault("overloaded", retry_after=0.01), says("Now."))
    assert complete("sonnet", "Hi").text == "Now."
    assert len(server.requests) == 2


@pytest.mark.parametrize("prompt", ["", " \n", [], ["", "  "]])
def test_nothing_to_answer_is_told_before_it_is_sent(provider, prompt):
    server = provider(says("Hi."))
    with pytest.raises(UserError, match="must end with something"):
        complete("sonnet", prompt)
    assert not server.requests


@pytest.mark.parametrize(
    "prompt", [None, 3, b"hi", {"role": "user"}, [{"role": "user", "content": "hi"}], ["hi", None]]
)
def test_what_is_no_prompt_is_told_before_it_is_sent(provider, prompt):
    server = provider(says("Hi."))
    with pytest.raises(UserError, match="A prompt is a string, or a list of strings"):
        complete("sonnet", prompt)
    assert not server.requests


@pytest.mark.parametrize(
    ("option", "said"), [({"tools": ["look"]}, "ToolSpec"), ({"max_output": 0}, "above 0")]
)
def test_options_of_the_wrong_kind_are_told(provider, option, said):
    provider(says("Hi."))
    with pytest.raises(UserError, match=said):
        complete("sonnet", "Hi", **option)


def test_the_first_calls_of_many_threads_find_their_providers():
    """What is read at the first look-up is read by all of them at once."""
    program = """
import threading
from agentcli.llm.providers import resolve
gate, found = threading.Barrier(16), []
def look(name):
    gate.wait()
    found.append(resolve(name, {"ANTHROPIC_API_KEY": "k", "GROQ_API_KEY": "k"}).provider.name)
names = ["sonnet", "groq/openai/gpt-oss-120b"] * 8
threads = [threading.Thread(target=look, args=(name,)) for name in names]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sorted(found) == ["anthropic"] * 8 + ["groq"] * 8)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_calls_of_many_threads_at_once(provider):
    provider(*[says("Hi.")] * 8)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(complete("sonnet", "Hi").text))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["Hi."] * 8


def test_an_answer_read_after_its_block_was_left_has_ended(provider):
    provider(says("word " * 100), says("word " * 100))
    with stream("sonnet", "Hi") as answer:
        next(iter(answer))
    assert list(answer) == list(answer.texts()) == []
    assert answer.result.stop == "interrupted"

    async def late():
        async with astream("sonnet", "Hi") as answer:
            await anext(answer)
        return [delta async for delta in answer]

    assert asyncio.run(late()) == []


def test_an_answer_nobody_wants_any_more_is_let_go(provider):
    """Opened without `with`, and forgotten."""
    server = provider(replace(says("word " * 1000), pause=0.01))
    opened = stream("sonnet", "Hi")
    next(iter(opened.__enter__()))
    before = threading.active_count()
    del opened
    gc.collect()
    assert all_left(server)
    assert threading.active_count() == before - 1


def test_an_error_of_ones_own_goes_through_and_closes_the_connection(provider):
    server = provider(replace(says("word " * 1000), pause=0.01))
    with pytest.raises(ZeroDivisionError), stream("sonnet", "Hi") as answer:
        next(iter(answer))
        raise ZeroDivisionError
    assert all_left(server)


def test_a_call_without_time_left_says_why_it_took_so_long(provider):
    provider(*[Failure(529)] * 9)
    with pytest.raises(ConnectionFailed, match=r"time-out of this call.*the service is overloaded"):
        complete("sonnet", "Hi", timeout=0.7)


def test_a_strictly_typed_program_of_a_user_runs(provider, monkeypatch):
    """`make check` reads the same file with pyright."""
    server = provider(*[calls(("weather", {}))] * 2, *[says("Rain.")] * 9)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    runpy.run_path(str(Path(__file__).parent / "typed_use.py"), run_name="__main__")


def test_an_answer_alone_is_no_question(provider):
    server = provider(says("Hi."))
    said = complete("sonnet", [UserMessage((Text("Hi"),))]).message
    with pytest.raises(UserError, match="must end with something"):
        complete("sonnet", ["Hi", said])
    assert len(server.requests) == 1


def test_options_that_do_not_exist_are_named(provider):
    provider()
    with pytest.raises(TypeError, match="unknown option 'temperature'"):
        complete("sonnet", "Hi", temperature=1)
    with pytest.raises(UserError, match="effort is one of"):
        complete("sonnet", "Hi", effort="very")


def test_errors_carry_what_the_provider_said(provider):
    provider(Failure(401))
    with pytest.raises(AuthFailed) as caught:
        complete("sonnet", "Hi")
    assert (caught.value.provider, caught.value.status) == ("anthropic", 401)
