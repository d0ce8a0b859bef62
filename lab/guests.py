"""The guests of the lab's Proxmox API, as its hypervisor sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from proxmoxer import ProxmoxAPI
from proxmoxer.core import AuthenticationError, ResourceException
from requests.exceptions import RequestException


def properties(text: str) -> dict[str, str]:
    """Split a property string of Proxmox, such as `ip=192.0.2.10/24,gw=192.0.2.1`."""
    return {key: value for key, _, value in (part.partition("=") for part in text.split(","))}


@dataclass(frozen=True)
class Guest:
    """A guest of the Proxmox API, as far as it matters to its container.

    Attributes:
        identity: tells it from another guest, even one of the same number that was made later.
        name: its name, which becomes the host name.
        running: whether it is switched on.
        address: its fixed IPv4 address from cloud-init; empty if it has none.
        user: the user that cloud-init makes; empty for none.
        ssh_keys: who may log in as that user.
        memory: MiB.
    """

    identity: str
    name: str
    running: bool
    address: str
    user: str
    ssh_keys: tuple[str, ...]
    memory: int

    @classmethod
    def from_machine(cls, machine: dict[str, Any]) -> Guest:
        """Read a guest from what `Api.machines` returns."""
        config = machine["config"]
        # Proxmox gives each clone a new UUID.
        bios = properties(config.get("smbios1", ""))
        try:
            address = str(IPv4Interface(properties(config.get("ipconfig0", ""))["ip"]).ip)
        except (KeyError, ValueError):
            address = ""
        return cls(
            identity=bios.get("uuid", str(machine["vmid"])),
            name=config["name"],
            running=machine["status"] == "running",
            address=address,
            user=config.get("ciuser", ""),
            ssh_keys=tuple(filter(None, unquote(config.get("sshkeys", "")).splitlines())),
            memory=int(config.get("memory", 512)),
        )


class Api:
    """The Proxmox API; connects when it is asked, and again after each failure."""

    def __init__(self, connect: Callable[[], ProxmoxAPI]) -> None:
        self._connect = connect
        self._connection: ProxmoxAPI | None = None

    def machines(self) -> list[dict[str, Any]]:
        """Return every virtual machine with `config`, templates among them.

        Raises ConnectionError if the API does not answer or refuses.
        """
        try:
            if self._connection is None:
                self._connection = self._connect()
            machines = [
                item for item in self._connection.cluster.resources.get(type="vm") if item["type"] == "qemu"
            ]
            for item in machines:
                item["config"] = self._connection.nodes(item["node"]).qemu(item["vmid"]).config.get()
        except (RequestException, ResourceException, AuthenticationError, OSError) as error:
            self._connection = None
            raise ConnectionError(str(error)) from error
        return machines


def save(machines: list[dict[str, Any]], path: Path) -> None:
    """Write the machines as `fakepve` reads them at its start, if they have changed.

    It keeps its guests in memory alone; started again from this file, it has them all.
    """
    keys = ("vmid", "name", "node", "status")
    guests = [
        {key: item[key] for key in keys}
        | {"template": bool(item.get("template"))}
        | {"config": {key: value for key, value in item["config"].items() if key != "digest"}}
        for item in sorted(machines, key=lambda item: int(item["vmid"]))
    ]
    text = json.dumps({"guests": guests}, indent=2) + "\n"
    if path.exists() and path.read_text() == text:
        return
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)
