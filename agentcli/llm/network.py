"""What this machine says about the way out: whose certificates to trust, which proxy to take."""

from __future__ import annotations

import ipaddress
import os
import ssl
from contextlib import suppress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def tls_context() -> ssl.SSLContext:
    """Whom we trust: SSL_CERT_FILE and SSL_CERT_DIR, else the system, else certifi's bundle.

    The system's hashed directory is read as needed (0.2 ms); a bundle costs tens of milliseconds.
    Raises OSError when what the variables name can't be read.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not file and not folder:
        folder = _system_certificates()
    if not file and not folder:
        import certifi

        file = certifi.where()
    context = ssl.create_default_context(cafile=file or None, capath=folder or None)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _system_certificates() -> str | None:
    folder = str(ssl.get_default_verify_paths().capath or "")
    with suppress(OSError), os.scandir(folder) as entries:
        if folder and any(entry.name.endswith(".0") for entry in entries):
            return folder
    return None


def proxy_for(url: str) -> str:
    """The proxy the environment names for this URL, "" for none; never for this machine itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not found or _is_local(host) or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return ""
    return found if "://" in found else f"http://{found}"


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
