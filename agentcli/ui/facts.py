"""What a headless run adds up from events: the numbers of the last line, whatever the format."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from agentcli.agent.events import (
    AgentEvent,
    Decided,
    Notice,
    OfSubagent,
    Replied,
    Streamed,
    ToolEnd,
    ToolStart,
    TurnEnd,
    TurnReason,
    TurnStart,
)
from agentcli.llm.types import JsonObject, TextDelta, ThinkingDelta, ToolCallDelta, Usage
from agentcli.session.ledger import Account, Ledger

SUBTYPES: dict[TurnReason, str] = {
    "done": "success",
    "limit": "error_max_turns",
    "budget": "error_max_cost",
    "deadline": "error_deadline",
    "error": "error_api",
    "interrupted": "error_interrupted",
    "stopped": "error_during_execution",
}
EXITS: dict[TurnReason, int] = {
    "done": 0,
    "limit": 3,
    "budget": 3,
    "deadline": 3,
    "error": 1,
    "interrupted": 130,
    "stopped": 1,
}


@dataclass(slots=True)
class Facts:
    """Counts one run. `started` and all times are seconds of `clock`."""

    clock: Callable[[], float] = time.monotonic
    started: float = 0.0
    waiting_since: float = 0.0
    api_seconds: float = 0.0
    first_token: float | None = None
    text: str = ""
    steps: int = 0
    denials: list[JsonObject] = field(default_factory=list[JsonObject])
    errors: list[str] = field(default_factory=list[str])
    changed: bool = False
    """Whether anything but reading was done."""
    reason: TurnReason = "done"

    def note(self, event: AgentEvent) -> None:
        match event:
            case OfSubagent(_, _, ToolStart() | Decided() as inner):
                self.note(inner)
            case TurnStart() | ToolEnd():
                self.waiting_since = self.clock()
            case Streamed(TextDelta() | ThinkingDelta() | ToolCallDelta()) if (
                self.first_token is None
            ):
                self.first_token = self.clock()
            case Replied(message):
                self.api_seconds += self.clock() - self.waiting_since
                self.text = message.text or self.text
            case ToolStart(call, action):
                self.changed = self.changed or not (action.kind == "read" or call.name == "Task")
            case Decided(call, decision) if decision.verdict == "deny":
                denial = {"tool_name": call.name, "tool_use_id": call.id, "tool_input": call.input}
                self.denials.append(denial | {"reason": decision.reason})
            case Notice("error", text):
                self.errors.append(text)
            case TurnEnd():
                self.steps += event.steps
                self.reason = event.reason
            case _:
                pass

    def exit_code(self) -> int:
        """0 done, 1 failed, 3 limit, 4 denied and nothing done, 130 interrupted."""
        if self.reason == "done" and self.denials and not self.changed:
            return 4
        return EXITS[self.reason]

    def result(self, session_id: str, ledger: Ledger) -> JsonObject:
        """The last line of json and stream-json output."""
        total = ledger.total()
        failed = self.reason != "done"
        first = None if self.first_token is None else _ms(self.first_token - self.started)
        return {
            "type": "result",
            "subtype": SUBTYPES[self.reason],
            "is_error": failed,
            "result": self.text,
            "session_id": session_id,
            "num_turns": self.steps,
            "duration_ms": _ms(self.clock() - self.started),
            "duration_api_ms": _ms(self.api_seconds),
            "time_to_first_token_ms": first,
            "total_cost_usd": _dollars(total),
            "saved_by_cache_usd": None if total.unpriced else float(total.cost.saved),
            "usage": usage_json(total.usage),
            "model_usage": {
                name: usage_json(account.usage)
                | {"requests": account.requests, "cost_usd": _dollars(account)}
                for name, account in ledger.accounts.items()
            },
            "permission_denials": self.denials,
            "errors": self.errors,
        }


def usage_json(usage: Usage) -> JsonObject:
    """Usage in the words headless users already parse."""
    return {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
    }


def _dollars(account: Account) -> float | None:
    """None as soon as one request's price is unknown: a part is not the whole."""
    return None if account.unpriced else float(account.cost.total)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
