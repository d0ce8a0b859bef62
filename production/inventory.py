"""The production inventory as a form: new values are put in where the old ones stand, comments kept."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from hal.network.certificates import certificate_names
from hal.network.inventory import walk
from hal.network.model import with_virtual_address
from hal.network.renamed import renamed_variables

MACHINES = ("qm1", "ubuai", "haproxy", "nas")
HOSTS = (*MACHINES, "pve")
BACKUP_SERVER = "nas"
# Where backups go: to a machine that site.yml makes, to a Linux host or into a restic store that exists.
BACKUP_SERVERS = ("machine", "host", "store")
DOWNLOAD_SERVER = "ubuai"  # has the downloads and the monitoring where there is no backup server
DOWNLOADS_DISK_GIB = (
    64  # of the system disk of a host that keeps packages and measurements beside its services
)
STORE_DISK = {"name": "store", "gib": 128, "path": "/srv"}
MADE_ANEW = {"template": "debian-13-cloud", "cores": 2, "memory": 2048, "disk_gib": 48}


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
        if before == value or (before is None and value == ""):
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


class OldNamesError(Exception):
    """The inventory sets variables by names that they no longer have."""


def _variables(directory: Path) -> dict[str, set[str]]:
    """Return the names of the variables that each file of an inventory sets, its vault left out."""
    found: dict[str, set[str]] = {}
    for file in sorted(directory.rglob("*.yml")):
        if file == directory / "vault.yml":  # Ansible alone can read it, and every run does
            continue
        content = _yaml().load(file.read_text())
        if not isinstance(content, dict):  # empty, or encrypted
            continue
        names = found.setdefault(str(file.relative_to(directory)), set())
        if file.parent != directory:
            names.update(content)
            continue
        for _, group in walk(content):
            for variables in (group.get("vars"), *(group.get("hosts") or {}).values()):
                names.update(variables or {})
    return found


class Inventory:
    """The files of an inventory that `production-init` fills in.

    Args:
        directory: the inventory.

    Raises:
        OldNamesError: the files set variables by old names; the message lists old and new ones.
    """

    def __init__(self, directory: Path) -> None:
        variables = directory / "group_vars/all"
        self.hosts = File(directory / "hosts.yml")
        self.network = File(variables / "network.yml")
        self.machines = File(variables / "machines.yml")
        self.models = File(variables / "models.yml")
        self.windows = File(variables / "windows.yml")
        self.files = (self.hosts, self.network, self.machines, self.models, self.windows)
        old = renamed_variables(_variables(directory), "in")
        if old:
            raise OldNamesError("\n  ".join([f"variables have an old name in {directory}:", *old]))

    def group(self, name: str) -> CommentedMap:
        """Return the hosts of a group."""
        for found, group in walk(self.hosts.content):
            if found == name:
                hosts: CommentedMap = group["hosts"]
                return hosts
        raise KeyError(f"{self.hosts.path} has no group {name}")

    def members(self, name: str) -> list[str]:
        """Return the hosts of a group and of the groups within it; none where there is no such group."""
        for found, group in walk(self.hosts.content):
            if found == name:
                children = [self.members(child) for child in group.get("children") or ()]
                return [*(group.get("hosts") or ()), *(host for hosts in children for host in hosts)]
        return []

    def host(self, name: str) -> CommentedMap:
        """Return the variables of a host, which stand where it has any."""
        for _, group in walk(self.hosts.content):
            variables: CommentedMap | None = (group.get("hosts") or {}).get(name)
            if variables is not None:
                return variables
        raise KeyError(f"{self.hosts.path} has no variables of {name}")

    def known(self, name: str) -> CommentedMap:
        """Return the variables of a host, none where it is not described."""
        try:
            return self.host(name)
        except KeyError:
            return CommentedMap()

    def certificate_names(self) -> dict[str, list[str]]:
        """Return, by the variable that holds a server certificate, the names and addresses that it is for."""
        groups = {name: list(dict.fromkeys(self.members(name))) for name, _ in walk(self.hosts.content)}
        groups["backup_servers"] = list(self._backup_hosts())
        addresses = {host: self.known(host).get("address", "") for host in groups["managed_hosts"]}
        virtual = self.network.content.get("network_virtual_address")
        return certificate_names(groups, with_virtual_address(addresses, virtual or ""))

    def fill_in(self, answers: dict[str, Any]) -> None:
        """Put the answers in where they belong."""
        kind = answers["backup_server"]
        self._put_backup_server(kind)
        for name in HOSTS:
            if name != BACKUP_SERVER or kind != "store":
                self.hosts.put(self.host(name), "address", answers[f"{name}_address"], f"{name}.address")
        for name in MACHINES if kind == "machine" else MACHINES[:-1]:
            self.hosts.put(self.host(name), "vmid", answers[f"{name}_vmid"], f"{name}.vmid")
            machine = self.host(name)["machine"]
            self.hosts.put(machine, "name", answers[f"{name}_machine"], f"{name}.machine.name")
        self._put_client(answers["client"])
        network = self.network.content
        for key, answer in (
            ("network_administrator_user", "administrator"),
            ("network_administrator_key", "administrator_key"),
            ("network_administrator_networks", "administrator_networks"),
            ("network_client_networks", "client_networks"),
            ("network_trusted_networks", "trusted_networks"),
            ("network_timezone", "timezone"),
            ("hal_listener_mode", "listener_mode"),
            ("network_backup_store", "backup_store"),
            ("network_backup_store_host_key", "backup_store_host_key"),
        ):
            self.network.put(network, key, answers[answer])
        self.network.put(network, "network_subnets", self._subnets(answers))
        self.machines.put(self.machines.content, "network_proxmox_node", answers["proxmox_node"])
        self.models.put(self.models.content, "network_gpu", answers["gpu"])
        self.windows.put(self.windows.content, "network_windows_user", answers["windows_user"])

    @property
    def backup_server(self) -> str:
        """Where backups go, one of BACKUP_SERVERS."""
        if BACKUP_SERVER not in self._backup_hosts():
            return "store"
        return "machine" if "backup_servers" in self._machine_groups() else "host"

    def _machine_groups(self) -> CommentedMap:
        children = next(
            group["children"] for name, group in walk(self.hosts.content) if name == "virtual_machines"
        )
        found: CommentedMap = children
        return found

    def _backup_hosts(self) -> CommentedMap:
        """Return the hosts of the backup servers, where they are described."""
        found: CommentedMap = next(
            group["hosts"]
            for name, group in walk(self.hosts.content)
            if name == "backup_servers" and "hosts" in group
        )
        return found

    def _put_backup_server(self, kind: str) -> None:
        """Describe the backup server as a machine that is made, as a host that exists, or not at all."""
        if kind == self.backup_server:
            return
        hosts, machines = self._backup_hosts(), self._machine_groups()
        machines.pop("backup_servers", None)
        if kind == "store":
            hosts.pop(BACKUP_SERVER)
        else:
            host = hosts.setdefault(BACKUP_SERVER, CommentedMap({"address": ""}))
            for key in ("vmid", "machine"):
                host.pop(key, None)
        if kind == "machine":
            machines["backup_servers"] = CommentedMap()
            host["machine"] = CommentedMap(
                {"name": BACKUP_SERVER, **MADE_ANEW, "data_disks": [dict(STORE_DISK)]}
            )
        self._put_monitoring(
            *((BACKUP_SERVER, DOWNLOAD_SERVER) if kind == "store" else (DOWNLOAD_SERVER, BACKUP_SERVER))
        )
        self.hosts.changes.append(f"hosts.yml: {BACKUP_SERVER} becomes a {kind}")

    def _put_monitoring(self, old: str, new: str) -> None:
        """Move the monitoring from its usual host, and the downloads where there is no backup server."""
        watchers = self.group("monitoring_servers")
        if list(watchers) != [old]:
            return
        del watchers[old]
        watchers[new] = CommentedMap()
        machine = self.host(DOWNLOAD_SERVER).get("machine")
        if machine is not None:
            disks = [disk for disk in machine.get("data_disks", []) if disk["name"] != STORE_DISK["name"]]
            if new == DOWNLOAD_SERVER:
                disks.append(dict(STORE_DISK))
                machine["disk_gib"] = max(machine.get("disk_gib", 0), DOWNLOADS_DISK_GIB)
            machine["data_disks"] = disks
        self.hosts.changes.append(f"hosts.yml: the monitoring moves from {old} to {new}")

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
        addresses = [address for name in HOSTS if (address := answers[f"{name}_address"])]
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
