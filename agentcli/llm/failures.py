"""Why nothing came, or no more: network errors as one sentence a person understands."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

import h11

from agentcli.llm.connection import Dead
from agentcli.llm.errors import ConnectionFailed, StreamCut

_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL)


def unreachable(error: BaseException, place: str, *, proxy: str = "") -> ConnectionFailed:
    """No head of an answer came from `place` (host:port); `proxy` names who stands between."""
    where = f"{place} (through the proxy {proxy})" if proxy else place
    chain = tuple(_chain(error))
    for cause in chain:
        found = _known(cause, where)
        if found is not None:
            return found
    return ConnectionFailed(f"the connection to {where} failed: {_words(chain[-1])}")


def _known(cause: BaseException, where: str) -> ConnectionFailed | None:
    match cause:
        case ssl.SSLCertVerificationError():
            return final(
                f"the TLS certificate of {where} is not trusted ({cause.verify_message}); behind "
                "a company's proxy, set SSL_CERT_FILE to its certificate file"
            )
        case ssl.SSLError():
            reason = (cause.reason or str(cause)).replace("_", " ").lower()
            return ConnectionFailed(f"no TLS with {where} ({reason}); does it speak https?")
        case socket.gaierror():
            return ConnectionFailed(
                f"the name of {where} was not found: no network, or a wrong base URL"
            )
        case ConnectionRefusedError():
            return _refused(where)
        case TimeoutError():
            return ConnectionFailed(f"{where} could not be reached in time: is the network up?")
        case Dead() | ConnectionError():
            return ConnectionFailed(f"{where} closed the connection without an answer")
        case h11.RemoteProtocolError():
            return ConnectionFailed(f"what answers at {where} does not speak HTTP ({cause})")
        case h11.LocalProtocolError():
            return final(f"a header for {where} can't be sent ({cause})")
        case OSError():
            return _by_number(cause, where)
        case _:
            return None


def _by_number(error: OSError, where: str) -> ConnectionFailed | None:
    """asyncio joins the errors of several addresses into one text without a number."""
    text = str(error)
    if f"[Errno {errno.ECONNREFUSED}]" in text:
        return _refused(where)
    if error.errno in _UNREACHABLE or any(f"[Errno {n}]" in text for n in _UNREACHABLE):
        return ConnectionFailed(f"there is no way to {where}: is the network up?")
    return None


def _refused(where: str) -> ConnectionFailed:
    return ConnectionFailed(f"nothing answers at {where} (connection refused): is it running?")


def cut(error: BaseException, place: str) -> StreamCut:
    """The answer broke off in the middle."""
    return StreamCut(f"the connection to {place} broke in the middle of the answer{_why(error)}")


def silent(place: str, seconds: float) -> StreamCut:
    return StreamCut(f"{place} went silent for {seconds:g} s in the middle of the answer")


def final(message: str) -> ConnectionFailed:
    """A failure that would be the same the next time."""
    error = ConnectionFailed(message)
    error.retryable = False
    return error


def _why(error: BaseException) -> str:
    last = tuple(_chain(error))[-1]
    if isinstance(last, h11.RemoteProtocolError | Dead | ConnectionError):
        return ""
    return f" ({_words(last)})"


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, the outermost first."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
