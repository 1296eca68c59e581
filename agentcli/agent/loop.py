"""One turn: ask the model, do what it asks, until it stops asking."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from random import random
from typing import TYPE_CHECKING, Protocol

from agentcli.agent.events import (
    AgentEvent,
    Discarded,
    Notice,
    Queued,
    Replied,
    Retrying,
    Streamed,
    TurnReason,
)
from agentcli.agent.transcript import Transcript
from agentcli.lib.value import replace, value
from agentcli.llm.budget import OverBudget
from agentcli.llm.errors import ContextOverflow, LLMError
from agentcli.llm.retry import next_delay
from agentcli.llm.types import (
    AssistantMessage,
    Effort,
    JsonObject,
    Request,
    Text,
    ToolCall,
    ToolSpec,
    UserMessage,
)

if TYPE_CHECKING:
    from agentcli.llm.client import Retry
    from agentcli.llm.stream import Reply

MAX_REASKS = 3
"""How often a reply that broke off in the middle is asked again (wire.md 0.3)."""
MAX_CUTS = 3
"""How often in a row a reply cut by its length limit is continued."""
MAX_PAUSES = 10
"""How often in a row a reply that paused is asked to go on."""

CUT_TEXT = "Your reply was cut at the output limit; go on from there."
FULL_TEXT = "The context window was full, so your reply was cut; go on with it."
CUT_CALL = (
    "Your reply was cut at the output limit inside a tool call, so the call was not run. "
    "Make it again in smaller pieces."
)


class Client(Protocol):
    """What the loop needs of `llm/client.Client`; `llm/testing.Scripted` is another one."""

    def stream(
        self, request: Request, *, on_retry: Callable[[Retry], None] = ...
    ) -> AbstractAsyncContextManager[Reply]: ...


class Steps(Protocol):
    """What happens around the steps of a turn; `agent/agent.py` has the real one."""

    def emit(self, event: AgentEvent) -> None: ...

    async def before(self) -> TurnReason | None:
        """Before each request: compact, check limits. A reason ends the turn here."""
        ...

    async def make_room(self) -> bool:
        """The request was too long: shorten the conversation, and say whether to ask again."""
        ...

    def unsent(self, why: OverBudget) -> TurnReason:
        """No budget holds the request that `before` announced."""
        ...

    def billed(self, message: AssistantMessage) -> None: ...

    async def run_tools(self, message: AssistantMessage) -> bool:
        """Run the reply's calls and append their outputs; True ends the turn."""
        ...

    def take_queued(self) -> tuple[str, ...]: ...

    async def at_end(self, message: AssistantMessage) -> str:
        """The model stopped: a non-empty text sends it back to work (a Stop hook)."""
        ...


@value
class Frame:
    """What stays the same in every request of an epoch."""

    model: str
    system: tuple[str, ...]
    tools: tuple[ToolSpec, ...]
    session: str
    effort: Effort | None = None
    max_output: int | None = None
    output_schema: JsonObject | None = None
    cache_key: str = ""
    parent: str = ""
    """The session that this one, a subagent's, shares its head with."""

    def request(self, transcript: Transcript) -> Request:
        return Request(
            model=self.model,
            system=self.system,
            tools=self.tools,
            messages=transcript.messages,
            max_output=self.max_output,
            effort=self.effort,
            session=self.session,
            output_schema=self.output_schema,
            cache_key=self.cache_key,
            parent=self.parent,
        )


async def run_turn(
    frame: Callable[[], Frame],
    transcript: Transcript,
    client: Client,
    steps: Steps,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> TurnReason:
    """Steps until the model is done, something says stop, or an LLMError is raised."""
    cuts = pauses = 0
    full = False
    while True:
        reason = await steps.before()
        if reason is not None:
            return reason
        try:
            message = await _fitting_reply(frame, transcript, client, steps, sleep)
        except OverBudget as why:
            return steps.unsent(why)
        steps.billed(message)
        if message.tool_calls:
            if await steps.run_tools(message):
                return "stopped"
            cuts = pauses = 0
        elif message.stop == "pause" and pauses < MAX_PAUSES:
            pauses += 1
        elif message.stop == "max_tokens" and cuts < MAX_CUTS:
            cuts += 1
            transcript.append(_reminder(CUT_CALL if _has_cut_call(message) else CUT_TEXT))
        elif message.stop == "context_full" and not full:
            full = True
            transcript.append(_reminder(FULL_TEXT))
            if not await steps.make_room():
                return _ending(message, steps)
        elif not _deliver(transcript, steps):
            again = await steps.at_end(message)
            if not again:
                return _ending(message, steps)
            transcript.append(UserMessage((Text(again),), "hook"))
        _deliver(transcript, steps)


async def _fitting_reply(
    frame: Callable[[], Frame],
    transcript: Transcript,
    client: Client,
    steps: Steps,
    sleep: Callable[[float], Awaitable[None]],
) -> AssistantMessage:
    """A reply; when the request proves too long, to one that is shorter."""
    try:
        return await _reply(frame().request(transcript), transcript, client, steps, sleep)
    except ContextOverflow:
        if not await steps.make_room():
            raise
    return await _reply(frame().request(transcript), transcript, client, steps, sleep)


async def _reply(
    request: Request,
    transcript: Transcript,
    client: Client,
    steps: Steps,
    sleep: Callable[[float], Awaitable[None]],
) -> AssistantMessage:
    """One reply, kept whole or as far as it came; asked again when it breaks off."""
    for attempt in range(1, MAX_REASKS + 2):
        reply = None
        try:
            async with client.stream(request, on_retry=_announce(steps)) as reply:
                async for delta in reply:
                    steps.emit(Streamed(delta))
            message = reply.message
            _keep(message, transcript, steps)
            return message
        except LLMError as error:
            if reply is None or not _has_begun(reply.message):
                raise
            delay = _pause(error, attempt) if reply.message.content else None
            if delay is None:
                _keep_partial(reply, transcript, steps)
                raise
            steps.billed(reply.message)
            why = f"{error}; {error.elsewhere}" if error.elsewhere else str(error)
            steps.emit(Discarded(str(error)))
            steps.emit(Retrying(attempt, delay, why))
            await sleep(delay)
        except asyncio.CancelledError:
            _keep_partial(reply, transcript, steps)
            raise
    raise AssertionError("the last attempt returns or raises")


def _pause(error: LLMError, attempt: int) -> float | None:
    """Seconds until a reply that broke off is asked for again; None when it is not."""
    if error.elsewhere and attempt <= MAX_REASKS:
        return 0.0
    return next_delay(error, attempt, rng=random, attempts=MAX_REASKS + 1)


def _announce(steps: Steps) -> Callable[[Retry], None]:
    return lambda retry: steps.emit(Retrying(retry.attempt, retry.delay, retry.why))


def _keep(message: AssistantMessage, transcript: Transcript, steps: Steps) -> None:
    if message.content or (message.native and message.native.blocks):
        transcript.append(message)
    steps.emit(Replied(message))


def _keep_partial(reply: Reply | None, transcript: Transcript, steps: Steps) -> None:
    """What the person saw stays in the conversation, although nobody finished it."""
    if reply is None:
        return
    message = reply.message
    steps.billed(message)
    if message.tool_calls:  # the last word came, but nobody is left to run them
        message = replace(message, stop="interrupted", native=None)
    if message.text.strip():
        _keep(message, transcript, steps)


def _has_begun(message: AssistantMessage) -> bool:
    """Whether anything came of it; a refused request is neither kept nor billed."""
    return bool(message.content) or message.usage is not None


def _has_cut_call(message: AssistantMessage) -> bool:
    return any(isinstance(block, ToolCall) for block in message.content)


def _reminder(text: str) -> UserMessage:
    return UserMessage((Text(text),), "reminder")


def _deliver(transcript: Transcript, steps: Steps) -> bool:
    """Hand over what was typed meanwhile."""
    queued = steps.take_queued()
    for text in queued:
        transcript.append(UserMessage((Text(text),), "human"))
        steps.emit(Queued(text))
    return bool(queued)


def _ending(message: AssistantMessage, steps: Steps) -> TurnReason:
    match message.stop:
        case "refusal":
            steps.emit(Notice("warning", "The model declined to answer this."))
        case "context_full":
            steps.emit(Notice("warning", "The context window is full; use /compact to go on."))
        case "max_tokens":
            steps.emit(Notice("warning", "The reply reached the output limit again and again."))
            return "limit"
        case "pause":
            steps.emit(Notice("warning", "The model paused again and again."))
            return "limit"
        case _:
            pass
    return "done"
