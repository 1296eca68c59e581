"""Instructions people keep in their repositories: AGENTS.md, or the files other agents read."""

from __future__ import annotations

import re
from pathlib import Path

from agentcli.lib.value import value

FIRST = "AGENTS.md"
OTHERS = ("CLAUDE.md", "CLAUDE.local.md", "GEMINI.md")
MAX_HOPS = 4
MAX_BYTES = 100_000
_IMPORT = re.compile(r"(?<!\S)@([^\s@`]+)")
_FENCE = re.compile(r"^\s*(```|~~~)")


@value
class MemoryFile:
    path: Path
    text: str
    """With its imports in place."""


def load(root: Path, cwd: Path, user_dir: Path) -> tuple[MemoryFile, ...]:
    """The user's own file, then each folder's from the repository's root down to `cwd`."""
    files = _folder(user_dir, user_dir)
    for folder in _down_to(root, cwd):
        files += _folder(folder, root)
    return tuple(files)


def below(path: Path, root: Path, known: set[Path]) -> tuple[MemoryFile, ...]:
    """Files of the folders between `root` and a file that was touched, not yet `known`."""
    if root not in path.parents:
        return ()
    files: list[MemoryFile] = []
    for folder in _down_to(root, path.parent):
        files += [file for file in _folder(folder, root) if file.path not in known]
    return tuple(files)


def repository_root(cwd: Path) -> Path:
    """The nearest folder upward that holds `.git`, else `cwd` itself."""
    for folder in (cwd, *cwd.parents):
        if (folder / ".git").exists():
            return folder
    return cwd


def _down_to(root: Path, folder: Path) -> list[Path]:
    """`root`, …, `folder`; only `folder` when it is not inside `root`."""
    if folder != root and root not in folder.parents:
        return [folder]
    between = [parent for parent in folder.parents if parent == root or root in parent.parents]
    return [*reversed(between), folder]


def _folder(folder: Path, root: Path) -> list[MemoryFile]:
    first = folder / FIRST
    names = [first] if first.is_file() else [folder / name for name in OTHERS]
    files: list[MemoryFile] = []
    for path in names:
        text = _text(path)
        if text.strip():
            files.append(MemoryFile(path, _with_imports(text, path, root, (path,)).strip()))
    return files


def _text(path: Path) -> str:
    try:
        return path.read_bytes()[:MAX_BYTES].decode("utf-8-sig", "replace")
    except OSError:
        return ""


def _with_imports(text: str, path: Path, root: Path, seen: tuple[Path, ...]) -> str:
    """`@path` outside code becomes the file's text, at most MAX_HOPS deep and inside `root`."""
    lines: list[str] = []
    fenced = False
    for line in text.splitlines():
        lines.append(line)
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            lines += _imported(line, path, root, seen)
    return "\n".join(lines)


def _imported(line: str, path: Path, root: Path, seen: tuple[Path, ...]) -> list[str]:
    found: list[str] = []
    if len(seen) > MAX_HOPS:
        return found
    for name in _IMPORT.findall(re.sub(r"`[^`]*`", "", line)):
        target = (path.parent / Path(name).expanduser()).resolve()
        inside = target.is_relative_to(root.resolve())
        if not inside or target in seen or not target.is_file():
            continue
        text = _with_imports(_text(target), target, root, (*seen, target))
        found.append(f"[{target.name}]\n{text.strip()}")
    return found
