#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Take a snapshot of virtual machines on Proxmox VE, go back to it, or remove it."""

from __future__ import annotations

import re
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.proxmox_api import CONNECTION_RULES, CONNECTION_SPEC, Proxmox, ProxmoxError
from ansible.module_utils.proxmox_config import DISK, storage_of

DOCUMENTATION = r"""
module: proxmox_snapshots
short_description: Take a snapshot of virtual machines on Proxmox VE, go back to it, or remove it
description:
  - One snapshot, under one name, of all the given guests. It is taken of every one of them or of none.
  - Only snapshots whose names begin with V(hal-before-) are taken, listed, gone back to or removed. Those
    that a person has taken are left alone.
  - A snapshot has all disks of the guest and its configuration, but not its memory. Going back starts the
    guest as after a power cut, or with frozen file systems if it has the guest agent.
  - Needs the privileges VM.Snapshot, VM.Audit and, to start a guest that went back, VM.PowerMgmt.
extends_documentation_fragment:
  - proxmox
options:
  guests:
    description: The number of each guest, by its name.
    type: dict
    required: true
  name:
    description: Name of the snapshot, V(hal-before-) and at most 29 letters, digits, C(_) or C(-).
    type: str
  state:
    description:
      - V(present) - each guest that exists has the snapshot. Fails before any is taken if the storage of one
        cannot.
      - V(rolled_back) - each guest that has the snapshot is as it was then, and runs. Fails if none has it.
      - V(absent) - none has the snapshot.
      - V(listed) - nothing is done. O(name) is not needed.
    type: str
    choices: [present, rolled_back, absent, listed]
    default: present
  timeout:
    description: Seconds to wait for tasks of Proxmox and for guests that are locked by another one, in all.
    type: int
    default: 600
attributes:
  check_mode:
    support: full
    description: Fails where the module would, and changes nothing.
  diff_mode:
    support: none
  platform:
    support: full
    platforms: posix
    description: Runs on the controller (I(delegate_to) localhost) and reaches Proxmox VE 8 or 9 over HTTPS.
requirements: [proxmoxer >= 2.3, requests]
author: HAL network
"""

EXAMPLES = r"""
- name: Take a snapshot of two machines
  proxmox_snapshots:
    api_host: pve.example.net
    api_user: hal@pve
    api_token_id: ansible
    api_token_secret: "{{ vault_proxmox_token_secret }}"
    guests: {qm1: 103, ubuai: 120}
    name: hal-before-20261129T052046Z
  delegate_to: localhost
"""

RETURN = r"""
guests:
  description: The guests that exist, as far as the state concerns them.
  returned: success
  type: list
  elements: str
missing:
  description: The guests that do not exist. There is nothing to take a snapshot of.
  returned: success
  type: list
  elements: str
snapshots:
  description:
    - The snapshots whose names begin with V(hal-before-) that each guest had before, oldest first. A guest
      without one is left out.
  returned: success
  type: dict
"""

ARGUMENT_SPEC = CONNECTION_SPEC | {
    "guests": {"type": "dict", "required": True},
    "name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "rolled_back", "absent", "listed"], "default": "present"},
    "timeout": {"type": "int", "default": 600},
}
RULES = CONNECTION_RULES | {
    "required_if": [("state", state, ("name",)) for state in ("present", "rolled_back", "absent")]
}
PREFIX = "hal-before-"
# Proxmox allows 40 characters of this kind (`pve-configid`).
NAME = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{1,29}}")


class Snapshots:
    """The snapshots of some guests under one name.

    Attributes:
        missing: the guests that do not exist.
        changed: whether anything was done, or in check mode would be.
    """

    def __init__(self, api: Proxmox, params: dict[str, Any], check: bool) -> None:
        self._api = api
        self._name = params["name"]
        self._check = check
        self._deadline = time.monotonic() + params["timeout"]
        known = {int(item["vmid"]): item for item in api.guests() if item["type"] == "qemu"}
        wanted = {name: int(vmid) for name, vmid in params["guests"].items()}
        self.missing = [name for name, vmid in wanted.items() if vmid not in known]
        self._paths = {
            name: f"nodes/{known[vmid]['node']}/qemu/{vmid}" for name, vmid in wanted.items() if vmid in known
        }
        self.before = {name: self._list(path) for name, path in self._paths.items()}
        self.guests: list[str] = list(self._paths)
        self.changed = False

    def _list(self, path: str) -> list[str]:
        """Return the names of a guest's snapshots that are this project's, oldest first."""
        found = [
            item for item in self._api.get(f"{path}/snapshot") if item["name"].startswith(PREFIX)
        ]  # `current` stands for the guest as it is
        return [item["name"] for item in sorted(found, key=lambda item: item.get("snaptime", 0))]

    def _do(self, method: str, path: str, **data: Any) -> None:
        self.changed = True
        if not self._check:
            self._api.change(method, path, self._deadline, **data)

    def present(self) -> None:
        """Take the snapshot of every guest. Raises ProxmoxError if one cannot have it; then none has."""
        self._require_feature()
        taken: list[str] = []
        try:
            for guest, path in self._paths.items():
                if self._name not in self.before[guest]:
                    taken.append(guest)
                    self._do(
                        "post", f"{path}/snapshot", snapname=self._name, description="Before a change by HAL"
                    )
        except ProxmoxError as error:
            kept = self._take_back(taken)
            raise ProxmoxError(f"No snapshot was taken of {taken[-1]}: {error}{kept}", error.status) from None

    def _require_feature(self) -> None:
        unfit = [
            f"{guest} ({', '.join(self._storages(path))})"
            for guest, path in self._paths.items()
            if not self._api.get(f"{path}/feature", feature="snapshot")["hasFeature"]
        ]
        if unfit:
            raise ProxmoxError(
                f"No snapshot can be taken of {', '.join(unfit)}: one of its storages or the format of a "
                "disk does not allow it. LVM-thin, ZFS, Ceph and qcow2 files do."
            )

    def _storages(self, path: str) -> list[str]:
        config = self._api.get(f"{path}/config")
        return sorted({storage_of(value) for key, value in config.items() if DISK.fullmatch(key)} - {""})

    def _take_back(self, guests: list[str]) -> str:
        """Remove the snapshots that were taken before one failed, and say which could not be."""
        left = []
        for guest in guests:
            try:
                if self._name in self._list(self._paths[guest]):
                    self._do("delete", f"{self._paths[guest]}/snapshot/{self._name}")
            except ProxmoxError:
                left.append(guest)
        return f" The snapshot {self._name} of {', '.join(left)} is left." if left else ""

    def _choose(self) -> None:
        """Leave the guests that have the snapshot."""
        self.guests = [guest for guest, names in self.before.items() if self._name in names]

    def rolled_back(self) -> None:
        """Take each guest that has the snapshot back to it, and start it. Raises ProxmoxError if none has."""
        self._choose()
        if not self.guests:
            there = [f"{guest} has {', '.join(names) or 'none'}" for guest, names in self.before.items()]
            raise ProxmoxError(
                f"There is no snapshot {self._name}: {'; '.join(there) or 'no such guest'}. Nothing was done."
            )
        for path in map(self._paths.__getitem__, self.guests):
            self._do("post", f"{path}/snapshot/{self._name}/rollback")
            if not self._check and self._api.get(f"{path}/status/current")["status"] != "running":
                self._do("post", f"{path}/status/start")

    def absent(self) -> None:
        """Remove the snapshot of every guest that has it."""
        self._choose()
        for guest in self.guests:
            self._do("delete", f"{self._paths[guest]}/snapshot/{self._name}")

    def listed(self) -> None:
        """Do nothing: what there is was read already."""


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, **RULES)
    name, state = module.params["name"], module.params["state"]
    if state != "listed" and not NAME.fullmatch(name):
        module.fail_json(
            msg=f"'{name}' is no snapshot of this project: their names begin with {PREFIX}, and have at most "
            "40 letters, digits, '_' or '-'. Others are a person's, and left alone."
        )
    try:
        snapshots = Snapshots(Proxmox(module.params), module.params, module.check_mode)
        getattr(snapshots, state)()
    except ProxmoxError as error:
        advice = " playbooks/hypervisor.yml gives the automation its rights." if error.status == 403 else ""
        module.fail_json(msg=f"{error}{advice}", status=error.status)
    module.exit_json(
        changed=snapshots.changed,
        guests=snapshots.guests,
        missing=snapshots.missing,
        snapshots={guest: names for guest, names in snapshots.before.items() if names},
    )


if __name__ == "__main__":
    main()
