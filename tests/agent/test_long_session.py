"""Two hundred turns of every kind: the conversation only grows, and nothing is lost or doubled."""

import asyncio
import random
from collections import Counter

from stage import Stage, said

from agentcli.agent.events import (
    Answer,
    Discarded,
    Replied,
    Spent,
    Streamed,
    ToolEnd,
    TurnEnd,
    TurnStart,
)
from agentcli.llm.errors import BadRequest, StreamCut
from agentcli.llm.testing import calls, cut_after, fails, says
from agentcli.llm.types import Text, TextDelta, UserMessage

TURNS = 200
READ = ("Read", {"path": "a.txt"})
WRITE = ("Write", {"path": "c.txt", "content": "x"})
KINDS = ("plain", "tools", "asked", "refused", "cut", "interrupted", "failed", "steered")


def script_of(kind, number):
    """The replies of one turn."""
    done = says(f"Turn {number} is done.")
    match kind:
        case "tools":
            return [calls(READ, READ, text="Two looks."), calls(("Nope", {})), done]
        case "asked":
            return [calls(WRITE, READ), done]
        case "refused":
            return [calls(WRITE, READ)]
        case "cut":
            return [cut_after(done, 1, StreamCut("cut", retry_after=0.001)), done]
        case "failed":
            return [calls(READ), fails(BadRequest("no"))]
        case "steered":
            return [calls(READ), done]
        case _:
            return [done]


def test_two_hundred_turns(root):
    kinds = random.Random(7).choices(KINDS, k=TURNS)
    script = [reply for number, kind in enumerate(kinds) for reply in script_of(kind, number)]
    stage = Stage(root, script)

    async def turn(number, kind):
        stage.front.answers = [Answer("yes" if kind == "asked" else "no")]

        def react(event):
            if kind == "interrupted" and isinstance(event, Streamed):
                stage.agent.interrupt()
            if kind == "steered" and isinstance(event, ToolEnd):
                stage.agent.steer(f"also {number}")

        stage.front.react = react
        return (await stage.agent.prompt((Text(f"turn {number}"),))).reason

    async def main():
        return [await turn(number, kind) for number, kind in enumerate(kinds)]

    reasons = asyncio.run(main())
    ends = {"refused": "stopped", "interrupted": "interrupted", "failed": "error"}
    assert reasons == [ends.get(kind, "done") for kind in kinds]
    assert stage.model.steps_left == 0
    tally = Counter(kinds)
    answered = 3 * tally["tools"] + 2 * (tally["asked"] + tally["refused"])
    answered += tally["failed"] + tally["steered"]
    assert len(stage.outputs()) == answered
    asked = len(stage.model.requests) - tally["failed"]
    told = Counter(type(event) for event in stage.front.events)
    assert (told[TurnStart], told[TurnEnd], told[Spent]) == (TURNS, TURNS, asked)
    assert (told[Replied], told[Discarded]) == (asked - tally["cut"], tally["cut"])
    assert told[ToolEnd] == answered - tally["refused"]
    human = [said(m) for m in stage.transcript.messages if is_human(m)]
    typed = [f"turn {number}" for number in range(TURNS)]
    assert [words for words in human if words.startswith("turn")] == typed
    assert len(human) == TURNS + tally["steered"]
    assert len(words_streamed(stage)) > TURNS


def is_human(message):
    return isinstance(message, UserMessage) and message.origin == "human"


def words_streamed(stage):
    return [e for e in stage.of(Streamed) if isinstance(e.delta, TextDelta)]
