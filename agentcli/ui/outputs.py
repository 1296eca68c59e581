"""How a headless run is written: text, one JSON object, or a JSON object a line."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Protocol

from agentcli.agent.events import (
    AgentEvent,
    Compacted,
    Decided,
    Discarded,
    HookFailed,
    Notice,
    OfSubagent,
    Replied,
    Retrying,
    Spent,
    Streamed,
    ToolEnd,
    ToolStart,
    TurnEnd,
)
from agentcli.app.app import App
from agentcli.app.options import Options
from agentcli.lib.streams import put
from agentcli.lib.text import visible
from agentcli.llm.surrogates import well_formed
from agentcli.llm.types import (
    AssistantMessage,
    BlockEnd,
    Finished,
    Image,
    JsonObject,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
)
from agentcli.session.ledger import Ledger
from agentcli.ui.facts import Facts, usage_json
from agentcli.ui.status_line import context_facts, turn_line
from agentcli.ui.structured import structured


class Output(Protocol):
    def begin(self, app: App) -> None: ...

    def show(self, event: AgentEvent) -> None: ...

    def end(self, app: App, facts: Facts) -> int:
        """Write the end; returns an exit code that overrules the run's, or 0."""
        ...

    def failed(self, error: str, facts: Facts) -> None:
        """The run could not begin."""
        ...


def make_output(options: Options) -> Output:
    if options.output_format == "text":
        return TextOutput(options.verbose or sys.stderr.isatty())
    return JsonOutput(options, stream=options.output_format == "stream-json")


class TextOutput:
    """The final answer on standard output; what happens on standard error, if someone watches."""

    def __init__(self, watched: bool) -> None:
        self._watched = watched
        self._spent: Spent | None = None

    def begin(self, app: App) -> None:
        pass

    def show(self, event: AgentEvent) -> None:
        line = _progress(event, self._watched)
        if isinstance(event, Spent):
            self._spent = event
        elif isinstance(event, TurnEnd) and self._watched and self._spent is not None:
            line = turn_line(event, context_facts(self._spent), now=time.time())
        if line:
            sys.stderr.write(visible(line) + "\n")

    def end(self, app: App, facts: Facts) -> int:
        if facts.text:
            put(well_formed(facts.text).rstrip("\n") + "\n")
        return 0

    def failed(self, error: str, facts: Facts) -> None:
        pass


def _progress(event: AgentEvent, watched: bool) -> str:
    """One line for standard error; trouble is told even when nobody watches."""
    match event:
        case OfSubagent(_, agent, inner):
            words = _progress(inner, watched=False)
            return words and f"agent: {agent}: {words.removeprefix('agent: ')}"
        case Notice(level, text) if watched or level != "info":
            return f"agent: {text}"
        case HookFailed(name, command, why):
            return f"agent: hook {name} ({command}) failed: {why}"
        case Retrying(_, 0.0, why):
            return f"agent: {why}"
        case Retrying(attempt, delay, why):
            return f"agent: {why}; retry {attempt} in {delay:.1f} s"
        case Decided(call, decision) if decision.verdict == "deny":
            return f"agent: {call.name} was not allowed: {decision.reason}"
        case Spent() if watched and event.miss:
            return f"agent: {event.miss}"
        case ToolStart(call, action) if watched:
            return f"• {call.name} {action.target}"[:200]
        case _:
            return ""


class JsonOutput:
    """`json` prints the result only; `stream-json` prints every message as it happens."""

    def __init__(self, options: Options, *, stream: bool) -> None:
        self._stream = stream
        self._partial = options.include_partial_messages
        self._schema = options.json_schema is not None
        self._session = options.session_id or ""
        self._replies = 0

    def begin(self, app: App) -> None:
        self._session = app.talk.id
        if not self._stream:
            return
        self._write(
            {
                "type": "system",
                "subtype": "init",
                "session_id": self._session,
                "cwd": str(app.root),
                "model": app.model,
                "tools": [tool.name for tool in app.engine().frames.now().tools],
                "mcp_servers": app.remote.states(),
                "permission_mode": app.mode,
                "version": app.version,
            }
        )

    def show(self, event: AgentEvent) -> None:
        if not self._stream:
            line = _progress(event, watched=False)
            if line:
                sys.stderr.write(visible(line) + "\n")
            return
        data = event_json(event, self._partial)
        if data is not None and data["type"] == "assistant":
            self._replies += 1
            data["message"] = {"id": f"msg_{self._session}_{self._replies}"} | data["message"]
        if data is not None:
            self._write(data | {"session_id": self._session})

    def end(self, app: App, facts: Facts) -> int:
        result = facts.result(app.talk.id, app.talk.ledger)
        code = 0
        if self._schema and facts.reason == "done":
            value, problem = structured(facts.text, app.options.json_schema)
            result["structured_output"] = value
            if problem:
                failure = {"subtype": "error_during_execution", "is_error": True}
                result |= failure | {"errors": [*facts.errors, problem]}
                code = 1
        self._write(result)
        return code

    def failed(self, error: str, facts: Facts) -> None:
        facts.errors.append(error)
        result = facts.result(self._session, Ledger())
        self._write(result | {"subtype": "error_during_execution", "is_error": True})

    def _write(self, data: JsonObject) -> None:
        line = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        put(line.encode("utf-8", "replace").decode() + "\n")


def event_json(event: AgentEvent, partial: bool) -> JsonObject | None:
    """An event as a line of stream-json, or None for those that have none."""
    match event:
        case OfSubagent(call_id, _, inner):
            data = event_json(inner, partial)
            return data and data | {"parent_tool_use_id": call_id}
        case Replied(message):
            return {"type": "assistant", "message": message_json(message)}
        case ToolEnd(call, result):
            block = {
                "type": "tool_result",
                "tool_use_id": call.id,
                "content": [_block_json(part) for part in result.content],
                "is_error": result.is_error,
            }
            return {"type": "user", "message": {"role": "user", "content": [block]}}
        case Streamed(delta) if partial:
            return {"type": "stream_event", "event": delta_json(delta)}
        case Discarded(why) if partial:
            return {"type": "stream_event", "event": {"type": "message_discarded", "reason": why}}
        case Retrying(attempt, delay, why):
            return _system("api_retry", attempt=attempt, delay_ms=round(delay * 1000), error=why)
        case HookFailed(name, command, why, blocked):
            return _system("hook_failed", event=name, command=command, error=why, blocked=blocked)
        case Compacted(before, after):
            cost = float(event.cost.total) if event.cost else None
            sizes = {"tokens_before": before, "tokens_after": after}
            return _system(
                "compact_boundary", **sizes, cost_usd=cost, pays_after_steps=event.pays_after
            )
        case Decided(call, decision) if decision.verdict == "deny":
            words = {"tool_name": call.name, "tool_use_id": call.id, "reason": decision.reason}
            return _system("permission_denied", **words)
        case Spent() if event.miss:
            return _system("cache_miss", model=event.model, reason=event.miss)
        case Notice(level, text):
            return _system("notice", level=level, text=text)
        case _:
            return None


def _system(subtype: str, **fields: Any) -> JsonObject:
    return {"type": "system", "subtype": subtype, **fields}


def message_json(message: AssistantMessage) -> JsonObject:
    return {
        "model": message.model,
        "role": "assistant",
        "content": [_block_json(block) for block in message.content],
        "stop_reason": message.stop,
        "usage": usage_json(message.usage) if message.usage is not None else None,
    }


def _block_json(block: Text | Thinking | ToolCall | Image) -> JsonObject:
    match block:
        case Text(text):
            return {"type": "text", "text": text}
        case Thinking(text):
            return {"type": "thinking", "thinking": text}
        case ToolCall(id, name, arguments):
            return {"type": "tool_use", "id": id, "name": name, "input": arguments}
        case Image(media_type, data):
            source = {"type": "base64", "media_type": media_type, "data": data}
            return {"type": "image", "source": source}


def delta_json(
    delta: TextDelta | ThinkingDelta | ToolCallDelta | BlockEnd | Finished,
) -> JsonObject:
    match delta:
        case TextDelta(text):
            return {"type": "text_delta", "text": text}
        case ThinkingDelta(text):
            return {"type": "thinking_delta", "thinking": text}
        case ToolCallDelta(id, name, piece):
            return {"type": "input_json_delta", "id": id, "name": name, "partial_json": piece}
        case BlockEnd():
            return {"type": "block_stop"}
        case Finished(stop):
            return {"type": "message_stop", "stop_reason": stop}
