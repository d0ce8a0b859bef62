"""The guests of the lab's Proxmox API, as its hypervisor sees them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

from module_utils.proxmox_config import DISK, parse, parse_network, size_gib
from proxmoxer import ProxmoxAPI
from proxmoxer.core import AuthenticationError, ResourceException
from requests.exceptions import RequestException

from hal.network.files import write_public
from lab.machine import DEFAULT_IMAGE


@dataclass(frozen=True)
class Drive:
    """A disk of a guest.

    Attributes:
        volume: its name on its storage, such as `vm-103-disk-0`: with guest 103 it is destroyed.
        size_gib: its size.
        serial: its serial number, by which the guest finds it.
    """

    volume: str
    size_gib: float
    serial: str

    @classmethod
    def parse(cls, key: str, text: str) -> Drive:
        """Read a drive such as `local-lvm:vm-103-disk-1,size=32G`, whose key is such as `scsi1`."""
        options = parse(text, "volume")
        volume = options["volume"].partition(":")[2].rpartition("/")[2]
        return cls(volume, size_gib(text) or 0, options.get("serial", f"drive-{key}"))

    @property
    def owner(self) -> str:
        """The guest that it belongs to, such as `vm-103`."""
        return "-".join(self.volume.split("-")[:2])


@dataclass(frozen=True)
class Guest:
    """A guest of the Proxmox API, as far as it matters to its container.

    Attributes:
        identity: tells it from another guest, even one of the same number that was made later.
        vmid: its number.
        name: its name, which becomes the host name.
        running: whether it is switched on.
        address: its fixed IPv4 address from cloud-init; empty if it has none.
        config: its configuration, as the API has it.
    """

    identity: str
    vmid: int
    name: str
    running: bool
    address: str
    config: Mapping[str, Any]

    @classmethod
    def from_machine(cls, machine: Mapping[str, Any]) -> Guest:
        """Read a guest from what `Api.machines` returns."""
        config = machine["config"]
        try:
            address = str(IPv4Interface(parse(config.get("ipconfig0", ""), "ip")["ip"]).ip)
        except (KeyError, ValueError):
            address = ""
        return cls(
            # Proxmox gives each clone a new UUID.
            identity=parse(config.get("smbios1", ""), "uuid").get("uuid", str(machine["vmid"])),
            vmid=int(machine["vmid"]),
            name=config["name"],
            running=machine["status"] == "running",
            address=address,
            config=config,
        )

    @property
    def image(self) -> str:
        """The image that its template stands for, which a clone has from there as the name of the product."""
        return parse(self.config.get("smbios1", ""), "uuid").get("product", DEFAULT_IMAGE)

    @property
    def mac(self) -> str:
        """The MAC address of its first network interface."""
        return parse_network(self.config["net0"])["mac"]

    @property
    def memory(self) -> int:
        """Its memory in MiB."""
        return int(self.config.get("memory", 512))

    @property
    def drives(self) -> list[Drive]:
        """Its disks, the one that it starts from first."""
        keys = [key for key in self.config if DISK.fullmatch(key) and "media=cdrom" not in self.config[key]]
        first = parse(self.config.get("boot", ""), "order").get("order", "").partition(";")[0]
        keys.sort(key=lambda key: (key != first, len(key), key))
        return [Drive.parse(key, self.config[key]) for key in keys]


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
    write_public(path, text)
