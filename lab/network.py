"""The lab as its inventory describes it: one place for names and addresses, shared with Ansible."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

import machine
import registry
from containers import Lab

PROJECT = Path(__file__).resolve().parent.parent
sys.path.append(str(PROJECT))
from filter_plugins.catalogue import with_virtual_address  # noqa: E402 - found through the line above

STATE = PROJECT / ".lab"
INVENTORY = PROJECT / "inventories/lab"
HOSTS = INVENTORY / "hosts.yml"
PROFILES = PROJECT / "inventories/profiles"
PROFILE = INVENTORY / "profile.yml"  # a link to one of them, or nothing
SECRETS = INVENTORY / "group_vars/all/secrets.yml"
USER = "lawr"
CLIENT = "mac"
API_PORT = 8006


def _groups(files: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Return hosts and variables of the inventory's groups by name, nested ones too."""
    found: dict[str, dict[str, Any]] = {}

    def collect(name: str, group: dict[str, Any]) -> None:
        parts = found.setdefault(name, {"hosts": {}, "vars": {}})  # a group may stand in several places
        for part in parts:
            parts[part] |= group.get(part) or {}
        for child, content in (group.get("children") or {}).items():
            collect(child, content or {})

    for file in files:
        collect("all", yaml.safe_load(file.read_text())["all"])
    return found


def _files() -> list[Path]:
    """Return the files that describe the lab's hosts."""
    return [HOSTS, PROFILE] if PROFILE.exists() else [HOSTS]


def addresses(*groups: str, files: Iterable[Path] = ()) -> dict[str, str]:
    """Return name and address of the hosts of these groups, of every host without any.

    Args:
        groups: names of groups; hosts of their children do not count.
        files: where they are described; by default in the lab's inventory.
    """
    return {
        host: variables["address"]
        for name, group in _groups(files or _files()).items()
        if not groups or name in groups
        for host, variables in group["hosts"].items()
        if variables and "address" in variables  # a host that is in several groups has it in one
    }


def shared_address() -> dict[str, str]:
    """Return name and address that the lab's proxies share; nothing where they share none."""
    return with_virtual_address({}, _groups(_files())["all"]["vars"].get("network_virtual_address", ""))


API_ADDRESS = addresses("hypervisors")["pve"]


def laboratory() -> Lab:
    """Return what this checkout's containers have in common."""
    identity = hashlib.sha256(str(PROJECT).encode()).hexdigest()[:8]
    return Lab(identity, machine.image_name(PROJECT), f"hal-{identity}", registry.host_mounts(STATE))
