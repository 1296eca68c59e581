"""One tool call, from the model's words to its answer. The order of the steps is the policy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from agentcli.agent.events import (
    AgentEvent,
    Answer,
    Decided,
    PermissionQuestion,
    ToolEnd,
    ToolProgress,
    ToolStart,
)
from agentcli.lib.value import replace, value
from agentcli.llm.types import Image, Text, ToolCall, ToolOutput
from agentcli.policy.hooks import HookAnswer
from agentcli.policy.permissions import Decision, Verdict
from agentcli.tools.base import Action, Tool, ToolContext, ToolError, ToolResult, text_result
from agentcli.tools.output import tidy

INTERRUPTED = "Interrupted by the person before it finished."
HEARD = 4_000
"""Characters of an interrupted call's output that are kept."""
NOT_RUN = "Not run: the person interrupted."
REFUSED = "The person said no to this call."
PLAIN_NO = Decision("deny", REFUSED, "user")
"""A no without a comment: the turn ends, so that the person can say what they want instead."""


class ToolHooks(Protocol):
    """The person's hooks around a call; `agent/hooks.py` has the real one."""

    async def before(self, call: ToolCall) -> HookAnswer: ...

    async def on_question(self, question: PermissionQuestion) -> HookAnswer: ...

    async def after(self, call: ToolCall, result: ToolResult, seconds: float) -> HookAnswer: ...


class Gate(Protocol):
    """Who decides, who is asked, and who remembers "always"."""

    def decide(self, call: ToolCall, action: Action, hook: Verdict | None) -> Decision: ...

    async def ask(self, question: PermissionQuestion) -> Answer: ...

    def remember(self, rules: tuple[str, ...]) -> None: ...


@value
class Executor:
    """Runs calls; `mask` blanks known secrets in what the model and the session see."""

    find: Callable[[str], Tool]
    context: ToolContext
    gate: Gate
    hooks: ToolHooks
    emit: Callable[[AgentEvent], None]
    mask: Callable[[str], str] = lambda text: text
    clock: Callable[[], float] = time.monotonic

    async def execute_all(self, outputs: Outputs) -> None:
        """Run the calls that `outputs` waits for: reading ones together, others in order."""
        for batch in _batches(outputs.calls, self._is_read_only):
            if outputs.stop:
                break
            async with asyncio.TaskGroup() as group:
                for call in batch:
                    group.create_task(self._answer(call, outputs))

    def masked(self, content: tuple[Text | Image, ...]) -> tuple[Text | Image, ...]:
        """Content as the model and the session may have it."""
        return tuple(Text(self.mask(b.text)) if isinstance(b, Text) else b for b in content)

    def _is_read_only(self, call: ToolCall) -> bool:
        try:
            return self.find(call.name).read_only
        except ToolError:
            return True

    async def _answer(self, call: ToolCall, outputs: Outputs) -> None:
        try:
            result = await self._execute(call, outputs)
        except asyncio.CancelledError:
            result = text_result(outputs.so_far(call), is_error=True)
            self._end(call, result, outputs)
            raise
        except ToolError as error:
            result = text_result(str(error), is_error=True)
        except Exception as error:  # a broken tool must not end the session
            result = text_result(f"{call.name} failed: {error!r}", is_error=True)
            outputs.bugs.append(error)
        self._end(call, result, outputs)

    def _end(self, call: ToolCall, result: ToolResult, outputs: Outputs) -> None:
        result = replace(result, content=self.masked(result.content))
        outputs.add(call, result)
        now = self.clock()
        self.emit(ToolEnd(call, result, now - outputs.begun.get(call.id, now)))

    async def _execute(self, call: ToolCall, outputs: Outputs) -> ToolResult:
        if call.raw is not None:
            raise ToolError(
                f"The arguments of {call.name} are not a JSON object, so it was not run. "
                f"Received: {call.raw[:300]}"
            )
        tool = self.find(call.name)
        action = tool.action(self.context, call.input)
        hook = await self.hooks.before(call)
        outputs.note(hook)
        if hook.input_patch is not None:
            call = replace(call, input=hook.input_patch)
            action = tool.action(self.context, call.input)
        await self._permit(call, action, hook, outputs)
        self.emit(ToolStart(call, action))
        outputs.begun[call.id] = self.clock()

        def progress(text: str) -> None:
            outputs.hear(call, text)
            self.emit(ToolProgress(call.id, text))

        context = replace(self.context, progress=progress, call_id=call.id)
        return await self._run(tool, call, context, outputs)

    async def _run(
        self, tool: Tool, call: ToolCall, context: ToolContext, outputs: Outputs
    ) -> ToolResult:
        started = self.clock()
        try:
            result = await tool.run(context, call.input)
        except ToolError as error:
            result = text_result(str(error), is_error=True)
        after = await self.hooks.after(call, result, self.clock() - started)
        outputs.note(after)
        if after.output_patch is not None:
            result = replace(result, content=(Text(after.output_patch),))
        if after.decision == "deny":
            objection = Text(f"A hook objects: {after.reason}")
            result = replace(result, content=(*result.content, objection), is_error=True)
        return result

    async def _permit(
        self, call: ToolCall, action: Action, hook: HookAnswer, outputs: Outputs
    ) -> None:
        """Return when the call may run; raise ToolError when not. A plain no ends the turn."""
        said = None if hook.decision == "none" else hook.decision
        decision = self.gate.decide(call, action, said)
        if hook.decision == "deny":
            decision = Decision("deny", hook.reason, "hook")
        if decision.verdict == "ask":
            decision = await self._question(call, action, decision)
        self.emit(Decided(call, decision))
        outputs.stop = outputs.stop or decision is PLAIN_NO
        if decision.verdict == "deny":
            raise ToolError(f"Not allowed: {decision.reason}")

    async def _question(self, call: ToolCall, action: Action, asked: Decision) -> Decision:
        question = PermissionQuestion(call, action, asked.reason, asked.rules)
        hook = await self.hooks.on_question(question)
        if hook.decision in ("allow", "deny"):
            return Decision(hook.decision, hook.reason or "a hook answered", "hook")
        answer = await self.gate.ask(question)
        if answer.verdict == "always":
            self.gate.remember(asked.rules)
        if answer.verdict != "no":
            return Decision("allow", answer.text or "the person agreed", "user")
        if not answer.text:
            return PLAIN_NO
        return Decision("deny", f"{REFUSED} They say: {answer.text}", "user")


class Outputs:
    """The answers to one reply's calls as they come in; what is missing is filled in at the end."""

    def __init__(self, calls: tuple[ToolCall, ...]) -> None:
        self.calls = calls
        self._results: dict[str, ToolResult] = {}
        self._heard: dict[str, str] = {}
        self.begun: dict[str, float] = {}
        """When a call was allowed and started, on the executor's clock."""
        self.contexts: list[str] = []
        self.bugs: list[Exception] = []
        self.stop = False

    def add(self, call: ToolCall, result: ToolResult) -> None:
        self._results[call.id] = result
        self.stop = self.stop or result.stop_turn

    def hear(self, call: ToolCall, text: str) -> None:
        """What a call prints while it runs; its last words are kept."""
        self._heard[call.id] = (self._heard.get(call.id, "") + text)[-HEARD:]

    def so_far(self, call: ToolCall) -> str:
        """The answer of a call that is interrupted."""
        heard = tidy(self._heard.get(call.id, "")).strip("\n")
        return f"{INTERRUPTED} The last of its output:\n{heard}" if heard else INTERRUPTED

    def note(self, hook: HookAnswer) -> None:
        if hook.context:
            self.contexts.append(hook.context)
        self.stop = self.stop or hook.stop

    def blocks(self) -> tuple[ToolOutput, ...]:
        """One output a call, in the order of the calls."""
        return tuple(self._block(call) for call in self.calls)

    def _block(self, call: ToolCall) -> ToolOutput:
        result = self._results.get(call.id)
        if result is not None:
            return ToolOutput(call.id, result.content, result.is_error)
        return ToolOutput(call.id, (Text(NOT_RUN),), is_error=True)


def _batches(
    calls: tuple[ToolCall, ...], is_read_only: Callable[[ToolCall], bool]
) -> list[list[ToolCall]]:
    """Neighbouring read-only calls together, every other call alone."""
    batches: list[list[ToolCall]] = []
    open_batch = False
    for call in calls:
        reading = is_read_only(call)
        if reading and open_batch:
            batches[-1].append(call)
        else:
            batches.append([call])
        open_batch = reading
    return batches
