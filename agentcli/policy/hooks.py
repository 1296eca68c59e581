"""Hooks: the person's own programs around what happens; answers folded into one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

from agentcli.lib.errors import UserError
from agentcli.lib.value import replace, value
from agentcli.llm.types import JsonObject, ToolCall
from agentcli.policy.hook_run import run_hook
from agentcli.policy.secrets import scrub_env

EVENTS = (
    *("SessionStart", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse"),
    *("PostToolUseFailure", "Stop", "SubagentStop", "PreCompact", "PostCompact", "Notification"),
    *("SubagentStart", "SessionEnd"),
)
CONTEXT_EVENTS = frozenset({"SessionStart", "UserPromptSubmit"})
"""Events on which plain output becomes context for the model."""
TIMEOUT = 60.0
KEYS = frozenset({"matcher", "command", "timeout", "on_failure", "if", "type"})
_NAMES = re.compile(r"[\w\-,| ]*")

HookDecision = Literal["none", "allow", "ask", "deny"]


@value
class HookSpec:
    event: str
    command: str | tuple[str, ...]
    """A string goes to `sh -c`, a list runs as it is."""
    matcher: str = ""
    timeout: float = TIMEOUT
    on_failure: Literal["block", "warn"] = "warn"
    condition: str = ""
    """A permission rule the call must match."""

    @property
    def shown(self) -> str:
        return self.command if isinstance(self.command, str) else " ".join(self.command)


@value
class HookFailure:
    command: str
    why: str
    blocked: bool


@value
class HookAnswer:
    decision: HookDecision = "none"
    reason: str = ""
    context: str = ""
    input_patch: JsonObject | None = None
    output_patch: str | None = None
    stop: bool = False
    stop_reason: str = ""
    system_messages: tuple[str, ...] = ()
    failures: tuple[HookFailure, ...] = ()


NOTHING = HookAnswer()


def hook_spec(event: str, table: JsonObject, path: Path) -> HookSpec:
    """One `[[hooks.EVENT]]` table; raises UserError naming file and key."""
    where = f"{path}: hooks.{event}"
    if event not in EVENTS:
        raise UserError(f"{where}: no such event; there are {', '.join(EVENTS)}.")
    unknown = set(table) - KEYS
    if unknown:
        raise UserError(f"{where}: unknown key {sorted(unknown)[0]}.")
    command = table.get("command")
    if isinstance(command, list) and command:
        command = tuple(map(str, cast("list[Any]", command)))
    elif not isinstance(command, str) or not command.strip():
        raise UserError(f"{where}: command must be a string or a list of strings.")
    failure = table.get("on_failure", "warn")
    if failure not in ("block", "warn"):
        raise UserError(f"{where}: on_failure is block or warn.")
    timeout = table.get("timeout", TIMEOUT)
    if not isinstance(timeout, int | float) or timeout <= 0:
        raise UserError(f"{where}: timeout is a number of seconds.")
    return HookSpec(
        event, command, str(table.get("matcher", "")), float(timeout), failure, table.get("if", "")
    )


def matches(spec: HookSpec, event: str, subject: str) -> bool:
    """Whether a hook is meant for this event and tool (or source, trigger, …)."""
    if spec.event != event:
        return False
    if spec.matcher in ("", "*"):
        return True
    if _NAMES.fullmatch(spec.matcher):
        return subject in {name.strip() for name in re.split(r"[|,]", spec.matcher)}
    try:
        return bool(re.fullmatch(spec.matcher, subject))
    except re.error:
        return False


class Hooks:
    """Fires the hooks of one session. Costs nothing when none are configured."""

    def __init__(
        self,
        specs: Sequence[HookSpec],
        *,
        facts: Callable[[], JsonObject],
        env: Mapping[str, str],
        cwd: Path,
        applies: Callable[[str, ToolCall], bool] = lambda rule, call: True,
    ) -> None:
        self.specs = tuple(specs)
        self._facts = facts
        self._env = env
        self._cwd = cwd
        self._applies = applies

    async def fire(self, event: str, **fields: Any) -> HookAnswer:
        """Run all hooks of an event at once and fold their answers."""
        chosen = [spec for spec in self.specs if self._chosen(spec, event, fields)]
        if not chosen:
            return NOTHING
        payload = {**self._facts(), "hook_event_name": event, **fields}
        env = hook_env(self._env, self._cwd, str(payload.get("session_id", "")))
        runs = (run_hook(spec, payload, env=env, cwd=self._cwd) for spec in chosen)
        return aggregate(await asyncio.gather(*runs))

    def _chosen(self, spec: HookSpec, event: str, fields: JsonObject) -> bool:
        names = ("tool_name", "source", "trigger", "agent_type")
        subject = next((str(fields[name]) for name in names if name in fields), "")
        if not matches(spec, event, subject):
            return False
        if not spec.condition or "tool_name" not in fields:
            return True
        call = ToolCall(fields.get("tool_use_id", ""), subject, fields.get("tool_input", {}))
        return self._applies(spec.condition, call)


def hook_env(env: Mapping[str, str], cwd: Path, session: str) -> dict[str, str]:
    """What a hook's environment holds: no secrets, and where it is."""
    return scrub_env(env) | {
        "AGENT_PROJECT_DIR": str(cwd),
        "CLAUDE_PROJECT_DIR": str(cwd),
        "AGENT_SESSION_ID": session,
    }


def aggregate(answers: Sequence[HookAnswer]) -> HookAnswer:
    """deny > ask > allow; stop is sticky; two new inputs for one call block it."""
    order: tuple[HookDecision, ...] = ("deny", "ask", "allow", "none")
    decision: HookDecision = next(d for d in order if any(a.decision == d for a in answers))
    reasons = [a.reason for a in answers if a.decision == decision and a.reason]
    patches = [a.input_patch for a in answers if a.input_patch is not None]
    folded = HookAnswer(
        decision=decision,
        reason="; ".join(reasons),
        context="\n".join(a.context for a in answers if a.context),
        input_patch=patches[0] if patches else None,
        output_patch=next((a.output_patch for a in answers if a.output_patch is not None), None),
        stop=any(a.stop for a in answers),
        stop_reason=next((a.stop_reason for a in answers if a.stop_reason), ""),
        system_messages=tuple(m for a in answers for m in a.system_messages),
        failures=tuple(f for a in answers for f in a.failures),
    )
    if len(patches) > 1:
        why = "two hooks replaced the input of one call"
        return replace(folded, decision="deny", reason=why, input_patch=None)
    return folded
