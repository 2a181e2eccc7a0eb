"""JSON over HTTPS: the one module that imports httpx, and the one place where its failures get our names.

Certificates are always verified, and without TLS nothing leaves this machine. Three ways to say whom to trust, per service: the
system's store (default), a CA file, or the SHA-256 fingerprint of one certificate, for the self-signed certificate of a local
service; the last from the settings or accepted by a person (``nhirx.trust``). A pinned certificate is fetched once, compared with the
fingerprint, and from then on is the only one the connection accepts.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import ssl
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from nhirx.errors import AnswerLost, AnswerMalformed, NhirxError, ServiceTimeout, ServiceUnreachable, SettingInvalid, TlsRefused
from nhirx.settings import ServiceSettings
from nhirx.trust import fingerprint_for
from nhirx.wire import Watching, ends

_LARGEST_ANSWER = 64 * 1024 * 1024
# Services close what idles; a request on a connection that is just being closed would be lost without need.
_KEPT_SECONDS = 3.0
# httpx has more than one root; UnicodeError is what a host name that cannot be one ends in.
_ALL_OF_HTTPX = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict, UnicodeError)


class JsonService:
    """One base URL. Thread-safe; every request has a connection of its own, unless its caller says ``reuse``.

    A kept connection can hold a second copy of an answer, and HTTP/1.1 then takes it for the answer to the next request: the
    number of one patient for another. So a connection is kept only for a caller who can tell an answer to an earlier request by
    what it says, and even then only while every answer was clean to the byte (``nhirx.wire``).

    Nothing of a body, sent or received, ever reaches a log or an exception: bodies hold personal data and signatures.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.url = settings.url.rstrip("/")
        self._settings = settings
        self._lock = threading.Lock()
        self._clients: dict[bool, httpx.Client] = {}
        self._context: ssl.SSLContext | None = None
        self.told_at: datetime | None = None
        """The time of the service by its last answer (HTTP's ``Date``); None where it says none."""

    @property
    def timeout(self) -> float:
        """Seconds that a request may take unless its caller says otherwise."""
        return self._settings.timeout

    def request(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        timeout: float | None = None,
        reuse: bool = False,
    ) -> dict[str, Any]:
        """The JSON object that the service answers with, whatever its HTTP status when the body is one.

        With ``reuse`` the connection may be one that an earlier such request left clean, and stays for the next.
        Raises the ``TransportError`` branch: unreachable, time-out, certificate refused, answer that is no JSON object; and
        ``SettingInvalid`` where the address or the CA file of the settings is none.
        """
        url = self.url + path
        seconds = timeout or self._settings.timeout
        status, kind, content = self._exchange(method, url, body, seconds, reuse)
        try:
            answer = json.loads(content)
        except ValueError:
            # UnicodeDecodeError is a ValueError too: half an answer, a web page, or another encoding.
            raise AnswerMalformed(url=url, problem=f"HTTP {status}, {kind}, no JSON", status=status) from None
        except RecursionError:
            raise AnswerMalformed(url=url, problem=f"HTTP {status}, nested too deeply", status=status) from None
        if not isinstance(answer, dict):
            raise AnswerMalformed(url=url, problem="JSON, but no object", status=status)
        if status >= 500 and not answer:
            raise AnswerMalformed(url=url, problem=f"HTTP {status}", status=status)
        return answer

    def _exchange(
        self, method: str, url: str, body: dict[str, Any] | None, seconds: float, reuse: bool
    ) -> tuple[int, str, bytes]:
        """Status, media type and body. The limit counts for the whole: httpx's own begins anew with every piece."""
        deadline = time.monotonic() + seconds
        content = bytearray()
        kind = None
        end = ends.set(deadline)
        try:
            with self._connected(reuse).stream(method, url, json=body, timeout=seconds) as response:
                kind = response.headers.get("content-type", "?").split(";")[0]
                self.told_at = _time(response.headers.get("date"))
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > _LARGEST_ANSWER:
                        raise AnswerMalformed(url=url, problem="answer too large", status=response.status_code)
                    if time.monotonic() > deadline:
                        raise ServiceTimeout(url=url, seconds=seconds, reached=True)
        except httpx.RemoteProtocolError as error:
            if kind is None:
                raise AnswerLost(url=url, problem=type(error).__name__, reached=True) from None
            raise _named(error, url, seconds) from None
        except _ALL_OF_HTTPX as error:
            raise _named(error, url, seconds) from None
        finally:
            ends.reset(end)
        return response.status_code, kind, bytes(content)

    def get(self, path: str, **options: Any) -> dict[str, Any]:
        return self.request("GET", path, **options)

    def post(self, path: str, body: dict[str, Any], **options: Any) -> dict[str, Any]:
        return self.request("POST", path, body, **options)

    def let_go(self) -> None:
        """End the connection that was kept for ``reuse``: what comes next begins anew."""
        with self._lock:
            if (client := self._clients.pop(True, None)) is not None:
                client.close()

    def close(self) -> None:
        with self._lock:
            while self._clients:
                self._clients.popitem()[1].close()
            self._context = None

    def _connected(self, reuse: bool) -> httpx.Client:
        with self._lock:
            if reuse not in self._clients:
                _refuse_in_clear(self._settings.url)
                self._context = self._context or _context(self._settings)
                # trust_env off: a proxy of the desktop must not see patient data meant for the VPN or for localhost.
                self._clients[reuse] = httpx.Client(
                    transport=_Transport(self._context, kept=reuse),
                    trust_env=False,
                    follow_redirects=False,
                )
            return self._clients[reuse]


class _Transport(httpx.HTTPTransport):
    """Every connection watched (``nhirx.wire``). ``kept``: one stays for a few seconds, as long as it is clean."""

    def __init__(self, context: ssl.SSLContext, *, kept: bool) -> None:
        super().__init__(context)
        self._pool = httpcore.ConnectionPool(
            context,
            max_connections=1 if kept else None,
            max_keepalive_connections=int(kept),
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=Watching(),
        )


def _refuse_in_clear(url: str) -> None:
    """Plain http is for this machine only: an address without TLS would be a switch that turns verification off."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return  # no address at all: said by whoever uses it
    if parts.scheme != "http" or host == "localhost":
        return
    try:
        here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = False
    if not here:
        words = "http 只能用於本機，其他位址請用 https / http is for this machine only, use https for any other"
        raise SettingInvalid(setting="url", problem=f"{url}: {words}")


def _context(settings: ServiceSettings) -> ssl.SSLContext:
    context = _verifying(settings)
    # Python obeys SSLKEYLOGFILE: whoever can set a variable could read along.
    context.keylog_filename = None  # type: ignore[assignment]
    return context


def _verifying(settings: ServiceSettings) -> ssl.SSLContext:
    if fingerprint := settings.fingerprint or (None if settings.ca_file else fingerprint_for(settings.url)):
        return _pinned(settings, fingerprint)
    try:
        return ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise SettingInvalid(setting="ca_file", problem=f"{settings.ca_file}: {error}") from None


def _pinned(settings: ServiceSettings, fingerprint: str) -> ssl.SSLContext:
    pem = certificate_of(settings)
    if not same_fingerprint(fingerprint_of(pem), fingerprint):
        raise TlsRefused(url=settings.url, problem="certificate differs from the pinned fingerprint", reached=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Exactly one certificate is trusted, so its name adds nothing; vendors' self-signed ones often carry no usable name.
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.load_verify_locations(cadata=pem)
    return context


def certificate_of(settings: ServiceSettings) -> str:
    """The certificate that answers at the service's address, PEM, not verified: only to be compared or shown to a person."""
    try:
        parts = urlsplit(settings.url)
        address = (parts.hostname or "", parts.port or 443)
    except ValueError as error:
        raise SettingInvalid(setting="url", problem=str(error)) from None
    try:
        return ssl.get_server_certificate(address, timeout=settings.timeout)
    except TimeoutError:
        raise ServiceTimeout(url=settings.url, seconds=settings.timeout, reached=False) from None
    except ssl.SSLError as error:
        raise TlsRefused(url=settings.url, problem=error.reason or "TLS handshake failed", reached=False) from None
    except (OSError, UnicodeError) as error:
        raise ServiceUnreachable(url=settings.url, problem=str(error), reached=False) from None


def fingerprint_of(pem: str) -> str:
    """SHA-256 of a PEM certificate, lower-case hex."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def same_fingerprint(one: str, other: str) -> bool:
    """Whether two fingerprints are equal, colons and case aside."""
    return one.replace(":", "").lower() == other.replace(":", "").lower()


def _time(text: str | None) -> datetime | None:
    try:
        told = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)


def _named(error: Exception, url: str, seconds: float) -> NhirxError:
    """Our exception for httpx's; a test walks through all of httpx's and checks that none falls through."""
    # "reached": whether the request may have arrived. False only where no connection stood, so nothing was sent; the outbox
    # decides by it whether a record may go again.
    if isinstance(error, httpx.TimeoutException):
        return ServiceTimeout(url=url, seconds=seconds, reached=not isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout))
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | UnicodeError):
        return SettingInvalid(setting="url", problem=f"{url}: {type(error).__name__}")
    if isinstance(error, httpx.ConnectError) and (refusal := _tls_refusal(error)) is not None:
        return TlsRefused(url=url, problem=refusal, reached=False)
    if isinstance(error, httpx.ReadError | httpx.WriteError | httpx.CloseError):
        return AnswerLost(url=url, problem=str(error) or type(error).__name__, reached=True)
    if isinstance(error, httpx.NetworkError | httpx.ProxyError):
        reached = not isinstance(error, httpx.ConnectError)
        return ServiceUnreachable(url=url, problem=str(error) or type(error).__name__, reached=reached)
    return AnswerMalformed(url=url, problem=type(error).__name__)


def _tls_refusal(error: BaseException) -> str | None:
    """Why the handshake failed, or None where it was not TLS that failed."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return getattr(cause, "verify_message", None) or cause.reason or "TLS handshake failed"
        cause = cause.__cause__ or cause.__context__
    return None
