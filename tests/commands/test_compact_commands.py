"""What /compact and /pin make of their words."""

import asyncio

import pytest

from agentcli.commands.builtin import builtin
from agentcli.commands.registry import split


class Session:
    async def compact(self, instructions):
        return f"kept {instructions}"

    def undo_compaction(self):
        return "undone"

    def pins(self):
        return "the notes"

    def pin(self, note):
        return f"pinned {note}"

    def unpin(self, number):
        return f"took back {number}"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("/compact", "kept "),
        ("/compact undo the port", "kept undo the port"),
        ("/compact undo", "undone"),
        ("/pin", "the notes"),
        ("/pin use tabs", "pinned use tabs"),
        ("/pin remove 2", "took back 2"),
        ("/pin remove", "took back "),
        ("/pin remove the old port", "pinned remove the old port"),
    ],
)
def test_words_after_a_command(line, text):
    name, arguments = split(line)
    said = asyncio.run(builtin().find(name).run(Session(), arguments))
    assert said.text == text
