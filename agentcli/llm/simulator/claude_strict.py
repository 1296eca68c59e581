"""What the Messages API refuses before it reads the messages: fields, tools, thinking, marks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from agentcli.llm.models import find
from agentcli.llm.simulator.claude_cache import automatic_spot, mark_of, may_carry_mark
from agentcli.llm.simulator.claude_rules import (
    EFFORTS,
    LIVES,
    MAX_MARKS,
    NO_SAMPLING,
    effort,
    generation,
    thinking_mode,
    thinking_rule,
)
from agentcli.llm.simulator.prefix import Block
from agentcli.llm.simulator.refusal import Refused, as_object, only, require
from agentcli.llm.simulator.tokens import objects
from agentcli.llm.types import JsonObject

VERSIONS = ("2023-06-01", "2026-10-21")
FIELDS = (
    "max_tokens",
    "messages",
    "model",
    "cache_control",
    "container",
    "diagnostics",
    "inference_geo",
    "metadata",
    "output_config",
    "service_tier",
    "speed",
    "stop_sequences",
    "system",
    "thinking",
    "tool_choice",
    "tools",
    "stream",
    "temperature",
    "top_p",
    "top_k",
)
"""wire.md 1.2; the last three are judged by version and model."""
BETA_FIELDS = {
    "compaction": "compact-",
    "context_management": "",
    "fallbacks": "",
    "fallback_credit_token": "",
    "mcp_servers": "mcp-",
    "thread": "message-threads-",
    "billing_policy": "",
}
"""Fields only some beta header opens; the header's beginning where wire.md names one."""
VALUES = {"service_tier": ("auto", "standard_only"), "speed": ("standard", "fast")}
"""wire.md 1.2: what fields of few words may say."""
UPDATES_BETA = "thinking-display-updates-2026-08-18"
TOOL_FIELDS = (
    "name",
    "description",
    "input_schema",
    "strict",
    "defer_loading",
    "eager_input_streaming",
    "input_examples",
    "allowed_callers",
    "cache_control",
    "type",
)
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
SAMPLING_DEFAULTS = {"temperature": 1, "top_p": 0.99}


def check_headers(headers: Mapping[str, str]) -> None:
    version = headers.get("anthropic-version")
    require(version is not None, "anthropic-version: header is required")
    require(version in VERSIONS, f'anthropic-version: "{version}" is not a valid version')


def check_fields(body: JsonObject, headers: Mapping[str, str], *, counting: bool) -> None:
    """The top level (wire.md 1.1, 1.2). `counting` is the count_tokens endpoint."""
    beta = headers.get("anthropic-beta", "")
    opened = [name for name, start in BETA_FIELDS.items() if beta and start in beta]
    only(body, [*FIELDS, *opened], "")
    wanted = ("model", "messages") if counting else ("model", "max_tokens", "messages")
    for name in wanted:
        require(name in body, f"{name}: Field required")
    require(isinstance(body["model"], str), "model: Input should be a valid string")
    for name, known in VALUES.items():
        require(body.get(name, known[0]) in known, f"{name}: Input should be one of {known}")
    more = ("task_budget",) if beta else ()
    only(as_object(body.get("output_config")), ("effort", "format", *more), "output_config")
    if not counting:
        _check_max_tokens(body)
    _check_sampling(body, headers.get("anthropic-version", ""))
    _check_thinking(body, beta)
    _check_tool_choice(body)


def _check_max_tokens(body: JsonObject) -> None:
    value, model = body["max_tokens"], str(body["model"])
    whole = isinstance(value, int) and not isinstance(value, bool)
    require(whole, "max_tokens: Input should be a valid integer")
    require(value >= 0, "max_tokens: Input should be greater than or equal to 0")
    spec = find(model, "anthropic")
    most = spec.max_output if spec else None
    require(
        most is None or value <= most,
        f"max_tokens: {value} > {most}, which is the maximum allowed number of output tokens "
        f"for {model}",
    )


def _check_sampling(body: JsonObject, version: str) -> None:
    found = generation(str(body["model"]))
    new = found is not None and found.version >= NO_SAMPLING
    for name in ("temperature", "top_p", "top_k"):
        if name not in body:
            continue
        require(version != "2026-10-21", f"{name}: Extra inputs are not permitted")
        default = SAMPLING_DEFAULTS.get(name)
        require(
            not new or (default is not None and body[name] == default),
            f"`{name}` is not supported for this model",
        )


def _check_thinking(body: JsonObject, beta: str) -> None:
    """Which modes a model takes (wire.md 1.6)."""
    rule, mode, strength = thinking_rule(str(body["model"])), thinking_mode(body), effort(body)
    require(strength in EFFORTS, f"output_config.effort: Input should be one of {EFFORTS}")
    thinking = as_object(body.get("thinking"))
    if not thinking:
        return
    only(thinking, ("type", "budget_tokens", "display", "block_binding"), f"thinking.{mode}")
    require(mode in rule.takes, f'"thinking.type.{mode}" is not supported for this model.')
    require(
        mode not in rule.high_at_most or EFFORTS.index(strength) <= EFFORTS.index("high"),
        f'"thinking.type.{mode}" is only supported up to effort high',
    )
    display = thinking.get("display", "summarized")
    shown = ("summarized", "omitted", *(("updates",) if UPDATES_BETA in beta else ()))
    require(
        display in shown,
        f"thinking.{mode}.display: Input should be 'summarized' or 'omitted'",
    )
    if mode == "enabled":
        _check_budget(body, thinking.get("budget_tokens"))


def _check_budget(body: JsonObject, budget: Any) -> None:
    require(isinstance(budget, int), "thinking.enabled.budget_tokens: Field required")
    require(
        budget >= 1024,
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    )
    require(
        budget < body.get("max_tokens", budget + 1),
        "`max_tokens` must be greater than `thinking.budget_tokens`",
    )


def _check_tool_choice(body: JsonObject) -> None:
    choice = body.get("tool_choice")
    if choice is None:
        return
    require(bool(body.get("tools")), "tool_choice may only be specified while providing tools")
    kind = as_object(choice).get("type")
    require(kind in ("auto", "any", "tool", "none"), "tool_choice: Input tag is not valid")
    if kind not in ("any", "tool"):
        return
    found = generation(str(body["model"]))
    forced = "Thinking may not be enabled when tool_choice forces tool use."
    require(thinking_mode(body) != "enabled", forced)
    require(found is None or found.key != "sonnet-5-5", forced)


def check_tools(body: JsonObject) -> None:
    """Names, schemas, what may not be deferred (wire.md 1.2, 1.7)."""
    tools = objects(body.get("tools"))
    names: set[str] = set()
    for index, tool in enumerate(tools):
        where = f"tools.{index}.custom"
        custom = tool.get("type", "custom") in ("custom", None)
        if custom:
            only(tool, TOOL_FIELDS, where)
            _check_schema(tool, where)
        name = str(tool.get("name", ""))
        require(
            not custom or TOOL_NAME.fullmatch(name) is not None,
            f"{where}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'",
        )
        require(not name or name not in names, "tools: Tool names must be unique.")
        names.add(name)
        require(
            not (tool.get("defer_loading") and "cache_control" in tool),
            f"{where}: a tool with defer_loading can't have cache_control",
        )
    deferred = [tool for tool in tools if tool.get("defer_loading")]
    require(
        not tools or len(deferred) < len(tools), "tools: at least one tool must not be deferred"
    )


def _check_schema(tool: JsonObject, where: str) -> None:
    schema = tool.get("input_schema")
    require(schema is not None, f"{where}.input_schema: Field required")
    require(
        as_object(schema).get("type") == "object",
        f"{where}.input_schema.type: Input should be 'object'",
    )


def check_marks(body: JsonObject, blocks: Sequence[Block]) -> None:
    """At most four, on blocks that may carry one, the long-lived first (wire.md 1.12.2, .3, .8)."""
    marked = [block for block in blocks if block.value.get("cache_control") is not None]
    for block in marked:
        _check_mark(block)
    automatic = as_object(body.get("cache_control"))
    found = len(marked) + bool(automatic and _adds_mark(body, blocks))
    if found > MAX_MARKS:
        raise Refused(
            f"A maximum of {MAX_MARKS} blocks with cache_control may be provided. Found {found}."
        )
    short = False
    for block in marked:
        require(
            not (short and mark_of(block.value) == "1h"),
            f"{block.path}.cache_control.ttl: a ttl='1h' cache_control block must not come after a "
            "ttl='5m' cache_control block. Note that blocks are processed in the following order: "
            "`tools`, `system`, `messages`.",
        )
        short = short or mark_of(block.value) == "5m"
    require(
        not (short and automatic and mark_of(body) == "1h"),
        "cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' "
        "cache_control block.",
    )


def _check_mark(block: Block) -> None:
    where = f"{block.path}.cache_control"
    if block.is_thought:
        raise Refused(f"{block.path}.{block.kind}.cache_control: Extra inputs are not permitted")
    require(
        may_carry_mark(block),
        f"{block.path}: cache_control cannot be set for empty text blocks",
    )
    _check_control(block.value.get("cache_control"), where)


def _check_control(value: Any, where: str) -> None:
    control = as_object(value)
    require(control.get("type") == "ephemeral", f"{where}.type: Input should be 'ephemeral'")
    only(control, ("type", "ttl"), f"{where}.ephemeral")
    ttl = control.get("ttl", "5m")
    require(ttl in LIVES, f"{where}.ephemeral.ttl: Input should be '5m' or '1h'")


def _adds_mark(body: JsonObject, blocks: Sequence[Block]) -> bool:
    """Whether the top-level mark is one more; one already there must ask for the same life."""
    _check_control(body["cache_control"], "cache_control")
    spot = automatic_spot(blocks)
    if spot is None:
        return False
    there = mark_of(blocks[spot].value)
    require(
        there in ("", mark_of(body)),
        f"cache_control: {blocks[spot].path} has a cache_control with a different ttl",
    )
    return not there
