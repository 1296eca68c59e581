"""The library: one call for any model, with a typed result, what it used and what it cost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias, TypedDict, TypeVar, Unpack, get_args

from agentcli.lib.errors import UserError
from agentcli.lib.thread_loop import ThreadLoop
from agentcli.lib.value import value
from agentcli.llm.cache import NO_PLAN, CachePlan, plan
from agentcli.llm.client import Client, Retry
from agentcli.llm.cost import Cost, price
from agentcli.llm.errors import ConnectionFailed, LLMError
from agentcli.llm.http import Http
from agentcli.llm.providers import Provider, Quirks, Route, resolve, rows
from agentcli.llm.stream import Reply
from agentcli.llm.types import (
    AssistantMessage,
    Delta,
    Effort,
    Image,
    JsonObject,
    Message,
    Request,
    Stop,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    ToolOutput,
    ToolSpec,
    Usage,
    UserMessage,
)

__all__ = [
    "AssistantMessage",
    "AsyncStream",
    "Cost",
    "Image",
    "LLMError",
    "Options",
    "Prompt",
    "Provider",
    "Quirks",
    "Result",
    "Stream",
    "Text",
    "TextDelta",
    "ThinkingDelta",
    "ToolCall",
    "ToolCallDelta",
    "ToolOutput",
    "ToolSpec",
    "Usage",
    "UserError",
    "UserMessage",
    "acomplete",
    "astream",
    "complete",
    "stream",
]

T = TypeVar("T")
Said: TypeAlias = "str | Text | Image | ToolOutput | Message"
Prompt: TypeAlias = "str | Sequence[Said]"
"""The user's words, or a talk: words, pictures and outputs of tools, and earlier answers."""

PARTS = (
    "A prompt is a string, or a list of strings, Image, ToolOutput and messages: what another "
    "library calls {'role': 'user', 'content': …} is a string here"
)


class Options(TypedDict, total=False):
    """What a call takes besides the model and the prompt; all of it optional."""

    system: str | Sequence[str]
    """What stands before the talk; parts that change rarely come first."""
    tools: Sequence[ToolSpec]
    effort: Effort | None
    """How hard to think; a model that lacks the level gets its nearest, or none."""
    max_output: int | None
    """Tokens of the answer, thinking included."""
    output_schema: JsonObject | None
    """A JSON schema the answer must follow, at vendors that can promise it."""
    session: str
    """The same for all calls of one talk: the cache key of vendors that route by one."""
    cache: bool
    """False for a prompt that is never sent again: marked ones cost more to write."""
    env: Mapping[str, str] | None
    """Where keys and base URLs are looked up; the process's environment if None."""
    keys: Mapping[str, str]
    """Keys by provider, over those of the environment: `{"anthropic": "sk-…"}`."""
    providers: Sequence[Provider]
    """Endpoints of your own; named as in `mycorp/model-name`."""
    timeout: float | None
    """Seconds for the whole call; without one, only silence ends it."""


@value
class Result:
    """One answer: its message, the provider that gave it, and the bill."""

    message: AssistantMessage
    """Put it into the next prompt to go on with the talk; it keeps signatures."""
    provider: str
    bill: Cost | None
    """The cost by class of tokens; None when usage or price is unknown."""

    @property
    def text(self) -> str:
        return self.message.text

    @property
    def thinking(self) -> str:
        """The reasoning a person may see; some vendors show a summary, some nothing."""
        content = self.message.content
        return "".join(block.text for block in content if isinstance(block, Thinking))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls that may run: none of an answer that was cut short."""
        return self.message.tool_calls

    @property
    def model(self) -> str:
        return self.message.model

    @property
    def stop(self) -> Stop:
        return self.message.stop

    @property
    def usage(self) -> Usage | None:
        """Tokens; None when the provider reported nothing."""
        return self.message.usage

    @property
    def cost(self) -> Decimal | None:
        """USD; None when it is unknown, which is not zero."""
        return None if self.bill is None else self.bill.total

    @property
    def cost_is_exact(self) -> bool:
        """Whether the provider itself stated the cost; otherwise it is tokens times prices."""
        return self.bill is not None and self.bill.exact


class AsyncStream:
    """An answer as it comes: iterate its deltas or its `texts`; `result` is what came so far."""

    def __init__(
        self, reply: Reply, route: Route, until: float | None, failed: Sequence[Retry] = ()
    ) -> None:
        self._reply = reply
        self._route = route
        self._failed = failed
        self._deltas = aiter(reply)
        self._until = until
        self._at = datetime.now(UTC)

    def __aiter__(self) -> AsyncIterator[Delta]:
        return self

    async def __anext__(self) -> Delta:
        try:
            async with asyncio.timeout_at(self._until):
                return await anext(self._deltas)
        except TimeoutError:
            last = f"; the last try: {self._failed[-1].error.message}" if self._failed else ""
            raise ConnectionFailed(
                f"the time-out of this call has passed{last}",
                provider=self._route.provider.name,
                model=self._route.model.id,
            ) from None

    async def texts(self) -> AsyncIterator[str]:
        """Only the words of the answer."""
        async for delta in self:
            if isinstance(delta, TextDelta):
                yield delta.text

    @property
    def result(self) -> Result:
        """Whole after the last delta; before, `stop` is "interrupted"."""
        message, route = self._reply.message, self._route
        bill = price(
            message.usage,
            route.model,
            at=self._at,
            reported=message.cost_usd,
            tier=message.tier,
            geo=message.geo,
        )
        return Result(message, route.provider.name, bill)


class Stream:
    """The same for code without `async`."""

    def __init__(self, inner: AsyncStream, loop: ThreadLoop) -> None:
        self._inner = inner
        self._loop = loop

    def __iter__(self) -> Iterator[Delta]:
        return self

    def __next__(self) -> Delta:
        if self._loop.closed:  # the block was left: nothing more comes
            raise StopIteration
        try:
            return self._loop.run(self._inner.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None

    def texts(self) -> Iterator[str]:
        """Only the words of the answer."""
        return (delta.text for delta in self if isinstance(delta, TextDelta))

    @property
    def result(self) -> Result:
        """Whole after the last delta; before, `stop` is "interrupted"."""
        return self._inner.result


@asynccontextmanager
async def astream(
    model: str, prompt: Prompt, **options: Unpack[Options]
) -> AsyncGenerator[AsyncStream]:
    """Ask a model and read the answer as it comes; leaving the block closes the connection."""
    timeout = options.get("timeout")
    until = None if timeout is None else asyncio.get_running_loop().time() + timeout
    route = _route(model, options)
    http = Http()
    client = Client(lambda _: route, http, planner=plan if options.get("cache", True) else _no_plan)
    try:
        failed: list[Retry] = []
        request = _request(model, prompt, options)
        async with client.stream(request, on_retry=failed.append) as reply:
            yield AsyncStream(reply, route, until, failed)
    finally:
        await client.aclose()


async def acomplete(model: str, prompt: Prompt, **options: Unpack[Options]) -> Result:
    """Ask a model and wait for the whole answer. Raises LLMError, UserError."""
    async with astream(model, prompt, **options) as answer:
        async for _ in answer:
            pass
        return answer.result


@contextmanager
def stream(model: str, prompt: Prompt, **options: Unpack[Options]) -> Generator[Stream]:
    """`astream` for code without `async`; works where an event loop runs already (notebooks)."""
    with ThreadLoop() as loop:
        opened = astream(model, prompt, **options)
        answer = loop.run(opened.__aenter__())
        try:
            yield Stream(answer, loop)
        finally:
            loop.run(opened.__aexit__(None, None, None))


def complete(model: str, prompt: Prompt, **options: Unpack[Options]) -> Result:
    """`acomplete` for code without `async`; works where an event loop runs already (notebooks)."""
    with ThreadLoop() as loop:
        return loop.run(acomplete(model, prompt, **options))


def _route(model: str, options: Options) -> Route:
    unknown = sorted(options.keys() - Options.__annotations__.keys())
    if unknown:
        raise TypeError(
            f"unknown option {unknown[0]!r}; there are {', '.join(Options.__annotations__)}"
        )
    given = options.get("env")
    env = dict(os.environ if given is None else given)
    extra = tuple(options.get("providers", ()))
    known = rows(extra)
    for name, key in options.get("keys", {}).items():
        if name not in known or not known[name].key_env:
            raise UserError(f"keys: {name!r} is no provider that takes a key.")
        env[known[name].key_env[0]] = key
    return resolve(model, env, extra)


def _request(model: str, prompt: Prompt, options: Options) -> Request:
    """Raises UserError for what no provider could be asked."""
    effort = options.get("effort")
    if effort not in (None, *get_args(Effort)):
        raise UserError(f"effort is one of {', '.join(get_args(Effort))}, not {effort!r}.")
    tools, most = tuple(options.get("tools", ())), options.get("max_output")
    if not all(map(_is_tool, tools)):
        raise UserError("tools is a list of ToolSpec values.")
    if most is not None and most < 1:
        raise UserError(f"max_output is a number of tokens above 0, not {most}.")
    messages = _messages(prompt)
    if not messages or isinstance(messages[-1], AssistantMessage):
        raise UserError("The prompt must end with something for the model to answer.")
    system = options.get("system", ())
    return Request(
        model=model,
        system=(system,) if isinstance(system, str) else tuple(system),
        tools=tools,
        messages=messages,
        max_output=most,
        effort=effort,
        session=options.get("session", ""),
        output_schema=options.get("output_schema"),
    )


def _messages(prompt: Prompt) -> tuple[Message, ...]:
    """Loose words, pictures and outputs between two answers are one message of the user."""
    messages: list[Message] = []
    loose: list[Text | Image | ToolOutput] = []

    def settle() -> None:
        if loose:
            messages.append(UserMessage(tuple(loose)))
            loose.clear()

    if not _is_sequence(prompt):
        raise UserError(f"{PARTS}; {type(prompt).__name__!r} is none of them.")
    for part in [prompt] if isinstance(prompt, str) else prompt:
        match part:
            case str():
                loose += [Text(part)] if part.strip() else []
            case UserMessage() | AssistantMessage():
                settle()
                messages.append(part)
            case Text() | Image() | ToolOutput():
                loose.append(part)
            case _:
                raise UserError(f"{PARTS}; {type(part).__name__!r} is none of them.")
    settle()
    return tuple(messages)


def _is_tool(given: object) -> bool:
    return isinstance(given, ToolSpec)


def _is_sequence(given: object) -> bool:
    return isinstance(given, Sequence)


def _no_plan(*_: object) -> CachePlan:
    return NO_PLAN
