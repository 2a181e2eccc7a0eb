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


def certificates(folder: Path, *, renew: bool = False, valid: timedelta = _VALID) -> Certificates:
    """Those of ``folder``, made when they are missing, about to end, or with ``renew``."""
    ca_file, server_file, key_file = folder / "ca.pem", folder / "server.pem", folder / "key.pem"
    if renew or not all(file.exists() for file in (ca_file, server_file, key_file)) or _ends_soon(server_file):
        _make(ca_file, server_file, key_file, valid)
    der = x509.load_pem_x509_certificate(server_file.read_bytes()).public_bytes(serialization.Encoding.DER)
    return Certificates(ca_file, server_file, key_file, hashlib.sha256(der).hexdigest())


def _ends_soon(file: Path) -> bool:
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc < datetime.now(UTC) + timedelta(days=1)


def _make(ca_file: Path, server_file: Path, key_file: Path, valid: timedelta) -> None:
    now = datetime.now(UTC)
    first, last = now - timedelta(days=1), now + valid
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name, name = _name("nhirx sandbox CA"), _name("localhost")
    authority = (
        _builder(ca_name, ca_name, ca_key, min(first, last - timedelta(days=1)), last)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    server = (
        _builder(name, ca_name, key, min(first, last - timedelta(days=1)), last)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    ca_file.parent.mkdir(parents=True, exist_ok=True)
    key_file.touch(mode=0o600)
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server_file.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))


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
