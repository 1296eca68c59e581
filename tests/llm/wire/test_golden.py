"""Recorded bodies against what they say: a wire is tested by the files in the folder of its name.

`<case>.stream.txt` (events) or `<case>.stream.bin` (frames) is a response body as it came;
`<case>.expected.json` is what `agent debug decode` says of it, and the blocks kept for replay.
"""

import json
from pathlib import Path

import pytest

from agentcli.llm.errors import LLMError
from agentcli.llm.models import unknown
from agentcli.llm.providers import Provider, Route
from agentcli.llm.recording import decode
from agentcli.llm.stream import Fold
from agentcli.llm.wire import WIRES, load

HERE = Path(__file__).parent
STREAMS = sorted(HERE.glob("*/*.stream.*"))
SIZES = (None, 1, 2, 3, 7, 64)
ENDS = (b"\r\n", b"\r")


def named(path):
    return f"{path.parent.name}/{path.name.partition('.')[0]}"


def native_blocks(wire, body, size):
    """The blocks that go back to the same model; None when the reply may not be replayed so."""
    route = Route(Provider("recorded", "http://recorded.invalid", wire), unknown("m", ""), "")
    decoder, fold = load(wire).decoder(route), Fold("m", wire)
    try:
        for start in range(0, len(body), size):
            for delta in decoder.feed(body[start : start + size]):
                fold.add(delta)
        for delta in decoder.close():
            fold.add(delta)
    except LLMError:
        pass
    native = fold.message().native
    return None if native is None else list(native.blocks)


def decoded(wire, body, size=None):
    native = native_blocks(wire, body, size or max(1, len(body)))
    return decode(wire, body, chunk=size) | {"native": native}


def expected(path):
    return json.loads((path.parent / f"{path.name.partition('.')[0]}.expected.json").read_bytes())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"by{size}" if size else "whole")
@pytest.mark.parametrize("path", STREAMS, ids=named)
def test_a_recorded_body_says_the_same_however_it_is_cut(path, size):
    assert decoded(path.parent.name, path.read_bytes(), size) == expected(path)


@pytest.mark.parametrize("end", ENDS, ids=("crlf", "cr"))
@pytest.mark.parametrize("path", [p for p in STREAMS if p.suffix == ".txt"], ids=named)
def test_line_ends_do_not_matter(path, end):
    lines = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    body = lines.replace(b"\n", end)
    for size in (None, 1, 7):
        assert decoded(path.parent.name, body, size) == expected(path)
