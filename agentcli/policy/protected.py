"""Files whose change could run something later: nobody writes them without a question."""

from __future__ import annotations

from pathlib import Path

START_UP = frozenset(
    {".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".zshrc", ".zshenv"}
    | {".zprofile", ".zlogin", ".kshrc", ".cshrc", ".tcshrc", ".login", ".envrc", ".inputrc"}
    | {".gitconfig", ".npmrc", ".pypirc", ".vimrc", ".xprofile", ".xinitrc", "config.fish"}
)


def is_protected(path: Path, root: Path, home: Path) -> bool:
    """Our own configuration, git's hooks and settings, shell start-up files; existing or not."""
    if path.name in START_UP:
        return True
    inside = path.relative_to(root).parts if path.is_relative_to(root) else ()
    if inside[:1] in ((".agent",), (".mcp.json",)) or (".git" in inside and _git_internal(inside)):
        return True
    own = (home / ".config" / "agentcli", home / ".local" / "share" / "agentcli", home / ".ssh")
    return any(path.is_relative_to(folder) for folder in own)


def _git_internal(parts: tuple[str, ...]) -> bool:
    below = parts[parts.index(".git") + 1 :]
    return not below or below[0] in ("hooks", "config", "info", "modules", "worktrees")
