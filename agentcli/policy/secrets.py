"""Secrets: kept out of the environment of commands and out of what models and files see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_NAME = re.compile(
    r"(API_?KEY|_KEY$|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|PRIVATE|^AWS_(ACCESS|SESSION)"
    r"|_PAT$|DSN$|CONNECTION_STRING)",
    re.IGNORECASE,
)
_HARMLESS = re.compile(r"^(SSH_AUTH_SOCK|GPG_TTY|TOKENIZERS_PARALLELISM|GIT_ASKPASS)$")
SHORTEST = 8
"""Shorter values are too common to be masked."""
MASK = "[secret]"
SECRET_FILES = re.compile(
    r"(^|/)(\.env(\.(?!example|sample|template|dist)[\w.-]*)?|\.netrc|\.pgpass|\.npmrc|\.pypirc"
    r"|credentials(\.json)?|id_(rsa|dsa|ecdsa|ed25519)|[\w.-]*\.(pem|key|p12|pfx|jks|keystore)"
    r"|\.git-credentials|\.htpasswd|secrets?\.(ya?ml|json|toml)|environ)$"
    r"|(^|/)\.(ssh|gnupg|aws|azure|kube|docker|password-store)(/|$)|(^|/)\.config/(gh|gcloud)(/|$)"
)


def is_secret_name(name: str) -> bool:
    return bool(_NAME.search(name)) and not _HARMLESS.match(name)


def scrub_env(env: Mapping[str, str]) -> dict[str, str]:
    """The environment that commands and hooks may see."""
    return {name: value for name, value in env.items() if not is_secret_name(name)}


def known_values(*envs: Mapping[str, str]) -> tuple[str, ...]:
    """Secret values worth masking, longest first, so that none hides inside another."""
    pairs = (pair for env in envs for pair in env.items())
    found = {v for n, v in pairs if is_secret_name(n) and len(v) >= SHORTEST}
    return tuple(sorted(found, key=len, reverse=True))


def mask(text: str, values: tuple[str, ...]) -> str:
    for value in values:
        text = text.replace(value, MASK)
    return text


def is_secret_file(path: Path) -> bool:
    """Files that hold keys and passwords, by name and place."""
    return bool(SECRET_FILES.search(path.as_posix()))
