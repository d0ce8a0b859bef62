"""The inventory: its files, the groups of hosts, and who is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

# The files of an inventory, as faults name them.
HOSTS = "hosts.yml"
MODELS = "group_vars/all/models.yml"
NETWORK = "group_vars/all/network.yml"
SERVICES = "group_vars/all/services.yml"

type Groups = Mapping[str, Sequence[str]]


def _hosts(groups: Groups, name: str) -> Sequence[str]:
    """Return the hosts that a name stands for: those of a group, or a host itself; else none."""
    return groups.get(name, [name] if name in groups.get("all", ()) else ())


def members(groups: Groups, *names: str) -> set[str]:
    """Return the hosts that are in any of these groups, or named; a group that does not exist has none."""
    return {host for name in names for host in _hosts(groups, name)}


def hosts_of(groups: Groups, group: str, left_out: Sequence[str] = ()) -> list[str]:
    """Return the hosts of a group that are in none of the groups left out, in the inventory's order.

    A host's own name stands for a group that has no other.
    """
    others = members(groups, *left_out)
    return [host for host in _hosts(groups, group) if host not in others]


def walk(groups: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield name and content of each group of an inventory file, every group before its children.

    A group may be met several times, as it may be a child of several.
    """
    for name, content in groups.items():
        group = content if content is not None else {}
        yield name, group
        yield from walk(group.get("children") or {})


@dataclass(frozen=True)
class Inventory:
    """The hosts that inventory files describe.

    Attributes:
        hosts: variables of each host, as far as they stand beside it.
        groups: hosts of each group, those of its children included, as Ansible has them.
        variables: those of all hosts.
    """

    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def addresses(self) -> dict[str, str]:
        """Address of each host that has one, or what stands in its place."""
        return {name: host["address"] for name, host in self.hosts.items() if "address" in host}


def read_inventory(*files: Path) -> Inventory:
    """Return what inventory files in YAML describe together.

    Raises:
        OSError: a file cannot be read.
        yaml.YAMLError: a file is no YAML.
    """
    found = Inventory()
    own: dict[str, list[str]] = {}
    children: dict[str, list[str]] = {}
    for file in files:
        for name, group in walk(yaml.safe_load(file.read_text())):
            for host, variables in (group.get("hosts") or {}).items():
                found.hosts.setdefault(host, {}).update(variables or {})
                own.setdefault(name, []).append(host)
            children.setdefault(name, []).extend(group.get("children") or {})
            if name == "all":
                found.variables.update(group.get("vars") or {})
    for name in children:
        below = [name]
        for group in below:  # grows: children after their parents, level by level
            below += [child for child in children[group] if child not in below]
        found.groups[name] = list(dict.fromkeys(host for group in below for host in own.get(group, [])))
    return found
