"""Keys: how one becomes a header, and how headers, URLs and texts are shown without it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from agentcli.lib.errors import UserError
from agentcli.llm.errors import AuthFailed

if TYPE_CHECKING:
    from agentcli.llm.providers import Auth, Route

BLANK = "***"
_SHOWN = 4
_LONG = 12
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SECRET_NAME = re.compile(
    r"auth|key|token|secret|passw|cookie|credential|signature|^sig$|^code$", re.IGNORECASE
)
_PUBLIC_NAME = re.compile(r"ratelimit|max.?tokens|prompt_cache_key", re.IGNORECASE)
COMMAND_SECONDS = 60
PRINTED_SECONDS = 300
"""How long a printed key is used; the tokens of the clouds live for an hour."""
_PRINTED: dict[str, tuple[str, float]] = {}
EXPIRED = ("expiredtokenexception", "unrecognizedclientexception", "invalidsignatureexception")
"""AWS's words for credentials that may have been replaced meanwhile (wire.md 4.6)."""
_KEY_IN_TEXT = re.compile(
    r"\b(?:sk|pk|gsk|xai|nvapi|bedrock-api-key)[-_][A-Za-z0-9_-]{12,}|\bAIza[A-Za-z0-9_-]{20,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]{8,}|\bABSK[A-Za-z0-9+/=]{20,}"
    r"|\bya29\.[A-Za-z0-9_-]{20,}|\b(?:hf|gh[opsu])_[A-Za-z0-9]{20,}"
)


def auth_headers(route: Route) -> dict[str, str]:
    """The header that proves who we are; none without a key. Raises AuthFailed for a broken key.

    A signature is made later, when the body is known (`llm/sigv4.py`).
    """
    if route.auth in ("none", "sigv4"):
        return {}
    key = (route.key or _printed(route)).strip()
    if not key:
        return {}
    for position, character in enumerate(key, 1):
        if not "!" <= character <= "~":
            raise AuthFailed(
                f"the API key holds a character at position {position} that no key has "
                "(a space, a line break or a typographic sign): copy it again",
                provider=route.provider.name,
                model=route.model.id,
            )
    return _header(route.auth, key)


def _printed(route: Route) -> str:
    """A key that a command of the person's prints, asked for again when it may have expired."""
    command, now = route.provider.key_command, time.monotonic()
    if not command:
        return ""
    key, until = _PRINTED.get(command, ("", 0.0))
    if now < until:
        return key
    import shlex
    import subprocess  # only those with a key_command pay for it

    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, timeout=COMMAND_SECONDS
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise _no_key(route, str(error)) from None
    if done.returncode or not done.stdout.strip():
        said = redact_text(done.stderr.strip().partition("\n")[0])
        raise _no_key(route, said or "it printed nothing")
    _PRINTED[command] = (done.stdout.strip(), now + PRINTED_SECONDS)
    return done.stdout


def renewed(route: Route, error: AuthFailed) -> bool:
    """Whether a refused key may be another one when it is looked up again (wire.md 0.3).

    A printed one is forgotten here; AWS's are read each time a request is signed.
    """
    if route.auth == "sigv4":
        return error.status == 401 or error.code in EXPIRED
    printed = _PRINTED.pop(route.provider.key_command, None)
    return printed is not None and error.status == 401 and not route.key


def _no_key(route: Route, why: str) -> AuthFailed:
    names = " or ".join((*route.provider.key_env, *route.provider.lent_env))
    instead = f"; set {names} instead" if names else ""
    return AuthFailed(
        f"no key from `{route.provider.key_command}`: {why}{instead}",
        provider=route.provider.name,
        model=route.model.id,
    )


def _header(auth: Auth, key: str) -> dict[str, str]:
    match auth:
        case "bearer":
            return {"authorization": f"Bearer {key}"}
        case "x-api-key" | "api-key" | "x-goog-api-key":
            return {auth: key}
        case "none" | "sigv4":
            return {}


def parse_custom_headers(text: str, *, source: str = "ANTHROPIC_CUSTOM_HEADERS") -> dict[str, str]:
    """`Name: value` a line (a written-out `\\n` parts lines too), names in lower case.

    Raises UserError naming the line, never its value, which may be a secret.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(re.split(r"\r\n|\n|\r|\\n", text), 1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not _NAME.fullmatch(name):
            raise UserError(f"{source}, line {number}: expected `Name: value`.")
        if not all(" " <= character <= "~" or character == "\t" for character in value):
            raise UserError(
                f"{source}, line {number}: {name} holds a character no header may have."
            )
        found[name.lower()] = value
    return found


def blank(secret: str) -> str:
    """A secret as it may be shown: its last 4 characters when it is longer than 12."""
    return BLANK + (secret[-_SHOWN:] if len(secret) > _LONG else "")


def is_secret_name(name: str) -> bool:
    """Whether a header or query field of this name usually holds a secret."""
    return bool(_SECRET_NAME.search(name)) and not _PUBLIC_NAME.search(name)


def redact(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers for display: secrets blanked, the scheme (`Bearer`) left readable."""
    return {name: _redact(name, value) for name, value in headers.items()}


def _redact(name: str, value: str) -> str:
    if not is_secret_name(name):
        return redact_text(value)
    scheme, space, rest = value.partition(" ")
    if space and scheme.lower() in ("bearer", "basic", "digest"):
        return f"{scheme} {blank(rest)}"
    return blank(value)


def redact_url(url: str) -> str:
    """A URL for display: password and secret query fields blanked."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return BLANK
    netloc = parts.netloc
    if "@" in netloc:
        user, _, host = netloc.rpartition("@")
        name, colon, _ = user.partition(":")
        netloc = f"{name}:{BLANK}@{host}" if colon else f"{BLANK}@{host}"
    query = parts.query
    pairs = parse_qsl(query, keep_blank_values=True)
    if any(is_secret_name(name) for name, _ in pairs):
        shown = [(name, blank(value) if is_secret_name(name) else value) for name, value in pairs]
        query = urlencode(shown, safe="*", quote_via=quote)
    return urlunsplit((parts.scheme, netloc, parts.path, query, parts.fragment))


def redact_text(text: str) -> str:
    """Text with what looks like an API key blanked: servers echo refused keys in their errors."""
    return _KEY_IN_TEXT.sub(lambda match: blank(match.group()), text)
