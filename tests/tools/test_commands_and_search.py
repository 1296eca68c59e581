"""Bash and its jobs, Grep and Glob on both engines, Git."""

import asyncio
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from agentcli.lib.value import replace
from agentcli.tools.base import ToolError
from agentcli.tools.jobs import kill_all
from agentcli.tools.registry import toolbox

TOOLS = toolbox(edit="replace")


def call(ctx, name, **given):
    tool = TOOLS.get(name)
    tool.action(ctx, given)
    return asyncio.run(tool.run(ctx, given))


def text(ctx, name, **given):
    return call(ctx, name, **given).content[0].text


def refused(ctx, name, **given):
    with pytest.raises(ToolError) as caught:
        call(ctx, name, **given)
    return str(caught.value)


N = random.randrange(10**9)
"""Sets the programs of this run apart from those of another one on this machine."""


def running(marker):
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def test_output_exit_code_and_working_folder(ctx):
    (ctx.root / "sub").mkdir()
    result = call(ctx, "Bash", command="cd sub; echo out; echo err >&2; exit 3")
    assert result.content[0].text == "out\nerr\n[exit code 3]"
    assert result.is_error
    assert text(ctx, "Bash", command="pwd") == str(ctx.root / "sub")
    assert text(ctx, "Bash", command="true") == "(no output)"


def test_a_folder_that_vanished_is_told(ctx):
    (ctx.root / "sub").mkdir()
    call(ctx, "Bash", command="cd sub")
    (ctx.root / "sub").rmdir()
    assert "no longer exists" in text(ctx, "Bash", command="pwd")
    assert ctx.workspace.cwd == ctx.root


def test_a_time_out_keeps_the_output_and_kills_the_tree(ctx):
    line = f"echo begun; (sleep 987.{N}1 & setsid sleep 987.{N}1 & nohup sleep 987.{N}1 & wait)"
    shown = text(ctx, "Bash", command=line, timeout=1)
    assert shown.startswith("begun")
    assert "killed after 1 s" in shown
    assert running(f"987.{N}1") == []


def test_cancelling_kills_the_tree(ctx):
    async def go():
        tool = TOOLS.get("Bash")
        task = asyncio.create_task(tool.run(ctx, {"command": f"sleep 987.{N}2 & sleep 987.{N}2"}))
        while len(running(f"987.{N}2")) < 2:
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go())
    assert running(f"987.{N}2") == []


def test_a_child_that_stays_does_not_hold_the_answer(ctx):
    assert text(ctx, "Bash", command=f"sleep 987.{N}3 & echo done") == "done"
    assert running(f"987.{N}3") == []


def test_nobody_can_answer_so_nothing_waits(ctx):
    assert text(ctx, "Bash", command="read x; echo got:$x") == "got:"
    shown = text(ctx, "Bash", command="echo $PAGER $GIT_PAGER $GIT_TERMINAL_PROMPT $TERM")
    assert shown == "cat cat 0 dumb"


def test_long_output_keeps_both_ends_and_the_whole_in_a_file(ctx):
    shown = text(ctx, "Bash", command="seq 1 200000")
    assert shown.startswith("1\n2\n")
    assert shown.rstrip().endswith("200000")
    assert len(shown) < 32_000
    path = Path(shown.split("the whole is in ")[1].split(" …")[0])
    assert path.read_text().split() == [str(n) for n in range(1, 200_001)]


def test_progress_bars_repeats_and_colours_are_folded(ctx):
    line = r"printf '10%%\r50%%\r100%%\n'; for i in 1 2 3 4 5; do echo same; done; "
    line += r"printf '\033[31mred\033[0m\n'"
    assert text(ctx, "Bash", command=line) == "100%\nsame\n[the line above 4 more times]\nred"


def test_output_arrives_while_it_runs(ctx):
    pieces = []
    told = replace(ctx, progress=pieces.append)
    call(told, "Bash", command="echo a; sleep 0.2; echo b")
    assert "".join(pieces) == "a\nb\n"
    assert len(pieces) >= 2


def test_odd_output_survives(ctx):
    assert text(ctx, "Bash", command=r"printf 'a\377b\000c'") == "a\ufffdbc"
    assert "empty" in refused(ctx, "Bash", command=" ")


def test_a_background_job_from_start_to_end(ctx):
    async def go():
        run = TOOLS.get("Bash").run
        begun = await run(ctx, {"command": f"echo hi; sleep 987.{N}4", "background": True})
        assert "job-1" in begun.content[0].text
        shown = ""
        while "hi" not in shown:
            await asyncio.sleep(0.02)
            shown = (await TOOLS.get("BashOutput").run(ctx, {"id": "job-1"})).content[0].text
        assert shown == "hi\n[running]"
        await TOOLS.get("KillBash").run(ctx, {"id": "job-1"})
        ended = (await TOOLS.get("BashOutput").run(ctx, {"id": "job-1"})).content[0].text
        assert f"exit code -{int(signal.SIGTERM)}" in ended

    asyncio.run(go())
    assert running(f"987.{N}4") == []
    assert "There is no job job-9" in refused(ctx, "BashOutput", id="job-9")


def test_jobs_end_with_the_session(ctx):
    async def go():
        await TOOLS.get("Bash").run(ctx, {"command": f"sleep 987.{N}5", "background": True})
        await kill_all(ctx.workspace)

    asyncio.run(go())
    assert running(f"987.{N}5") == []


@pytest.fixture(params=["ripgrep", "python"])
def searching(ctx, request):
    """The same project, searched by both engines."""
    root = ctx.root
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / "src").mkdir()
    (root / "src" / "a.py").write_text("import os\ndef main():\n    pass\n")
    (root / "src" / "b.txt").write_text("main thing\r\nMAIN\n")
    (root / "build").mkdir()
    (root / "build" / "out.py").write_text("main\n")
    (root / ".gitignore").write_text("build/\n*.log\n")
    (root / "src" / ".gitignore").write_text("!keep.log\nlocal.py\n")
    (root / "src" / "keep.log").write_text("main\n")
    (root / "src" / "local.py").write_text("main\n")
    (root / "x.log").write_text("main\n")
    (root / ".hidden").write_text("main\n")
    (root / "bin").write_bytes(b"main\0main")
    (root / "broken").symlink_to("nowhere")
    (root / "loop").symlink_to(root)
    if request.param == "python":
        return replace(ctx, env=dict(ctx.env) | {"AGENT_NO_RIPGREP": "1"})
    return ctx


def test_grep_finds_lines(searching):
    assert text(searching, "Grep", pattern="main").splitlines() == [
        "src/a.py:2:def main():",
        "src/b.txt:1:main thing",
        "src/keep.log:1:main",
    ]


def test_grep_options(searching):
    ctx = searching
    assert text(ctx, "Grep", pattern="main", glob="*.py") == "src/a.py:2:def main():"
    found = text(ctx, "Grep", pattern="main", ignore_case=True, path="src/b.txt")
    assert found.splitlines() == ["src/b.txt:1:main thing", "src/b.txt:2:MAIN"]
    assert text(ctx, "Grep", pattern="main", mode="files", path="src").splitlines() == [
        "src/a.py",
        "src/b.txt",
        "src/keep.log",
    ]
    assert text(ctx, "Grep", pattern="m", mode="count", glob="*.py") == "src/a.py:2"
    around = text(ctx, "Grep", pattern="def", context=1).splitlines()
    assert around == ["src/a.py-1-import os", "src/a.py:2:def main():", "src/a.py-3-    pass"]


def test_grep_that_finds_nothing_or_cannot(searching):
    assert text(searching, "Grep", pattern="absent") == "No match."
    assert "regular expression" in refused(searching, "Grep", pattern="(")
    assert "There is no nowhere" in refused(searching, "Grep", pattern="x", path="nowhere/x")
    assert text(searching, "Grep", pattern="--files") == "No match."


def test_many_matches_are_cut_and_said(searching):
    (searching.root / "many").write_text("hit\n" * 1000)
    found = text(searching, "Grep", pattern="hit").splitlines()
    assert len(found) == 201
    assert found[-1].startswith("[800 lines more")


def test_glob_newest_first(searching):
    root = searching.root
    os.utime(root / "src" / "a.py", (time.time() - 100,) * 2)
    (root / "new.py").write_text("")
    assert text(searching, "Glob", pattern="**/*.py").splitlines() == ["new.py", "src/a.py"]
    assert text(searching, "Glob", pattern="*.rs") == "No file matches *.rs."
    assert text(searching, "Glob", pattern="*.py", path="src").splitlines() == ["src/a.py"]


def test_git_tool(ctx):
    assert "not inside a git repository" in refused(ctx, "Git", command="status")
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=ctx.root, check=True)
    (ctx.root / "a").write_text("x\n")
    assert text(ctx, "Git", command="status --short") == "?? a"
    call(ctx, "Git", command="add -A")
    assert "1 file changed" in text(ctx, "Git", command="commit -m 'first one'")
    assert "first one" in text(ctx, "Git", command="git log --oneline")
    result = call(ctx, "Git", command="show nothing")
    assert result.is_error
    assert "[exit code 128]" in result.content[0].text


@pytest.mark.parametrize(
    "command",
    ["-c core.pager=x log", "log --output=/tmp/x", "fetch --upload-pack=x", "daemon", "", "log 'x"],
)
def test_git_offers_nothing_that_runs_programs(ctx, command):
    subprocess.run(["git", "init", "-q"], cwd=ctx.root, check=True)
    refused(ctx, "Git", command=command)


def test_an_embedded_bare_repository_runs_nothing(ctx):
    """`core.fsmonitor` of a bare repository inside the project would run on `git status`."""
    evil = ctx.root / "evil"
    subprocess.run(["git", "init", "-q", "--bare", str(evil)], check=True)
    mark = ctx.root / "ran"
    with (evil / "config").open("a") as config:
        config.write(f"[core]\n\tfsmonitor = touch {mark}; false\n\tbare = false\n\tworktree = .\n")
    ctx.workspace.cwd = evil
    call(ctx, "Bash", command="git status; git diff; true")
    assert call(ctx, "Git", command="status").is_error
    assert not mark.exists()
