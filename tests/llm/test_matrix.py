"""Every provider of the table, through the real client, against a server as strict as its own."""

import asyncio
import json
from datetime import date
from itertools import product
from urllib.parse import urlsplit

import pytest

from agentcli.config import load as load_config
from agentcli.lib.value import replace
from agentcli.llm.cache import CachePlan, Mark
from agentcli.llm.client import Client
from agentcli.llm.errors import BadRequest, RateLimited
from agentcli.llm.http import Http, InProcess
from agentcli.llm.models import ModelSpec
from agentcli.llm.providers import FLAGSHIPS, PROVIDERS, Quirks, Route, resolve
from agentcli.llm.simulator import Fault, Say, SimulatedProvider, Think, Turn, Use
from agentcli.llm.simulator.vendors import VENDORS
from agentcli.llm.types import (
    AssistantMessage,
    Image,
    Native,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolOutput,
    ToolSpec,
    UserMessage,
)
from agentcli.llm.wire import WIRES

ROWS = [name for name in PROVIDERS if name != "demo"]
BEHIND = {
    "moonshot": "moonshot-strict",
    "moonshot-cn": "moonshot-strict",
    "deepseek": "deepseek-strict",
    "codestral": "mistral",
    "zai-coding": "zai",
    "bigmodel": "zai",
    "dashscope-cn": "dashscope",
    "dashscope-us": "dashscope",
}
"""Whose rules a row's Chat server has, where they are neither its own nor the plain ones."""
CHAT = {
    "openai": "openai",
    "azure": "openai",
    "openai-bedrock": "openai",
    "xai": "xai",
}
"""The same for rows of Responses, where they are asked over Chat."""
MODELS = {
    "codestral": "codestral-latest",
    "anthropic-bedrock": "global.anthropic.claude-opus-4-6-v1",
    "azure": "gpt-5.4",
    "azure-anthropic": "claude-opus-5-5",
    "anthropic-aws": "claude-opus-5-5",
    "bedrock": "global.anthropic.claude-opus-4-6-v1",
    "bedrock-mantle": "anthropic.claude-opus-5-5",
    "openai-bedrock": "openai.gpt-5.4",
    "vertex": "gemini-3.8-flash",
    "vertex-express": "gemini-3.8-flash",
    "vertex-anthropic": "claude-opus-5-5",
    "openrouter": "anthropic/claude-opus-4.8",
    "dashscope": "qwen3.7-max",
    "dashscope-cn": "qwen3.7-max",
    "dashscope-us": "qwen3.7-max",
    "databricks": "claude-opus-4-8",
    "streamlake": "qwen3.7-max",
    "minimax": "MiniMax-M3",
    "minimax-cn": "MiniMax-M3",
    "minimax-chat": "MiniMax-M3",
    "volcengine": "doubao",
}
WANTED = {
    "openai": "prompt_cache_key stream_options.include_obfuscation",
    "azure": "prompt_cache_key stream_options.include_obfuscation",
    "openai-bedrock": "prompt_cache_key",
    "xai": "prompt_cache_key @x-grok-conv-id",
    "moonshot": "prompt_cache_key",
    "moonshot-cn": "prompt_cache_key",
    "mistral": "prompt_cache_key",
    "codestral": "prompt_cache_key",
    "fireworks": "prompt_cache_key @x-session-affinity",
    "litellm": "@x-litellm-session-id",
    "openrouter": "prompt_cache_key session_id *cache_control",
    "dashscope": "*cache_control",
    "dashscope-cn": "*cache_control",
    "dashscope-us": "*cache_control",
    "databricks": "*cache_control",
    "streamlake": "*cache_control",
    "minimax-chat": "reasoning_split",
    "zai": "tool_stream thinking.clear_thinking",
    "zai-coding": "tool_stream thinking.clear_thinking",
    "bigmodel": "tool_stream thinking.clear_thinking",
}
"""What a vendor's documentation asks for, and is dearer or worse without, though nobody refuses.

`a.b` is a field, `*a` one at any place, `@a` a header (wire.md 2.3, 5).
"""
PLACES = {
    "AWS_REGION": "eu-west-1",
    "GOOGLE_CLOUD_PROJECT": "p",
    "CLOUDFLARE_ACCOUNT_ID": "a",
    "DATABRICKS_WORKSPACE": "w",
    "SNOWFLAKE_ACCOUNT_ID": "s",
    "ANTHROPIC_FOUNDRY_RESOURCE": "r",
    "AZURE_RESOURCE_NAME": "r",
    "AZURE_AI_RESOURCE": "r",
}
LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
READ = ToolSpec(
    "read_file",
    "Reads a file.",
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
        "additionalProperties": False,
    },
)
ASK = UserMessage((Text("Fix the bug"),))
PNG = Image(
    "image/png",
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
)
SYSTEM = ("You are an agent. " * 800,)
"""Long enough to be worth a cache mark."""


def environment(row):
    """What a person sets to use this row, and no more."""
    keys = row.key_env or row.lent_env
    env = PLACES | ({keys[0]: "k"} if keys else {})
    return env if row.url else env | {row.base_env[0]: "https://mine.example/v1"}


def model_of(row):
    family = row.models_of or row.name
    return MODELS.get(row.name) or FLAGSHIPS.get(family) or "some-model"


class Setting:
    """One conversation with one provider; `saw` are the bodies it took, `where` the URLs."""

    def __init__(self, row, *steps, model=""):
        name = row.name
        behind = BEHIND | (CHAT if row.wire == "openai-chat" else {})
        self.vendor = VENDORS[behind.get(name, name if name in VENDORS else "plain")]
        self.route = resolve(f"{name}/{model or model_of(row)}", environment(row), [row])
        key = "k" if self.route.key else None
        self.provider = SimulatedProvider(steps, key=key, vendor=self.vendor)
        self.where = []
        http = Http(transport=InProcess(self.handle))
        self.client = Client(lambda _: self.route, http, attempts=1)
        self.messages = [ASK]

    def handle(self, method, url, headers, body):
        self.where.append(url)
        return self.provider.handle(method, url, headers, body)

    @property
    def saw(self):
        return [json.loads(each.body) for each in self.provider.received]

    def ask(self, **more):
        fields = {"tools": (READ,), "session": "s", "max_output": 4000} | more
        request = Request("m", SYSTEM, fields.pop("tools"), tuple(self.messages))
        reply = asyncio.run(self._reply(replace(request, **fields)))
        assert not self.missed(self.route.provider.name, self.route.wire)
        self.messages.append(reply)
        return reply

    def missed(self, name, wire):
        """What this row's vendor wants and did not get with the last request."""
        last, wanted = self.provider.received[-1], WANTED.get(name, "").split()
        if wire == "openai-chat":
            wanted = [each for each in wanted if "obfuscation" not in each]
        if self.route.model.cache.mode != "explicit":
            wanted = [each for each in wanted if "cache_control" not in each]
        if not self.route.model.thinking:
            wanted = [each for each in wanted if "clear_thinking" not in each]
        return [each for each in wanted if not has(last, each)]

    async def _reply(self, request):
        async with self.client.stream(request) as reply:
            async for _ in reply:
                pass
            return reply.message

    def answer_calls(self):
        calls = self.messages[-1].tool_calls
        results = tuple(ToolOutput(call.id, (Text(f"{call.input}"),)) for call in calls)
        self.messages.append(UserMessage(results))
        return [call.input["path"] for call in calls]


def has(request, wanted):
    match wanted[0]:
        case "@":
            return wanted[1:] in request.headers
        case "*":
            return f'"{wanted[1:]}"'.encode() in request.body
    held = json.loads(request.body)
    for name in wanted.split("."):
        held = held.get(name) if isinstance(held, dict) else None
    return held is not None


def text(row):
    setting = Setting(row, Turn((Say("Hello."),)))
    reply = setting.ask(tools=())
    assert (reply.text, reply.stop) == ("Hello.", "end_turn")
    assert reply.usage.prompt > 0
    return setting


def tool_call(row):
    use = Turn((Say("Reading."), Use("read_file", {"path": "ü.py"})))
    setting = Setting(row, use, Turn((Say("Done."),)))
    if not setting.route.provider.quirks.tools:
        return setting
    setting.ask()
    assert setting.answer_calls() == ["ü.py"]
    assert setting.ask().text == "Done."
    return setting


def parallel_calls(row):
    uses = Turn((Use("read_file", {"path": "a"}), Use("read_file", {"path": "b"})))
    setting = Setting(row, uses, Turn((Say("Done."),)))
    if not setting.route.provider.quirks.tools:
        return setting
    setting.ask()
    assert setting.answer_calls() == ["a", "b"]
    assert setting.ask().text == "Done."
    return setting


def thinking(row):
    """Asked for at an effort of its own, shown, and sent back with the results of a call."""
    use = (Think("Need it."), Use("read_file", {"path": "a"}))
    setting = Setting(row, Turn(use), Turn((Say("Done."),)))
    if not setting.route.provider.quirks.tools:
        return setting
    reply = setting.ask(effort="medium")
    shown = "".join(block.text for block in reply.content if isinstance(block, Thinking))
    assert shown == "Need it."
    setting.answer_calls()
    assert setting.ask(effort="medium").text == "Done."
    if setting.route.wire == "openai-chat":
        said = next(each for each in setting.saw[-1]["messages"] if each["role"] == "assistant")
        assert is_returned(said, setting.vendor.reasoning_field)
    return setting


def is_returned(said, field):
    """Whether earlier thinking went back in the form it came in, if this vendor wants it back."""
    match field:
        case "parts":
            return (said["content"] or [{}])[0].get("type") == "thinking"
        case "reasoning_details" | "thinking_blocks":
            return len(said[field]) == 1
        case _:
            return said.get(field, "Need it.") == "Need it."


def error(row):
    setting = Setting(row, Fault("rate_limited"))
    with pytest.raises(RateLimited) as caught:
        setting.ask()
    assert caught.value.retryable
    assert row.name in str(caught.value)
    return setting


def picture(row):
    """A result that holds a picture, and a person's word beside it."""
    setting = Setting(row, Turn((Use("read_file", {"path": "a.png"}),)), Turn((Say("Red."),)))
    if not setting.route.provider.quirks.tools:
        return setting
    (call,) = setting.ask().tool_calls
    output = ToolOutput(call.id, (Text("1x1"), PNG))
    setting.messages.append(UserMessage((output, Text("Which colour?"))))
    assert setting.ask().text == "Red."
    assert (PNG.data in setting.provider.received[-1].body.decode()) == setting.route.model.images
    return setting


NEW = "brand-new-model"
OTHERS = {
    "moonshot": ("kimi-k2.6", NEW),
    "moonshot-cn": ("kimi-k2.6", NEW),
    "groq": ("qwen/qwen3.8-27b", NEW),
}
"""Further models of a row, which differ from the first; elsewhere one that nobody knows."""


def efforts(row):
    """Whatever effort a person asks for, of a known model and another, it is no refused word."""
    for model in ("", *OTHERS.get(row.name, (NEW,))):
        setting = Setting(row, *(Turn((Say("Hello."),)) for _ in LEVELS), model=model)
        for level in LEVELS:
            assert setting.ask(effort=level).text == "Hello."
            setting.messages.append(ASK)
    return setting


KINDS = (text, tool_call, parallel_calls, thinking, picture, error, efforts)
SCENARIOS = {each.__name__: each for each in KINDS}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
@pytest.mark.parametrize("name", ROWS)
def test_matrix(name, scenario):
    setting = scenario(PROVIDERS[name])
    host = urlsplit(setting.route.url).netloc
    assert all(urlsplit(url).netloc == host for url in setting.where)


@pytest.mark.parametrize("name", CHAT)
def test_asked_over_chat_a_row_of_responses_keeps_to_the_new_limit(name):
    text(replace(PROVIDERS[name], wire="openai-chat"))


@pytest.mark.parametrize("wire", WIRES)
def test_an_endpoint_of_ones_own_speaks_any_wire(wire, tmp_path):
    (tmp_path / "config.toml").write_text(
        f'[providers.mycorp]\nurl = "https://llm.corp/{wire}"\nwire = "{wire}"\n'
        'key_env = "CORP_KEY"\nheaders = { x-team = "search" }\nmodels = ["corp-large"]\n'
    )
    config = load_config(tmp_path, {"AGENT_CONFIG_DIR": str(tmp_path), "HOME": str(tmp_path)})
    for scenario in (text, tool_call, parallel_calls, error):
        setting = scenario(config.providers[0])
        assert all(url.startswith(f"https://llm.corp/{wire}/") for url in setting.where)
        assert setting.provider.received[-1].headers["x-team"] == "search"


def test_a_table_named_like_a_row_changes_only_what_it_says(tmp_path):
    (tmp_path / "config.toml").write_text('[providers.deepseek]\nurl = "https://proxy.corp/ds"\n')
    config = load_config(tmp_path, {"AGENT_CONFIG_DIR": str(tmp_path), "HOME": str(tmp_path)})
    setting = thinking(config.providers[0])
    assert setting.where[0] == "https://proxy.corp/ds/chat/completions"
    assert resolve("deepseek/deepseek-v4-pro", {}, config.providers).key is None


ODD = [(name, odd) for name in ROWS for odd in PROVIDERS[name].odd]
PLAN = CachePlan(marks=(Mark("system"), Mark("history", "5m", 0, 0)), key="s")


@pytest.mark.parametrize(("name", "odd"), ODD, ids=lambda each: getattr(each, "quirk", each))
def test_every_quirk_changes_what_is_sent(name, odd):
    """A quirk without which everything is the same is nobody's."""
    row = PROVIDERS[name]
    quirks = replace(row.quirks, **{odd.quirk: getattr(Quirks(), odd.quirk)})
    assert list(bodies(row)) != list(bodies(replace(row, quirks=quirks)))


ELSEWHERE = {("deepseek-anthropic", "efforts"), ("vllm", "switch"), ("sglang", "switch")}
"""Like `off`, these only decide how much is thought: `test_efforts` holds them to the letter."""
DEMANDED = [
    (name, odd) for name, odd in ODD if odd.quirk != "off" and (name, odd.quirk) not in ELSEWHERE
]


@pytest.mark.parametrize(("name", "odd"), DEMANDED, ids=lambda each: getattr(each, "quirk", each))
def test_without_its_quirk_a_provider_refuses(name, odd):
    """So that the matrix proves something."""
    row = PROVIDERS[name]
    quirks = replace(row.quirks, **{odd.quirk: getattr(Quirks(), odd.quirk)})
    with pytest.raises((BadRequest, AssertionError)):
        for scenario in (text, tool_call, thinking, picture, efforts):
            scenario(replace(row, quirks=quirks))
        text(replace(row, quirks=quirks, wire="openai-chat"))


def bodies(row):
    """A conversation with thought and a call, at several efforts, over what this row can speak."""
    content = (Thinking("Hm."), ToolCall("call_1", "read_file", {"path": "a"}))
    for wire in {row.wire, "openai-chat"} if row.wire == "openai-responses" else {row.wire}:
        said = AssistantMessage(content, "m", "tool_use", native=Native(wire, "m", ()))
        result = UserMessage((ToolOutput("call_1", (Text("1"),)), Text("Go on")))
        for name, effort in product(("m", "kimi-k2.6", "qwen3.8-27b"), (None, *LEVELS)):
            spec = ModelSpec(name, row.name, efforts=LEVELS, thinking="effort", max_output=9999)
            talk, route = (ASK, said, result), Route(row, spec, row.url, wire=wire)
            client = Client(lambda _, at=route: at, Http(), planner=lambda *_: PLAN)
            yield client.prepare(Request("m", ("Be.",), (READ,), talk, effort=effort, session="s"))


def test_every_quirk_has_a_user_a_date_and_a_reason():
    used = {odd.quirk for _, odd in ODD}
    assert used == set(Quirks.__match_args__)
    for name, odd in ODD:
        assert date.fromisoformat(odd.seen) <= date.today(), name
        assert len(odd.why) > 10, name
