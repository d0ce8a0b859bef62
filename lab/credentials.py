"""The lab's own keys and secrets: made once, strong, readable by their owner alone, and never committed.

They fill the variables that a production inventory keeps in its encrypted vault.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from production.secrets import complete

from hal.network.authority import YEAR, Authority
from hal.network.files import write_private


def ssh_key_pair() -> tuple[bytes, bytes]:
    """Return a new Ed25519 key pair in OpenSSH's formats, the private part first."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private, public + b" hal-lab\n"


def create(
    state: Path, secrets_file: Path, api: list[str], certificates: dict[str, list[str]], devices: list[str]
) -> bool:
    """Create the lab's keys and secrets, as far as they are not there.

    Args:
        state: the lab's private directory.
        secrets_file: the inventory's file of secret variables.
        api: name and address of the Proxmox API's host.
        certificates: by the variable that holds one, the names and addresses that it is for.
        devices: names of the devices that get a token.

    Returns:
        Whether anything was created.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = yaml.safe_load(secrets_file.read_text()) if secrets_file.exists() else {}
    if "network_ca_key" not in held or not (state / "id_ed25519").exists():
        held = {"network_proxmox_password": secrets.token_urlsafe(24)}
    variables = complete(held, certificates, devices, YEAR)
    if variables == held:
        return False
    if len(held) == 1:
        private, public = ssh_key_pair()
        (state / "id_ed25519.pub").write_bytes(public)
        write_private(state / "id_ed25519", private)
        authority = Authority.load(
            variables["network_ca_certificate"].encode(), variables["network_ca_key"].encode()
        )
        (state / "ca.crt").write_bytes(authority.pem)
        certificate, key = authority.issue(api)
        (state / "pve.crt").write_bytes(certificate)
        write_private(state / "pve.key", key)
        write_private(state / "pve.password", variables["network_proxmox_password"].encode())
    header = "# Made by the lab on this machine; git ignores it. In production these stand in a vault.\n"
    write_private(secrets_file, (header + yaml.safe_dump(variables)).encode())
    return True
