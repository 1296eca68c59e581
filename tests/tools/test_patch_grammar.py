"""The grammar that models write patches in, read by lark, against the parser that applies them."""

import random

import pytest

from agentcli.tools.base import ToolError
from agentcli.tools.patch import GRAMMAR, parse

lark = pytest.importorskip("lark", reason="the extra `test` is not installed")

PIECES = """
*** Add File: a.py|*** Add File: a b|*** Delete File: b.py|*** Update File: c.py|*** Update File: |
*** Move to: d.py|*** Rename File: e.py|*** End of File| *** End of File|*** End Patch|***|@@| @@|
*** Begin Patch|@@ def f():|@@ -1,2 +1,2 @@|+|+x|+*** End Patch|-|-x|--- a| | x|x
""".replace("\n", "").split("|")
FILES = (
    ("*** Add File: new.py", "+x", "+"),
    ("*** Add File: empty.py",),
    ("*** Delete File: old.py",),
    ("*** Update File: a.py", "@@ class A:", "@@ def f():", " x", "-y", "+z", "@@", "-q"),
    ("*** Update File: b.py", "-x", "+y", "*** End of File"),
    ("*** Update File: c.py", "*** Move to: d/e.py"),
    ("*** Update File: f.py", "*** Move to: g.py", "@@", " *** End of File", "+\tz \u2028 é"),
)


@pytest.fixture(scope="module", params=["lalr", "earley"])
def grammar(request):
    return lark.Lark(GRAMMAR, parser=request.param)


def is_written(grammar, text):
    try:
        grammar.parse(text)
    except lark.exceptions.UnexpectedInput:
        return False
    return True


def is_taken(text):
    try:
        parse(text)
    except ToolError:
        return False
    return True


def patch(*lines):
    return "\n".join(("*** Begin Patch", *lines, "*** End Patch"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file[0])
def test_every_kind_of_change_can_be_written(grammar, file):
    for text in (patch(*file), patch(*file) + "\n", patch(*FILES[0], *file)):
        assert is_written(grammar, text)
        assert is_taken(text)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("+x",),
        ("*** Update File: a.py",),
        ("*** Update File: a.py", "x"),
        ("*** Add File: a.py", "x"),
        ("*** Add File: a.py", "@@", "+x"),
        ("*** Add File: a.py", "*** Move to: b.py"),
        ("*** Delete File: a.py", "-x"),
        ("*** Delete File: a.py", "+x"),
        ("*** Delete File: a.py", "*** Move to: b.py"),
        ("*** Rename File: a.py",),
    ],
)
def test_what_is_no_patch_is_neither_written_nor_taken(grammar, lines):
    assert not is_written(grammar, patch(*lines))
    assert not is_taken(patch(*lines))


def test_whatever_can_be_written_is_taken(grammar):
    numbers, written = random.Random(2026), 0
    for _ in range(6_000):
        count = numbers.randrange(1, 5)
        lines = [*numbers.choice(FILES), *(numbers.choice(PIECES) for _ in range(count))]
        text = patch(*(lines if numbers.random() < 0.7 else lines[1:]))
        if is_written(grammar, text):
            written += 1
            assert is_taken(text), text
    assert written > 600


def test_a_line_of_the_file_that_looks_like_a_mark_is_a_line():
    (section,) = parse(patch("*** Update File: f.py", "@@", " *** End of File", "-*** End Patch"))
    assert section.hunks[0].old == ["*** End of File", "*** End Patch"]
