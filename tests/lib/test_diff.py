"""Hunks of numbered lines: right, complete, and quick where difflib is not."""

import itertools
import random

import pytest

from agentcli.lib.diff import blocks, hunks, lines_of, stat


def shown(before, after, context=3):
    signs = {"same": " ", "added": "+", "removed": "-"}
    return [
        [f"{signs[line.kind]}{line.old or ''}:{line.new or ''} {line.text}" for line in hunk.lines]
        for hunk in hunks(before, after, context=context)
    ]


def test_a_changed_line_with_its_neighbours():
    assert shown("a\nb\nc\nd\ne\n", "a\nb\nX\nd\ne\n", 1) == [
        [" 2:2 b", "-3: c", "+:3 X", " 4:4 d"],
    ]


def test_changes_far_apart_are_two_hunks_and_near_ones_one():
    before = "".join(f"{n}\n" for n in range(20))
    after = before.replace("\n3\n", "\n3x\n").replace("\n15\n", "\n15x\n")
    assert [len(hunk) for hunk in shown(before, after)] == [8, 8]
    near = before.replace("\n3\n", "\n3x\n").replace("\n9\n", "\n9x\n")
    assert len(shown(before, near)) == 1


def test_new_file_deleted_file_and_no_change():
    assert shown("", "a\nb\n") == [["+:1 a", "+:2 b"]]
    assert shown("a\nb\n", "") == [["-1: a", "-2: b"]]
    assert shown("a\n", "a\n") == []
    assert shown("", "") == []


def test_a_final_newline_is_a_change():
    (hunk,) = hunks("a\nb", "a\nb\n")
    assert [(line.kind, line.text, line.ended) for line in hunk.lines] == [
        ("same", "a", True),
        ("removed", "b", False),
        ("added", "b", True),
    ]


def test_line_ends_show_only_where_they_are_the_change():
    assert shown("a\r\nb\r\n", "a\r\nc\r\n") == [[" 1:1 a", "-2: b", "+:2 c"]]
    assert shown("a\r\nb\r\n", "a\r\nb\n") == [[" 1:1 a", "-2: b\r", "+:2 b"]]


def test_only_a_newline_ends_a_line():
    assert lines_of("a\x0cb\u2028c\x85d\re\n") == ["a\x0cb\u2028c\x85d\re\n"]
    assert shown("a\x0c\nb\n", "a\x0c\nc\n", 0) == [["-2: b", "+:2 c"]]


def test_stat():
    assert stat("a\nb\nc\n", "a\nX\nY\nc\n") == (2, 1)
    assert stat("", "") == (0, 0)


@pytest.mark.parametrize("seed", range(200))
def test_blocks_rebuild_both_sides(seed):
    dice = random.Random(seed)
    words = [f"{n}\n" for n in range(dice.choice([2, 5, 40]))]
    old = dice.choices(words, k=dice.randrange(40))
    new = list(old)
    for _ in range(dice.randrange(8)):
        at = dice.randrange(len(new) + 1)
        new[at : at + dice.randrange(3)] = dice.choices(words, k=dice.randrange(3))
    found = blocks(old, new)
    i = j = 0
    for equal, i1, i2, j1, j2 in found:
        assert (i1, j1) == (i, j)
        assert (old[i1:i2] == new[j1:j2]) == equal
        i, j = i2, j2
    assert (i, j) == (len(old), len(new))
    kinds = [block[0] for block in found]
    assert all(a != b for a, b in itertools.pairwise(kinds))


def test_long_texts_of_repeated_lines_stay_quick_and_small():
    before = "".join("}\n\n" if n % 3 else f"line {n}\n" for n in range(30_000))
    after = before.replace("line 30\n", "changed\n").replace("line 29970\n", "changed too\n")
    assert [len(hunk) for hunk in shown(before, after, 0)] == [2, 2]
    assert stat("x\n" * 30_000, "y\n" * 30_000) == (30_000, 30_000)
