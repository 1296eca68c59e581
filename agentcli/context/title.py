"""What a session is called: how the small model is asked, and what is kept of its answer."""

from __future__ import annotations

from collections.abc import Sequence

from agentcli.context.system_prompt import prompt
from agentcli.llm.models import ModelSpec
from agentcli.llm.types import AssistantMessage, Message, Request, Text, UserMessage

WORDS = 8
LETTERS = 80
SAID = 1_000
"""Characters of the person's first words, and of the first answer, that a title is made from."""
OUTPUT = 400
"""Tokens, some of which a model may think away."""


def title_request(messages: Sequence[Message], model: ModelSpec, session: str) -> Request:
    """A small request of its own: nothing of the talk's prefix is sent again."""
    asked = next((m for m in messages if isinstance(m, UserMessage) and m.origin == "human"), None)
    answers = [m.text for m in messages if isinstance(m, AssistantMessage) and m.text.strip()]
    texts = [f"Person: {_text(asked)[:SAID]}", *(f"Agent: {a[:SAID]}" for a in answers[-1:])]
    return Request(
        model=model.id,
        system=(prompt("title"),),
        tools=(),
        messages=(UserMessage((Text("\n\n".join(texts)),)),),
        max_output=OUTPUT,
        effort=model.efforts[0] if model.efforts else None,
        session=session,
        final=True,
    )


def title_of(answer: str) -> str:
    """One line of a few words; "" where there is none."""
    line = next((line for line in answer.splitlines() if line.strip()), "")
    words = line.strip().strip("#*\"'`“”„«» ").rstrip(".").split()
    return " ".join(words[:WORDS])[:LETTERS]


def _text(message: UserMessage | None) -> str:
    blocks = message.content if message else ()
    return " ".join(block.text for block in blocks if isinstance(block, Text))
