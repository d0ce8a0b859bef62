"""One virtual machine on Proxmox VE, brought to the state that a module's parameters describe."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from ansible.module_utils.proxmox_api import Proxmox, ProxmoxError, poll
from ansible.module_utils.proxmox_config import (
    DISK,
    encode,
    moved_disks,
    present,
    size_gib,
    storage_of,
    surplus,
    wanted,
)
from ansible.module_utils.proxmox_placement import Place, check_storage, choose, require_online

# The notes of a clone until it is configured, so that a run that was interrupted in between is known by it.
UNFINISHED = "Being made: not configured yet."
FREE_ID = "Nothing was changed: choose another vmid, or correct name."


class Plan(NamedTuple):
    """What a configuration lacks: settings to write, and sizes in GiB that disks grow to."""

    want: dict[str, Any]
    have: dict[str, Any]
    values: dict[str, Any]
    grow: dict[str, float]


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

    def _change(self, method: str, path: str, **data: Any) -> None:
        """Send a request and wait for its task; once more each time that the guest was locked."""

        def attempt() -> bool | None:
            try:
                self.api.wait_for_task(getattr(self.api, method)(path, **data), self.deadline)
            except ProxmoxError as error:
                if error.busy and time.monotonic() < self.deadline:
                    return None
                raise
            return True

        if poll(attempt, self.deadline) is None:
            raise ProxmoxError(
                f"Guest {self.vmid} stayed locked for {self.params['timeout']} s. See the tasks of the node."
            )

    def _do(self, action: str, method: str, path: str, **data: Any) -> None:
        """Make one change, or in check mode only note it."""
        if not self.check:
            self._change(method, path, **data)
        if action not in self.actions:
            self.actions.append(action)

    def _prepare(self) -> tuple[Place, dict[str, Any]]:
        """Return where the guest is made and its template's configuration, all of which is there and fits."""
        if not self.params["template"]:
            raise ProxmoxError(f"Guest {self.vmid} ({self.name}) does not exist: give the template to clone.")
        place = choose(self.api, self.params)
        template = place.template
        source = self._config(f"nodes/{template['node']}/qemu/{template['vmid']}") | {"name": self.name}
        self._plan(source, place.node)
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

    def _plan(self, config: dict[str, Any], node: str) -> Plan:
        """Compare the description with a configuration, on a node that has what is to be added."""
        want = wanted(self.params) | surplus(self.params, config)
        if str(config.get("description", "")).strip() == UNFINISHED:
            want.setdefault("description", None)
        have = present(config, want)
        changes = {key: value for key, value in want.items() if have[key] != value}
        disks = {key: changes.pop(key)["size_gib"] for key in list(changes) if DISK.fullmatch(key)}
        values: dict[str, Any] = {
            key: encode(key, value, config.get(key)) for key, value in changes.items() if value is not None
        }
        new = {key: size for key, size in disks.items() if key not in config}
        values |= self._new_drives(config, new, node)
        delete = sorted(key for key, value in changes.items() if value is None)
        if delete:
            values["delete"] = ",".join(delete)
        grow = {key: size for key, size in disks.items() if self._grows(key, config.get(key), size)}
        return Plan(want, have, values, grow)

    def _configure(self, config: dict[str, Any]) -> None:
        plan = self._plan(config, self.node)
        if not self.created:
            self.before |= plan.have
        if plan.values:
            self._do("configure", "post", f"{self.path}/config", **plan.values)
        for key, size in plan.grow.items():
            self._do("resize", "put", f"{self.path}/resize", disk=key, size=f"{size:g}G")
        if self.check:
            self.after = plan.want
        elif plan.values or plan.grow:
            self.after = present(self._config(self.path), plan.want)
        else:
            self.after = plan.have

    def _grows(self, key: str, raw: str | None, size: float) -> bool:
        """Whether an existing disk is to be made larger. Raises ProxmoxError if it would have to shrink."""
        if raw is None:
            return False
        now = size_gib(raw)
        if now is None:
            self.warnings.append(f"Proxmox does not say how large {key} is: its size is left as it is.")
        elif now > size:
            raise ProxmoxError(
                f"{key} of guest {self.vmid} has {now:g} GiB and Proxmox cannot shrink a disk to {size:g}. "
                f"Set size_gib of {key} to {now:g} or more, or rebuild the guest."
            )
        return now is not None

    def _new_drives(self, config: dict[str, Any], disks: dict[str, float], node: str) -> dict[str, str]:
        """Return the settings that allocate missing disks (sizes in GiB) and a missing cloud-init drive."""
        values: dict[str, str] = {}
        default = self.params["storage"]
        for key, size in disks.items():
            storage = self.params["disks"][key].get("storage") or default
            if storage is None:
                raise ProxmoxError(f"Disk {key} does not exist yet: give its storage, or storage for all.")
            check_storage(self.api, storage, node)
            values[key] = f"{storage}:{size:g}"
        drives = {key: str(value) for key, value in config.items() if DISK.fullmatch(key)}
        if self.params["cloud_init"] is not None and not any(
            "cloudinit" in drive for drive in drives.values()
        ):
            slot = next((key for key in ("ide2", "ide0", "ide1", "ide3") if key not in drives), None)
            storage = default or next(filter(None, map(storage_of, drives.values())), None)
            if slot is None or storage is None:
                raise ProxmoxError(
                    f"Guest {self.vmid} has no cloud-init drive, and no place for one: "
                    "give storage, or add a cloud-init drive to the template."
                )
            values[slot] = f"{storage}:cloudinit"
        return values

    def _set_power(self) -> None:
        wanted_status = {"started": "running", "stopped": "stopped"}.get(self.params["state"], self.status)
        if wanted_status == self.status:
            return
        if wanted_status == "running":
            self._do("start", "post", f"{self.path}/status/start")
        else:
            force = int(self.params["force"])
            # Proxmox' own limit ends first, so that its task says what happened.
            limit = max(1, int(self.deadline - time.monotonic()) - 10)
            self._do("stop", "post", f"{self.path}/status/shutdown", timeout=limit, forceStop=force)
        self.status = wanted_status
        self.pending = []

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
