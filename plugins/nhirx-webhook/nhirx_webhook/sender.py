"""One signed POST. The receiver recomputes HMAC-SHA256 over ``timestamp + "." + body`` and compares.

Plain http is for this machine only; anywhere else the message would carry a visit ID in clear.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from nhirx.errors import SettingInvalid

_SECONDS = 3.0


class Sender:
    def __init__(self, url: str, secret: bytes, ca_file: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingInvalid(setting="plugins.options.webhook.url", problem="須為 https:// 網址 / has to be an https URL")
        if parts.scheme == "http" and not _is_here(parts.hostname):
            raise SettingInvalid(setting="plugins.options.webhook.url", problem="http 僅限本機 / http is for this machine only")
        self._secret = secret
        self._clock = clock
        self._host, self._port = parts.hostname, parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            self._context = (
                ssl.create_default_context(cafile=str(ca_file) if ca_file else None) if parts.scheme == "https" else None
            )
        except (OSError, ssl.SSLError) as error:
            raise SettingInvalid(setting="plugins.options.webhook.ca_file", problem=type(error).__name__) from None

    def send(self, body: bytes) -> bool:
        """Whether the receiver answered with 2xx. Never raises for what happens on the way."""
        stamp = str(int(self._clock()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Nhirx-Timestamp": stamp,
            "X-Nhirx-Signature": f"sha256={signature(self._secret, stamp, body)}",
        }
        connection = (
            http.client.HTTPSConnection(self._host, self._port, timeout=_SECONDS, context=self._context)
            if self._context
            else http.client.HTTPConnection(self._host, self._port, timeout=_SECONDS)
        )
        try:
            connection.request("POST", self._path, body=body, headers=headers)
            # A redirect is no delivery: the message is meant for the address that was configured.
            return 200 <= connection.getresponse().status < 300
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """Lower-case hex."""
    return hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
