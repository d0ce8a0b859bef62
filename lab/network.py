"""The lab as its inventory describes it: one place for names and addresses, shared with Ansible."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

import machine
import registry
from containers import Lab

PROJECT = Path(__file__).resolve().parent.parent
STATE = PROJECT / ".lab"
INVENTORY = PROJECT / "inventories/lab"
SECRETS = INVENTORY / "group_vars/all/secrets.yml"
USER = "lawr"
CLIENT = "mac"
API_PORT = 8006


def _groups() -> dict[str, Any]:
    """Return the inventory's groups by name, nested ones too."""
    found: dict[str, Any] = {}

    def collect(name: str, group: dict[str, Any]) -> None:
        found[name] = found.get(name) or group  # a group may be a child of several, and is described in one
        for child, content in (group.get("children") or {}).items():
            collect(child, content or {})

    collect("all", yaml.safe_load((INVENTORY / "hosts.yml").read_text())["all"])
    return found


def addresses(*groups: str) -> dict[str, str]:
    """Return name and address of the hosts of these groups, of every host without any."""
    return {
        host: variables["address"]
        for name, group in _groups().items()
        if not groups or name in groups
        for host, variables in (group.get("hosts") or {}).items()
        if "address" in variables  # a host that is in several groups has it in one
    }


API_ADDRESS = addresses("hypervisors")["pve"]


def laboratory() -> Lab:
    """Return what this checkout's containers have in common."""
    identity = hashlib.sha256(str(PROJECT).encode()).hexdigest()[:8]
    return Lab(identity, machine.image_name(PROJECT), f"hal-{identity}", registry.host_mounts(STATE))
