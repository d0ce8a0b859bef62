"""The lab as its inventory describes it: one place for names and addresses, shared with Ansible."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hal.network.inventory import Inventory, members, read_inventory
from hal.network.model import with_virtual_address
from lab import machine, registry
from lab.containers import Lab

PROJECT = Path(__file__).resolve().parent.parent
STATE = PROJECT / ".lab"
REPORTS = PROJECT / "reports"
INVENTORY = PROJECT / "inventories/lab"
HOSTS = INVENTORY / "hosts.yml"
PROFILES = PROJECT / "inventories/profiles"
PROFILE = INVENTORY / "profile.yml"  # a link to one of them, or nothing
SECRETS = INVENTORY / "group_vars/all/secrets.yml"
USER = "lawr"
CLIENT = "mac"
API_PORT = 8006


def inventory() -> Inventory:
    """Return the lab's inventory with the profile that was chosen."""
    return read_inventory(HOSTS, *([PROFILE] if PROFILE.exists() else []))


def addresses(*groups: str) -> dict[str, str]:
    """Return name and address of the hosts of these groups, of every host without any."""
    described = inventory()
    wanted = members(described.groups, *(groups or ["all"]))
    return {host: address for host, address in described.addresses.items() if host in wanted}


def shared_address() -> dict[str, str]:
    """Return name and address that the lab's proxies share; nothing where they share none."""
    return with_virtual_address({}, inventory().variables.get("network_virtual_address", ""))


def api_address() -> str:
    """Return the address of the lab's Proxmox API."""
    return addresses("hypervisors")["pve"]


def laboratory() -> Lab:
    """Return what this checkout's containers have in common."""
    identity = hashlib.sha256(str(PROJECT).encode()).hexdigest()[:8]
    return Lab(identity, machine.image_name(PROJECT), f"hal-{identity}", registry.host_mounts(STATE))
