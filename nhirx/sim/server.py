"""One TLS server on loopback for all the simulated services, with the standard library only.

A thread per connection; the TLS handshake happens in that thread, so a client that dawdles stops nobody else.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from nhirx.errors import NhirxError
from nhirx.sim import control, web_api
from nhirx.sim.admin import Admin
from nhirx.sim.book import return_code, status
from nhirx.sim.certificates import Certificates
from nhirx.sim.control import ControlSoftware
from nhirx.sim.data_centre import DataCentre
from nhirx.sim.faults import Fault, Faults
from nhirx.sim.web_api import WebApi
from nhirx.sim.world import World

Body = dict[str, Any]
_LARGEST_BODY = 64 * 1024 * 1024
_IDLE = 120.0
_PAGE = b"<!DOCTYPE html><html><head><title>VPN</title></head><body>Please log in.</body></html>"


class Server(ThreadingHTTPServer):
    """Bound on construction; ``serve_forever`` runs it, ``stop`` ends it and every open connection."""

    daemon_threads = True
    request_queue_size = 128
    # On Windows the flag would let a second simulator share the port; elsewhere it only lets a restart have it back.
    allow_reuse_address = os.name == "posix"

    def __init__(self, port: int, world: World, faults: Faults, files: Certificates) -> None:
        self.world, self.faults = world, faults
        self.routes = _routes(world, faults)
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self._context = _context(files.server_file, files.key_file)
        self._bad = {name: _context(file, files.key_file) for name, file in files.bad.items()}
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(_IDLE)
        # An answer goes out in two writes; without this the second waits for the client's delayed acknowledgement.
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            bad = self.faults.take_certificate()
            context = self._context if bad is None else self._bad[bad]
            secure = context.wrap_socket(request, server_side=True)
        except (OSError, ValueError):
            return  # no TLS, wrong trust, or gone: the client knows
        with self._open_lock:
            self._open.add(secure)
        try:
            Handler(secure, client_address, self)
        finally:
            with self._open_lock:
                self._open.discard(secure)
            with contextlib.suppress(OSError):
                secure.close()

    def shutdown_request(self, request: Any) -> None:
        # wrap_socket took the file descriptor over where the handshake went well.
        with contextlib.suppress(OSError):
            request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is a bug and shows in the answer or the tests."""
        import sys

        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._open_lock:
            for connection in list(self._open):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


def _routes(world: World, faults: Faults) -> dict[tuple[str, str], Callable[[Body], Body]]:
    routes: dict[tuple[str, str], Callable[[Body], Body]] = {}

    def with_status(handler: Callable[[Body], Body]) -> Callable[[Body], Body]:
        def locked(body: Body) -> Body:
            with world.lock:
                return control.answer(handler, body)

        return locked

    def with_return(handler: Callable[[Body], Body]) -> Callable[[Body], Body]:
        return lambda body: web_api.answer(handler, body)

    for local in (ControlSoftware(world).routes, DataCentre(world).routes):
        routes |= {key: with_status(handler) for key, handler in local.items()}
    routes |= {key: with_return(handler) for key, handler in WebApi(world).routes.items()}
    return routes | Admin(world, faults).routes


class Handler(BaseHTTPRequestHandler):
    """Reads one JSON body, answers with one JSON object, and fails in the ways it was told to."""

    protocol_version = "HTTP/1.1"
    server_version = "nhirx-sim"
    sys_version = ""
    server: Server

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the names http.server looks for

    def _serve(self) -> None:
        path = self.path.split("?")[0]
        body = self._body()
        if body is None:
            return
        fault = None if path.startswith("/sim/") else self.server.faults.take(path)
        if fault is not None and not fault.carried_out:
            self._fail_before(fault, path)
            return
        if self.server.world.behaviour.answer_seconds:
            self.server.stopping.wait(self.server.world.behaviour.answer_seconds)
        code, answer = self._handle(path, body)
        data = json.dumps(answer, ensure_ascii=False).encode()
        if fault is None:
            self._send(code, data)
        else:
            self._fail_after(fault, code, answer, data)

    def _body(self) -> Body | None:
        """The JSON object that was sent, ``{}`` for none; None when the request was answered with an error already."""
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        data = self._chunks() if chunked else self._counted()
        if data is None:
            self.close_connection = True
            self._send(413, _json({"error": "body"}))
            return None
        if not data.strip():
            return {}
        try:
            body = json.loads(data)
        except (ValueError, RecursionError):
            self._send(400, _json({"statusCode": status("bad-parameter"), "error": "no JSON"}))
            return None
        if not isinstance(body, dict):
            self._send(400, _json({"statusCode": status("bad-parameter"), "error": "no JSON object"}))
            return None
        return body

    def _counted(self) -> bytes | None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal() or int(length) > _LARGEST_BODY:
            return None
        data = self.rfile.read(int(length))
        return data if len(data) == int(length) else None

    def _chunks(self) -> bytes | None:
        """A body in chunks, as programs on .NET send JSON."""
        data = bytearray()
        while True:
            size = self.rfile.readline(100).split(b";")[0].strip()
            try:
                length = int(size, 16)
            except ValueError:
                return None
            if not 0 <= length <= _LARGEST_BODY - len(data):
                return None
            if length == 0:
                while self.rfile.readline(1000).strip():
                    pass  # trailers
                return bytes(data)
            data += self.rfile.read(length)
            self.rfile.readline(10)

    def _handle(self, path: str, body: Body) -> tuple[int, Body]:
        handler = self.server.routes.get((self.command, path))
        if handler is None:
            return 404, {"statusCode": status("unknown-command"), "error": "no such path"}
        try:
            return 200, handler(body)
        except NhirxError as error:
            return 400, error.as_json()
        except (TypeError, ValueError) as error:
            return 400, {"statusCode": status("bad-parameter"), "error": type(error).__name__}

    def _send(self, code: int, data: bytes, *, kind: str = "application/json; charset=utf-8", length: int | None = None) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    # ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _fail_before(self, fault: Fault, path: str) -> None:
        match fault.kind:
            case "hang":
                self._hang(fault)
            case "reset":
                self._reset()
            case "html":
                self._send(200, _PAGE, kind="text/html; charset=utf-8")
            case "http500":
                self._send(500, _json({"error": "Internal Server Error"}))
            case "status-code" if "VNHI_" in path:
                self._send(200, _json({"RtnCode": str(fault.code or return_code("other"))}))
            case "status-code":
                self._send(200, _json({"statusCode": int(fault.code or 0)}))
            case _:
                self.close_connection = True

    def _fail_after(self, fault: Fault, code: int, answer: Body, data: bytes) -> None:
        match fault.kind:
            case "slow":
                self.server.stopping.wait(1.0 if fault.seconds is None else fault.seconds)
                self._send(code, data)
            case "half-json":
                self._send(code, data[: len(data) // 2])
            case "accept-then-hang":
                self._hang(fault)
            case "accept-then-reset":
                self._reset()
            case "lie-length":
                self._send(code, data, length=len(data) + 1000)
                self.close_connection = True
            case "answer-twice":
                # The connection stays: only so can the second copy become the answer to the next request.
                self._send(code, data)
                self._send(code, data)
            case "string-code":
                named = {key: str(value) if key == "statusCode" else value for key, value in answer.items()}
                self._send(code, _json(named))
            case _:
                kept = dict(list(answer.items())[: max(1, len(answer) // 2)])
                self._send(code, _json(kept))

    def _hang(self, fault: Fault) -> None:
        deadline = time.monotonic() + (3600.0 if fault.seconds is None else fault.seconds)
        self.server.stopping.wait(max(0.0, deadline - time.monotonic()))
        self.close_connection = True

    def _reset(self) -> None:
        self.close_connection = True
        # Linger of zero seconds makes close() send RST; the two numbers are shorts on Windows and ints elsewhere.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0))
        with contextlib.suppress(OSError):
            socket.socket.close(self.connection)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Silent: paths are no news and bodies hold signatures."""


def _json(body: Body) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
