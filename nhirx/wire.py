"""The bytes below HTTP, watched: whether a connection may carry another request.

An HTTP library asks a waiting connection whether something can be read from it, and lets go of one where something can. Here that
question is answered more strictly: a connection may be used again only if what came so far is exactly one answer, with its length
said and kept to the byte, and nothing more has come since, neither in the socket nor decrypted in the TLS layer. A second copy of an
answer, a length that lied or an answer without length ends the connection.

A copy that comes even later, after the next request went out, cannot be seen here: whoever keeps a connection must know an answer to
an earlier request by what it says (``upload.client`` knows Opcodes).

The library's time limits begin anew with every piece that comes or goes. A service that sends a byte now and then would hold a request
for ever, so every wait here ends at ``ends``, the moment at which the whole request is over.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import httpcore

ends: ContextVar[float] = ContextVar("ends", default=float("inf"))
"""``time.monotonic`` at which the request of this thread is over."""

_LARGEST_CLEAN = 256 * 1024
_PIECE = 64 * 1024
_LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CODED = re.compile(rb"^transfer-encoding:", re.IGNORECASE | re.MULTILINE)


def is_one_answer(came: bytes) -> bool:
    """Whether ``came`` is one whole HTTP/1.1 answer of stated length and nothing else."""
    head, gap, body = came.partition(b"\r\n\r\n")
    lengths = _LENGTH.findall(head)
    return (
        bool(gap)
        and head.startswith(b"HTTP/1.1 200 ")
        and len(lengths) == 1
        and not _CODED.search(head)
        and len(body) == int(lengths[0])
    )


def _left(limit: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    """Seconds that the next wait may take: ``limit`` or what is left of the request. Raises ``late`` when nothing is."""
    end = ends.get()
    if end == float("inf"):
        return limit
    left = end - time.monotonic()
    if left <= 0:
        raise late
    return left if limit is None else min(limit, left)


class Watched(httpcore.NetworkStream):
    """One connection, handed on to ``stream``; see the module."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._came = bytearray()
        self._asked = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        piece = self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))
        if len(self._came) <= _LARGEST_CLEAN:  # longer than that is not clean, and need not be remembered
            self._came += piece
        self._asked = False
        return piece

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not self._asked:
            self._came.clear()
            self._asked = True
        # In pieces, so that a peer that takes a byte now and then is noticed between two of them.
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return Watched(self._stream.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        if info != "is_readable":
            return self._stream.get_extra_info(info)
        if not is_one_answer(bytes(self._came)):
            return True
        inside = self._stream.get_extra_info("ssl_object")
        return bool(inside is not None and inside.pending()) or self._stream.get_extra_info("is_readable")


class Watching(httpcore.NetworkBackend):
    """Connects as the library does and watches every connection."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return Watched(self._backend.connect_tcp(host, port, left, local_address, socket_options))
