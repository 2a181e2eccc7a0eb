"""A small certificate authority of the sandbox's own, and a server certificate for loopback.

Clients verify: they are given ``ca.pem`` or the fingerprint of the server's certificate. Nothing here weakens TLS.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files of one sandbox. ``fingerprint`` is the SHA-256 of the server's certificate, lower-case hex."""

    ca_file: Path
    server_file: Path
    key_file: Path
    fingerprint: str
    bad: dict[str, Path]
    """Server certificates with one thing wrong each, for the same key: ``expired``, ``wrong-name``, ``unknown-ca``."""


def certificates(folder: Path, *, renew: bool = False, valid: timedelta = _VALID) -> Certificates:
    """Those of ``folder``, made when they are missing, about to end, or with ``renew``."""
    ca_file, server_file, key_file = folder / "ca.pem", folder / "server.pem", folder / "key.pem"
    bad = {name: folder / f"{name}.pem" for name in ("expired", "wrong-name", "unknown-ca")}
    if renew or not all(file.exists() for file in (ca_file, server_file, key_file, *bad.values())) or _ends_soon(server_file):
        _make(ca_file, server_file, key_file, bad, valid)
    der = x509.load_pem_x509_certificate(server_file.read_bytes()).public_bytes(serialization.Encoding.DER)
    return Certificates(ca_file, server_file, key_file, hashlib.sha256(der).hexdigest(), bad)


def _ends_soon(file: Path) -> bool:
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc < datetime.now(UTC) + timedelta(days=1)


def _make(ca_file: Path, server_file: Path, key_file: Path, bad: dict[str, Path], valid: timedelta) -> None:
    now = datetime.now(UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    stranger = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(ca_key, now, now + max(valid, _VALID))
    loopback = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    good = _server(key, ca_key, loopback, now + valid)
    ca_file.parent.mkdir(parents=True, exist_ok=True)
    key_file.touch(mode=0o600)
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    for file, certificate in (
        (server_file, good),
        (ca_file, authority),
        (bad["expired"], _server(key, ca_key, loopback, now - timedelta(hours=1))),
        (bad["wrong-name"], _server(key, ca_key, [x509.DNSName("elsewhere.example")], now + valid)),
        (bad["unknown-ca"], _server(key, stranger, loopback, now + valid)),
    ):
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime, last: datetime) -> x509.Certificate:
    name = _name("nhirx sandbox CA")
    return (
        _builder(name, name, key, now - timedelta(days=30), last)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey, ca_key: ec.EllipticCurvePrivateKey, names: list[x509.GeneralName], last: datetime
) -> x509.Certificate:
    return (
        _builder(_name("localhost"), _name("nhirx sandbox CA"), key, last - _VALID - timedelta(days=1), last)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, first: datetime, last: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
