#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Check a node of Proxmox VE: its state, storages, guests and certificate."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.health_module import FAILURE_SPEC, end
from ansible.module_utils.proxmox_api import CONNECTION_RULES, CONNECTION_SPEC, Proxmox, ProxmoxError

DOCUMENTATION = r"""
module: proxmox_health
short_description: Check a node of Proxmox VE - its state, storages, guests and certificate
description:
  - The node must be online, its storages active and not too full, the given guests running, and the
    certificate of the API valid for a while.
  - Everything that is wrong is named at once.
  - Runs on the controller (I(delegate_to) localhost). The login needs Sys.Audit, Datastore.Audit, VM.Audit.
extends_documentation_fragment:
  - proxmox
options:
  node:
    description: The node.
    type: str
    required: true
  guests:
    description: Numbers of the guests that must be running, on whatever node of the cluster.
    type: list
    elements: int
    default: []
  max_storage_percent:
    description: No storage of the node may be fuller than this. A full one stops its guests.
    type: float
    default: 85
  max_memory_percent:
    description: The node may not use more than this share of its memory. Not judged unless it is given.
    type: float
  min_certificate_days:
    description:
      - The certificate of the API must be valid for at least this many days. Not judged with
        I(validate_certs=false).
    type: float
    default: 14
  fail_on_fault:
    description:
      - Whether the task fails when something is wrong.
      - With V(false) the task succeeds, and I(ok) of the result says how it is.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
    description: Only reads, so a check runs the same.
  diff_mode:
    support: none
    description: There is nothing to show.
author: HAL network
"""

EXAMPLES = r"""
- name: Check the hypervisor
  proxmox_health:
    api_host: 192.0.2.1
    api_user: hal@pve
    api_token_id: ansible
    api_token_secret: "{{ secret }}"
    ca_path: ~/.config/hal/proxmox-ca.pem
    node: pve
    guests: [100, 103, 120]
    max_storage_percent: 80
  delegate_to: localhost
"""

RETURN = r"""
extends_documentation_fragment:
  - health
details:
  description:
    - The fill level of each storage (I(storage_percent)), the share of memory in use (I(memory_percent)), the
      state of the I(guests) by number, and the I(certificate_days).
  type: dict
  returned: always
"""

ARGUMENT_SPEC = (
    CONNECTION_SPEC
    | FAILURE_SPEC
    | {
        "node": {"type": "str", "required": True},
        "guests": {"type": "list", "elements": "int", "default": []},
        "max_storage_percent": {"type": "float", "default": 85},
        "max_memory_percent": {"type": "float"},
        # Proxmox renews its own certificate itself when two weeks are left: less means that it does not.
        "min_certificate_days": {"type": "float", "default": 14},
    }
)
DAY_S = 86400


class Health:
    """The health of one node. `faults` are what is wrong, each with what to do next."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params
        self.node = params["node"]
        self.version = ""
        self.details: dict[str, Any] = {}
        self.faults: list[tuple[str, str]] = []

    def look(self) -> None:
        """Find every fault. Raises ProxmoxError if the API cannot be used."""
        api = Proxmox(self.params)
        self.version = api.get("version")["version"]
        api.check_node(self.node)
        self._see_memory(api)
        self._see_storages(api)
        self._see_guests(api)
        if self.params["validate_certs"]:
            self._see_certificate()

    def _fault(self, wrong: str, remedy: str) -> None:
        self.faults.append((wrong, remedy))

    def _see_memory(self, api: Proxmox) -> None:
        node = next(item for item in api.get("nodes") if item["node"] == self.node)
        share = round(100 * node.get("mem", 0) / (node.get("maxmem") or 1), 1)
        self.details["memory_percent"] = share
        limit = self.params["max_memory_percent"]
        if limit is not None and share > limit:
            self._fault(
                f"node {self.node} uses {share:g} % of its memory, more than {limit:g} %",
                "Give its guests less, or move one to another node",
            )

    def _see_storages(self, api: Proxmox) -> None:
        fill = self.details["storage_percent"] = {}
        limit = self.params["max_storage_percent"]
        storages = [item for item in api.get(f"nodes/{self.node}/storage") if item.get("enabled", 1)]
        if not storages:
            self._fault(
                f"no storage of {self.node} is shown",
                f"Grant {self.params['api_user']} the privilege Datastore.Audit on /storage",
            )
        for storage in storages:
            name, total = storage["storage"], storage.get("total") or 0
            if not storage.get("active"):
                self._fault(
                    f"storage {name} is not active",
                    f"See `pvesm status` on {self.node}, and whether its disk or share is there",
                )
                continue
            fill[name] = round(100 * storage.get("used", 0) / total, 1) if total else 0.0
            if fill[name] > limit:
                self._fault(
                    f"storage {name} is {fill[name]:g} % full, above {limit:g} %",
                    f"Remove old backups, images or snapshots: `pvesm list {name}` on {self.node}",
                )

    def _see_guests(self, api: Proxmox) -> None:
        found = {item["vmid"]: item for item in api.guests()}
        states = self.details["guests"] = {}
        for vmid in self.params["guests"]:
            guest = found.get(vmid)
            states[str(vmid)] = state = guest["status"] if guest else "missing"
            if guest is None:
                self._fault(
                    f"there is no guest {vmid}",
                    "Run playbooks/provision.yml, which makes it, or correct its vmid in hosts.yml",
                )
            elif state != "running":
                lock = f", locked by {guest['lock']}" if guest.get("lock") else ""
                self._fault(
                    f"guest {vmid} ({guest.get('name')}) is {state}{lock}",
                    f"Start it: `qm start {vmid}` on {guest['node']}, or run site.yml",
                )

    def _see_certificate(self) -> None:
        address = (self.params["api_host"], self.params["api_port"])
        try:
            context = ssl.create_default_context(cafile=self.params["ca_path"])
            with (
                socket.create_connection(address, timeout=self.params["api_timeout"]) as plain,
                context.wrap_socket(plain, server_hostname=address[0]) as connection,
            ):
                certificate = connection.getpeercert() or {}
        except OSError as error:
            raise ProxmoxError(f"The certificate of the Proxmox API cannot be read: {error}") from None
        left_s = ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()
        self.details["certificate_days"] = days = round(left_s / DAY_S, 1)
        limit = self.params["min_certificate_days"]
        if days < limit:
            self._fault(
                f"the certificate of the API is valid for {days:g} more days, less than {limit:g}",
                f"Renew it: `pvecm updatecerts --force` on {self.node}, or its ACME order",
            )

    def message(self) -> tuple[str, str]:
        """Return what was found or is wrong, and what to do next."""
        if not self.faults:
            storages = self.details["storage_percent"]
            return (
                f"{self.node} is online, {len(self.params['guests'])} guests run, "
                f"the fullest of {len(storages)} storages is at {max(storages.values()):g} %",
                "",
            )
        remedy = ". ".join(dict.fromkeys(remedy for _, remedy in self.faults))
        return f"{'; '.join(fault for fault, _ in self.faults)}. {remedy}", remedy


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True, **CONNECTION_RULES)
    began = time.monotonic()
    health = Health(module.params)
    try:
        health.look()
        message, remedy = health.message()
        ok = not health.faults
    except ProxmoxError as error:  # which says itself what to do
        message, remedy, ok = str(error), "", False
    seconds = round(time.monotonic() - began, 3)
    end(
        module, message, ok=ok, remedy=remedy, seconds=seconds, version=health.version, details=health.details
    )


if __name__ == "__main__":
    main()
