"""One virtual machine on Proxmox VE, brought to the state that a module's parameters describe."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from ansible.module_utils.proxmox_api import Proxmox, ProxmoxError, poll
from ansible.module_utils.proxmox_config import encode, moved_disks, present, surplus, wanted
from ansible.module_utils.proxmox_disks import Allocation, DiskPlan, Disks, owner_of
from ansible.module_utils.proxmox_placement import Place, choose, require_devices, require_online

# The notes of a clone until it is configured, so that a run that was interrupted in between is known by it.
UNFINISHED = "Being made: not configured yet."
FREE_ID = "Nothing was changed: choose another vmid, or correct name."


class Plan(NamedTuple):
    """What a configuration lacks: settings to write, and what the disks lack."""

    want: dict[str, Any]
    have: dict[str, Any]
    values: dict[str, Any]
    disks: DiskPlan


class Machine:
    """The guest that `params` (those of proxmox_guest) describe; `ensure` makes it so.

    With `check` nothing is changed, and what would be done is recorded all the same.
    """

    def __init__(self, api: Proxmox, params: dict[str, Any], check: bool) -> None:
        self.api = api
        self.params = params
        self.check = check
        self.vmid: int = params["vmid"]
        self.name: str = params["name"]
        self.node: str = params["node"]
        self.deadline = time.monotonic() + params["timeout"]
        self.status = "absent"
        self.created = False
        self.actions: list[str] = []
        self.pending: list[str] = []
        self.warnings: list[str] = []
        self.before: dict[str, Any] = {}
        self.after: dict[str, Any] = {}

    @property
    def path(self) -> str:
        """The guest's place in the API."""
        return f"nodes/{self.node}/qemu/{self.vmid}"

    def result(self) -> dict[str, Any]:
        """Return what the module answers."""
        status = {"status": self.status}
        return {
            "changed": bool(self.actions),
            "vmid": self.vmid,
            "node": self.node,
            "created": self.created,
            "actions": self.actions,
            "pending": self.pending,
            "config": {key: value for key, value in self.after.items() if value is not None},
            "diff": {"before": self.before, "after": self.after | status if self.after else status},
        } | status

    def ensure(self) -> None:
        """Bring the guest to the described state. Raises ProxmoxError if that is not possible."""
        found = self._locate()
        self.before = {"status": self.status}
        if self.params["state"] == "absent":
            if found:
                self._remove()
            return
        if found and not self.params["rebuild"]:
            self._wait_unlocked()
            config = self._config(self.path)
            self.created = str(config.get("description", "")).strip() == UNFINISHED
            self.warnings += moved_disks(self.params, config)
        else:
            # What cannot be made shall not be destroyed first.
            place, source = self._prepare()
            if found:
                self._remove()
            config = self._clone(place, source)
        if self.created or not self.params["adopt"]:
            self._configure(config)
        self._set_power()

    def _locate(self) -> bool:
        """Find the guest, on whichever node it is; True if it exists and is named as described."""
        guest = next((item for item in self.api.guests() if int(item["vmid"]) == self.vmid), None)
        if guest is None:
            return False
        if guest["type"] != "qemu":
            raise ProxmoxError(f"The number {self.vmid} is taken by a container ({guest['name']}). {FREE_ID}")
        self.node = guest["node"]
        require_online(self.api, self.node, f"{self.vmid} ({self.name})", self.vmid)
        name = self._config(self.path).get("name")
        if name != self.name:
            raise ProxmoxError(
                f"The number {self.vmid} is taken by the guest '{name}', not '{self.name}'. {FREE_ID}"
            )
        if guest.get("template"):
            raise ProxmoxError(f"Guest {self.vmid} ({name}) is a template. {FREE_ID}")
        self.status = self._state()["status"]
        return True

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.api.get(f"{self.path}/status/current")
        return state

    def _config(self, path: str) -> dict[str, Any]:
        """Return the configuration with what waits for the next start, which `pending` then names."""
        entries = self.api.get(f"{path}/pending")
        self.pending = sorted(item["key"] for item in entries if "pending" in item or item.get("delete"))
        values = {
            item["key"]: item.get("pending", item.get("value")) for item in entries if not item.get("delete")
        }
        return {key: value for key, value in values.items() if value is not None}

    def _wait_unlocked(self) -> None:
        """Wait for another task (a clone, a backup) to let go of the guest."""
        lock = self._state().get("lock")
        if not lock or self.check:
            return
        if poll(lambda: None if self._state().get("lock") else True, self.deadline) is None:
            raise ProxmoxError(
                f"Guest {self.vmid} is locked ({lock}) and was not released in {self.params['timeout']} s. "
                f"If no task of the node works on it, release it there with: qm unlock {self.vmid}"
            )
        self.status = self._state()["status"]

    def _do(self, action: str, method: str, path: str, **data: Any) -> None:
        """Make one change, or in check mode only note it."""
        if not self.check:
            self.api.change(method, path, self.deadline, **data)
        if action not in self.actions:
            self.actions.append(action)

    def _prepare(self) -> tuple[Place, dict[str, Any]]:
        """Return where the guest is made and its template's configuration, all of which is there and fits."""
        if not self.params["template"]:
            raise ProxmoxError(f"Guest {self.vmid} ({self.name}) does not exist: give the template to clone.")
        place = choose(self.api, self.params)
        template = place.template
        source = self._config(f"nodes/{template['node']}/qemu/{template['vmid']}") | {"name": self.name}
        self._plan(source, place.node, new=True)
        return place, source

    def _clone(self, place: Place, source: dict[str, Any]) -> dict[str, Any]:
        """Clone the template; returns the clone's configuration (in check mode, as it would be)."""
        template, self.node = place.template, place.node
        data = {"newid": self.vmid, "name": self.name, "full": 1, "storage": self.params["storage"]}
        data |= {"target": place.node if template["node"] != place.node else None}
        data |= {"description": UNFINISHED}
        try:
            self._do("clone", "post", f"nodes/{template['node']}/qemu/{template['vmid']}/clone", **data)
        except ProxmoxError as error:
            if "already exists" in str(error):
                raise ProxmoxError(
                    f"The number {self.vmid} is taken by a guest that the {self.api.login} may not see. "
                    + FREE_ID
                ) from None
            raise
        if self.node != self.params["node"]:
            self.warnings.append(
                f"Node {self.params['node']} is offline: {self.name} is made on {self.node}."
            )
        self.created = True
        self.status = "stopped"
        return source if self.check else self._config(self.path)

    def _plan(self, config: dict[str, Any], node: str, *, new: bool) -> Plan:
        """Compare the description with the configuration of a guest, on a node that has what is to be added.

        A `new` guest has not been started yet.
        """
        want = wanted(self.params) | surplus(self.params, config)
        if str(config.get("description", "")).strip() == UNFINISHED:
            want.setdefault("description", None)
        want |= self._machine_type(config, new=new)
        have = present(config, want)
        changes = {key: value for key, value in want.items() if have[key] != value}
        changed = [key for key in changes if key.startswith("hostpci") and changes[key] is not None]
        require_devices(
            self.api, node, [self.params["hostpci"][int(key.removeprefix("hostpci"))] for key in changed]
        )
        values: dict[str, Any] = {
            key: encode(key, value, config.get(key)) for key, value in changes.items() if value is not None
        }
        # Not of one that exists: other user-data make cloud-init take it for another machine.
        if new and self.params["cloud_init"]:
            values["ciupgrade"] = 0
        delete = sorted(key for key, value in changes.items() if value is None)
        if delete:
            values["delete"] = ",".join(delete)
        disks = Disks(self.api, self.params, config, node).plan()
        return Plan(want | disks.want, have | disks.have, values | disks.values, disks)

    def _machine_type(self, config: dict[str, Any], *, new: bool) -> dict[str, str]:
        """Return the machine type that devices passed through need, which only a new guest gets."""
        if not any(device["pcie"] for device in self.params["hostpci"] or []):
            return {}
        if "q35" in (kind := str(config.get("machine", ""))):
            return {"machine": kind}
        if not new:
            raise ProxmoxError(
                f"A device of guest {self.vmid} ({self.name}) is passed through as PCI Express (pcie in "
                "machine.hostpci), which needs the machine type q35, and the guest has another one. Changing "
                "it renames the guest's network card, so that is left to you: Hardware, Machine in Proxmox "
                "while the guest is off. Or leave pcie out, or rebuild the guest, which gets q35 then."
            )
        return {"machine": "q35"}

    def _configure(self, config: dict[str, Any]) -> None:
        plan = self._plan(config, self.node, new=self.created)
        self.warnings += plan.disks.warnings
        if not self.created:
            self.before |= plan.have
        for volume in plan.disks.allocate:
            self._allocate(volume)
        if plan.values:
            self._do("configure", "post", f"{self.path}/config", **plan.values)
        for key, size in plan.disks.grow.items():
            self._do("resize", "put", f"{self.path}/resize", disk=key, size=f"{size:g}G")
        self.after = plan.want
        if plan.values and not self.check:
            self.after = plan.want | present(self._config(self.path), plan.want)

    def _allocate(self, volume: Allocation) -> None:
        """Make the volume of a data disk, which Proxmox does at once, without a task."""
        self.actions.append("allocate")
        if not self.check:
            self.api.post(
                f"nodes/{self.node}/storage/{volume.storage}/content",
                vmid=owner_of(self.vmid),
                filename=volume.filename,
                size=f"{volume.size_gib:g}G",
            )

    def _set_power(self) -> None:
        wanted_status = {"started": "running", "stopped": "stopped"}.get(self.params["state"], self.status)
        if wanted_status == self.status == "running" and self.pending and self.params["restart"]:
            self._shut_down()
            self._do("start", "post", f"{self.path}/status/start")
            self.pending = []
        if wanted_status == self.status:
            return
        if wanted_status == "running":
            self._do("start", "post", f"{self.path}/status/start")
        else:
            self._shut_down()
        self.status = wanted_status
        self.pending = []

    def _shut_down(self) -> None:
        # Proxmox' own limit ends first, so that its task says what happened.
        limit = max(1, int(self.deadline - time.monotonic()) - 10)
        force = int(self.params["force"])
        self._do("stop", "post", f"{self.path}/status/shutdown", timeout=limit, forceStop=force)

    def _remove(self) -> None:
        if not self.params["force"]:
            raise ProxmoxError(
                f"Removing guest {self.vmid} ({self.name}) destroys its disks. Set force: true to confirm."
            )
        if str(self._config(self.path).get("protection", 0)) == "1":
            raise ProxmoxError(
                f"Guest {self.vmid} is protected from removal (Options, Protection): it is left."
            )
        self.before["name"] = self.name
        if self.status != "stopped":
            self._do("stop", "post", f"{self.path}/status/stop")
        # One that is made anew under its number stays in the jobs that back it up.
        self._do("remove", "delete", self.path, purge=int(not self.params["rebuild"]))
        self.status = "absent"
