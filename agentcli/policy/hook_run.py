"""One hook: JSON on its standard input, its exit code and output understood."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from agentcli.lib.child import start
from agentcli.llm.types import JsonObject

if TYPE_CHECKING:
    from agentcli.policy.hooks import HookAnswer, HookSpec

LONGEST = 100_000
"""Bytes of a hook's output that are read."""


async def run_hook(
    spec: HookSpec, payload: JsonObject, *, env: Mapping[str, str], cwd: Path
) -> HookAnswer:
    """Exit 0: its output counts. Exit 2: block. Anything else is a failure and is shown."""
    argv = ["/bin/sh", "-c", spec.command] if isinstance(spec.command, str) else list(spec.command)
    try:
        code, out, err = await _run(argv, payload, env=env, cwd=cwd, timeout=spec.timeout)
    except TimeoutError:
        return failed(spec, f"no answer within {spec.timeout:g} s")
    except OSError as error:
        return failed(spec, error.strerror or str(error))
    if code == 2:
        from agentcli.policy.hooks import HookAnswer

        return HookAnswer("deny", err.strip() or out.strip() or f"{spec.shown} blocked it")
    if code != 0:
        return failed(spec, f"exit code {code}: {(err or out).strip()[:300]}")
    return understood(spec, out)


async def _run(
    argv: list[str], payload: JsonObject, *, env: Mapping[str, str], cwd: Path, timeout: float
) -> tuple[int, str, str]:
    """Exit code, output, error output. On time-out all it started is ended; else it may stay."""
    parts = {1: bytearray(), 2: bytearray()}
    child = await start(
        argv,
        cwd=cwd,
        env=env,
        on_data=lambda fd, data: parts[fd].extend(data[: LONGEST - len(parts[fd])]),
        stdin=True,
        merged=False,
    )
    try:
        child.write(json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace"))
        async with asyncio.timeout(timeout):
            code = await child.wait()
    except BaseException:
        await child.end()
        raise
    await child.drain()
    out, err = (part.decode("utf-8", "replace") for part in parts.values())
    return code, out, err


def failed(spec: HookSpec, why: str) -> HookAnswer:
    """A broken hook is always told; it blocks when its owner said so."""
    from agentcli.policy.hooks import HookAnswer, HookFailure

    blocks = spec.on_failure == "block"
    failure = HookFailure(spec.shown, why, blocks)
    if not blocks:
        return HookAnswer(failures=(failure,))
    return HookAnswer("deny", f"the hook {spec.shown} failed: {why}", failures=(failure,))


def understood(spec: HookSpec, out: str) -> HookAnswer:
    """The output of a hook that went well: JSON, or plain words."""
    from agentcli.policy.hooks import CONTEXT_EVENTS, HookAnswer

    text = out.strip()
    if not text.startswith("{"):
        return HookAnswer(context=text if spec.event in CONTEXT_EVENTS else "")
    try:
        data: Any = json.loads(text)
    except ValueError as error:
        return failed(spec, f"its output is not valid JSON: {error}")
    return _answer(cast("JsonObject", data))


def _answer(data: JsonObject) -> HookAnswer:
    from agentcli.policy.hooks import HookAnswer

    specific: JsonObject = data.get("hookSpecificOutput") or {}
    decision = specific.get("permissionDecision") or "none"
    reason = str(specific.get("permissionDecisionReason") or data.get("reason") or "")
    if data.get("decision") in ("block", "deny"):
        decision = "deny"
    elif data.get("decision") in ("approve", "allow"):
        decision = "allow"
    patch, output = specific.get("updatedInput"), specific.get("updatedToolOutput")
    message = data.get("systemMessage")
    return HookAnswer(
        decision=decision if decision in ("allow", "ask", "deny") else "none",
        reason=reason,
        context=str(specific.get("additionalContext") or ""),
        input_patch=cast("JsonObject", patch) if isinstance(patch, dict) else None,
        output_patch=output if output is None or isinstance(output, str) else json.dumps(output),
        stop=data.get("continue") is False,
        stop_reason=str(data.get("stopReason") or ""),
        system_messages=(str(message),) if message else (),
    )
