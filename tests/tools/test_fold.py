"""What a program repeats is said once, with its number; everything else stays as it was."""

import random

import pytest

from agentcli.tools.fold import folded
from agentcli.tools.output import tidy


def lines(*rows):
    return "\n".join(rows)


def test_equal_lines():
    assert folded(lines("a", *["same"] * 5, "b")) == lines(
        "a", "same", "[the line above 4 more times]", "b"
    )
    assert folded(lines(*["same"] * 4)) == lines("same", "[the line above 3 more times]")
    assert folded(lines(*["same"] * 3)) == lines(*["same"] * 3)
    assert tidy("\n" * 9).strip("\n") == ""


@pytest.mark.parametrize("size", [2, 3, 8])
def test_equal_blocks(size):
    block = [f"row {n}" for n in range(size)]
    assert folded(lines("begin", *block * 40, "end")) == lines(
        "begin", *block, f"[the {size} lines above 39 more times]", "end"
    )
    assert folded(lines(*block * 3)) == lines(*block, f"[the {size} lines above 2 more times]")
    assert folded(lines(*block * 2)) == lines(*block * 2)


def test_a_block_keeps_the_blank_line_in_it_and_the_rest_of_an_unfinished_one():
    block = ["Traceback:", "", "  boom"]
    assert folded(lines(*block * 5, "Traceback:", "")) == lines(
        *block, "[the 3 lines above 4 more times]", "Traceback:", ""
    )


def test_what_is_longer_than_a_block_or_differs_stays():
    long = [f"row {n}" for n in range(9)]
    numbered = [f"item {n}" for n in range(100)]
    for rows in (long * 3, numbered, ["", "", "x", ""]):
        assert folded(lines(*rows)) == lines(*rows)


def test_progress_of_a_test_run_shows_where_it_began_and_where_it_got_to():
    dots = "." * 72
    rows = [f"{dots} [ {share:2}%]" for share in range(5, 95, 5)]
    shown = folded(lines(*rows, f"{'.' * 9}F [100%]", "1 failed"))
    assert shown == lines(
        rows[0], "[16 more lines like the one above]", rows[-1], f"{'.' * 9}F [100%]", "1 failed"
    )


@pytest.mark.parametrize(
    "rows",
    [
        ["a.py 10%", "b.py 20%", "c.py 30%", "d.py 40%"],
        ["hit rate 90%", "hit rate 20%", "hit rate 70%", "hit rate 10%"],
        ["width: 10%;", "width: 20%;", "width: 30%;", "width: 40%;"],
    ],
)
def test_percentages_that_are_no_progress_stay(rows):
    assert folded(lines(*rows)) == lines(*rows)


def test_a_warning_between_other_lines_is_said_once():
    rows = [row for n in range(6) for row in (f"compiled {n}", "x.h:1: warning: old style")]
    assert folded(lines(*rows)) == lines(
        "compiled 0",
        "x.h:1: warning: old style",
        "[the line above 5 more times, here and below]",
        *[f"compiled {n}" for n in range(1, 6)],
    )
    other = lines(*[f"x.h:{n}: warning: old style" for n in range(6)])
    assert folded(other) == other


def test_two_line_warnings_in_a_row_are_a_block():
    pair = ["x.py:3: DeprecationWarning: f is old", "  f()"]
    shown = folded(lines(*pair * 30)).splitlines()
    assert shown[0] == pair[0]
    assert len(shown) < 5


def test_a_long_build_becomes_short_and_an_odd_one_stays_whole():
    seed = random.Random(7)
    noise = lines(*[str(seed.random()) for _ in range(500)])
    assert tidy(noise) == noise
    loop = lines(*["waiting for server", "  retry in 1 s", "  connection refused"] * 300)
    assert len(tidy(loop)) < 150
