# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""A strictly typed program of a user: what it may say, and what the type checker must refuse."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from agentcli import acomplete, astream, complete, stream
from agentcli.library import (
    Image,
    LLMError,
    Options,
    Provider,
    Result,
    Text,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolOutput,
    ToolSpec,
    Usage,
    UserError,
)

SPEC = ToolSpec("weather", "The weather.", {"type": "object", "properties": {}})
ROW = Provider("corp", "http://localhost:1", "anthropic", auth="none")


def once() -> Result:
    options: Options = {"effort": "low", "timeout": 3.0, "tools": [SPEC], "providers": [ROW]}
    return complete("sonnet", ["hi", Image("image/png", "AA==")], **options)


def talk() -> tuple[str, Decimal | None, int]:
    first = once()
    results = [ToolOutput(call.id, (Text(str(call.input)),)) for call in first.tool_calls]
    last = complete("sonnet", ["hi", first.message, *results], system="brief", max_output=100)
    usage: Usage = last.usage or Usage()
    return last.text, last.cost, usage.prompt


def streamed() -> str:
    pieces: list[str] = []
    with stream("sonnet", "hi", cache=False) as answer:
        for delta in answer:
            match delta:
                case TextDelta(text) | ThinkingDelta(text):
                    pieces.append(text)
                case ToolCallDelta(_, name, json):
                    pieces.append(name + json)
                case _:
                    pass
        pieces += answer.texts()
    return "".join(pieces) + answer.result.stop


async def both() -> list[str]:
    try:
        found = await acomplete("gpt", "hi", keys={"openai": "k"})
    except UserError as error:
        return [str(error)]
    except LLMError as error:
        return [error.kind, str(error.status), str(error.retryable)]
    async with astream("sonnet", "hi") as answer:
        return [found.text, *[text async for text in answer.texts()]]


def refused() -> None:
    complete("sonnet", "hi", temperature=1)  # pyright: ignore[reportCallIssue]
    complete("sonnet", 3)  # pyright: ignore[reportArgumentType]
    complete("sonnet", "hi", effort="very")  # pyright: ignore[reportArgumentType]
    cost: str = complete("sonnet", "hi").cost  # pyright: ignore[reportAssignmentType]
    with stream("sonnet", "hi") as answer:
        words: int = answer.result.text  # pyright: ignore[reportAssignmentType]
    del cost, words


if __name__ == "__main__":
    assert once().tool_calls
    assert talk()[0] == "Rain."
    assert streamed() == "Rain.end_turn"
    assert asyncio.run(both())
