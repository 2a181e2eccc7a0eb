"""In front of everything: who may ask, how much may be sent, and what the browser is told to allow.

A page of the Internet can make the browser send requests to this computer. It cannot choose ``Host`` (DNS rebinding) nor
``Origin``, so both are compared with our own address before anything else is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from nhirx.counter.options import Options
from nhirx.errors import BodyTooLarge, NhirxError, RequestRefused

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_POLICY_CLOSED = 4403
"""Code with which a WebSocket is closed that may not be opened."""


class Guard:
    def __init__(self, app: App, options: Options) -> None:
        self._app = app
        self._options = options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refused = self._refused(headers, scope)
        if scope["type"] == "websocket":
            if refused is not None:
                await receive()
                await send({"type": "websocket.close", "code": _POLICY_CLOSED})
                return
            await self._app(scope, receive, send)
            return
        if refused is not None:
            status = 413 if isinstance(refused, BodyTooLarge) else 403
            await send_error(send, status, refused, _HEADERS)
            return
        limit = self._limit(scope["path"])
        count = _Count(receive, limit)
        caching = b"no-store" if scope["path"].startswith("/api/") else b"no-cache"

        async def sent(message: Message) -> None:
            if count.is_over:
                # Whatever was made of half a body: what counts is that it was too large.
                if message["type"] == "http.response.start":
                    await send_error(send, 413, BodyTooLarge(limit=limit), _HEADERS)
                return
            await send(_with_headers(message, caching))

        await self._app(scope, count, sent)

    def _refused(self, headers: dict[str, str], scope: Scope) -> NhirxError | None:
        if headers.get("host", "").lower() not in self._options.hosts:
            return RequestRefused(problem="Host")
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in {f"{self._options.scheme}://{host}" for host in self._options.hosts}:
            return RequestRefused(problem="Origin")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            # A link on another page may open ours; nothing else of it may reach us.
            opens = headers.get("sec-fetch-mode") == "navigate" and scope.get("method") == "GET" and scope["path"] == "/"
            if not opens:
                return RequestRefused(problem="Sec-Fetch-Site")
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length) > self._limit(scope["path"]):
            return BodyTooLarge(limit=self._limit(scope["path"]))
        return None

    def _limit(self, path: str) -> int:
        return self._options.most_body if path == "/api/v1/scans" else self._options.most_json


class _Count:
    """A body without a length is counted as it comes."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive, self._left = receive, limit

    @property
    def is_over(self) -> bool:
        return self._left < 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.is_over else message


def _with_headers(message: Message, caching: bytes) -> Message:
    if message["type"] != "http.response.start":
        return message
    given = {name.lower() for name, _ in message["headers"]}
    more = _HEADERS if b"cache-control" in given else [*_HEADERS, (b"cache-control", caching)]
    return {**message, "headers": [*message["headers"], *more]}


async def send_error(send: Send, status: int, error: NhirxError, more: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """An error where no framework is at hand."""
    body = json.dumps(error.as_json(), ensure_ascii=False).encode()
    headers = [*more, (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
