"""An edit changes the lines it means and nothing else, or says why it does not."""

import random

import pytest

from agentcli.tools.base import ToolError
from agentcli.tools.matching import replace

APPLIED = {
    "exact": ("a = 1\nb = 2\n", "b = 2", "b = 3", "a = 1\nb = 3\n"),
    "trailing spaces in the file": ("a  \nb  \nc\n", "a\nb\n", "a\nB\n", "a  \nB\nc\n"),
    "dedented by four": (
        "class A:\n    def f(self):\n        return 1\n",
        "def f(self):\n    return 1\n",
        "def f(self):\n    x = 2\n    return x\n",
        "class A:\n    def f(self):\n        x = 2\n        return x\n",
    ),
    "tabs where the file has spaces": (
        "def f():\n    if x:\n        y\n",
        "\tif x:\n\t\ty\n",
        "\tif x:\n\t\tz\n",
        "def f():\n    if x:\n        z\n",
    ),
    "curly quotes on another line stay": (
        "say \u201chi\u201d\nsay \u201cyo\u201d\n",
        'say "hi"\nsay \u201cyo\u201d\n',
        'say "hey"\nsay \u201cyo\u201d\n',
        'say "hey"\nsay \u201cyo\u201d\n',
    ),
    "CRLF file, LF old": ("a\r\nb\r\nc\r\n", "a\nb\n", "a\nX\nY\n", "a\r\nX\r\nY\r\nc\r\n"),
    "CRLF old, LF file": ("a\nb\n", "a\r\nb\r\n", "a\r\nc\r\n", "a\nc\n"),
    "mixed line ends, one LF line": ("a\r\nb\nc\r\n", "b", "B", "a\r\nB\nc\r\n"),
    "mixed line ends, several": ("a\r\nb\nc\r\n", "a\nb\nc\n", "a\nB\nc\n", "a\r\nB\nc\r\n"),
    "dollar signs are letters": ("a\n", "a", "$& $1 $$ \\1", "$& $1 $$ \\1\n"),
    "over-escaped on both sides": ("a\nb\n", "a\\nb", "a\\nc", "a\nc\n"),
    "no final newline in the file": ("a\nb", "a\nb\n", "a\nc\n", "a\nc"),
    "deletion of a line": ("a\nb\nc\n", "b\n", "", "a\nc\n"),
    "deletion in CRLF with trailing space": ("a\r\nb  \r\nc\r\n", "b\n", "", "a\r\nc\r\n"),
    "appending at the end": ("a\nb", "b", "b\nc", "a\nb\nc"),
    "a backslash-n that is really there": ('x = "a\\nb"\n', '"a\\nb"', '"c\\nd"', 'x = "c\\nd"\n'),
}


@pytest.mark.parametrize(("text", "old", "new", "after"), APPLIED.values(), ids=APPLIED)
def test_applied(text, old, new, after):
    assert replace(text, old, new).text == after


REFUSED = {
    "twice": ("x\ny\nx\n", "x", "z", "2 times, at lines 1, 3"),
    "twice by indentation": ("  a\nb\n    a\n", "\ta", "c", "."),
    "first and last line match only": ("a\nb\nc\n", "a\nQ\nc\n", "z\n", "nearest lines"),
    "elision": ("a\nb\nc\n", "a\n...\nc\n", "a\n...\nd\n", "leaves lines out"),
    "typo": ("def compute(x):\n", "def compue(x):\n", "def c(x):\n", "1\tdef compute"),
    "placeholder": ("a\nb\n", "a\nb\n", "a\n// rest of methods ...\n", "would delete"),
    "placeholder with ellipsis": ("a\nb\n", "b\n", "# ... existing code ...\n", "would delete"),
    "nothing to find": ("a\n", "", "b", "empty"),
    "nothing to change": ("a\n", "a", "a", "the same"),
    "not there at all": ("a\n", "completely different text", "b", "not in the file"),
}


@pytest.mark.parametrize(("text", "old", "new", "told"), REFUSED.values(), ids=REFUSED)
def test_refused(text, old, new, told):
    with pytest.raises(ToolError, match=told):
        replace(text, old, new)


def test_a_placeholder_that_was_in_old_may_stay():
    text = "a\n# ... existing code ...\n"
    assert replace(text, "a\n# ... existing code ...", "b\n# ... existing code ...").text == (
        "b\n# ... existing code ...\n"
    )


def test_every_occurrence():
    change = replace("x y x\nx\n", "x", "z", every=True)
    assert (change.text, change.count) == ("z y z\nz\n", 3)


def test_random_edits_touch_nothing_outside():
    dice = random.Random(11)
    for _ in range(500):
        lines = [f"line{n:02}{dice.choice(['', ' ', '  '])}" for n in range(12)]
        ends = [dice.choice(["\n", "\r\n"]) for _ in lines]
        text = "".join(line + end for line, end in zip(lines, ends, strict=True))
        first = dice.randrange(10)
        last = dice.randrange(first + 1, 12)
        old = "\n".join(line.rstrip() for line in lines[first:last])
        after = replace(text, old, "new text").text
        before = "".join(x + e for x, e in zip(lines[:first], ends[:first], strict=True))
        rest = "".join(x + e for x, e in zip(lines[last:], ends[last:], strict=True))
        assert after.startswith(before + "new text")
        assert after.endswith(rest)
