"""What enters the context is capped; the caps are settings, and the rest can be had."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from agentcli.config import load
from agentcli.lib.errors import UserError
from agentcli.lib.value import replace
from agentcli.tools.caps import LEAST, Caps
from agentcli.tools.jobs import kill_all
from agentcli.tools.registry import toolbox

TOOLS = toolbox(edit="replace")
SMALL = Caps(
    output=500,
    read_lines=10,
    read_chars=500,
    read_line=80,
    grep_lines=5,
    grep_line=40,
    glob_files=5,
    folder_names=5,
)

LEFT_OUT = "[15 lines more; narrow the pattern, path or glob]"


@pytest.fixture
def small(ctx):
    return replace(ctx, caps=SMALL)


def text(ctx, name, **given):
    return asyncio.run(TOOLS.get(name).run(ctx, given)).content[0].text


def whole(shown):
    """The file that a cut output names."""
    return Path(shown.split("the whole is in ")[1].split(" …")[0])


def test_bash_shows_head_and_tail_and_the_rest_can_be_read(small):
    shown = text(small, "Bash", command="seq 1 1000")
    assert shown.startswith("1\n2\n")
    assert shown.endswith("999\n1000")
    assert len(shown) < 700
    assert whole(shown).read_text().split() == [str(n) for n in range(1, 1001)]
    part = text(small, "Read", path=str(whole(shown)), start=500, lines=2)
    assert part.startswith("   500\t500\n   501\t501\n")


def test_git_keeps_what_it_cuts(small):
    subprocess.run(["git", "init", "-q"], cwd=small.root, check=True)
    for number in range(100):
        (small.root / f"name-{number:03}").write_text("")
    shown = text(small, "Git", command="status --short")
    assert shown.startswith("?? name-000")
    assert "?? name-050" not in shown
    assert "?? name-050" in whole(shown).read_text()


def test_a_job_keeps_what_it_cuts(small):
    async def go():
        run = TOOLS.get("Bash").run
        await run(small, {"command": "seq 1 1000", "background": True})
        while small.workspace.jobs["job-1"].exit is None:
            await asyncio.sleep(0.02)
        result = await TOOLS.get("BashOutput").run(small, {"id": "job-1"})
        await kill_all(small.workspace)
        return result

    shown = asyncio.run(go()).content[0].text
    assert shown.endswith("1000\n[ended with exit code 0]")
    assert "\n500\n" not in shown
    assert "\n500\n" in whole(shown).read_text()


def test_output_too_long_to_hold_names_its_file_where_the_middle_is_missing(ctx):
    line = "seq 1 30000; yes same | head -n 400000; seq 1 5"
    shown = text(replace(ctx, caps=Caps(output=400_000)), "Bash", command=line)
    begin, _, end = shown.partition(" characters left out; the whole is in ")
    assert begin.rpartition("\n")[0].endswith("more times]\ns")
    assert end.endswith("1\n2\n3\n4\n5")
    assert whole(shown).stat().st_size == 168_894 + 5 * 400_000 + 10


def test_what_fits_after_folding_leaves_no_file(small):
    shown = text(small, "Bash", command="for i in $(seq 1000); do echo the same again; done")
    assert shown == "the same again\n[the line above 999 more times]"
    assert list(small.outputs.iterdir()) == []


def test_read_says_how_to_go_on(small):
    (small.root / "a").write_text("".join(f"l{n}\n" for n in range(1, 31)))
    assert text(small, "Read", path="a").endswith("[lines 1 to 10 of 30; go on with start=11]")
    assert "    25\tl25" in text(small, "Read", path="a", start=1, lines=30)


def test_following_what_read_says_reads_all_of_a_file(small):
    """Also where one line alone is longer than a whole Read may be."""
    tight = replace(small, caps=replace(SMALL, read_line=900))
    (small.root / "a").write_text("".join(f"{n} {'x' * 800}\n" for n in range(1, 6)))
    start, seen = 1, []
    while start:
        shown = text(tight, "Read", path="a", start=start)
        seen += [row.split("\t")[1].split()[0] for row in shown.splitlines() if "\t" in row]
        start = int(shown.rpartition("start=")[2].rstrip("]")) if "start=" in shown else 0
    assert seen == ["1", "2", "3", "4", "5"]


def test_long_lines_and_folders(small):
    (small.root / "a").write_text("x" * 5000)
    assert f"{'x' * 80} [… 4,920 characters more]" in text(small, "Read", path="a")
    for number in range(7):
        (small.root / f"f{number}").write_text("")
    assert text(small, "Read", path=".").endswith("f3\n[3 more; look for them with Glob]")


def test_searches_say_what_they_left_out(small):
    (small.root / "many").write_text(f"hit {'y' * 100}\n" * 20)
    found = text(small, "Grep", pattern="hit").splitlines()
    assert len(found) == 7
    assert found[0].startswith("many:1:hit yyy")
    assert found[0].endswith("characters more]")
    assert found[-2:] == ["[Read shows more of long lines]", LEFT_OUT]
    for number in range(9):
        (small.root / f"f{number}.py").write_text("")
    names = text(small, "Glob", pattern="*.py").splitlines()
    assert (len(names), names[-1]) == (6, "[4 more; narrow the pattern]")


def configured(tmp_path, words):
    (tmp_path / "config.toml").write_text(words)
    return load(tmp_path, {"AGENT_CONFIG_DIR": str(tmp_path), "AGENT_DATA_DIR": str(tmp_path)})


def test_caps_are_settings(tmp_path):
    table = "\n".join(f"{name} = {size}" for name, size in LEAST.items())
    assert configured(tmp_path, f"[caps]\n{table}\n").caps == Caps(**LEAST)
    assert configured(tmp_path, "[caps]\noutput = 9000\n").caps == Caps(output=9000)
    assert configured(tmp_path, "").caps == Caps()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("output = 499", "caps.output: at least 500"),
        ("read_lines = -1", "caps.read_lines: at least 10"),
        ('glob_files = "all"', "caps.glob_files: "),
        ("colour = 3", "caps.colour"),
    ],
)
def test_a_cap_that_cannot_be_is_a_mistake_with_its_line(tmp_path, line, said):
    with pytest.raises(UserError) as caught:
        configured(tmp_path, f"[caps]\n{line}\n")
    assert f"config.toml:2: {said}" in str(caught.value)


def test_a_file_of_our_own_edit_is_shown_once_more_and_then_in_one_line(ctx):
    (ctx.root / "a").write_text("one\ntwo\n")
    text(ctx, "Read", path="a")
    text(ctx, "Edit", path="a", old="two", new="three")
    assert "2\tthree" in text(ctx, "Read", path="a")
    assert text(ctx, "Read", path="a") == "a is unchanged since you read these lines; see above."
