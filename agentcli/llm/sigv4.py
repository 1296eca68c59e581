"""AWS Signature Version 4: credentials as found on this machine, and a request signed with them.

The clock is passed in: equal requests at an equal time give equal signatures (wire.md 4.1).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, quote, urlsplit

from agentcli.lib.errors import UserError
from agentcli.lib.value import replace, value
from agentcli.llm.types import JsonObject, PreparedRequest

if TYPE_CHECKING:
    from configparser import RawConfigParser

ALGORITHM = "AWS4-HMAC-SHA256"
DEFAULT_PORTS = {"http": 80, "https": 443}
SIGNED = ("content-type",)
"""Of a request's own headers, those no proxy or HTTP library changes; `x-amz…` are signed too."""


@value
class Credentials:
    access_key: str
    secret_key: str
    token: str = ""
    """The session token that belongs to temporary keys."""


def sign(
    request: PreparedRequest,
    credentials: Credentials,
    region: str,
    now: float,
    *,
    service: str = "bedrock",
    method: str = "POST",
) -> PreparedRequest:
    """The request with the headers that prove who sends it; its body may not change any more.

    `now` is in seconds since 1970; AWS refuses a clock that is more than five minutes off.
    """
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {name.lower(): text for name, text in request.headers.items()}
    headers["x-amz-date"] = moment
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    signed = _signed(headers) | {"host": _host(request.url)}
    names = ";".join(sorted(signed))
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    canonical = _canonical(method, request, signed, names)
    text = "\n".join((ALGORITHM, moment, scope, _sha256(canonical.encode())))
    signature = hmac.new(_key(credentials.secret_key, scope), text.encode(), hashlib.sha256)
    headers["authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature.hexdigest()}"
    )
    return replace(request, headers=headers)


def find_credentials(env: Mapping[str, str], home: Path) -> Credentials | None:
    """Keys from the environment, else of the profile in ~/.aws; None when neither holds any."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    places = [[env.get(name) for name in names]]
    places += [[s.get(name.lower()) for name in names] for s in _sections(env, home)]
    return next((found for place in places if (found := _credentials(*place))), None)


def find_region(env: Mapping[str, str], home: Path) -> str | None:
    """The region asked for: by the environment, else by the profile."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if env.get(name):
            return env[name]
    return next((s["region"] for s in _sections(env, home) if s.get("region")), None)


def from_process(text: str) -> Credentials | None:
    """Keys as `aws configure export-credentials` and a `credential_process` print them (JSON)."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    printed = cast("JsonObject", found)
    return _credentials(
        printed.get("AccessKeyId"), printed.get("SecretAccessKey"), printed.get("SessionToken")
    )


def _credentials(access: str | None, secret: str | None, token: str | None) -> Credentials | None:
    if not access or not secret:
        return None
    return Credentials(access.strip(), secret.strip(), (token or "").strip())


def _sections(env: Mapping[str, str], home: Path) -> list[dict[str, str]]:
    """What is said of the profile in ~/.aws/credentials, then in ~/.aws/config."""
    profile = env.get("AWS_PROFILE") or env.get("AWS_DEFAULT_PROFILE") or "default"
    folder = home / ".aws"
    secret = Path(env.get("AWS_SHARED_CREDENTIALS_FILE") or folder / "credentials")
    config = Path(env.get("AWS_CONFIG_FILE") or folder / "config")
    titled = profile if profile == "default" else f"profile {profile}"
    places = ((secret, profile), (config, titled))
    return [dict(parsed[title]) for path, title in places if title in (parsed := _read(path, home))]


def _read(path: Path, home: Path) -> RawConfigParser:
    from configparser import Error, RawConfigParser

    parser = RawConfigParser(strict=False)
    if path.parts[:1] == ("~",):
        path = home.joinpath(*path.parts[1:])
    try:
        parser.read_string(path.read_text("utf-8-sig"))
    except OSError:
        return parser
    except (Error, UnicodeDecodeError):
        raise UserError(f"{path} cannot be read as an AWS file: it needs [sections].") from None
    return parser


def _signed(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: " ".join(text.split())
        for name, text in headers.items()
        if name in SIGNED or name.startswith("x-amz")
    }


def _host(url: str) -> str:
    """The host header as HTTP libraries send it: without the scheme's own port."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    own = f":{DEFAULT_PORTS.get(parts.scheme, '')}"
    return host.removesuffix(own)


def _canonical(method: str, request: PreparedRequest, signed: Mapping[str, str], names: str) -> str:
    parts = urlsplit(request.url)
    # A path is encoded once more than it is sent (all services but S3): %3A is signed as %253A.
    path = quote(parts.path or "/", safe="/~")
    lines = [f"{name}:{signed[name]}\n" for name in sorted(signed)]
    return "\n".join(
        (method, path, _query(parts.query), "".join(lines), names, _sha256(request.body))
    )


def _query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    encoded = sorted((quote(name, safe="~"), quote(text, safe="~")) for name, text in pairs)
    return "&".join(f"{name}={text}" for name, text in encoded)


def _key(secret: str, scope: str) -> bytes:
    """The secret narrowed down to a day, a region and a service."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
