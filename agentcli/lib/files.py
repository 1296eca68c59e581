"""Files as they are: encoding, byte order mark and line ends kept; written whole or not."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from agentcli.lib.value import value

BOM = "\ufeff"


@value
class Source:
    """A text file. `text` has its own line ends and no byte order mark."""

    text: str
    encoding: str = "utf-8"
    """`utf-8`, or `latin-1` for files whose every other byte is one of its letters."""
    bom: bool = False

    @property
    def newline(self) -> str:
        """The line end that most lines have."""
        crlf = self.text.count("\r\n")
        return "\r\n" if crlf > self.text.count("\n") - crlf else "\n"

    def encode(self, text: str) -> bytes:
        """`text` as this file is written; stray bytes come back as they were.

        Raises UnicodeEncodeError for letters the encoding does not have.
        """
        errors = "surrogateescape" if self.encoding == "utf-8" else "strict"
        return ((BOM if self.bom else "") + text).encode(self.encoding, errors)


def decode(data: bytes) -> Source:
    """Bytes as text, losing nothing: bytes that are no UTF-8 are kept as lone surrogates."""
    text = data.decode("utf-8", "surrogateescape")
    strays = sum("\udc80" <= c <= "\udcff" for c in text) if not text.isascii() else 0
    if strays and all(ord(c) < 128 or "\udc80" <= c <= "\udcff" for c in text):
        return Source(data.decode("latin-1"), "latin-1")
    return Source(text.removeprefix(BOM), "utf-8", text.startswith(BOM))


def is_binary(data: bytes) -> bool:
    """Whether bytes are not text: a NUL among the first 8,000."""
    return b"\0" in data[:8000]


def write(path: Path, data: bytes) -> None:
    """Replace a file in one step: a temporary file beside it, then a rename.

    A link stays a link to the same, now changed, file; mode and owner are kept. Raises OSError.
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with fresh.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _like(fresh, target)
        fresh.replace(target)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _like(fresh: Path, target: Path) -> None:
    """Give the new file the mode and, where allowed, the owner of the one it replaces."""
    try:
        was = target.stat()
    except FileNotFoundError:
        return
    if (was.st_uid, was.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(PermissionError):
            os.chown(fresh, was.st_uid, was.st_gid)
    fresh.chmod(was.st_mode & 0o7777)


def write_all(changes: Mapping[Path, bytes | None]) -> None:
    """Write (None: delete) several files, all or none: what was done is undone on an error."""
    before: dict[Path, bytes | None] = {}
    try:
        for path, data in changes.items():
            before[path] = path.read_bytes() if path.exists() else None
            if data is None:
                path.unlink()
            else:
                write(path, data)
    except OSError:
        for path, data in before.items():
            if data is not None:
                write(path, data)
            elif path.exists():
                path.unlink()
        raise
