"""Locks between processes: for what must be done by one at a time, and to say who lives.

The system drops them with the process. Where there are none (Windows), nobody waits, and
everybody is taken to live.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Waits for the others."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)


class Holder:
    """A process that was promised money: while it lives it keeps a lock on a file of its own.

    A number of a process would not do: in containers all have the same few.
    """

    def __init__(self, folder: Path) -> None:
        self.name = secrets.token_hex(6)
        self._path = folder / self.name
        self._descriptor: int | None = None

    def begin(self) -> None:
        """Be known to live. Raises OSError."""
        if self._descriptor is None:
            self._path.parent.mkdir(exist_ok=True, mode=0o700)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            _lock(self._descriptor, wait=True)

    def end(self) -> None:
        if self._descriptor is not None:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._descriptor)
            self._descriptor = None


def living(folder: Path) -> set[str]:
    """The holders that live; what the dead left is removed. Raises OSError."""
    found = list(folder.iterdir()) if folder.is_dir() else []
    return {path.name for path in found if not _is_dead(path)}


def _is_dead(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        if not _lock(descriptor, wait=False):
            return False
        path.unlink(missing_ok=True)
        return True
    finally:
        os.close(descriptor)


def _lock(descriptor: int, *, wait: bool) -> bool:
    """Whether the lock is ours now."""
    try:
        import fcntl  # absent on Windows
    except ImportError:
        return wait
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True
