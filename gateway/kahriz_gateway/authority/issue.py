# SPDX-License-Identifier: MIT
"""Keys, certificates and revocation lists: ECDSA P-256, the only module that builds X.509.

Certificates are valid from a day long past on: a node or a Pi whose clock lags behind must not
refuse its own house, and a lower bound protects nobody here. The revocation list never goes stale
before its authority ends: a list that expires would shut out every node at once.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)  # before the first line of this program
Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """A key and the certificate it signed for itself."""

    key: Key
    certificate: x509.Certificate


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def new_authority(site: str, generation: int, ends: datetime) -> Authority:
    """A site's authority: signs end certificates and revocation lists, no further authority."""
    key = new_key()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, site),
            x509.NameAttribute(NameOID.COMMON_NAME, f"kahriz {site} CA {generation}"),
        ]
    )
    builder = _begin(name, name, key.public_key(), ends, x509.random_serial_number())
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


def certify(
    authority: Authority,
    name: str,
    key: ec.EllipticCurvePublicKey,
    ends: datetime,
    serial: int,
    hosts: Iterable[str] | None = None,
) -> x509.Certificate:
    """A certificate whose common name is `name`; `hosts` make it a server's, none a client's."""
    issuer = authority.certificate
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    purpose = ExtendedKeyUsageOID.CLIENT_AUTH if hosts is None else ExtendedKeyUsageOID.SERVER_AUTH
    builder = (
        _begin(subject, issuer.subject, key, ends, serial)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
    )
    if hosts is not None:
        names = x509.SubjectAlternativeName([_alternative(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def revocations(
    authority: Authority, serials: Iterable[tuple[int, datetime]], number: int
) -> x509.CertificateRevocationList:
    """The authority's revocation list; a higher number is a newer list."""
    certificate = authority.certificate
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(certificate.subject)
        .last_update(BEGIN)
        .next_update(certificate.not_valid_after_utc)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for serial, at in serials:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        )
    return builder.sign(authority.key, hashes.SHA256())


def key_pem(key: Key, passphrase: bytes | None = None) -> bytes:
    """A private key for the Pi or for the authority's folder, encrypted when there is a word."""
    if passphrase is None:
        protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    else:
        protection = serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
    )


def key_der(key: Key) -> bytes:
    """A private key as MicroPython takes it: SEC1 in DER."""
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def pem(thing: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    return thing.public_bytes(serialization.Encoding.PEM)


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def load_key(data: bytes, passphrase: bytes | None) -> Key:
    """A private key from PEM; ValueError or TypeError when it is none or the word is wrong."""
    key = serialization.load_pem_private_key(data, passphrase)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not an elliptic curve key")
    return key


def _begin(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    ends: datetime,
    serial: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(BEGIN)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
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


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
