"""Halves of characters are kept as they are sent: a resumed session sends the same bytes."""

from agentcli.llm.client import as_bytes
from agentcli.session.entries import Entry, from_line, to_line


def test_a_lone_surrogate_comes_back_as_it_went_over_the_wire():
    said = {"text": "h\ud83dm", "pair": "\ud83d\udc4d"}
    kept = from_line(to_line(Entry("1", "", 0.0, "message", said))).data
    assert as_bytes(kept) == as_bytes(said)
