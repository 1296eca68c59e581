"""Notes a person pins: told to the model at once, and again word for word after each summary."""

from __future__ import annotations

from agentcli.app.talk import Talk
from agentcli.context.compaction import pinned_note
from agentcli.lib.errors import UserError
from agentcli.llm.types import Text, UserMessage


def pin(talk: Talk, note: str) -> str:
    """Pin a note; says so."""
    if note in talk.pins:
        raise UserError("That is pinned already.")
    talk.pin((*talk.pins, note))
    talk.transcript.append(pinned_note(note))
    return f"Pinned as {len(talk.pins)}; it outlives every compaction."


def unpin(talk: Talk, number: str) -> str:
    """Take the note of that number back; raises UserError when there is none."""
    place = int(number) - 1 if number.isdecimal() else -1
    if not 0 <= place < len(talk.pins):
        raise UserError(f"No pinned note has the number {number!r}; /pin lists them.")
    note = talk.pins[place]
    talk.pin((*talk.pins[:place], *talk.pins[place + 1 :]))
    said = Text(f"The person no longer pins this: {note}")
    talk.transcript.append(UserMessage((said,), "reminder"))
    return f"No longer pinned: {note}"


def pin_list(talk: Talk) -> str:
    """Numbered, oldest first."""
    if not talk.pins:
        return "Nothing is pinned; /pin TEXT pins a note that outlives every compaction."
    return "\n".join(f"{number:>3}  {note}" for number, note in enumerate(talk.pins, 1))
