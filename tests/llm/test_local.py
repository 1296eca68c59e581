"""What local servers say of their models is taken over HTTP, and silent truncation is noticed."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from loopback import loopback, sized

from agentcli.lib.value import replace
from agentcli.llm.fetch import fetcher
from agentcli.llm.http import Http
from agentcli.llm.local import advice, fitted, look, sent, truncated
from agentcli.llm.local_servers import Seen
from agentcli.llm.providers import Provider, resolve
from agentcli.llm.types import (
    AssistantMessage,
    Image,
    Request,
    Text,
    Thinking,
    Usage,
    UserMessage,
)

QWEN = {
    "parameters": 'stop                           "<|im_end|>"\ntemperature                    0.7',
    "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 262144},
    "capabilities": ["completion", "tools", "thinking"],
}
GEMMA = {
    "parameters": "num_ctx                        8192",
    "model_info": {"gemma3.context_length": 131072},
    "capabilities": ["completion", "vision"],
}
STUDIO = {
    "type": "llm",
    "key": "qwen/qwen3-coder",
    "loaded_instances": [{"id": "qwen/qwen3-coder", "config": {"context_length": 4096}}],
    "max_context_length": 262144,
    "capabilities": {"vision": False, "trained_for_tool_use": True},
}
OLD_STUDIO = {
    "id": "qwen2-vl-7b",
    "object": "model",
    "type": "vlm",
    "state": "loaded",
    "max_context_length": 32768,
    "loaded_context_length": 16384,
    "capabilities": ["tool_use"],
}
PROPS = {
    "default_generation_settings": {"id": 0, "n_ctx": 65536, "params": {}},
    "total_slots": 4,
    "chat_template_caps": {"supports_tools": False},
    "modalities": {"vision": True, "audio": False},
}


@asynccontextmanager
async def server(**pages):
    """A server that knows these pages and no other; POST /api/show by the model asked for."""

    async def answer(number, request, writer):
        line, _, body = request
        method, path, _ = line.split(" ")
        found = pages.get(path.strip("/").replace("/", "_"))
        if path == "/api/show" and found is not None:
            assert method == "POST"
            found = found.get(json.loads(body)["model"])
        elif method != "GET":
            found = None
        data = b'{"error":"not found"}' if found is None else json.dumps(found).encode()
        writer.write(sized(data, b"404 Not Found" if found is None else b"200 OK"))

    async with loopback(answer) as box:
        box.base = box.url.removesuffix("/v1/messages")
        yield box


async def asked(box, name, *, seconds=2.0, **env):
    provider = name.partition("/")[0]
    prefix = "/api/v1" if provider == "lemonade" else "/v1"
    address = {f"{provider.upper()}_BASE_URL": box.base + prefix}
    route = resolve(name, address | env)
    http = Http()
    try:
        return route, await look(route, fetcher(http, seconds=seconds))
    finally:
        await http.aclose()


def run(name, want, **pages):
    async def go():
        async with server(**pages) as box:
            _, seen = await asked(box, name)
            assert seen == want

    asyncio.run(go())


def test_ollama_tells_the_window_of_a_loaded_model():
    running = {
        "models": [{"name": "qwen3:latest", "model": "qwen3:latest", "context_length": 4096}]
    }
    want = Seen(4096, 262144, tools=True, images=False, thinking=True)
    run("ollama/qwen3", want, api_show={"qwen3": QWEN}, api_ps=running)


def test_ollama_does_not_guess_the_window_of_a_model_that_is_not_loaded():
    other = {"models": [{"name": "llama3:latest", "context_length": 32768}]}
    want = Seen(None, 262144, tools=True, images=False, thinking=True)
    run("ollama/qwen3", want, api_show={"qwen3": QWEN}, api_ps=other)


def test_an_ollama_models_own_num_ctx_counts_until_it_is_loaded():
    want = Seen(8192, 131072, tools=False, images=True, thinking=False)
    run("ollama/gemma3", want, api_show={"gemma3": GEMMA}, api_ps={"models": []})


def test_lm_studio_tells_it_in_either_version():
    new = {"models": [STUDIO | {"key": "other", "loaded_instances": []}, STUDIO]}
    run("lmstudio/qwen/qwen3-coder", Seen(4096, 262144, True, False), api_v1_models=new)
    old = {"data": [OLD_STUDIO], "object": "list"}
    run("lmstudio/qwen2-vl-7b", Seen(16384, 32768, True, True), api_v0_models=old)


def test_an_unloaded_lm_studio_model_has_no_window_yet():
    rows = {"models": [STUDIO | {"loaded_instances": []}]}
    run("lmstudio/qwen/qwen3-coder", Seen(None, 262144, True, False), api_v1_models=rows)


def test_llama_cpp_tells_the_window_of_a_slot():
    listed = {"data": [{"id": "qwen.gguf", "meta": {"n_ctx_train": 131072}}]}
    run("llamacpp/qwen", Seen(65536, 131072, False, True), props=PROPS, v1_models=listed)


@pytest.mark.parametrize("provider", ["vllm", "sglang"])
def test_vllm_and_sglang_tell_it_in_their_list(provider):
    listed = {"data": [{"id": "a", "max_model_len": 1}, {"id": "org/m", "max_model_len": 40960}]}
    run(f"{provider}/org/m", Seen(40960), v1_models=listed)


def test_a_server_of_ones_own_is_recognised_by_what_it_answers():
    async def go():
        async with server(props=PROPS, v1_models={"data": [{"id": "x"}]}) as box:
            mine = Provider("mine", box.base + "/v1", "openai-chat", "none", local=True)
            http = Http()
            seen = await look(resolve("mine/x", {}, (mine,)), fetcher(http, seconds=2))
            await http.aclose()
            assert seen.context == 65536

    asyncio.run(go())


def test_the_key_of_a_guarded_server_goes_along():
    async def go():
        async with server(v1_models={"data": [{"id": "m", "max_model_len": 9}]}) as box:
            await asked(box, "vllm/m", VLLM_API_KEY="k1")
            assert box.requests[0][1]["authorization"] == "Bearer k1"

    asyncio.run(go())


@pytest.mark.parametrize("page", [[], {"models": None}, {"models": [3]}, "x", {"data": [{}]}])
def test_nonsense_is_no_answer(page):
    everything = dict.fromkeys(("api_ps", "api_v1_models", "api_v0_models", "v1_models"), page)
    run("lmstudio/m", Seen(), **everything)
    run("vllm/m", Seen(), **everything)
    run("llamacpp/m", Seen(), props=page)


def test_a_server_that_is_not_there_or_never_answers_is_no_error():
    async def go():
        async def hang(number, request, writer):
            await asyncio.sleep(60)

        async with loopback(hang) as box:
            box.base = box.url.removesuffix("/v1/messages")
            _, silent = await asked(box, "vllm/m", seconds=0.05)
        _, gone = await asked(box, "vllm/m")
        assert silent == gone == Seen()

    asyncio.run(go())


ROUTE = resolve("ollama/qwen3", {})


def test_the_route_gets_what_the_server_said():
    route = fitted(ROUTE, Seen(4096, 262144, tools=False, images=False))
    assert (route.model.context, route.model.images) == (4096, False)
    assert not route.provider.quirks.tools
    assert fitted(ROUTE, Seen()) == ROUTE


def test_a_smaller_window_of_ones_own_choice_stays():
    chosen = replace(ROUTE, model=replace(ROUTE.model, context=20_000))
    assert fitted(chosen, Seen(65536)).model.context == 20_000
    assert fitted(chosen, Seen(4096)).model.context == 4096


def test_a_small_window_is_told_with_the_way_out():
    (line,) = advice(ROUTE, Seen(4096, 262144, tools=True))
    assert "4,096 tokens of the 262,144" in line
    assert "OLLAMA_CONTEXT_LENGTH=65536" in line
    assert advice(ROUTE, Seen(65536, 262144, tools=True)) == ()
    assert advice(ROUTE, Seen()) == ()


def test_a_model_without_tools_is_told():
    (line,) = advice(ROUTE, Seen(65536, tools=False))
    assert "no tools" in line


def test_a_prompt_read_by_half_is_noticed():
    said = truncated(9_000, Usage(input=3_000, cache_read=1_000), 4096)
    assert said is not None
    assert "4,000 tokens of about 9,000" in said
    assert truncated(9_000, Usage(input=4_000)) is not None


@pytest.mark.parametrize(
    ("estimate", "usage", "context"),
    [
        (9_000, Usage(input=6_000), 4096),  # an estimate is rough
        (900, Usage(input=300), None),  # too little to say
        (9_000, Usage(input=4_000), 32_768),  # fits: an old Ollama that counts no cached tokens
        (9_000, Usage(), 4096),  # a server that counts nothing
        (9_000, Usage(input=1_000, cache_read=8_000), 4096),
    ],
)
def test_what_is_no_truncation_is_not_called_one(estimate, usage, context):
    assert truncated(estimate, usage, context) is None


def test_what_may_not_be_sent_again_is_not_counted_as_sent():
    reply = AssistantMessage((Thinking("hm " * 9000), Text("yes")), "m", "end_turn")
    picture = UserMessage((Text("see"), Image("image/png", "A" * 90_000)))
    request = Request("m", ("any set " * 100,), (), (picture, reply))
    assert 150 < sent(request) < 300
