"""The disks of a virtual machine on Proxmox VE: made, grown, and data disks that outlive the machine.

Proxmox destroys with a machine the volumes that carry its number, and leaves those of another number
(destroy_vm in PVE::QemuServer). So a data disk carries a number that no machine has, `owner_of`, and its own
name: a machine that is made anew finds it there and gets it again, with what is on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible.module_utils.proxmox_api import Proxmox, ProxmoxError
from ansible.module_utils.proxmox_config import DISK, parse, size_gib, storage_of, system_disk
from ansible.module_utils.proxmox_placement import check_storage

OWNERS = 900_000_000  # beyond the numbers that people give, below Proxmox' last one
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?")  # the guest sees it as a serial number
# Storages that keep volumes as files, whose names tell the format.
FILE_STORAGES = frozenset({"btrfs", "cifs", "dir", "glusterfs", "nfs"})
SLOTS = tuple(f"scsi{number}" for number in range(1, 31))


class Allocation(NamedTuple):
    """A volume that is to be made for a data disk, before it is attached."""

    storage: str
    filename: str
    size_gib: float


class DiskPlan(NamedTuple):
    """What the disks lack.

    `want` and `have` are the sizes by disk, in the comparable form of proxmox_config. `values` are settings
    to write, `grow` sizes in GiB to grow to, `allocate` the volumes to make before either.
    """

    want: dict[str, Any]
    have: dict[str, Any]
    values: dict[str, str]
    grow: dict[str, float]
    allocate: list[Allocation]
    warnings: list[str]


def owner_of(vmid: int) -> int:
    """Return the number that the data disks of a machine carry."""
    return OWNERS + vmid


class Disks:
    """The disks that `params` (those of proxmox_guest) describe, compared with a configuration on a node."""

    def __init__(self, api: Proxmox, params: Mapping[str, Any], config: Mapping[str, Any], node: str) -> None:
        self.api = api
        self.params = params
        self.config = config
        self.node = node
        self.result = DiskPlan({}, {}, {}, {}, [], [])

    def plan(self) -> DiskPlan:
        """Return what is lacking.

        Raises:
            ProxmoxError: a disk would have to shrink, or a storage or a place for a disk is missing.
        """
        described = {key: dict(disk) for key, disk in (self.params["disks"] or {}).items()}
        if self.params["disk_gib"] is not None:
            described.setdefault(system_disk(self.config), {})["size_gib"] = self.params["disk_gib"]
        for key, disk in described.items():
            self._plan_disk(key, float(disk["size_gib"]), disk.get("storage"))
        for disk in self.params["data_disks"] or []:
            self._plan_data_disk(disk)
        self._plan_cloud_init_drive()
        return self.result

    def _plan_disk(self, key: str, size: float, storage: str | None) -> None:
        if key in self.config:
            self._grow(key, self.config[key], size)
            return
        self._note(key, size, None)
        storage = storage or self.params["storage"]
        if storage is None:
            raise ProxmoxError(f"Disk {key} does not exist yet: give its storage, or storage for all.")
        check_storage(self.api, storage, self.node)
        self.result.values[key] = f"{storage}:{size:g}"

    def _plan_data_disk(self, disk: Mapping[str, Any]) -> None:
        name, size = disk["name"], float(disk["gib"])
        attached = next(
            (key for key, value in self._drives() if parse(value, "volume").get("serial") == name), None
        )
        if attached:
            self._grow(attached, self.config[attached], size)
            return
        storage = disk.get("storage") or self.params["storage"] or self._system_storage()
        kind = check_storage(self.api, storage, self.node)["type"]
        volume = f"vm-{owner_of(self.params['vmid'])}-{name}"
        key = next((slot for slot in SLOTS if slot not in self.config and slot not in self.result.want), None)
        if key is None:
            raise ProxmoxError(f"Guest {self.params['vmid']} has no place left for the data disk {name}.")
        kept = self._kept(storage, volume)
        if kept is None:
            filename = f"{volume}.raw" if kind in FILE_STORAGES else volume
            self.result.allocate.append(Allocation(storage, filename, size))
            folder = f"{owner_of(self.params['vmid'])}/" if kind in FILE_STORAGES else ""
            volid = f"{storage}:{folder}{filename}"
            self._note(key, size, None)
        else:
            volid = kept["volid"]
            self._grow(key, f"{volid},size={kept['size'] / 2**30:g}G", size)
        self.result.values[key] = f"{volid},serial={name}"

    def _kept(self, storage: str, volume: str) -> dict[str, Any] | None:
        """Return the volume of a data disk that an earlier machine had, or None."""
        owner = owner_of(self.params["vmid"])
        found = self.api.get(f"nodes/{self.node}/storage/{storage}/content", content="images", vmid=owner)
        for item in found:
            if item["volid"].partition(":")[2].rpartition("/")[2].removesuffix(".raw") == volume:
                kept: dict[str, Any] = item
                return kept
        return None

    def _drives(self) -> list[tuple[str, str]]:
        return [(key, str(value)) for key, value in self.config.items() if DISK.fullmatch(key)]

    def _system_storage(self) -> str:
        return storage_of(self.config.get(system_disk(self.config), ""))

    def _note(self, key: str, want: float, have: float | None) -> None:
        self.result.want[key] = {"size_gib": want}
        self.result.have[key] = None if have is None else {"size_gib": have}

    def _grow(self, key: str, drive: str, size: float) -> None:
        """Let an existing disk grow, where it is smaller. Raises ProxmoxError if it would have to shrink."""
        now = size_gib(drive)
        if now is None:
            self.result.warnings.append(
                f"Proxmox does not say how large {key} is: its size is left as it is."
            )
            return
        if now > size:
            raise ProxmoxError(
                f"{key} of guest {self.params['vmid']} ({self.params['name']}) has {now:g} GiB, and Proxmox "
                f"cannot shrink a disk to the {size:g} that are described. Describe {now:g} GiB or more: "
                "machine.disk_gib of the system disk, gib in machine.data_disks, in hosts.yml."
            )
        self._note(key, size, now)
        if now < size:
            self.result.grow[key] = size

    def _plan_cloud_init_drive(self) -> None:
        drives = dict(self._drives())
        if self.params["cloud_init"] is None or any("cloudinit" in drive for drive in drives.values()):
            return
        slot = next((key for key in ("ide2", "ide0", "ide1", "ide3") if key not in drives), None)
        storage = self.params["storage"] or next(filter(None, map(storage_of, drives.values())), None)
        if slot is None or storage is None:
            raise ProxmoxError(
                f"Guest {self.params['vmid']} has no cloud-init drive, and no place for one: "
                "give storage, or add a cloud-init drive to the template."
            )
        self.result.values[slot] = f"{storage}:cloudinit"


def disk_faults(params: Mapping[str, Any]) -> Iterator[str]:
    """Find what is wrong with the disks in the parameters beyond their types."""
    for key, disk in (params["disks"] or {}).items():
        if not DISK.fullmatch(key):
            yield f"disks: '{key}' is not the name of a disk; use one such as scsi0 or virtio1."
        elif not isinstance(disk, dict) or set(disk) - {"storage", "size_gib"} or "size_gib" not in disk:
            yield f"disks: {key} needs size_gib and may have storage, as in {{size_gib: 32, storage: lvm}}."
        elif not re.fullmatch(r"[1-9]\d*", str(disk["size_gib"])):
            yield f"disks: size_gib of {key} is '{disk['size_gib']}'; give whole GiB, 1 or more."
    names = [disk["name"] for disk in params["data_disks"] or []]
    for name in names:
        if not NAME.fullmatch(name):
            yield f"data_disks: '{name}' is no name: use up to 20 lower-case letters, digits and '-'."
        if names.count(name) > 1:
            yield f"data_disks: there are two of the name '{name}'."
    sizes = [params["disk_gib"], *(disk["gib"] for disk in params["data_disks"] or [])]
    if any(size is not None and size < 1 for size in sizes):
        yield "disk_gib and gib of data_disks are whole GiB, 1 or more."
