"""The lab's own keys and secrets: made once, strong, readable by their owner alone, and never committed.

They fill the variables that a production inventory keeps in its encrypted vault.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

sys.path.append(str(Path(__file__).resolve().parent.parent))
from module_utils.authority import Authority, write_private


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

    authority = Authority.create("HAL lab")
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
