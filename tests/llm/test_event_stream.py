import struct
from zlib import crc32

import pytest
from event_frames import event, raw_frame, text_header

from agentcli.llm.errors import StreamMalformed
from agentcli.llm.event_stream import EventStreamParser
from agentcli.llm.frames import MAX_PENDING

ALL_TYPES = (
    b"\x01a\x00"
    + b"\x01b\x01"
    + b"\x01c\x02\x07"
    + b"\x01d\x03\x00\x07"
    + b"\x01e\x04\x00\x00\x00\x07"
    + b"\x01f\x05\x00\x00\x00\x00\x00\x00\x00\x07"
    + b"\x01g\x06\x00\x03\xff\xfe\xfd"
    + b"\x01h\x08\x00\x00\x00\x00\x00\x00\x00\x07"
    + b"\x01i\x09"
    + bytes(16)
    + text_header(":event-type", "messageStart")
)


def parsed(data, size=None):
    parser = EventStreamParser()
    size = size or max(1, len(data))
    frames = [f for at in range(0, len(data), size) for f in parser.feed(data[at : at + size])]
    return frames, parser.body


@pytest.mark.parametrize("size", [None, 1, 2, 3, 7, 12, 16, 64])
def test_frames_come_out_whole_however_the_bytes_are_cut(size):
    data = event("messageStart", {"role": "assistant"}) + event("x", {"t": "é\u2028🎉"})
    frames, body = parsed(data, size)
    assert [frame.headers[":event-type"] for frame in frames] == ["messageStart", "x"]
    assert frames[0].payload == b'{"role":"assistant"}'
    assert frames[1].payload.decode() == '{"t":"é\u2028🎉"}'
    assert body is None


def test_headers_of_every_type_are_stepped_over():
    frames, _ = parsed(raw_frame(ALL_TYPES, b"{}"))
    assert frames[0].headers == {":event-type": "messageStart"}


def test_a_frame_may_be_empty():
    frames, _ = parsed(raw_frame(b"", b""))
    assert frames == [({}, b"")]


@pytest.mark.parametrize("at", [0, 3, 5, 9, 13, 40, -5, -1])
def test_one_changed_bit_anywhere_is_noticed(at):
    data = bytearray(event("messageStart", {"role": "assistant"}))
    data[at] ^= 1
    with pytest.raises(StreamMalformed, match="damaged"):
        parsed(bytes(data))


def test_frames_before_the_damaged_one_are_handed_out():
    good, bad = event("a", {}), bytearray(event("b", {}))
    bad[-6] ^= 0x20
    parser, seen = EventStreamParser(), []
    with pytest.raises(StreamMalformed):
        seen.extend(frame.headers[":event-type"] for frame in parser.feed(good))
        seen.extend(frame.headers[":event-type"] for frame in parser.feed(bytes(bad)))
    assert seen == ["a"]


@pytest.mark.parametrize(
    ("total", "headers"), [(15, 0), (100, 90), (0x1FFFFFF, 0), (300_000, 200_000)]
)
def test_an_impossible_length_is_refused_before_it_is_waited_for(total, headers):
    start = struct.pack(">II", total, headers)
    with pytest.raises(StreamMalformed, match="impossible length"):
        parsed(start + struct.pack(">I", crc32(start)))


@pytest.mark.parametrize(
    "headers",
    [
        b"\x05ab",
        b"\x01a",
        b"\x01a\x07\x00",
        b"\x01a\x07\x00\x05x",
        b"\x01a\x07\x00\x01\xff",
        b"\x01a\x63\x00\x00",
    ],
)
def test_headers_that_make_no_sense_are_told(headers):
    with pytest.raises(StreamMalformed, match="headers"):
        parsed(raw_frame(headers, b"{}"))


@pytest.mark.parametrize("size", [None, 1])
def test_a_body_that_is_no_event_stream_is_handed_out_whole(size):
    page = b"<html><title>Sign in</title></html>"
    assert parsed(page, size) == ([], page)


def test_a_body_without_a_byte_is_neither():
    assert parsed(b"") == ([], None)


def test_a_body_that_is_no_event_stream_does_not_fill_the_memory():
    with pytest.raises(StreamMalformed, match="far too long"):
        parsed(b"x" * (MAX_PENDING + 1), MAX_PENDING // 4)
