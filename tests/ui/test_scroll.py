"""Rows above an input area, looked at through a terminal emulator."""

import pyte
import pytest

from agentcli.ui.repl.scroll import Area, Scroll
from agentcli.ui.repl.theme import COLOURED, COLOURLESS

ROWS, COLUMNS = 8, 20


class Glass:
    """An emulated terminal with a two-row input area, drawn once, as the input library would."""

    def __init__(self, start=0):
        self.screen = pyte.HistoryScreen(COLUMNS, ROWS, history=1000)
        self._stream = pyte.Stream(self.screen)
        self.written = ""
        self.write("\r\n" * start + "> in\r\nstatus\x1b[A\r\x1b[4C")
        self.written = ""
        self.scroll = Scroll(self.write, lambda: Area(ROWS, COLUMNS, 2, 0, 4), COLOURLESS)

    def write(self, text):
        self.written += text
        self._stream.feed(text)

    def lines(self):
        history = ["".join(r[x].data for x in range(COLUMNS)) for r in self.screen.history.top]
        return [line.rstrip() for line in (*history, *self.screen.display)]

    def show(self, finished, tail=()):
        self.scroll.show([row(t) for t in finished], [row(t) for t in tail])

    def check(self, expected):
        """What is above the input area; the area is whole and the cursor back in it."""
        lines = self.lines()
        at = max(n for n, line in enumerate(lines) if line == "> in")
        assert lines[at + 1] == "status"
        assert not any(lines[at + 2 :])
        assert [line for line in lines[:at] if line] == expected
        cursor = self.screen.cursor
        assert self.screen.display[cursor.y].startswith("> in")
        assert cursor.x == 4


def row(text):
    return (("plain", text),)


@pytest.mark.parametrize("start", [0, 3, ROWS - 2])
def test_rows_are_inserted_above_and_the_area_is_not_drawn_again(start):
    glass = Glass(start)
    expected = []
    for number in range(30):
        glass.show([f"row {number}"])
        expected.append(f"row {number}")
        glass.check(expected)
    assert "status" not in glass.written


@pytest.mark.parametrize("start", [0, ROWS - 2])
def test_more_rows_than_the_screen_has(start):
    glass = Glass(start)
    glass.show([f"row {n}" for n in range(25)], ["tail"])
    glass.check([*(f"row {n}" for n in range(25)), "tail"])
    glass.show(["final tail", "more"])
    glass.check([*(f"row {n}" for n in range(25)), "final tail", "more"])


@pytest.mark.parametrize("start", [0, 2, ROWS - 2])
def test_a_tail_grows_shrinks_and_becomes_final(start):
    glass = Glass(start)
    glass.show([], ["one"])
    glass.show([], ["one two"])
    glass.check(["one two"])
    glass.show([], ["one two", "three"])
    glass.show(["one two"], ["three four", "five"])
    glass.check(["one two", "three four", "five"])
    glass.show([], ["x"])
    glass.check(["one two", "x"])
    glass.show([], [])
    glass.check(["one two"])
    glass.show(["end"], [])
    glass.check(["one two", "end"])


def test_growing_text_costs_about_what_it_adds():
    glass = Glass()
    glass.show([], ["some words"])
    before = len(glass.written)
    glass.show([], ["some words and"])
    assert len(glass.written) - before <= len(" and") + 24
    before = len(glass.written)
    glass.show(["some words and"], [])
    assert len(glass.written) == before, "a tail that became final is not written again"


def test_a_restyled_row_is_drawn_over():
    glass = Glass()
    glass.show([], ["some **bold"])
    glass.scroll.show([(("plain", "some "), ("bold", "bold"))], [])
    glass.check(["some bold"])


def test_wide_characters_do_not_break_lines():
    glass = Glass()
    glass.show([], ["日本"])
    glass.show(["日本語です"], ["🎉"])
    shown = [line.replace(" ", "") for line in glass.lines()]
    assert "日本語です" in shown
    assert glass.written.count("\x1b[?7l") == glass.written.count("\x1b[?7h") > 0


def test_without_an_input_area_rows_are_just_lines():
    written = []
    scroll = Scroll(written.append, lambda: None, COLOURED)
    scroll.show([row("a"), (("added", "b"),)], [row("tail")])
    assert "".join(written) == "a\r\n\x1b[32mb\x1b[0m\r\n"
