"""What an inventory still lacks: answers, secrets, files and programs of this computer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from hal.network.catalogue import LISTENER_MODES
from hal.network.devices import CHECKS, TOKENS
from hal.network.inventory import HOSTS, MODELS, NETWORK
from hal.network.timezones import zone_faults

ASK = "`make production-init` asks for it"

PUBLIC_KEY = re.compile(r"(ssh-(ed25519|rsa)|ecdsa-sha2-\S+|sk-\S+) [A-Za-z0-9+/]{40,}=* ?.*")
PLACEHOLDER = re.compile(r"\s*(<.*>|change.?me|replace.?me|to.?do|secret|password|x+|\.+)\s*", re.IGNORECASE)
GPUS = ("auto", "nvidia", "amd", "none")


def _key_faults(key: Any) -> Iterator[str]:
    if key is None:
        return
    if not key:
        yield f"network_administrator_key is empty: {ASK}"
    elif not isinstance(key, str) or not PUBLIC_KEY.fullmatch(key.strip()):
        yield "network_administrator_key is no public SSH key; `cat ~/.ssh/id_ed25519.pub` shows one"


def _client_faults(clients: dict[str, Any], networks: Any) -> Iterator[str]:
    """Find clients that no firewall could let in."""
    for host, address in clients.items():
        if address == "dhcp" and not networks:
            yield f"{host} has no fixed address, and network_client_networks names no network it is in: {ASK}"


def _machine_faults(machines: dict[str, Any]) -> Iterator[str]:
    taken: dict[int, str] = {}
    for host, number in machines.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 100:
            yield f"the vmid of {host} is {number!r}; it is its number in Proxmox, 100 or more: {ASK}"
        elif taken.setdefault(number, host) != host:
            yield f"{number} is the vmid of {taken[number]} and of {host}"


def _secret_faults(secrets: dict[str, Any], vault_fault: str) -> Iterator[str]:
    """Find why the vault cannot be used, else the secrets in it that nobody has filled in."""
    if vault_fault:
        yield vault_fault
        return
    for name, value in secrets.items():
        if not value:
            yield f"the secret {name} is missing"
        elif isinstance(value, str) and PLACEHOLDER.fullmatch(value):
            yield f"the secret {name} is still a placeholder"
    tokens = secrets.get(TOKENS)
    if isinstance(tokens, dict) and tokens and CHECKS not in tokens:
        yield f"{TOKENS} has none for the checks: `make production-init` makes one"


def _rsync_faults(said: str | None) -> Iterator[str]:
    """Find why this computer's rsync cannot copy the downloads: a Mac's own does not know the options."""
    if said is not None and not re.match(r"rsync +version [3-9]", said):
        yield "rsync 3 or newer is not installed, which copies the downloads. On a Mac: `brew install rsync`"


def preparation_faults(inventory: Mapping[str, Any], is_installed: Callable[[str], bool]) -> list[str]:
    """Return everything that is lacking, each after the file to edit or make; none when all is there.

    Args:
        inventory: what to look at, with
            administrator_key: the administrator's public key; None when it is of no interest yet;
            clients: address of each client, `dhcp` for one without a fixed address;
            client_networks: networks of such clients;
            machines: number in Proxmox of each virtual machine;
            listener_mode, gpu: the choices of those names;
            timezone: the household's; empty when each host keeps its own;
            secrets: each required secret by the name of its variable; an undefined one is empty;
            secrets_file: the file that holds them;
            vault_fault: why the vault cannot be used; empty when it can, or when there is none to use;
            files: what must be on this computer and is not, [{path, made_by}];
            libraries: modules of Ansible and of Python that must be there, with what needs them;
            rsync: what this computer's rsync says of its version; None when it is of no interest yet.
        is_installed: whether such a module is there.
    """
    choices = [
        (NETWORK, "hal_listener_mode", inventory["listener_mode"], LISTENER_MODES),
        (MODELS, "network_gpu", inventory["gpu"], GPUS),
    ]
    found = [
        *((NETWORK, fault) for fault in _key_faults(inventory["administrator_key"])),
        *((NETWORK, fault) for fault in _client_faults(inventory["clients"], inventory["client_networks"])),
        *((NETWORK, fault) for fault in zone_faults(inventory["timezone"])),
        *((HOSTS, fault) for fault in _machine_faults(inventory["machines"])),
        *(
            (file, f"{name} is {value!r}; it can be {', '.join(known)}")
            for file, name, value, known in choices
            if value not in known
        ),
        *(
            (inventory["secrets_file"], fault)
            for fault in _secret_faults(inventory["secrets"], inventory["vault_fault"])
        ),
        *((file["path"], f"it is missing. It is made by {file['made_by']}") for file in inventory["files"]),
        *(("this computer", fault) for fault in _rsync_faults(inventory["rsync"])),
        *(
            ("this computer", f"{name} is not installed, which {purpose} needs. Run `make tools`")
            for name, purpose in inventory["libraries"].items()
            if not is_installed(name)
        ),
    ]
    return [f"{file}: {fault}" for file, fault in found]


def reach_hosts(hosts: Iterable[str], variables: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the hosts that have an address, as the module `network_reach` takes them."""
    found = []
    for name in hosts:
        host = variables[name]
        try:
            address = str(IPv4Address(str(host.get("address"))))
        except AddressValueError:  # validated elsewhere, or a client without a fixed one
            continue
        entry = {
            "name": name,
            "address": address,
            "port": int(host["ansible_port"]),
            "kind": "psrp" if host.get("ansible_connection") == "psrp" else "ssh",
        }
        if "vmid" in host:
            machine = host.get("machine", {})
            entry |= {"vmid": host["vmid"], "machine": machine.get("name", name)}
            entry["template"] = machine.get("template") or host.get("network_template")
        found.append(entry)
    return found
