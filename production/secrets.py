"""The production network's secrets: what is asked, what is made, and the encrypted vault that holds both."""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret, is_encrypted
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from hal.network.certificates import (
    AUTHORITY,
    AUTHORITY_KEY,
    CERTIFICATE_VALIDITY,
    authority_of,
    new_authority,
    renew,
    server_fault,
)
from hal.network.devices import CHECKS, TOKENS, new_token
from hal.network.files import write_private
from hal.network.rotation import new_secrets

HEADER = "# The secrets of the production network. Edit with `make production-secrets`.\n"


class VaultError(Exception):
    """The vault cannot be used; the text says why and what to do."""


class Vault:
    """An encrypted file of secret variables.

    Args:
        path: the file.
        password: what it is encrypted with.
    """

    def __init__(self, path: Path, password: str) -> None:
        self.path = path
        self._vault = VaultLib(secrets=[("default", VaultSecret(password.encode()))])

    def read(self) -> dict[str, Any]:
        """Return the variables; none when there is no file yet.

        Raises:
            VaultError: it is not encrypted, or not with this password.
        """
        if not self.path.exists():
            return {}
        data = self.path.read_bytes()
        if not is_encrypted(data):
            raise VaultError(
                f"{self.path} is not encrypted. Move it away, run this again and enter its secrets; "
                "were it ever committed or shared, change every secret in it."
            )
        try:
            return yaml.safe_load(self._vault.decrypt(data)) or {}
        except AnsibleError:
            raise VaultError(f"{self.path} was encrypted with another password.") from None

    def encrypt_with(self, password: str) -> None:
        """Encrypt the file, as it is with its comments, with another password."""
        text = self._vault.decrypt(self.path.read_bytes())
        write_private(self.path, Vault(self.path, password)._vault.encrypt(text))

    def write(self, variables: dict[str, Any]) -> None:
        """Write the variables, encrypted; plain text reaches no disk."""
        write_private(self.path, self._vault.encrypt((HEADER + yaml.safe_dump(variables)).encode()))


def password_from(path: Path) -> str:
    """Return the vault's password; a new one is made and kept in the file when there is none."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, f"{secrets.token_urlsafe(32)}\n".encode())
    path.chmod(0o600)
    return path.read_text().strip()


def complete(
    held: dict[str, Any],
    certificates: dict[str, list[str]],
    devices: list[str],
    validity: timedelta = CERTIFICATE_VALIDITY,
) -> dict[str, Any]:
    """Return the secrets with what is lacking made and certificates that are due renewed; the rest stays.

    Args:
        held: the secrets there are.
        certificates: by the variable that holds one, the names and IPv4 addresses that it must be for.
        devices: names of the devices that get a token, as the checks do.
        validity: how long a certificate is valid.
    """
    made = new_secrets() | held
    if not made.get(AUTHORITY):  # one whose key is elsewhere is kept
        authority = new_authority(certificates)
        made[AUTHORITY] = authority.pem.decode()
        made[AUTHORITY_KEY] = authority.key_pem.decode()
    made |= renew(made, certificates, validity).variables
    made[TOKENS] = {name: new_token() for name in [*devices, CHECKS]} | made.get(TOKENS, {})
    return made


def write_windows_certificate(
    held: dict[str, Any],
    directory: Path,
    name: str,
    address: str,
    validity: timedelta = CERTIFICATE_VALIDITY,
) -> str:
    """Write the certificate of a Windows host's remoting, to be imported there, and its password beside it.

    One that is there is replaced only when it is due, of a former authority or for other names.

    Args:
        held: the secrets, with the authority's.
        directory: where the files go.
        name: the host's name.
        address: its IPv4 address, which is part of the file's name, so that a new address gets a new one.
        validity: how long it is valid.

    Returns:
        What there is to tell about it; empty when one is there that is not due.
    """
    path = directory / f"{name}-{address}.pfx"
    password_file = path.with_suffix(".pfx-password")
    authority = authority_of(held)
    if authority is None:
        return (
            f"{AUTHORITY_KEY} is not in the vault, or is another authority's: have a certificate for {name} "
            f"and {address} issued where the authority's key is, and import it as docs/production.md says"
        )
    if path.exists():
        try:
            fault = server_fault(_certificate_in(path, password_file), authority, [name, address])
        except (OSError, ValueError):
            return (
                f"{path}: kept; {password_file.name} is not there or does not open it, so nobody here sees "
                "when it is due. To have another one made, move it away and run this again"
            )
        if not fault:
            return ""
        path.unlink()  # with the new password, the old file would open no more if this ended halfway
    certificate, key = authority.issue([name, address], validity)
    password = secrets.token_urlsafe(15)
    # Triple DES: what every Windows Server can import. The file is carried by hand, its password random.
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(50000)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())  # noqa: S303 - what Windows Server reads
        .build(password.encode())
    )
    bundle = pkcs12.serialize_key_and_certificates(
        name.encode(),
        serialization.load_pem_private_key(key, password=None),  # type: ignore[arg-type]  # ours fits
        x509.load_pem_x509_certificate(certificate),
        None,
        encryption,
    )
    write_private(password_file, f"{password}\n".encode())
    write_private(path, bundle)
    return f"{path}: import it on the QM server, as docs/production.md says"


def _certificate_in(path: Path, password_file: Path) -> str:
    """Return the certificate of a file for Windows as PEM."""
    password = password_file.read_bytes().strip()
    _, certificate, _ = pkcs12.load_key_and_certificates(path.read_bytes(), password)
    return certificate.public_bytes(serialization.Encoding.PEM).decode() if certificate else ""
