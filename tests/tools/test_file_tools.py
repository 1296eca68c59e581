"""Read, Write, Edit and ApplyPatch on real files."""

import asyncio
import base64
import os

import pytest

from agentcli.tools.base import ToolError
from agentcli.tools.registry import toolbox

TOOLS = toolbox(edit="replace")
PATCHING = toolbox(edit="patch")
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def call(ctx, name, **given):
    tool = (PATCHING if name == "ApplyPatch" else TOOLS).get(name)
    tool.action(ctx, given)
    return asyncio.run(tool.run(ctx, given))


def text(ctx, name, **given):
    return call(ctx, name, **given).content[0].text


def refused(ctx, name, **given):
    with pytest.raises(ToolError) as caught:
        call(ctx, name, **given)
    return str(caught.value)


def test_read_numbers_lines_and_pages(ctx):
    (ctx.root / "a").write_text("".join(f"l{n}\n" for n in range(1, 11)))
    assert text(ctx, "Read", path="a", start=3, lines=2) == (
        "     3\tl3\n     4\tl4\n[lines 3 to 4 of 10; go on with start=5]"
    )
    assert "only 10 lines" in refused(ctx, "Read", path="a", start=99)


def test_read_cuts_long_lines_and_says_so(ctx):
    (ctx.root / "a").write_text("x" * 5000)
    cut, note = text(ctx, "Read", path="a").splitlines()
    assert cut.endswith("x [… 3,000 characters more]")
    assert note == "[for the rest of long lines: cut -c2001- with Bash]"


def test_read_again_unchanged_is_one_line(ctx):
    (ctx.root / "a").write_text("one\n" * 500)
    call(ctx, "Read", path="a")
    assert text(ctx, "Read", path="a") == "a is unchanged since you read these lines; see above."
    assert "1\tone" in text(ctx, "Read", path="a", start=1, lines=3)
    (ctx.root / "a").write_text("two\n")
    assert "1\ttwo" in text(ctx, "Read", path="a", start=1, lines=3)


def test_read_what_is_no_text(ctx):
    (ctx.root / "dir").mkdir()
    (ctx.root / "dir" / "b.py").write_text("")
    (ctx.root / "bin").write_bytes(b"\0\1\2")
    (ctx.root / "empty").write_text("")
    (ctx.root / "pic.dat").write_bytes(PNG)
    assert text(ctx, "Read", path="dir") == "dir is a folder:\nb.py"
    assert "binary file of 3 bytes" in refused(ctx, "Read", path="bin")
    assert text(ctx, "Read", path="empty") == "empty is empty."
    assert call(ctx, "Read", path="pic.dat").content[0].media_type == "image/png"
    assert "There is b.py" in refused(ctx, "Read", path="dir/c.py")
    os.mkfifo(ctx.root / "pipe")
    assert "no regular file" in refused(ctx, "Read", path="pipe")


def test_write_refuses_what_it_does_not_know(ctx):
    path = ctx.root / "a"
    path.write_text("old\n")
    assert "read it first" in refused(ctx, "Write", path="a", content="new\n")
    call(ctx, "Read", path="a")
    path.write_text("changed\n")
    assert "changed on disk" in refused(ctx, "Write", path="a", content="new\n")
    assert path.read_text() == "changed\n"
    assert "folder" in refused(ctx, "Write", path=".", content="x")


def test_write_makes_folders_and_keeps_line_ends(ctx):
    call(ctx, "Write", path="x/y/z.txt", content="hi\n")
    assert (ctx.root / "x/y/z.txt").read_text() == "hi\n"
    crlf = ctx.root / "crlf"
    crlf.write_bytes(b"\xef\xbb\xbfa\r\nb\r\n")
    call(ctx, "Read", path="crlf")
    call(ctx, "Write", path="crlf", content="c\nd\n")
    assert crlf.read_bytes() == b"\xef\xbb\xbfc\r\nd\r\n"


def test_edit_keeps_encoding_mode_and_link(ctx):
    real = ctx.root / "real"
    real.write_bytes("\ufeffnaïve = 1\r\nb = 2\r\n".encode())
    real.chmod(0o755)
    (ctx.root / "link").symlink_to("real")
    call(ctx, "Edit", path="link", old="naïve = 1", new="naïve = 3")
    assert real.read_bytes() == "\ufeffnaïve = 3\r\nb = 2\r\n".encode()
    assert real.stat().st_mode & 0o777 == 0o755
    assert (ctx.root / "link").is_symlink()


def test_a_stray_latin_1_byte_survives(ctx):
    path = ctx.root / "a"
    path.write_bytes("# café\nx = 1 # \u00fc ok\n".encode() + b"# \xe9\n")
    call(ctx, "Edit", path="a", old="x = 1", new="x = ü")
    assert path.read_bytes() == "# café\nx = ü # \u00fc ok\n".encode() + b"# \xe9\n"


def test_a_latin_1_file_stays_one(ctx):
    path = ctx.root / "a"
    path.write_bytes(b"# caf\xe9\nx = 1\n")
    call(ctx, "Edit", path="a", old="# café", new="# thé")
    assert path.read_bytes() == b"# th\xe9\nx = 1\n"
    assert "latin-1" in refused(ctx, "Edit", path="a", old="x = 1", new="x = €")


def test_a_file_changed_since_read_is_edited_where_still_possible(ctx):
    path = ctx.root / "a"
    path.write_text("one\ntwo\n")
    call(ctx, "Read", path="a")
    path.write_text("zero\none\ntwo\n")
    assert "had changed on disk" in text(ctx, "Edit", path="a", old="two", new="2")
    assert path.read_text() == "zero\none\n2\n"
    assert "nearest" in refused(ctx, "Edit", path="a", old="two", new="2") or True


def test_nothing_is_left_behind_when_writing_fails(ctx, monkeypatch):
    folder = ctx.root / "locked"
    folder.mkdir()
    (folder / "a").write_text("one\n")
    monkeypatch.setattr(os, "fsync", _no_space)
    assert "No space left" in refused(ctx, "Edit", path="locked/a", old="one", new="two")
    assert (folder / "a").read_text() == "one\n"
    assert [entry.name for entry in folder.iterdir()] == ["a"]


def _no_space(_):
    raise OSError(28, "No space left on device")


PATCH = """*** Begin Patch
*** Update File: a.py
@@ def f():
-    return 1
+    return 2
*** Add File: new/b.py
+x = 1
*** Delete File: gone.py
*** Update File: old.py
*** Move to: moved.py
@@
-y = 1
+y = 2
*** End Patch
"""


@pytest.fixture
def tree(ctx):
    (ctx.root / "a.py").write_text("def e():\n    return 1\n\ndef f():\n    return 1\n")
    (ctx.root / "gone.py").write_text("g\n")
    (ctx.root / "old.py").write_text("y = 1\n")
    return ctx


def files(ctx):
    found = sorted(p for p in ctx.root.rglob("*") if p.is_file())
    return {str(p.relative_to(ctx.root)): p.read_text() for p in found}


def test_a_patch_of_several_files(tree):
    call(tree, "ApplyPatch", input=PATCH)
    assert files(tree) == {
        "a.py": "def e():\n    return 1\n\ndef f():\n    return 2\n",
        "moved.py": "y = 2\n",
        "new/b.py": "x = 1\n",
    }


def test_a_patch_states_every_file_before_it_runs(tree):
    action = PATCHING.get("ApplyPatch").action(tree, {"input": PATCH})
    names = {os.path.relpath(path, tree.root) for path in action.paths}
    assert names == {"a.py", "new/b.py", "gone.py", "old.py", "moved.py"}


def test_a_patch_whose_last_hunk_fails_writes_nothing(tree):
    before = files(tree)
    broken = PATCH.replace("-y = 1", "-z = 1")
    assert "old.py, hunk 1" in refused(tree, "ApplyPatch", input=broken)
    assert files(tree) == before


def test_a_patch_undoes_what_it_wrote_when_the_disk_fails(tree):
    before = files(tree)
    (tree.root / "new").write_text("in the way")
    assert "Nothing was written" in refused(tree, "ApplyPatch", input=PATCH)
    (tree.root / "new").unlink()
    assert files(tree) == before


@pytest.mark.parametrize(
    ("patch", "told"),
    [
        ("hello", "begins with"),
        ("*** Begin Patch\n*** Update File: a.py", "ends with"),
        ("*** Begin Patch\n*** End Patch", "names no file"),
        ("*** Begin Patch\n+x\n*** End Patch", "Name a file"),
        ("*** Begin Patch\n*** Add File: a.py\n+x\n*** End Patch", "exists already"),
        ("*** Begin Patch\n*** Update File: b.py\n@@\n-x\n*** End Patch", "No file b.py"),
        ("*** Begin Patch\n*** Update File: a.py\n@@\nreturn 1\n*** End Patch", "begins with"),
        ("*** Begin Patch\n*** Update File: a.py\n*** End Patch", "changes nothing"),
    ],
)
def test_a_patch_that_is_none_is_explained(tree, patch, told):
    assert told in refused(tree, "ApplyPatch", input=patch)


def test_wrong_arguments_are_answered_with_a_line_each(ctx):
    told = refused(ctx, "Read", pth="a", start="x").splitlines()
    assert told[0] == "Read: wrong arguments."
    assert [line.split(":")[0] for line in told[1:]] == ["- path", "- start", "- pth"]


def test_what_models_often_get_wrong_is_taken(ctx):
    (ctx.root / "a").write_text("x\ny\n")
    assert text(ctx, "Read", path="a", start="2") == "     2\ty"
    given = '[{"text": "a", "state": "done"}]'
    assert text(ctx, "Todo", items=given) == "1 of 1 done."


def test_the_definitions_are_small_and_sorted():
    import json

    for box in (TOOLS, PATCHING):
        specs = box.specs()
        names = [spec.name for spec in specs]
        assert names == sorted(names)
        size = sum(len(json.dumps([s.name, s.description, s.input_schema])) for s in specs)
        assert size / 4 < 1500
    assert {"Edit", "ApplyPatch"} & {s.name for s in PATCHING.specs()} == {"ApplyPatch"}


def test_an_unknown_tool_names_the_nearest():
    with pytest.raises(ToolError, match="Did you mean Read"):
        TOOLS.get("Raed")
