"""A proxy that spoils connections: between any client and the simulator, below TLS, where cables and VPNs fail.

It sees only bytes, so it can cut anywhere: in the handshake, in the request, after the request was carried out, in the
middle of the answer. Each connection takes the next fault of the script, or by chance one from a seeded generator.

As a process of its own: ``python -m nhirx.sim.proxy --to 127.0.0.1:8443 --fault reset --after 2000``; it prints one JSON line
with its URL.
"""

from __future__ import annotations

import contextlib
import os
import random
import selectors
import socket
import struct
import threading
from collections import Counter, deque
from dataclasses import dataclass
from types import TracebackType
from typing import Self

KINDS = ("refuse", "reset", "close", "hang", "late", "slow", "corrupt", "duplicate")
"""What can happen once ``after`` bytes of the server have passed (``refuse``: the connection ends before the first).

``reset`` RST to the client · ``close`` an orderly end in the middle · ``hang`` nothing more, connection stays · ``late`` a pause of
``seconds`` · ``slow`` a few bytes at a time, spread over ``seconds`` · ``corrupt`` one bit turned · ``duplicate`` a piece sent twice.
"""

_PIECE = 16384


@dataclass(frozen=True, slots=True)
class Spoil:
    """One fault of one connection."""

    kind: str
    after: int = 0
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"one of {', '.join(KINDS)}")


class Proxy:
    """Listens on loopback and hands everything on to ``target``. ``with Proxy(…) as proxy`` runs it."""

    def __init__(
        self,
        target: tuple[str, int],
        port: int = 0,
        *,
        chance: float = 0.0,
        seed: int = 0,
        seconds: float = 1.0,
        hang: float = 60.0,
    ) -> None:
        """``hang`` is the least number of seconds that a connection hangs."""
        self._target = target
        self._hang = hang
        self._chance, self._random, self._seconds = chance, random.Random(seed), seconds  # noqa: S311 - repeatable on purpose
        self._script: deque[Spoil] = deque()
        self._lock = threading.Lock()
        self._ended, self._closed = threading.Event(), threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = self._listen(port)
        self.port = int(self._listener.getsockname()[1])
        self.spoilt: list[Spoil] = []
        """What was done so far, in order of the connections."""
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def script(self, *faults: Spoil) -> None:
        """One fault for each of the next connections."""
        with self._lock:
            self._script.extend(faults)

    def down(self) -> None:
        """Refuse connections for real: nobody listens. Those that are open end."""
        self._closed.set()
        # An accept that is waiting keeps the port open, so its thread has to end first.
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        _close(self._listener)
        self._end_all()

    def up(self) -> None:
        """Listen again on the same port."""
        if self._closed.is_set():
            self._closed.clear()
            self._listener = self._listen(self.port)
            self._accept_in_thread()

    def start(self) -> Self:
        self._accept_in_thread()
        return self

    def stop(self) -> None:
        self._ended.set()
        self.down()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @staticmethod
    def _listen(port: int) -> socket.socket:
        listener = socket.socket()
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        # A blocked accept does not notice on every system that its socket was closed.
        listener.settimeout(0.05)
        return listener

    def _accept_in_thread(self) -> None:
        listener = self._listener
        self._thread = threading.Thread(target=self._accept, args=(listener,), name="nhirx-proxy", daemon=True)
        self._thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._closed.is_set():
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(target=self._connection, args=(client, self._next()), daemon=True).start()

    def _next(self) -> Spoil | None:
        with self._lock:
            if self._script:
                fault: Spoil | None = self._script.popleft()
            elif self._random.random() < self._chance:
                # The first 1500 bytes or so are the handshake; an answer is a few hundred more.
                fault = Spoil(self._random.choice(KINDS), self._random.randrange(0, 2500), self._seconds)
            else:
                fault = None
            if fault is not None:
                self.spoilt.append(fault)
            return fault

    def _connection(self, client: socket.socket, fault: Spoil | None) -> None:
        client.settimeout(None)
        if fault is not None and fault.kind == "refuse":
            _reset(client)
            return
        try:
            server = socket.create_connection(self._target, timeout=10)
        except OSError:
            _reset(client)
            return
        server.settimeout(None)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open |= {client, server}
        try:
            with contextlib.suppress(OSError):
                self._hand_on(client, server, fault)
        finally:
            with self._lock:
                self._open -= {client, server}
            _close(server)
            _close(client)

    def _hand_on(self, client: socket.socket, server: socket.socket, fault: Spoil | None) -> None:
        # Both directions in one thread: a socket that another thread is reading does not really close.
        passed = 0
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ)
            ready.register(server, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    source = key.fileobj
                    piece = client.recv(_PIECE) if source is client else server.recv(_PIECE)
                    if not piece:
                        return
                    if source is client:
                        server.sendall(piece)
                        continue
                    if fault is not None and passed + len(piece) > fault.after:
                        keep = max(0, fault.after - passed)
                        client.sendall(piece[:keep])
                        if not self._spoil(fault, piece[keep:], client):
                            return
                        fault = None
                    else:
                        client.sendall(piece)
                    passed += len(piece)

    def _spoil(self, fault: Spoil, rest: bytes, client: socket.socket) -> bool:
        """Do it to ``rest``; False when the connection is over."""
        match fault.kind:
            case "reset":
                _reset(client)
                return False
            case "close":
                return False
            case "hang":
                self._ended.wait(max(fault.seconds, self._hang))
                return False
            case "late":
                self._ended.wait(fault.seconds)
                client.sendall(rest)
            case "slow":
                for at in range(0, len(rest), 64):
                    client.sendall(rest[at : at + 64])
                    self._ended.wait(fault.seconds * 64 / len(rest))
            case "corrupt":
                client.sendall(bytes([rest[0] ^ 1]) + rest[1:])
            case _:
                client.sendall(rest + rest)
        return True

    def _end_all(self) -> None:
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


def _reset(one: socket.socket) -> None:
    # Linger of zero seconds makes close() send RST; the two numbers are shorts on Windows and ints elsewhere.
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0))
    _close(one)


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.close()


def main(argv: list[str] | None = None) -> int:
    import argparse
    import json
    import sys

    parser = argparse.ArgumentParser(prog="python -m nhirx.sim.proxy", description="Spoil connections on purpose.")
    parser.add_argument("--to", required=True, metavar="HOST:PORT", help="where everything is handed on to")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fault", choices=KINDS, help="what happens to the first connections")
    parser.add_argument("--times", type=int, default=1, help="to how many of them")
    parser.add_argument("--after", type=int, default=0, help="after so many bytes of the server")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--chance", type=float, default=0.0, help="0 to 1: spoil that part of all connections at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hang", type=float, default=60.0, help="seconds that a hanging connection hangs")
    parser.add_argument("--until-stdin-closes", action="store_true", help="then end, and print what was spoilt how often")
    given = parser.parse_args(argv)
    host, _, port = given.to.rpartition(":")
    ended = threading.Event()
    with Proxy(
        (host, int(port)), given.port, chance=given.chance, seed=given.seed, seconds=given.seconds, hang=given.hang
    ) as proxy:
        if given.fault:
            proxy.script(*[Spoil(given.fault, given.after, given.seconds)] * given.times)
        sys.stdout.write(json.dumps({"url": proxy.url, "port": proxy.port, "pid": os.getpid()}) + "\n")
        sys.stdout.flush()
        if given.until_stdin_closes:
            while sys.stdin.buffer.read(4096):
                pass
            sys.stdout.write(json.dumps(Counter(fault.kind for fault in proxy.spoilt)) + "\n")
            return 0
        try:
            while not ended.wait(0.5):
                pass
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
