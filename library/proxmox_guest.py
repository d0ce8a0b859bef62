#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Ensure that a virtual machine exists on Proxmox VE as described."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.proxmox_api import CONNECTION_RULES, CONNECTION_SPEC, Proxmox, ProxmoxError
from ansible.module_utils.proxmox_disks import disk_faults
from ansible.module_utils.proxmox_machine import Machine

DOCUMENTATION = r"""
module: proxmox_guest
short_description: Ensure that a virtual machine exists on Proxmox VE as described
description:
  - Clones a cloud-init template, sets the clone's processors, memory, disks, networks, host devices and
    cloud-init data, and starts it. Everything is compared with what Proxmox has; only what differs is set.
  - A guest that exists is changed, on whichever node it is. It is made anew or removed only where I(rebuild)
    or I(state=absent) say so.
  - One that does not exist is made on I(node), or while that is offline on another node that has or reaches
    the template and the storage.
  - One that exists on a node that is offline is left alone, and the module fails. A second one would be its
    double.
  - A run that was interrupted is completed by the next one, a clone that is still going on is waited for.
  - What is not given is not managed and stays as it is. Lists are complete - I(networks), I(hostpci) and
    I(tags) name all that the guest shall have.
attributes:
  check_mode:
    support: full
    description: Says what would be done, from what Proxmox has, and changes nothing.
  diff_mode:
    support: full
    description: Shows the given settings before and after. No credential is part of it.
  platform:
    support: full
    platforms: posix
    description: Runs on the controller (I(delegate_to) localhost) and reaches Proxmox VE 8 or 9 over HTTPS.
options:
  api_host:
    description: Name or address of a node of the cluster.
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
    description: Password of the user. Give either this or a token.
    type: str
  api_token_id:
    description: Name of the API token, such as V(ansible) or V(ansible@pve!ansible).
    type: str
  api_token_secret:
    description: Secret of the API token.
    type: str
  api_timeout:
    description: Seconds to wait for the answer to one request.
    type: int
    default: 30
  validate_certs:
    description: Whether the certificate of the API must be trusted.
    type: bool
    default: true
  ca_path:
    description: File with the certificates to trust instead of the system's, such as a node's
      C(/etc/pve/pve-root-ca.pem).
    type: path
  node:
    description: Node that the guest is made on. A guest that is elsewhere is not moved.
    type: str
    required: true
  vmid:
    description: Number of the guest, 100 or more.
    type: int
    required: true
  name:
    description:
      - Name of the guest, also its host name.
      - A guest of that number but another name is left alone, and the module fails.
    type: str
    required: true
  template:
    description: Name or number of the template to clone. Needed when the guest does not exist.
    type: str
  storage:
    description:
      - Storage for the full clone, for new disks without one of their own and for a missing cloud-init drive.
      - By default the clone's disks stay on the template's storage.
    type: str
  cores:
    description: Processor cores of each socket.
    type: int
  sockets:
    description: Processor sockets.
    type: int
  memory:
    description: Memory in MiB.
    type: int
  balloon:
    description: Memory in MiB that ballooning may shrink the guest to. V(0) turns ballooning off.
    type: int
  disks:
    description:
      - Disks by their name, such as V(scsi0), each with I(size_gib) and, for a new disk, I(storage).
      - A disk is made or grown. Proxmox cannot shrink one, so a smaller size is an error.
      - A disk on another storage than the given one is not moved; a warning says so.
    type: dict
  disk_gib:
    description: Size in GiB of the disk that the guest starts from. It grows to it, and is never shrunk.
    type: int
  data_disks:
    description:
      - Disks that outlive the guest. Their volumes carry a number that no guest has, 900000000 and I(vmid),
        so that Proxmox does not destroy them with it. A guest that is made anew gets those that are
        still there, with what is on them.
      - One that is not described any more stays where it is.
      - Linux finds a disk as C(/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_) and its I(name).
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the disk, up to 20 lower-case letters, digits and hyphens.
        type: str
        required: true
      gib:
        description: Size in GiB. It grows to it, and is never shrunk.
        type: int
        required: true
      storage:
        description: Storage of a new disk; by default O(storage), else that of the system disk.
        type: str
  networks:
    description: Network devices in order, V(net0) first.
    type: list
    elements: dict
    suboptions:
      bridge:
        description: Bridge of the node.
        type: str
        required: true
      model:
        description: Model of the device.
        type: str
        default: virtio
      tag:
        description: VLAN.
        type: int
      firewall:
        description: Whether the firewall of Proxmox filters this device.
        type: bool
      mac:
        description: MAC address. By default Proxmox makes one, and it is kept.
        type: str
  cloud_init:
    description:
      - What cloud-init sets when the guest boots.
      - A new guest does not upgrade its packages at its first boot, as Proxmox would have it do. Without the
        internet it would try for a quarter of an hour. Upgrades are the matter of unattended-upgrades.
    type: dict
    suboptions:
      user:
        description: User to make, with sudo.
        type: str
      ssh_keys:
        description: Public keys that may log in as that user.
        type: list
        elements: str
      address:
        description: IPv4 address with prefix length, such as V(192.0.2.10/24), or V(dhcp).
        type: str
      gateway:
        description: Default gateway.
        type: str
      nameservers:
        description: Addresses of name servers.
        type: list
        elements: str
      search_domain:
        description: Search domain.
        type: str
  hostpci:
    description:
      - Host devices passed through, such as GPUs, V(hostpci0) first. The mapping or the device must be there.
      - A new guest with a device that has I(pcie) gets the machine type q35, which that needs. One that
        exists and has another type is left alone, and the module fails.
    type: list
    elements: dict
    suboptions:
      device:
        description: PCI address, such as V(0000:01:00) for all functions. Proxmox lets only root@pam use it.
        type: str
      mapping:
        description: Name of a resource mapping of the cluster, which the role PVEMappingUser may use.
        type: str
      pcie:
        description: Whether the device is presented as PCI Express (machine type q35).
        type: bool
      primary_gpu:
        description: Whether the device is the guest's primary display.
        type: bool
      rom_bar:
        description: Whether the guest sees the device's option ROM.
        type: bool
  tags:
    description: Tags, in any order and case.
    type: list
    elements: str
  onboot:
    description: Whether the guest starts with the node.
    type: bool
  startup:
    description: When the guest starts with the node.
    type: dict
    suboptions:
      order:
        description: Place in the order of starts; the reverse order of stops.
        type: int
      up:
        description: Seconds to wait before the next guest starts.
        type: int
      down:
        description: Seconds to wait for the guest to shut down.
        type: int
  description:
    description: Notes shown in the web interface.
    type: str
  agent:
    description: Whether the QEMU guest agent is used.
    type: bool
  state:
    description:
      - V(present) - exists and is configured; its power is left alone.
      - V(started), V(stopped) - also powered so.
      - V(absent) - does not exist. Needs I(force), since its disks are destroyed.
    type: str
    choices: [present, started, stopped, absent]
    default: present
  adopt:
    description:
      - Whether a guest that exists keeps its configuration, so that O(state) alone is seen to.
      - One that an interrupted run has made is configured all the same.
    type: bool
    default: false
  rebuild:
    description:
      - Destroys the guest with its disks, if it exists, and makes it anew from the template. Needs I(force).
      - Nothing is destroyed if the template, the storage or a device is missing.
      - The jobs of the cluster that name the guest's number keep it.
    type: bool
    default: false
  force:
    description:
      - With I(rebuild), confirms that the guest and its disks are destroyed.
      - With I(state=absent), confirms that the guest and its disks are destroyed, running or not.
      - With I(state=stopped), turns off a guest that has not shut down by itself in time.
    type: bool
    default: false
  restart:
    description:
      - With I(state=started), whether a running guest is shut down and started where it would take a setting
        over only then (see RV(pending)).
    type: bool
    default: false
  timeout:
    description: Seconds to wait for tasks of Proxmox and for a guest that is locked by another one, in all.
    type: int
    default: 600
requirements: [proxmoxer >= 2.3, requests]
author: [The HAL project]
"""

EXAMPLES = r"""
- name: The AI server exists and runs
  proxmox_guest:
    api_host: pve.example.net
    api_user: ansible@pve
    api_token_id: ansible
    api_token_secret: "{{ vault_proxmox_token_secret }}"
    ca_path: files/pve-root-ca.pem
    node: pve
    vmid: 120
    name: ubuai
    template: debian-13-cloud
    storage: local-lvm
    cores: 8
    memory: 32768
    disk_gib: 40
    data_disks: [{name: models, gib: 160}]
    networks: [{bridge: vmbr0, tag: 10}]
    hostpci: [{mapping: gpu, pcie: true}]
    cloud_init:
      user: lawr
      ssh_keys: ["{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"]
      address: 192.0.2.20/24
      gateway: 192.0.2.1
    tags: [hal]
    onboot: true
    state: started
  delegate_to: localhost

- name: The old machine and its disks are gone
  proxmox_guest:
    api_host: pve.example.net
    api_user: root@pam
    api_password: "{{ vault_proxmox_password }}"
    node: pve
    vmid: 199
    name: old
    state: absent
    force: true
  delegate_to: localhost
"""

RETURN = r"""
vmid:
  description: Number of the guest.
  returned: always
  type: int
node:
  description: Node of the guest, which is not the given one if the guest was found or made elsewhere.
  returned: always
  type: str
status:
  description: V(running), V(stopped), another word of Proxmox, or V(absent). In check mode, as it would be.
  returned: always
  type: str
created:
  description:
    - Whether this run made the guest, so that its SSH host keys are new, or completes one that an interrupted
      run has made.
  returned: always
  type: bool
actions:
  description: What was done, in order. Any of stop, remove, clone, allocate, configure, resize, start.
  returned: always
  type: list
  elements: str
pending:
  description: Settings that a running guest takes over at its next start.
  returned: always
  type: list
  elements: str
config:
  description: The given settings as Proxmox has them (in check mode, as they would be).
  returned: always
  type: dict
"""

NETWORK_SPEC = {
    "bridge": {"type": "str", "required": True},
    "model": {"type": "str", "default": "virtio"},
    "tag": {"type": "int"},
    "firewall": {"type": "bool"},
    "mac": {"type": "str"},
}
CLOUD_INIT_SPEC = {
    "user": {"type": "str"},
    "ssh_keys": {"type": "list", "elements": "str", "no_log": False},
    "address": {"type": "str"},
    "gateway": {"type": "str"},
    "nameservers": {"type": "list", "elements": "str"},
    "search_domain": {"type": "str"},
}
HOSTPCI_SPEC = {
    "device": {"type": "str"},
    "mapping": {"type": "str"},
    "pcie": {"type": "bool"},
    "primary_gpu": {"type": "bool"},
    "rom_bar": {"type": "bool"},
}
DATA_DISK_SPEC = {
    "name": {"type": "str", "required": True},
    "gib": {"type": "int", "required": True},
    "storage": {"type": "str"},
}
ARGUMENT_SPEC = CONNECTION_SPEC | {
    "node": {"type": "str", "required": True},
    "vmid": {"type": "int", "required": True},
    "name": {"type": "str", "required": True},
    "template": {"type": "str"},
    "storage": {"type": "str"},
    "cores": {"type": "int"},
    "sockets": {"type": "int"},
    "memory": {"type": "int"},
    "balloon": {"type": "int"},
    "disks": {"type": "dict"},
    "disk_gib": {"type": "int"},
    "data_disks": {"type": "list", "elements": "dict", "options": DATA_DISK_SPEC},
    "networks": {"type": "list", "elements": "dict", "options": NETWORK_SPEC},
    "cloud_init": {"type": "dict", "options": CLOUD_INIT_SPEC},
    "hostpci": {
        "type": "list",
        "elements": "dict",
        "options": HOSTPCI_SPEC,
        "mutually_exclusive": [("device", "mapping")],
        "required_one_of": [("device", "mapping")],
    },
    "tags": {"type": "list", "elements": "str"},
    "onboot": {"type": "bool"},
    "startup": {"type": "dict", "options": {key: {"type": "int"} for key in ("order", "up", "down")}},
    "description": {"type": "str"},
    "agent": {"type": "bool"},
    "state": {"type": "str", "choices": ["present", "started", "stopped", "absent"], "default": "present"},
    "adopt": {"type": "bool", "default": False},
    "rebuild": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "restart": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 600},
}


def check_values(params: dict[str, Any]) -> str | None:
    """Return what is wrong with the parameters beyond their types, or None."""
    if params["vmid"] < 100:
        return f"vmid is {params['vmid']}; Proxmox numbers guests from 100."
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", params["name"]):
        return f"name '{params['name']}' is not a host name: use letters, digits, '-' and '.'."
    return next(disk_faults(params), None) or check_addresses(params["cloud_init"] or {})


def check_addresses(cloud_init: dict[str, Any]) -> str | None:
    """Return what is wrong with the addresses for cloud-init, or None."""
    address, gateway = cloud_init.get("address"), cloud_init.get("gateway")
    try:
        if address and address != "dhcp":
            if "/" not in address:
                return f"cloud_init: address '{address}' has no prefix length; write it as {address}/24."
            ipaddress.IPv4Interface(address)
        for server in [gateway] if gateway else []:
            ipaddress.IPv4Address(server)
        for server in cloud_init.get("nameservers") or []:
            ipaddress.ip_address(server)
    except ValueError as error:
        return f"cloud_init: {error}"
    return None


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, **CONNECTION_RULES)
    fault = check_values(module.params)
    if fault:
        module.fail_json(msg=fault)
    machine = None
    try:
        machine = Machine(Proxmox(module.params), module.params, module.check_mode)
        machine.ensure()
        for warning in machine.warnings:
            module.warn(warning)
        module.exit_json(**machine.result())
    except ProxmoxError as error:
        done = {"actions": machine.actions, "created": machine.created} if machine else {}
        module.fail_json(msg=str(error), **done)


if __name__ == "__main__":
    main()
