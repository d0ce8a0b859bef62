"""The lab's Proxmox API: fakepve, with disks that are allocated, grow and are destroyed as Proxmox does it.

It takes the command line of `fakepve`. That is AGPL-3.0: this file is run as a process, never imported.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import fakepve.__main__
from fakepve.model import PveError, TaskError
from fakepve.qemu import DRIVE_KEY, join_drive, split_drive
from fakepve.server import FakePve

BYTES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
OWNER = re.compile(r"\b(?:vm|base)-(\d+)-")


def size_in_bytes(text: str) -> int:
    """Return the bytes of a size such as `32G`."""
    return int(float(text.rstrip("KMGT")) * BYTES[text.lstrip("0123456789.")])


PROJECT = Path(__file__).parents[2]
HOST_DEVICE = re.compile(r"hostpci\d+")


class ProxmoxApi(FakePve):
    """fakepve, which acknowledges these calls, and here carries them out.

    Attributes:
        mappings: the cluster's resource mappings of PCI devices, each with `map`: which it is on each node.
        disks: the command that copies a guest's disks for a snapshot (lab/snapshots.py); without one a
            snapshot has the configuration alone.
        at_work: what is being done with disks, kept so that it is not collected while it runs.
    """

    mappings: dict[str, dict[str, Any]] = {}  # noqa: RUF012 - of the whole cluster, replaced and never changed
    disks: tuple[str, ...] = ()
    at_work: set[asyncio.Future[None]] = set()  # noqa: RUF012 - of the whole process

    def _routes_mappings(self) -> list[Any]:
        return [("GET", "/cluster/mapping/pci", self._list_mappings)]

    async def _list_mappings(self, values: dict[str, Any], user: str) -> list[dict[str, Any]]:
        return [{"id": name, **mapping} for name, mapping in self.mappings.items()]

    async def _do_start(self, vm: Any, user: str, values: dict[str, Any]) -> Any:
        """Start a guest; without what its devices need it fails as in PVE::QemuServer::PCI."""
        fault = self._device_fault(vm.config | vm.pending, vm.node)
        if fault is None:
            return await super()._do_start(vm, user, values)

        async def body() -> None:
            raise TaskError(fault)

        return await self.task(vm.node, "qmstart", vm.vmid, user, body, vm=vm)

    def _device_fault(self, config: dict[str, Any], node: str) -> str | None:
        for device in (config[key] for key in sorted(config) if HOST_DEVICE.fullmatch(key) and config[key]):
            fields = dict(part.partition("=")[::2] for part in str(device).split(","))
            entries = self.mappings.get(fields.get("mapping", ""), {}).get("map", [])
            if "mapping" in fields and not any(f"node={node}" in entry.split(",") for entry in entries):
                return f"PCI device mapping not found for '{fields['mapping']}'"
            if fields.get("pcie") == "1" and "q35" not in str(config.get("machine", "")):
                return "q35 machine model is not enabled"
        return None

    def _routes_feature(self) -> list[Any]:
        return [("GET", "/nodes/{node}/qemu/{vmid}/feature", self._feature)]

    async def _feature(self, values: dict[str, Any], user: str) -> dict[str, Any]:
        """Tell whether all disks of a guest are on storages that can do what is asked."""
        vm = self.find(values["node"], values["vmid"])
        has = values["feature"] != "snapshot" or self._qm_can_snapshot(vm.config)
        return {"hasFeature": int(has), "nodes": [vm.node]}

    def _routes_resize(self) -> list[Any]:
        return [("PUT", "/nodes/{node}/qemu/{vmid}/resize", self._resize)]

    async def _resize(self, values: dict[str, Any], user: str) -> str:
        vm = self.find(values["node"], values["vmid"])
        disk, size = values["disk"], str(values["size"])
        if disk not in vm.config:
            raise PveError(500, f"disk '{disk}' does not exist")
        volume, options = split_drive(vm.config[disk])
        before = size_in_bytes(options.get("size", "0"))
        after = size_in_bytes(size.removeprefix("+")) + (before if size.startswith("+") else 0)
        if after < before:
            raise PveError(500, "shrinking disks is not supported")

        async def body() -> None:
            options["size"] = f"{after // 2**20}M" if after % 2**30 else f"{after // 2**30}G"
            vm.config[disk] = join_drive(volume, options)

        return str(await self.task(vm.node, "resize", vm.vmid, user, body, vm=vm))

    async def _qm_snapshot(self, values: dict[str, Any], user: str) -> Any:
        upid = await super()._qm_snapshot(values, user)
        return self._with_disks(upid, values, "take", "snapshot")

    async def _qm_rollback(self, values: dict[str, Any], user: str) -> Any:
        upid = await super()._qm_rollback(values, user)
        return self._with_disks(upid, values, "back", "rollback")

    async def _qm_snapshot_delete(self, values: dict[str, Any], user: str) -> Any:
        upid = await super()._qm_snapshot_delete(values, user)
        return self._with_disks(upid, values, "drop", "snapshot-delete")

    def _with_disks(self, upid: str, values: dict[str, Any], action: str, lock: str) -> str:
        """Let a task that ended well go on, with the guest locked, until its disks are done too."""
        record = self.tasks[upid]
        if self.disks and record["exitstatus"] == "OK":
            vm = self.find(values["node"], values["vmid"])
            record["status"] = "running"
            del record["exitstatus"]
            self._qm_lock(vm, lock)
            work = asyncio.ensure_future(self._do_disks(record, vm, action, values["snapname"]))
            self.at_work.add(work)
            work.add_done_callback(self.at_work.discard)
        return upid

    async def _do_disks(self, record: dict[str, Any], vm: Any, action: str, name: str) -> None:
        guest = {"vmid": vm.vmid, "status": vm.status, "config": {"name": vm.name} | vm.config}
        child = await asyncio.create_subprocess_exec(
            *self.disks,
            action,
            name,
            cwd=PROJECT,
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await child.communicate(json.dumps(guest).encode())
        self._qm_lock(vm, None)
        record["exitstatus"] = "OK"
        if child.returncode:
            record["exitstatus"] = said.decode(errors="replace").strip().rpartition("\n")[2]
            record["log"].append(f"TASK ERROR: {record['exitstatus']}")
            if action == "take":
                await super()._qm_snapshot_delete(
                    {"node": vm.node, "vmid": vm.vmid, "snapname": name}, record["user"]
                )
        record["status"] = "stopped"

    async def _apply_config(self, vm: Any, user: str, values: dict[str, Any]) -> None:
        for key in filter(DRIVE_KEY.match, list(values)):
            values[key], _ = self._qm_new_drive(vm.vmid, key, values[key], None)
        await super()._apply_config(vm, user, values)

    def _qm_free(self, volume: str) -> None:
        """Destroy a volume, unless the machine that is destroyed only uses it and another number owns it."""
        owner = OWNER.search(volume)
        dying = {vm.vmid for vm in self.vms if vm.lock == "destroyed"}
        if owner is None or not dying or int(owner[1]) in dying:
            super()._qm_free(volume)


if __name__ == "__main__":
    if "HAL_LAB_DISKS" in os.environ:
        ProxmoxApi.disks = (sys.executable, "-m", "lab.snapshots")
    fakepve.__main__.FakePve = ProxmoxApi
    fakepve.__main__.main()
