"""The production inventory as a form: new values are put in where the old ones stand, comments kept."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from filter_plugins.catalogue import with_virtual_address
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

MACHINES = ("qm1", "ubuai", "haproxy")
HOSTS = (*MACHINES, "nas", "pve")


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1000
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


@dataclass
class File:
    """A file of variables, changed in place."""

    path: Path
    changes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.content = _yaml().load(self.path.read_text())

    def put(self, mapping: CommentedMap, key: str, value: Any, name: str = "") -> None:
        """Set a variable and remember the change, if it is one."""
        before = mapping.get(key)
        if before == value:
            return
        if isinstance(value, list):
            value = CommentedSeq(value)
            value.fa.set_flow_style()
        elif value == "":
            value = DoubleQuotedScalarString("")
        mapping[key] = value
        self.changes.append(f"{self.path.name}: {name or key}: {before!r} becomes {value!r}")

    def text(self) -> str:
        """Return the file as it is to be."""
        stream = io.StringIO()
        _yaml().dump(self.content, stream)
        return stream.getvalue()


class Inventory:
    """The files of an inventory that `production-init` fills in.

    Args:
        directory: the inventory.
    """

    def __init__(self, directory: Path) -> None:
        variables = directory / "group_vars/all"
        self.hosts = File(directory / "hosts.yml")
        self.network = File(variables / "network.yml")
        self.machines = File(variables / "machines.yml")
        self.models = File(variables / "models.yml")
        self.windows = File(variables / "windows.yml")
        self.files = (self.hosts, self.network, self.machines, self.models, self.windows)

    def group(self, name: str) -> CommentedMap:
        """Return the hosts of a group."""

        def find(groups: CommentedMap) -> CommentedMap | None:
            for key, group in groups.items():
                if key == name:
                    hosts: CommentedMap = group["hosts"]
                    return hosts
                if group and (found := find(group.get("children") or CommentedMap())) is not None:
                    return found
            return None

        found = find(self.hosts.content)
        if found is None:
            raise KeyError(f"{self.hosts.path} has no group {name}")
        return found

    def host(self, name: str) -> CommentedMap:
        """Return the variables of a host."""
        group = {"qm1": "qm_servers", "ubuai": "ai_servers", "haproxy": "proxies", "nas": "backup_servers"}
        found: CommentedMap = self.group(group.get(name, "hypervisors"))[name]
        return found

    def proxy_names(self) -> list[str]:
        """Return the names and addresses at which clients reach the proxies, the shared one included."""
        proxies = {name: variables["address"] for name, variables in self.group("proxies").items()}
        virtual = self.network.content.get("network_virtual_address")
        addresses = with_virtual_address(proxies, virtual or "")
        return [*addresses, *addresses.values()]

    def fill_in(self, answers: dict[str, Any]) -> None:
        """Put the answers in where they belong."""
        for name in HOSTS:
            self.hosts.put(self.host(name), "address", answers[f"{name}_address"], f"{name}.address")
        for name in MACHINES:
            self.hosts.put(self.host(name), "vmid", answers[f"{name}_vmid"], f"{name}.vmid")
            machine = self.host(name)["machine"]
            self.hosts.put(machine, "name", answers[f"{name}_machine"], f"{name}.machine.name")
        self._put_client(answers["client"])
        network = self.network.content
        for key, answer in (
            ("network_administrator", "administrator"),
            ("network_administrator_key", "administrator_key"),
            ("network_administrators", "administrator_networks"),
            ("network_client_networks", "client_networks"),
            ("network_trusted_networks", "trusted_networks"),
            ("hal_listener_mode", "listener_mode"),
        ):
            self.network.put(network, key, answers[answer])
        self.network.put(network, "network_subnets", self._subnets(answers))
        self.machines.put(self.machines.content, "network_proxmox_node", answers["proxmox_node"])
        self.models.put(self.models.content, "network_gpu", answers["gpu"])
        self.windows.put(self.windows.content, "network_windows_user", answers["windows_user"])

    def _put_client(self, client: str) -> None:
        """Describe the Mac: this computer, another one, or none."""
        hosts = self.group("clients")
        if client == "none":
            wanted = None
        elif client == "here":
            wanted = {"address": "dhcp", "ansible_connection": "local"}
        else:
            wanted = {"address": client}
        if (dict(hosts["mac"]) if "mac" in hosts else None) == wanted:
            return
        if wanted is None:
            del hosts["mac"]
        else:
            entry = CommentedMap(wanted)
            entry.fa.set_flow_style()
            hosts["mac"] = entry
        self.hosts.changes.append(f"hosts.yml: mac becomes {wanted}")

    def _subnets(self, answers: dict[str, Any]) -> list[str]:
        """Return networks that hold every address: those there are, and a /24 for each outside."""
        subnets = list(self.network.content["network_subnets"])
        addresses = [answers[f"{name}_address"] for name in HOSTS]
        addresses += [answers["client"]] if answers["client"] not in ("here", "none") else []
        for address in addresses:
            if not any(IPv4Address(address) in IPv4Network(subnet) for subnet in subnets):
                subnets.append(str(IPv4Network(f"{address}/24", strict=False)))
        return subnets

    def changes(self) -> list[str]:
        """Return what would be changed, a line each."""
        return [change for file in self.files for change in file.changes]

    def write(self) -> None:
        """Write the files that have changed."""
        for file in self.files:
            if file.changes:
                file.path.write_text(file.text())
