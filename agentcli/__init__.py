"""agentcli: a terminal coding agent for any model that shows what every turn cost.

Also a library: one call for any model. What it takes and gives is in `agentcli.library`, which is
loaded at the first call.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from typing import Unpack

    from agentcli.library import AsyncStream, Options, Prompt, Result, Stream


def complete(model: str, prompt: Prompt, **options: Unpack[Options]) -> Result:
    """Ask a model and wait for the whole answer; `options` are `agentcli.library.Options`.

    Raises LLMError for what a provider did, UserError for what was asked wrongly.
    """
    from agentcli.library import complete

    return complete(model, prompt, **options)


async def acomplete(model: str, prompt: Prompt, **options: Unpack[Options]) -> Result:
    """The same, to be awaited."""
    from agentcli.library import acomplete

    return await acomplete(model, prompt, **options)


def stream(
    model: str, prompt: Prompt, **options: Unpack[Options]
) -> AbstractContextManager[Stream]:
    """Ask a model and read the answer as it comes: `with stream(…) as answer: for delta in …`."""
    from agentcli.library import stream

    return stream(model, prompt, **options)


def astream(
    model: str, prompt: Prompt, **options: Unpack[Options]
) -> AbstractAsyncContextManager[AsyncStream]:
    """The same with `async with` and `async for`."""
    from agentcli.library import astream

    return astream(model, prompt, **options)
