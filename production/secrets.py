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
from module_utils.authority import Authority, write_private

AUTHORITY_VALIDITY = timedelta(days=3650)
CERTIFICATE_VALIDITY = timedelta(days=820)  # a Mac trusts none that is valid for more than 825 days
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


def is_for(certificate: str, names: list[str]) -> bool:
    """Return whether a server certificate is one for all of these names and IPv4 addresses."""
    held = x509.load_pem_x509_certificate(certificate.encode()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    return set(names) <= {
        *held.value.get_values_for_type(x509.DNSName),
        *map(str, held.value.get_values_for_type(x509.IPAddress)),
    }


def complete(
    held: dict[str, Any],
    certificates: dict[str, list[str]],
    devices: list[str],
    validity: timedelta = CERTIFICATE_VALIDITY,
) -> dict[str, Any]:
    """Return the secrets with what is lacking made; what is there stays.

    Args:
        held: the secrets there are.
        certificates: by the variable that holds one, the names and IPv4 addresses that it must be for.
        devices: names of the devices that get a token.
        validity: how long a certificate is valid.
    """
    made = {
        "network_backup_secret": secrets.token_urlsafe(32),
        "network_vrrp_secret": secrets.token_urlsafe(6),  # VRRP takes no more than 8 characters
    } | held
    if "network_ca_key" not in made:
        authority = Authority.create("HAL household", AUTHORITY_VALIDITY)
        made["network_ca_certificate"] = authority.pem.decode()
        made["network_ca_key"] = authority.key_pem.decode()
        for variable in certificates:
            made.pop(variable, None)
    for variable, names in certificates.items():
        if variable not in made or not is_for(made[variable], names):
            made[variable] = b"".join(authority_of(made).issue(names, validity)).decode()
    tokens = made.get("network_device_tokens", {})
    made["network_device_tokens"] = {name: secrets.token_urlsafe(32) for name in devices} | tokens
    return made


def authority_of(held: dict[str, Any]) -> Authority:
    """Return the authority that the secrets hold."""
    return Authority.load(held["network_ca_certificate"].encode(), held["network_ca_key"].encode())


def write_windows_certificate(held: dict[str, Any], directory: Path, name: str, address: str) -> Path | None:
    """Write the certificate of a Windows host's remoting, to be imported there, and its password beside it.

    Args:
        held: the secrets, with the authority's.
        directory: where the files go.
        name: the host's name.
        address: its IPv4 address, which is part of the file's name, so that a new address gets a new one.

    Returns:
        The file, or None when it is there already.
    """
    path = directory / f"{name}-{address}.pfx"
    if path.exists():
        return None
    certificate, key = authority_of(held).issue([name, address], CERTIFICATE_VALIDITY)
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
    write_private(path.with_suffix(".pfx-password"), f"{password}\n".encode())
    write_private(path, bundle)
    return path
