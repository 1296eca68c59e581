"""Requests whose bodies are golden: one table for all wires, and where each wire sends them."""

from agentcli.llm.cache import NO_PLAN, CachePlan, Mark
from agentcli.llm.models import CacheKind, ModelSpec
from agentcli.llm.providers import PROVIDERS, Route
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


def at(provider, model, **spec):
    row = PROVIDERS[provider]
    return Route(row, ModelSpec(model, provider, **spec), row.url)


MARKED = CacheKind("explicit", min_tokens=1, max_marks=4, ttls=("5m", "1h"))
LEVELS = ("low", "medium", "high", "xhigh")
ROUTES = {
    "anthropic": at(
        "anthropic",
        "claude-opus-5-5",
        max_output=128_000,
        efforts=LEVELS,
        thinking="adaptive",
        cache=MARKED,
    ),
    "openai-responses": at(
        "openai",
        "gpt-6.2-sol",
        max_output=128_000,
        efforts=LEVELS,
        thinking="effort",
        edit="patch",
    ),
    "openai-chat": at("xai", "grok-4.7", max_output=128_000, efforts=LEVELS),
    "gemini": at(
        "gemini",
        "gemini-3.8-flash",
        max_output=65_536,
        efforts=("low", "medium", "high"),
        thinking="effort",
    ),
    "bedrock": at(
        "bedrock",
        "us.anthropic.claude-sonnet-5-5",
        max_output=128_000,
        efforts=LEVELS,
        thinking="adaptive",
        cache=MARKED,
    ),
    "anthropic-bedrock": at(
        "anthropic-bedrock",
        "global.anthropic.claude-opus-5-5",
        max_output=128_000,
        efforts=LEVELS,
        thinking="adaptive",
        cache=MARKED,
    ),
    "anthropic-vertex": at(
        "vertex-anthropic",
        "claude-opus-5-5",
        max_output=128_000,
        efforts=LEVELS,
        thinking="adaptive",
        cache=MARKED,
    ),
}
"""Where the shared requests of a wire go."""

SYSTEM = "You are an agent."
PATH = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
READ = ToolSpec("read_file", "Reads a file.", PATH)
PATCH = ToolSpec(
    "apply_patch",
    "Edits files.",
    {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]},
    grammar='start: "*** Begin Patch"',
)
SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
ASK = UserMessage((Text("Fix the bug"),))
PICTURE = Image("image/png", "iVBORw0K")

NATIVE = {
    "anthropic": (
        {"type": "thinking", "thinking": "", "signature": "EqQB+om/it=="},
        {"type": "redacted_thinking", "data": "EmwK"},
        {"type": "thinking", "thinking": "Need ü.", "signature": "EqQBsig"},
        {"type": "text", "text": "Reading."},
        {"type": "tool_use", "id": "call_1", "name": "read_file", "input": {"path": "ü.py"}},
    ),
    "openai-responses": (
        {
            "id": "rs_1",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Need ü."}],
            "encrypted_content": "gAAAA==",
            "status": None,
        },
        {
            "id": "msg_1",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Reading.", "annotations": []}],
            "phase": "commentary",
        },
        {
            "id": "fc_1",
            "type": "function_call",
            "status": "completed",
            "call_id": "call_1",
            "name": "read_file",
            "arguments": '{"path":"ü.py"}',
        },
    ),
    "openai-chat": (
        {
            "reasoning_details": [
                {"type": "reasoning.text", "text": "Need ü.", "signature": "sig", "index": 0}
            ]
        },
    ),
    "gemini": (
        {"text": "Need ü.", "thought": True},
        {"text": "Reading.", "thoughtSignature": "CsIBc2ln"},
        {
            "functionCall": {"id": "call_1", "name": "read_file", "args": {"path": "ü.py"}},
            "thoughtSignature": "CsIBY2Fs",
        },
    ),
    "bedrock": (
        {"reasoningContent": {"reasoningText": {"text": "Need ü.", "signature": "EqQBsig"}}},
        {"reasoningContent": {"redactedContent": "EmwK"}},
        {"text": "Reading."},
        {"toolUse": {"toolUseId": "call_1", "name": "read_file", "input": {"path": "ü.py"}}},
    ),
}
"""The blocks of the reply below as each vendor made it."""
NATIVE |= {f"anthropic-{host}": NATIVE["anthropic"] for host in ("bedrock", "vertex")}


def thought(wire, model, blocks=None):
    """A reply with reasoning and a call, said by `model` over `wire`."""
    blocks = NATIVE[wire] if blocks is None else blocks
    content = (
        Thinking("Need ü."),
        Text("Reading."),
        ToolCall("call_1", "read_file", {"path": "ü.py"}),
    )
    return AssistantMessage(content, model, "tool_use", native=Native(wire, model, blocks))


def said(*content, stop="tool_use"):
    """A reply of which only our own form is left."""
    return AssistantMessage(content, "another", stop)


def asked(*messages, **fields):
    return Request(
        **({"model": "m", "system": (SYSTEM,), "tools": (), "messages": messages} | fields)
    )


def result(call_id, *content, is_error=False):
    return ToolOutput(call_id, content, is_error)


def call(call_id, **arguments):
    return ToolCall(call_id, "read_file", arguments)


GROWN = asked(
    ASK,
    said(call("call_1", path="a.py")),
    UserMessage((result("call_1", Text("1")), Text("And b"))),
    tools=(READ, PATCH),
    system=(SYSTEM, "The folder is /src."),
)
MARKS = CachePlan(
    marks=(
        Mark("tools", "1h"),
        Mark("system", "1h"),
        Mark("history", "5m", 0, 0),
        Mark("latest", "5m", 2, 1),
    )
)
AT_ENDS = CachePlan(marks=(Mark("memory"), Mark("latest", "5m", 2, 0), Mark("latest", "1h", 2, 1)))
PLANS = {
    "marks": MARKS,
    "marks_openrouter": AT_ENDS,
    "marked_head": CachePlan((Mark("memory"),)),
    "only_marked": CachePlan((Mark("memory"),), only_marked=True),
    "cache_key": CachePlan(key="session-1"),
}
"""The cache plan of a case; the others have none."""

SHARED = {
    "plain": asked(ASK),
    "system_in_two_parts": asked(ASK, system=(SYSTEM, " ", "The folder is /src.")),
    "no_system": asked(ASK, system=()),
    "tools": asked(ASK, tools=(READ, PATCH)),
    "pictures": asked(UserMessage((Text("What is this?"), PICTURE))),
    "tool_results": asked(
        ASK,
        said(Text("Both."), call("call_1", path="a.py"), call("call_2", path="b.png")),
        UserMessage(
            (
                result("call_1", Text("no such file"), is_error=True),
                result("call_2", Text("1x1"), PICTURE),
                Text("Go on"),
            )
        ),
        tools=(READ,),
    ),
    "empty_tool_result": asked(
        ASK, said(call("call_1", path="a.py")), UserMessage((result("call_1", Text("")),))
    ),
    "blank_text_before_call": asked(
        ASK, said(Text("\n\n"), call("call_1", path="a.py")), UserMessage((result("call_1"),))
    ),
    "effort": asked(ASK, effort="high"),
    "effort_unknown_to_model": asked(ASK, effort="minimal"),
    "max_output": asked(ASK, max_output=999_999),
    "cache_key": asked(ASK, session="session-1"),
    "marks": GROWN,
    "output_schema": asked(ASK, output_schema=SCHEMA),
    "interrupted": asked(
        ASK,
        said(Thinking("Hm."), Text("Half an"), call("call_1", path="a.py"), stop="interrupted"),
        UserMessage((Text("Go on"),)),
    ),
    "interrupted_at_once": asked(ASK, said(stop="interrupted"), UserMessage((Text("Go on"),))),
    "invalid_json_call": asked(
        ASK,
        said(ToolCall("call_1", "read_file", {}, raw='{"path": "a.py"')),
        UserMessage((result("call_1", Text("the arguments are no JSON"), is_error=True),)),
    ),
    "grammar_call": asked(
        ASK,
        said(ToolCall("call_1", "apply_patch", {"input": "*** Begin Patch\nü"})),
        UserMessage((result("call_1", Text("done")),)),
        tools=(READ, PATCH),
    ),
}
"""Asked on every wire."""


def replayed(wire, model, other):
    """The reply with reasoning, sent back to the model that said it, and to another."""
    answer = UserMessage((result("call_1", Text("x = 1")),))
    return {
        "thinking_same_model": asked(ASK, thought(wire, model), answer),
        "thinking_another_model": asked(ASK, thought(wire, other), answer),
    }


def growing(wire, model):
    """The messages of one conversation that had everything: pictures, errors, another model."""
    return (
        ASK,
        thought(wire, model),
        UserMessage((result("call_1", Text("x = 1"), PICTURE), Text("Mind the style"))),
        said(Text("\n"), call("call_2", path="b.py"), call("call_3", path="c.py")),
        UserMessage((result("call_2", Text("no"), is_error=True), result("call_3"))),
        said(Thinking("Hm."), Text("Half an"), stop="interrupted"),
        UserMessage((Text("Go on"), PICTURE)),
        said(ToolCall("call_4", "apply_patch", {"input": "*** Begin Patch"})),
        UserMessage((result("call_4", Text("done")),)),
        said(ToolCall("call_5", "read_file", {}, raw='{"path')),
        UserMessage((result("call_5", Text("no JSON"), is_error=True),)),
        said(Text("Done."), stop="end_turn"),
        UserMessage((Text("Thanks"),)),
    )


OPENROUTER = at("openrouter", "anthropic/claude-opus-5.5", efforts=LEVELS, cache=MARKED)
DEEPSEEK = at("deepseek", "deepseek-v4-pro", max_output=393_216, efforts=("low", "high", "max"))
MISTRAL = at("mistral", "mistral-large-4")
HAIKU = at("anthropic", "claude-haiku-4-5", max_output=64_000, efforts=LEVELS, thinking="budget")
THINKS = {"thinking": "effort", "efforts": ("low", "medium", "high")}
LITELLM = at("litellm", "claude-opus-5-5", **THINKS)
BLOCKS = [
    {"type": "thinking", "thinking": "Need ü.", "signature": "EqQBsig"},
    {"type": "redacted_thinking", "data": "EmwK"},
]
SPECIAL = {
    "reasoning_litellm": (
        LITELLM,
        asked(ASK, thought("openai-chat", "claude-opus-5-5", ({"thinking_blocks": BLOCKS},))),
    ),
    "effort_zai": (at("zai", "glm-5.3", **THINKS), asked(ASK, effort="max")),
    "effort_dashscope": (at("dashscope", "qwen3.8-max", **THINKS), asked(ASK, effort="low")),
    "effort_groq": (at("groq", "qwen/qwen3.8-27b", **THINKS), asked(ASK, effort="none")),
    "effort_kimi": (at("moonshot", "kimi-k2.6", **THINKS), asked(ASK, effort="none")),
    "effort_vllm": (at("vllm", "qwen3", **THINKS), asked(ASK, effort="medium")),
    "effort_minimax": (at("minimax-chat", "MiniMax-M3", **THINKS), asked(ASK, effort="high")),
    "budget_haiku": (HAIKU, asked(ASK, effort="high")),
    "budget_without_room": (HAIKU, asked(ASK, effort="high", max_output=2000)),
    "foreign_call_ids": (
        ROUTES["anthropic"],
        asked(ASK, said(call("read_file:0", path="a")), UserMessage((result("read_file:0"),))),
    ),
    "reasoning_deepseek": (DEEPSEEK, asked(ASK, thought("openai-chat", "deepseek-v4-pro", ()))),
    "reasoning_deepseek_from_another": (DEEPSEEK, asked(ASK, thought("anthropic", "claude"))),
    "reasoning_openrouter": (
        OPENROUTER,
        asked(ASK, thought("openai-chat", "anthropic/claude-opus-5.5"), effort="high"),
    ),
    "marks_openrouter": (OPENROUTER, GROWN),
    "ids_mistral": (
        MISTRAL,
        asked(
            ASK,
            said(call("toolu_01ABC", path="a"), call("abcDEF123", path="b")),
            UserMessage((result("toolu_01ABC", Text("1")), result("abcDEF123", Text("2")))),
        ),
    ),
    "marked_head": (
        ROUTES["openai-responses"],
        asked(ASK, system=(SYSTEM, "The folder is /src.", "Mind the style.")),
    ),
    "only_marked": (
        ROUTES["openai-responses"],
        asked(ASK, system=(SYSTEM, "The folder is /src.")),
    ),
    "loose_reasoning": (
        ROUTES["openai-responses"],
        asked(
            ASK,
            AssistantMessage(
                (Thinking("Hm."),),
                "gpt-6.2-sol",
                "max_tokens",
                native=Native("openai-responses", "gpt-6.2-sol", NATIVE["openai-responses"][:1]),
            ),
            UserMessage((Text("Go on"),)),
        ),
    ),
}
"""Asked of one model, for what is odd about it."""


def golden(wire, case):
    """The route, request and plan of a case."""
    plan = PLANS.get(case, NO_PLAN)
    if case in SPECIAL:
        return *SPECIAL[case], plan
    route = ROUTES[wire]
    shared = SHARED | replayed(wire, route.model.id, "another")
    return route, shared[case], plan
