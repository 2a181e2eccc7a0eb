"""A TLS server that answers with whatever bytes a test gives it, and certificates to trust or not."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = Callable[[socket.socket, bytes], None]


class Certificate:
    """A self-signed certificate; ``named`` for the loopback address, or for a machine that is not there."""

    def __init__(self, folder: Path, *, named: bool = True) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        now = dt.datetime.now(dt.UTC)
        other = x509.SubjectAlternativeName(
            [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))] if named else [x509.DNSName("elsewhere.invalid")]
        )
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(other, critical=False)
            .sign(key, hashes.SHA256())
        )
        self.file = folder / f"{made.serial_number}.pem"
        self.key_file = self.file.with_suffix(".key")
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        self.key_file.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        self.fingerprint = hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest()


def _read(connection: socket.socket) -> bytes | None:
    """One request; None when the client is gone."""
    request = b""
    while b"\r\n\r\n" not in request:
        piece = connection.recv(65536)
        if not piece:
            return None
        request += piece
    head, _, body = request.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


class TlsServer:
    """Reads one request per connection, or more where it ``stays``, and calls ``answer(connection, request)``."""

    def __init__(self, certificate: Certificate) -> None:
        self.answer: Answer = lambda connection, request: None
        self.requests: list[bytes] = []
        self.stays = False
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self.use(certificate)
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def use(self, certificate: Certificate) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.file, certificate.key_file)

    def says(self, body: bytes, *, status: str = "200 OK", kind: str = "application/json", headers: str = "") -> None:
        """Answer every request with this body."""
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
        self.answer = lambda connection, request: connection.sendall(head.encode() + body)

    def wait(self, seconds: float) -> None:
        """A pause that ends with the server."""
        self._ended.wait(seconds)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._ended.is_set():
                plain, _ = self._listener.accept()
                thread = threading.Thread(target=self._talk, args=(plain,))
                self._threads.append(thread)
                thread.start()

    def _talk(self, plain: socket.socket) -> None:
        plain.settimeout(10)
        with contextlib.suppress(OSError), plain, self._context.wrap_socket(plain, server_side=True) as connection:
            self.connections += 1
            while (request := _read(connection)) is not None:
                self.requests.append(request)
                self.answer(connection, request)
                if not self.stays:
                    return

    def close(self) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        for thread in self._threads:
            thread.join()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def other_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Names a machine that is not there, as vendors' self-signed certificates do."""
    return Certificate(tmp_path_factory.mktemp("certificate"), named=False)


@pytest.fixture
def server(certificate: Certificate) -> Iterator[TlsServer]:
    running = TlsServer(certificate)
    running.says(b'{"statusCode": 0}')
    yield running
    running.close()
