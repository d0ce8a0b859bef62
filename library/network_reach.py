#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Find out which machines exist and whether they can be administered, before anything is done."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.proxmox_api import CONNECTION_SPEC, Proxmox, ProxmoxError

DOCUMENTATION = r"""
module: network_reach
short_description: Find out which machines exist and whether they can be administered
description:
  - Asks the Proxmox API for the machines and templates there are, and knocks at the port of every host that
    must answer by now. A virtual machine that Proxmox lacks or that is switched off need not.
  - Nothing is logged in to but the Proxmox API, and nothing is changed. Faults are returned, never raised.
options:
  api_host:
    description: Name or address of a node of Proxmox.
    type: str
    required: true
  api_port:
    description: Port of the API.
    type: int
    default: 8006
  api_user:
    description: User with realm, such as V(ansible@pve). For a token, the user who owns it.
    type: str
    required: true
  api_password:
    description: Password of the user. Without it and without a token the API is not asked.
    type: str
  api_token_id:
    description: Name of the API token.
    type: str
  api_token_secret:
    description: Secret of the API token.
    type: str
  api_timeout:
    description: Seconds to wait for the API's answer.
    type: int
    default: 30
  validate_certs:
    description: Whether the certificate of the API must be trusted.
    type: bool
    default: true
  ca_path:
    description: File with the certificates to trust the API by, instead of the system's.
    type: path
  node:
    description: Node that missing machines are made on.
    type: str
    required: true
  hosts:
    description: The hosts to reach.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name in the inventory.
        type: str
        required: true
      address:
        description: IPv4 address.
        type: str
        required: true
      port:
        description: TCP port of SSH or of PowerShell remoting.
        type: int
        required: true
      kind:
        description: What listens there.
        type: str
        choices: [ssh, psrp]
        default: ssh
      vmid:
        description: Number in Proxmox, for a virtual machine.
        type: int
      machine:
        description: Name in Proxmox, for a virtual machine.
        type: str
      template:
        description: What a missing virtual machine is made from.
        type: str
  psrp_ca_path:
    description: File with the certificate of the authority that PowerShell remoting is trusted by.
    type: path
  timeout:
    description: Seconds that an answer may take.
    type: float
    default: 5
attributes:
  check_mode:
    support: full
    description: Does the same, as nothing is ever changed.
  diff_mode:
    support: none
    description: Changes nothing.
author: HAL network
"""

EXAMPLES = r"""
- name: See what answers
  network_reach:
    api_host: 192.0.2.1
    api_user: hal@pve
    api_token_id: ansible
    api_token_secret: "{{ secret }}"
    node: pve
    hosts:
      - {name: ubuai, address: 192.0.2.20, port: 22, vmid: 120, machine: ubuai, template: ubuntu-24.04-cloud}
      - {name: nas, address: 192.0.2.10, port: 22}
  delegate_to: localhost
"""

RETURN = r"""
faults:
  description: What stands in the way, a sentence each.
  type: list
  elements: str
  returned: always
due:
  description: What is to be done in time, a sentence each.
  type: list
  elements: str
  returned: always
missing:
  description: Hosts whose virtual machine Proxmox lacks, and which will be made.
  type: list
  elements: str
  returned: always
"""

HOST_SPEC = {
    "name": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "kind": {"type": "str", "choices": ["ssh", "psrp"], "default": "ssh"},
    "vmid": {"type": "int"},
    "machine": {"type": "str"},
    "template": {"type": "str"},
}
ARGUMENT_SPEC = CONNECTION_SPEC | {
    "node": {"type": "str", "required": True},
    "hosts": {"type": "list", "elements": "dict", "default": [], "options": HOST_SPEC},
    "psrp_ca_path": {"type": "path"},
    "timeout": {"type": "float", "default": 5},
}
ADVICE = {
    "ssh": "Is it on, is its SSH server on this port, and may this computer reach it?",
    "psrp": "Is it on, and is PowerShell remoting over HTTPS set up there (docs/production.md)?",
}

type Host = dict[str, Any]


class Guests:
    """What Proxmox has: machines by their number, and names of templates."""

    def __init__(self, params: dict[str, Any]) -> None:
        resources = Proxmox(params).get("cluster/resources")
        guests = [entry for entry in resources if entry["type"] in ("qemu", "lxc")]
        self.machines = {entry["vmid"]: entry for entry in guests}
        self.templates = {
            name for entry in guests if entry.get("template") for name in (entry["name"], str(entry["vmid"]))
        }
        self.nodes = {entry["node"]: entry["status"] for entry in resources if entry["type"] == "node"}

    def fault(self, host: Host) -> str | None:
        """Return what is wrong with a virtual machine, or with what it would be made from."""
        found = self.machines.get(host["vmid"])
        if found is None:
            if host["template"] in self.templates:
                return None
            return (
                f"{host['name']} is no machine of Proxmox (vmid {host['vmid']}), and there is no template "
                f"{host['template']} to make it from. Run playbooks/hypervisor.yml, or correct hosts.yml"
            )
        if found.get("name") != host["machine"]:
            return (
                f"machine {host['vmid']} of Proxmox is called {found.get('name')}, not {host['machine']}: "
                f"correct vmid or machine.name of {host['name']} in hosts.yml"
            )
        if self.nodes.get(found["node"]) != "online":
            return (
                f"{host['name']} is on the node {found['node']} of Proxmox, which is offline, and is not "
                "made a second time: start that node, or see docs/recovery.md"
            )
        return None

    def expects_answer(self, host: Host) -> bool:
        """Return whether a host has to answer by now."""
        found = self.machines.get(host["vmid"])
        return found is not None and found.get("status") == "running"


def renewal(host: Host, ca_path: str | None) -> str:
    """Return how a host gets another certificate for PowerShell remoting."""
    file = Path(ca_path or "").parent / f"{host['name']}-{host['address']}.pfx"
    return (
        f"Import {file} on it, as docs/production.md says; where there is none, or it is due itself, "
        "`make production-init` makes one"
    )


def certificate_due(host: Host, certificate: dict[str, Any], ca_path: str | None) -> str | None:
    """Return what to do about a certificate when less than a third of its time is left, or None."""
    begin, end = (ssl.cert_time_to_seconds(certificate[key]) for key in ("notBefore", "notAfter"))
    if end - time.time() > (end - begin) / 3:
        return None
    return (
        f"the certificate of PowerShell remoting on {host['name']} ends on {certificate['notAfter']}, "
        f"and then nobody can log in. {renewal(host, ca_path)}"
    )


async def knock(
    host: Host, context: ssl.SSLContext | None, ca_path: str | None, due: list[str]
) -> str | None:
    """Return why a host cannot be administered, or None; add to `due` what is to be done in time."""
    where = f"{host['name']} ({host['address']}:{host['port']})"
    try:
        reader, writer = await asyncio.open_connection(
            host["address"], host["port"], ssl=context, server_hostname=host["address"] if context else None
        )
    except ssl.SSLCertVerificationError as error:
        return f"the certificate of {where} is not trusted: {error.verify_message}. {renewal(host, ca_path)}"
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        return f"{where} does not answer: {reason}. {ADVICE[host['kind']]}"
    try:
        if host["kind"] == "ssh" and not (await reader.read(4)).startswith(b"SSH"):
            return f"what answers at {where} is no SSH server"
        if context and (told := certificate_due(host, writer.get_extra_info("peercert"), ca_path)):
            due.append(told)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return None


async def knock_at_all(hosts: list[Host], ca_path: str | None, patience: float, due: list[str]) -> list[str]:
    """Knock at all hosts at the same time and return the faults in the hosts' order."""
    context = None
    if any(host["kind"] == "psrp" for host in hosts):
        try:
            context = ssl.create_default_context(cafile=ca_path)
        except OSError:  # a file that is missing is named elsewhere
            hosts = [host for host in hosts if host["kind"] != "psrp"]

    async def one(host: Host) -> str | None:
        try:
            async with asyncio.timeout(patience):
                return await knock(host, context if host["kind"] == "psrp" else None, ca_path, due)
        except TimeoutError:
            return (
                f"{host['name']} ({host['address']}:{host['port']}) did not answer within {patience:g} s. "
                f"{ADVICE[host['kind']]}"
            )

    return [fault for fault in await asyncio.gather(*map(one, hosts)) if fault]


def look(params: dict[str, Any]) -> tuple[list[str], list[str], list[str]]:
    """Return the faults, the hosts whose machine will be made, and what is to be done in time."""
    machines = [host for host in params["hosts"] if host["vmid"]]
    others = [host for host in params["hosts"] if host["vmid"] is None]
    faults: list[str] = []
    missing: list[str] = []
    awaited: list[Host] = []
    due: list[str] = []
    if params["api_token_secret"] or params["api_password"]:
        try:
            guests = Guests(params)
        except ProxmoxError as error:
            faults.append(str(error).rstrip("."))
        else:
            if params["node"] not in guests.nodes:
                known = ", ".join(sorted(guests.nodes)) or "none that the token may see"
                faults.append(
                    f"Proxmox has no node {params['node']} (network_proxmox_node); there is {known}"
                )
            faults += [fault for host in machines if (fault := guests.fault(host))]
            missing = [host["name"] for host in machines if host["vmid"] not in guests.machines]
            awaited = [host for host in machines if guests.expects_answer(host)]
    faults += asyncio.run(knock_at_all(awaited + others, params["psrp_ca_path"], params["timeout"], due))
    return faults, missing, due


def main() -> None:
    """Run the module."""
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    faults, missing, due = look(module.params)
    module.exit_json(changed=False, faults=faults, missing=missing, due=due)


if __name__ == "__main__":
    main()
