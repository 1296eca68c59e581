import pytest

from agentcli.llm import frames
from agentcli.llm.errors import StreamMalformed
from agentcli.llm.frames import Frame, SseParser, parse_body, parse_data


def parsed(*chunks):
    parser = SseParser()
    found = [frame for chunk in chunks for frame in parser.feed(chunk)]
    return found + list(parser.close())


def data_of(*chunks):
    return [frame.data for frame in parsed(*chunks)]


STREAM = (
    b"\xef\xbb\xbf: hello\r\n\r\nevent: a\rdata: 1\r\rid: 7\nretry: 9\ndata:2\r\n"
    b"data:  3\n\nevent: lost\n\ndata: \xe2\x80\xa8\xf0\x9f\x98\x80\x0b\xc2\x85\r\n\r\n"
)
SAID = [Frame("a", "1"), Frame("", "2\n 3"), Frame("", "\u2028😀\x0b\x85")]


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_any_split_gives_the_same_events(cut):
    assert parsed(STREAM[:cut], STREAM[cut:]) == SAID


def test_byte_by_byte_gives_the_same_events():
    assert parsed(*(bytes([byte]) for byte in STREAM)) == SAID


def test_empty_chunks_change_nothing():
    assert parsed(b"", b"data: 1\r", b"", b"\n\r", b"", b"\n") == [Frame("", "1")]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_all_line_ends_are_line_ends(end):
    assert parsed(end.join([b"event: x", b"data: 1", b"", b"data: 2", b"", b""])) == [
        Frame("x", "1"),
        Frame("", "2"),
    ]


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_what_only_python_takes_for_line_ends_is_text(mark):
    assert data_of(f"data: a{mark}b\n\n".encode()) == [f"a{mark}b"]


def test_an_event_is_out_with_its_blank_line_and_not_before():
    parser = SseParser()
    assert list(parser.feed(b"data: 1\r\n")) == []
    assert list(parser.feed(b"\r")) == [Frame("", "1")]
    assert list(parser.feed(b"\ndata: 2\n\n")) == [Frame("", "2")]


def test_only_one_space_after_the_colon_is_dropped():
    assert data_of(b"data:a\n\ndata: b\n\ndata:  c: d\n\n") == ["a", "b", " c: d"]


def test_a_field_without_a_colon_is_empty_and_unknown_fields_are_ignored():
    assert data_of(b"data\ndata: a\n\nfoo: bar\nid\ndata: b\n\n") == ["\na", "b"]


def test_an_event_without_data_is_none_and_its_name_does_not_stick():
    assert parsed(b"event: ping\n\ndata: 1\n\n") == [Frame("", "1")]


def test_comments_are_counted_because_they_show_that_the_server_lives():
    parser = SseParser()
    assert list(parser.feed(b": keep-alive\n\n:\n\ndata: 1\n: in an event\n\n")) == [Frame("", "1")]
    assert parser.comments == 3


def test_the_byte_order_mark_is_dropped_only_at_the_start():
    assert data_of(b"\xef\xbb\xbfdata: \xef\xbb\xbf1\n\n") == ["\ufeff1"]


def test_bytes_that_are_no_utf8_are_replaced_and_the_rest_is_kept():
    assert data_of(b"data: a\xffb\n\ndata: c\n\n") == ["a\ufffdb", "c"]


@pytest.mark.parametrize("last", [b'data: {"a": 1}', b'data: {"a": 1}\n', b"data: [DONE]"])
def test_a_last_event_without_its_blank_line_counts_when_it_is_whole(last):
    assert data_of(b"data: 1\n\n" + last) == ["1", last.decode().strip()[6:]]


@pytest.mark.parametrize("last", [b'data: {"a": ', b"data: [DO", b"event: message_stop\n", b"da"])
def test_a_half_event_at_the_end_is_dropped(last):
    assert data_of(b"data: 1\n\n" + last) == ["1"]


def test_an_old_llama_cpp_error_line_is_an_error_object():
    assert data_of(b'error: {"message": "no slot"}\n\n') == ['{"error":{"message": "no slot"}}']


@pytest.mark.parametrize("start", [b"", b"\n\n ", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("text", [b'{"a":\n\n1}', b"[1]", b"<html>\n\n"])
def test_a_body_that_is_no_stream_of_events_is_kept_whole(start, text):
    whole = start + text
    for size in (1, 2, len(whole)):
        parser = SseParser()
        for at in range(0, len(whole), size):
            assert list(parser.feed(whole[at : at + size])) == []
        assert list(parser.close()) == []
        assert parser.body is not None
        assert parser.body.strip() == text.strip()


def test_a_stream_of_events_has_no_body():
    parser = SseParser()
    list(parser.feed(b"data: {}\n\n"))
    assert parser.body is None


@pytest.mark.parametrize("chunk", [b"data: xxxx", b"{xxxxxxxxx"])
def test_a_line_or_body_without_end_is_given_up(monkeypatch, chunk):
    monkeypatch.setattr(frames, "MAX_PENDING", 30)
    parser = SseParser()
    with pytest.raises(StreamMalformed):
        for _ in range(10):
            list(parser.feed(chunk))


@pytest.mark.parametrize("data", ["ping", "", " ", "[DONE]", "5", "null", '"ping"', "[1]"])
def test_keep_alives_are_no_objects(data):
    assert parse_data(Frame("", data)) is None


DEEP = '{"a":' * 200_000


@pytest.mark.parametrize("data", ['{"a": ', ' {"a"', "[1", DEEP], ids=range(4))
def test_broken_json_is_an_error_that_may_be_retried(data):
    with pytest.raises(StreamMalformed) as caught:
        parse_data(Frame("", data))
    assert caught.value.retryable
    assert len(caught.value.message) < 300


def test_an_object_is_data():
    assert parse_data(Frame("", '{"a": "\u2028"}')) == {"a": "\u2028"}


def test_a_whole_body_is_an_object_or_googles_list_of_one():
    assert parse_body(b' {"a": 1}\n') == {"a": 1}
    assert parse_body(b'[{"error": {}}]') == {"error": {}}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html><title>Sign\n in</title>", "'Sign in'"),
        (b"<HTML><TITLE>Sign in</TITLE>", "'Sign in'"),
        (b"<html><body>Hello", "<html><body>Hello"),
        (b'{"a": ', "neither events nor JSON"),
        (b"[]", "not an object"),
        (DEEP.encode(), "neither events nor JSON"),
    ],
    ids=range(6),
)
def test_a_body_that_is_no_answer_says_what_came(body, said):
    with pytest.raises(StreamMalformed, match=said):
        parse_body(body)
