"""The cloud-init seed of a guest, as Proxmox writes it (`PVE::QemuServer::Cloudinit`, type nocloud)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Interface
from typing import Any
from urllib.parse import unquote

from module_utils.proxmox_config import parse, parse_network

# What Proxmox labels the CD-ROM with, and by what cloud-init finds it.
LABEL = "cidata"


def seed(
    config: Mapping[str, Any], vmid: int, nameservers: Sequence[str] = (), search: Sequence[str] = ()
) -> dict[str, str]:
    """Return the files of a guest's seed.

    Args:
        config: the guest's configuration as the Proxmox API has it: name, ciuser, cipassword, sshkeys
            (URI-escaped), ipconfigN, netN, nameserver, searchdomain, ciupgrade.
        vmid: the guest's number, which names a guest without a name.
        nameservers: the name servers of the Proxmox host, for a guest without its own.
        search: the search domains of the Proxmox host, likewise.

    Returns:
        Each file's name and text: `user-data`, `network-config`, `meta-data` and an empty `vendor-data`.

    Raises:
        ValueError: a network interface has no MAC address, or its addresses are none that Proxmox takes.
    """
    user = _user_data(config, vmid)
    network = _network(
        config,
        config["nameserver"].split() if "nameserver" in config else nameservers,
        config["searchdomain"].split() if "searchdomain" in config else search,
    )
    # Any change of either makes cloud-init believe in a new machine, which gets new SSH host keys.
    instance = hashlib.sha1((user + network).encode(), usedforsecurity=False).hexdigest()
    return {
        "user-data": user,
        "network-config": network,
        "meta-data": f"instance-id: {instance}\n",
        "vendor-data": "",
    }


def _user_data(config: Mapping[str, Any], vmid: int) -> str:
    name = config.get("name", f"VM{vmid}")
    hostname, dot, _ = name.partition(".")
    search = config.get("searchdomain")
    fqdn = f"{hostname}.{search}" if search and not dot else name
    user = config.get("ciuser")
    lines = ["#cloud-config", f"hostname: {hostname}", "manage_etc_hosts: true", f"fqdn: {fqdn}"]
    if user is not None:
        lines.append(f"user: {user}")
    if user == "root":
        lines.append("disable_root: False")
    if "cipassword" in config:
        lines.append(f"password: {config['cipassword']}")
    if "sshkeys" in config:
        keys = [key for key in unquote(config["sshkeys"]).split("\n") if key.strip()]
        lines += ["ssh_authorized_keys:", *(f"  - {key}" for key in keys)]
    lines += ["chpasswd:", "  expire: False"]
    if user != "root":
        lines += ["users:", "  - default"]
    if int(config.get("ciupgrade", 1)):
        lines.append("package_upgrade: true")
    return "".join(f"{line}\n" for line in lines)


def _network(config: Mapping[str, Any], nameservers: Sequence[str], search: Sequence[str]) -> str:
    lines = ["version: 1", "config:"]
    for device in sorted(key for key in config if re.fullmatch(r"net\d+", key)):
        number = device.removeprefix("net")
        if not config.get(f"ipconfig{number}"):
            continue  # Proxmox leaves an interface without a configuration to itself, and does not name it
        mac = parse_network(config[device]).get("mac")
        if not mac:
            raise ValueError(f"network interface '{device}' has no mac address")
        lines += [
            "    - type: physical",
            f"      name: eth{number}",
            f"      mac_address: '{mac.lower()}'",
            "      subnets:",
            *(f"      {line}" for line in _subnets(parse(config[f"ipconfig{number}"], "ip"))),
        ]
    lines.append("    - type: nameserver")
    if nameservers:
        lines += ["      address:", *(f"      - '{address}'" for address in nameservers)]
    if search:
        lines += ["      search:", *(f"      - '{domain}'" for domain in search)]
    return "".join(f"{line}\n" for line in lines)


def _subnets(addresses: Mapping[str, str]) -> list[str]:
    """Return the lines for the addresses of one interface."""
    ip, ip6 = addresses.get("ip"), addresses.get("ip6")
    if ("gw" in addresses and ip in {None, "dhcp"}) or ("gw6" in addresses and ip6 in {None, "dhcp", "auto"}):
        raise ValueError(f"a gateway needs an address beside it: {dict(addresses)}")
    lines = []
    if ip == "dhcp":
        lines.append("- type: dhcp4")
    elif ip:
        address = IPv4Interface(ip)
        lines += ["- type: static", f"  address: '{address.ip}'", f"  netmask: '{address.netmask}'"]
        lines += [f"  gateway: '{addresses['gw']}'"] if "gw" in addresses else []
    if ip6 in {"dhcp", "auto"}:
        lines.append(f"- type: {'dhcp6' if ip6 == 'dhcp' else 'ipv6_slaac'}")
    elif ip6:
        lines += ["- type: static6", f"  address: '{ip6}'"]
        lines += [f"  gateway: '{addresses['gw6']}'"] if "gw6" in addresses else []
    return lines
