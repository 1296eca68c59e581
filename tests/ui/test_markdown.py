"""Blocks of a growing markdown text: the same however it is cut, and final once given."""

import pytest

from agentcli.ui.repl.blocks import block_rows
from agentcli.ui.repl.inline import parse, settled
from agentcli.ui.repl.markdown import Block, Splitter, cells
from agentcli.ui.repl.stream import TextStream
from agentcli.ui.repl.theme import text_of
from agentcli.ui.repl.wrap import clip, hard_wrap, row_width, width_limited, wrap

TEXT = """# Title #

A paragraph with **bold** and
a second line.


- item
  1. nested
> quoted
---
| a | b |
|---|---|
| 1 | 2 |
after
```python
def f():

    return 1
```
   ~~~
   indented code
   ~~~
| not a table
"""


def blocks_of(text, size):
    splitter = Splitter()
    found = [b for n in range(0, len(text), size) for b in splitter.feed(text[n : n + size])]
    return found + splitter.finish()


def rows_of(text, size, width):
    stream = TextStream()
    rows = []
    for n in range(0, len(text), size):
        stream.feed(text[n : n + size])
        rows += stream.take(width)[0]
    stream.close()
    return [text_of(row) for row in rows + stream.take(width)[0]]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20, 10_000])
def test_blocks_do_not_depend_on_how_the_text_is_cut(size):
    assert blocks_of(TEXT, size) == [
        Block("heading", "Title", skip=2),
        Block("blank", ""),
        Block("text", "A paragraph with **bold** and"),
        Block("text", "a second line."),
        Block("blank", ""),
        Block("text", "item", "• ", 2),
        Block("text", "nested", "  1. ", 5),
        Block("quote", "quoted", "│ ", 2),
        Block("rule", ""),
        Block("table", "| a | b |\n|---|---|\n| 1 | 2 |"),
        Block("text", "after"),
        Block("fence", "```python"),
        Block("code", "def f():"),
        Block("code", ""),
        Block("code", "    return 1"),
        Block("fence", "```"),
        Block("fence", "~~~"),
        Block("code", "indented code"),
        Block("fence", "~~~"),
        Block("text", "| not a table"),
    ]


def test_carriage_returns_end_lines_even_when_cut_apart():
    assert blocks_of("one\r\ntwo\r\n", 4) == [Block("text", "one"), Block("text", "two")]


def test_a_long_fence_comes_line_by_line():
    splitter = Splitter()
    splitter.feed("```\n")
    for number in range(5000):
        assert splitter.feed(f"line {number}\n") == [Block("code", f"line {number}")]


def test_a_shorter_fence_inside_a_longer_one_is_code():
    kinds = [block.kind for block in blocks_of("````\n```\n````\n", 5)]
    assert kinds == ["fence", "code", "fence"]


@pytest.mark.parametrize("size", [1, 5, 64])
@pytest.mark.parametrize("width", [12, 40, 80])
@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "word " * 500,
        "- " + "item words " * 60,
        "x" * 1000,
        "日本語のテキスト" * 50,
        "a **bold that goes on and on over rows** then `code that is long too` end " * 10,
        "an * asterisk alone, an _underscore, a [bracket and a `tick ",
        "```\n" + "c" * 300 + "\nd\n```\n",
        "tab\there \x1b[31mred\x1b[0m \u202eabc " * 10,
    ],
)
def test_streamed_rows_are_those_of_the_whole_text(text, width, size):
    assert rows_of(text, size, width) == rows_of(text, len(text), width)


@pytest.mark.parametrize("width", [5, 12, 40])
def test_no_row_is_wider_than_the_screen(width):
    for row in rows_of(TEXT + "日本語🎉" * 20 + "\n" + "y" * 100, 9, width)[:-1]:
        if "│" not in row and "┼" not in row:
            assert row_width((("plain", row),)) <= width


def test_unclosed_markup_keeps_its_rows_back_until_it_closes():
    stream = TextStream()
    stream.feed("start **bold " + "words " * 10)
    finished, tail = stream.take(20)
    assert finished == []
    stream.feed("end** after it and more")
    finished, tail = stream.take(20)
    assert ("bold", "words") in finished[1]
    assert not any("**" in text_of(row) for row in finished + tail)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a **b** c", [("plain", "a "), ("bold", "b"), ("plain", " c")]),
        ("`a*b*`", [("code", "a*b*")]),
        ("``a`b``", [("code", "a`b")]),
        ("snake_case_name and 2 * 3 * 4", [("plain", "snake_case_name and 2 * 3 * 4")]),
        ("*it* _it_ ~~no~~", [("italic", "it"), ("italic", "it"), ("struck", "no")]),
        (r"\*plain\*", [("plain", "*"), ("plain", "plain"), ("plain", "*")]),
        ("[here](http://x.y)", [("link", "here"), ("dim", " (http://x.y)")]),
        ("**a `b`**", [("bold", "a "), ("code", "b")]),
        ("**open", [("plain", "**open")]),
    ],
)
def test_inline_markup(text, pieces):
    found = [(p.style, p.text) for p in parse(text) if p.text != " "]
    assert found == pieces


@pytest.mark.parametrize(
    ("text", "offset"),
    [("all settled", 11), ("open *here", 5), ("a `b` c `d", 8), ("a * b", 5), ("end*", 3)],
)
def test_how_far_a_line_is_settled(text, offset):
    assert settled(parse(text)) == offset


def test_tables_are_aligned_and_fit():
    table = Block("table", "|name|n|\n|:--|--:|\n|a **b**|1|\n|c\\|d|22|\n|short|")
    assert [text_of(row) for row in block_rows(table, 40)] == [
        "name  │  n",
        "──────┼───",
        "a b   │  1",
        "c|d   │ 22",
        "short │",
    ]
    wide = Block("table", "|a|b|\n|-|-|\n|" + "word " * 20 + "|x|")
    rows = [text_of(row) for row in block_rows(wide, 30)]
    assert all(len(row) <= 30 for row in rows)
    assert (
        " ".join(" ".join(row.split("│")[0] for row in rows[2:]).split()) == "word " * 19 + "word"
    )


def test_cells_keep_escaped_bars():
    assert cells(r"| a \| b | c |") == ["a | b", "c"]


def test_words_wrap_under_their_lead_and_nothing_is_lost():
    rows = [text_of(w.row) for w in wrap(parse("one two three four"), 10, "- ")]
    assert rows == ["- one two", "  three", "  four"]
    assert [text_of(w.row) for w in wrap(parse("to the right"), 20, " " * 8)] == [
        "        to the right"
    ]
    assert text_of(wrap(parse("to the right too"), 20, " " * 8)[0].row) == "        to the right"
    assert text_of(wrap(parse("to the right too"), 20, " " * 12)[0].row) == "to the right too"
    assert [text_of(w.row) for w in hard_wrap("abcdef", 4)] == ["abcd", "ef"]
    assert [text_of(w.row) for w in hard_wrap("日本語", 5)] == ["日本", "語"]


def test_clipping():
    assert text_of(clip((("plain", "abcdef"), ("dim", "gh")), 5)) == "abcd…"
    assert text_of(clip((("plain", "日本語"),), 4)) == "日…"
    assert text_of(clip((("plain", "abc"),), 3)) == "abc"
    assert width_limited(["model", "mode", "cost"], " · ", 12) == "model · mode"
    assert width_limited(["a-long-model", "mode"], " · ", 6) == "a-lon…"
