"""The lab's own keys and secrets: made once, strong, readable by their owner alone, and never committed.

They fill the variables that a production inventory keeps in its encrypted vault.
"""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

VALIDITY = timedelta(days=365)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on, and only as a whole."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(path)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def certificate_builder(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name
) -> x509.CertificateBuilder:
    """Return a builder with what every certificate of the lab has in common."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


class Authority:
    """A certificate authority of the lab's own."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = "HAL lab"
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        self.certificate = (
            certificate_builder(name, self.key, issuer)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self.key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        """The authority's certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, address: str) -> tuple[bytes, bytes]:
        """Issue a server certificate.

        Args:
            name: the host's name.
            address: its IPv4 address.

        Returns:
            The certificate and its private key, each as PEM.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(IPv4Address(address))])
        certificate = (
            certificate_builder(name, key, self.certificate.subject)
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(identifier, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM), key_pem(key)


def ssh_key_pair() -> tuple[bytes, bytes]:
    """Return a new Ed25519 key pair in OpenSSH's formats, the private part first."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private, public + b" hal-lab\n"


def create(state: Path, secrets_file: Path, addresses: dict[str, str], devices: list[str]) -> bool:
    """Create the lab's keys and secrets, which belong together; a set that exists is kept.

    Args:
        state: the lab's private directory.
        secrets_file: the inventory's file of secret variables.
        addresses: address of each host that gets a certificate: `pve` and the proxies.
        devices: names of the devices that get a token.

    Returns:
        Whether anything was created.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    if secrets_file.exists() and (state / "id_ed25519").exists():
        return False
    private, public = ssh_key_pair()
    (state / "id_ed25519.pub").write_bytes(public)
    write_private(state / "id_ed25519", private)

    authority = Authority()
    (state / "ca.crt").write_bytes(authority.pem)
    certificate, key = authority.issue("pve", addresses["pve"])
    (state / "pve.crt").write_bytes(certificate)
    write_private(state / "pve.key", key)
    proxmox_password = secrets.token_urlsafe(24)
    write_private(state / "pve.password", proxmox_password.encode())

    proxy = b"".join(authority.issue("haproxy", addresses["haproxy"]))
    variables = {
        "network_proxmox_password": proxmox_password,
        "network_proxy_certificate": proxy.decode(),
        "network_ca_certificate": authority.pem.decode(),
        "network_device_tokens": {device: secrets.token_urlsafe(32) for device in devices},
    }
    header = "# Made by the lab on this machine; git ignores it. In production these stand in a vault.\n"
    write_private(secrets_file, (header + yaml.safe_dump(variables)).encode())
    return True
