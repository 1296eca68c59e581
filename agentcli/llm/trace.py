"""Raw exchanges in files, keys blanked, for whoever has to find out what was really said."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from agentcli.lib.errors import UserError
from agentcli.llm.auth import redact, redact_url
from agentcli.llm.types import PreparedRequest


class Trace:
    """One exchange: `….request.txt`, `….response.txt` and `….body`, which `debug decode` reads.

    A folder that can't be written is a UserError at once; a disk that fills up later ends the
    trace, not the work.
    """

    def __init__(self, folder: Path, prepared: PreparedRequest) -> None:
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{time.monotonic_ns()}"
        self._stem = folder / name
        self._body: IO[bytes] | None = None
        head = _head(f"{prepared.method} {redact_url(prepared.url)}", prepared.headers)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(self._stem.with_suffix(".request.txt"), head + b"\n" + prepared.body)
        except OSError as error:
            raise UserError(f"AGENT_TRACE: cannot write to {folder}: {error.strerror}.") from None

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        with suppress(OSError):
            _write(self._stem.with_suffix(".response.txt"), _head(f"HTTP {status}", headers))
            self._body = _create(self._stem.with_suffix(".body"))

    def add(self, piece: bytes) -> None:
        if self._body is None:
            return
        try:
            self._body.write(piece)
            self._body.flush()
        except OSError:
            self.close()

    def close(self) -> None:
        if self._body is not None:
            with suppress(OSError):
                self._body.close()
            self._body = None


def _head(first: str, headers: Mapping[str, str]) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in redact(headers).items())]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _create(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _write(path: Path, content: bytes) -> None:
    with _create(path) as file:
        file.write(content)
