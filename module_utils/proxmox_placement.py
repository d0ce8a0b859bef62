"""Where in a cluster a guest that does not exist is made, and from which template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible.module_utils.proxmox_api import Proxmox, ProxmoxError
from ansible.module_utils.proxmox_config import DISK, storage_of, with_domain

TEMPLATE_REMEDY = (
    "Make it with playbooks/hypervisor.yml, or name another one in the inventory: "
    "machine.template in hosts.yml, else network_template in group_vars/all/machines.yml."
)
STORAGE_REMEDY = (
    "Name another one in the inventory: machine.storage in hosts.yml, else network_storage in "
    "group_vars/all/machines.yml; or add it in Proxmox (Datacenter, Storage)."
)


class Place(NamedTuple):
    """The node that a guest is made on, and the template that it is made from."""

    node: str
    template: dict[str, Any]


def choose(api: Proxmox, params: Mapping[str, Any]) -> Place:
    """Return the place for the guest that `params` (those of proxmox_guest) describe.

    It is the guest's own node, or if that is offline another one that has or reaches what the guest needs:
    first those with the template, of them the one with most free memory.

    Raises:
        ProxmoxError: there is none; the text says why not, what there is, and what to do.
    """
    own, nodes = params["node"], api.nodes()
    if own not in nodes:
        api.check_node(own)
    templates = _templates(api, params["template"])
    if nodes[own]["status"] == "online":
        require_devices(api, own, params["hostpci"] or [])
        return Place(own, _usable_template(api, params, own, templates, nodes))
    others = sorted(
        (name for name, node in nodes.items() if node["status"] == "online"),
        key=lambda name: (all(item["node"] != name for item in templates), -_free_memory(nodes[name]), name),
    )
    reasons = []
    for node in others:
        try:
            require_devices(api, node, params["hostpci"] or [])
            return Place(node, _usable_template(api, params, node, templates, nodes))
        except ProxmoxError as error:
            reasons.append(f"On {node}: {error}")
    raise ProxmoxError(
        f"Node '{own}' is {nodes[own]['status']}, and guest {params['vmid']} ({params['name']}) "
        f"cannot be made on another one. {' '.join(reasons) or 'There is no other that is online.'} "
        f"Start {own}, or give another node what it lacks."
    )


def require_online(api: Proxmox, node: str, guest: str, vmid: int) -> None:
    """Raise ProxmoxError if the node of a guest that exists is off: a second guest would be its double."""
    nodes = api.nodes()
    status = nodes.get(node, {}).get("status", "unknown")
    if status == "online":
        return
    living = ", ".join(sorted(name for name, item in nodes.items() if item["status"] == "online"))
    raise ProxmoxError(
        f"Guest {guest} exists on node {node}, which is {status}: it is neither made a second time nor "
        f"rebuilt, as its disks come back with that node. Start {node} and run again. If it never returns, "
        f"and only then, give the guest to a living node ({living or 'there is none'}), as root there: "
        f"mv /etc/pve/nodes/{node}/qemu-server/{vmid}.conf /etc/pve/qemu-server/ "
        "and run with -e rebuild=<host>."
    )


def check_storage(api: Proxmox, storage: str, node: str) -> dict[str, Any]:
    """Return what `storage` is like on `node`.

    Raises:
        ProxmoxError: it does not take disks of guests there; the text names those that do.
    """
    known = _storages(api, node)
    if storage not in known:
        raise ProxmoxError(
            f"Storage '{storage}' does not exist on node {node} or does not take disks of guests. "
            f"These do: {', '.join(sorted(known)) or 'none that this login may use (Datastore.Audit)'}. "
            + STORAGE_REMEDY
        )
    if not known[storage].get("active", 1):
        raise ProxmoxError(f"Storage '{storage}' of node {node} is not active. Check it on the node.")
    return known[storage]


def _storages(api: Proxmox, node: str) -> dict[str, dict[str, Any]]:
    return {item["storage"]: item for item in api.get(f"nodes/{node}/storage", content="images")}


def _free_memory(node: Mapping[str, Any]) -> int:
    return int(node.get("maxmem", 0)) - int(node.get("mem", 0))


def _templates(api: Proxmox, template: str) -> list[dict[str, Any]]:
    """Return the templates of that name or number; a name may stand for one on each node."""
    known = [item for item in api.guests() if item["type"] == "qemu" and item.get("template")]
    found = [item for item in known if template in (item.get("name"), str(item["vmid"]))]
    if not found:
        names = ", ".join(f"{item.get('name')} ({item['vmid']})" for item in known)
        there = f"The cluster has: {names}." if names else "This login sees none; it needs VM.Audit on them."
        raise ProxmoxError(f"There is no template '{template}'. {there} {TEMPLATE_REMEDY}")
    return found


def _usable_template(
    api: Proxmox,
    params: Mapping[str, Any],
    node: str,
    templates: list[dict[str, Any]],
    nodes: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the template that a clone on `node` can be made from. Raises ProxmoxError if there is none."""
    target = check_storage(api, params["storage"], node) if params["storage"] else None
    reasons = []
    for item in sorted(templates, key=lambda item: item["node"] != node):
        home = item["node"]
        if home == node:
            return item
        if nodes[home]["status"] != "online":
            reasons.append(f"template {item['name']} ({item['vmid']}) is on {home}, which is offline")
            continue
        config = api.get(f"nodes/{home}/qemu/{item['vmid']}/config")
        # Proxmox clones to another node only from shared storage, and to shared storage.
        shared = {name for name, storage in _storages(api, node).items() if storage.get("shared")}
        used = {storage_of(value) for key, value in config.items() if DISK.fullmatch(key)} - {""}
        local = sorted(used - shared) + (
            [] if target is None or target.get("shared") else [params["storage"]]
        )
        if not local:
            return item
        reasons.append(
            f"template {item['name']} ({item['vmid']}) is on {home}, and {', '.join(dict.fromkeys(local))} "
            f"is not shared with {node}"
        )
    raise ProxmoxError(f"{'; '.join(reasons)}. {TEMPLATE_REMEDY}")


def require_devices(api: Proxmox, node: str, devices: list[dict[str, Any]]) -> None:
    """Raise ProxmoxError if `node` lacks a device that is to be passed through; the text says what to do."""
    for device in devices:
        if device["mapping"]:
            _require_mapping(api, node, device["mapping"])
            continue
        present = [item["id"] for item in api.get(f"nodes/{node}/hardware/pci")]
        for address in with_domain(device["device"]).split(";"):
            if not any(one.startswith(address) for one in present):
                raise ProxmoxError(
                    f"Node {node} has no PCI device {address}, which is passed through (machine.hostpci in "
                    "hosts.yml). `lspci -D` there shows the addresses."
                )


def _require_mapping(api: Proxmox, node: str, name: str) -> None:
    mappings = {item["id"]: item.get("map", []) for item in api.get("cluster/mapping/pci")}
    if name not in mappings:
        raise ProxmoxError(
            f"There is no PCI resource mapping '{name}', which is passed through (machine.hostpci in "
            f"hosts.yml). There are: {', '.join(sorted(mappings)) or 'none that this login may use'}. "
            "Add it in Proxmox: Datacenter, Resource Mappings, PCI Devices."
        )
    if not any(f"node={node}" in entry.split(",") for entry in mappings[name]):
        raise ProxmoxError(
            f"The PCI resource mapping '{name}', which is passed through, has no device of node {node}. "
            "Add one in Proxmox: Datacenter, Resource Mappings, PCI Devices."
        )
