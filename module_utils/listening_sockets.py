# SPDX-License-Identifier: Apache-2.0
"""What listens on a host: its sockets with their programs, and which of them others can reach."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMMAND = ["ss", "--no-header", "--tcp", "--udp", "--listening", "--processes", "--numeric"]
ADDRESSES = ["ip", "-json", "address"]
LINE = re.compile(
    r"(?P<protocol>tcp|udp)\s+\S+\s+\d+\s+\d+\s+\[?(?P<address>[^\s%\]]+)\]?(?:%(?P<interface>[^\s:\]]+))?\]?"
    r":(?P<port>\d+)\s+\S+(?:\s+users:\(\(\"(?P<program>[^\"]+)\",pid=(?P<pid>\d+))?"
)
# Bridges to a host's own containers and guests; Proxmox's vmbr0 and br0 lead to the network outside.
INSIDE = re.compile(r"(virbr|lxcbr|lxdbr|incusbr|docker|podman|cni-podman|cni)\d|br-[0-9a-f]{12}$")
# DHCP, mDNS and SSDP, which ufw's own rules let in, and LLMNR, by which a host asks for names.
CLIENT_PORTS = {68, 546, 1900, 5353, 5355}
# Containers are reached by Docker's own rules before any of ufw's; its proxy serves the host itself.
FORWARDED = {"docker-proxy"}
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
CGROUP = "/proc/{}/cgroup"
KERNEL = "the kernel"


@dataclass(frozen=True)
class Listener:
    """A socket that takes connections or datagrams.

    Attributes:
        protocol: `tcp` or `udp`.
        address: the address that it is bound to; `*` and `0.0.0.0` are all.
        port: its number.
        program: the name of its process; of sockets without one, such as WireGuard's, KERNEL.
        unit: the systemd unit of the process; empty: not known.
        interface: the interface that it is bound to, or that has its address; empty: not one alone.
    """

    protocol: str
    address: str
    port: int
    program: str
    unit: str = ""
    interface: str = ""

    def __str__(self) -> str:
        """Return what a person is told: program, port and address."""
        where = "every address" if self.address in ("*", "0.0.0.0", "::") else self.address  # noqa: S104 - compared, not bound
        unit = f" ({self.unit})" if self.unit else ""
        return f"{self.program}{unit} on port {self.port}/{self.protocol} of {where}"

    @property
    def entry(self) -> str:
        """Return the name that network_foreign_services could have for it."""
        name = re.sub(r"\W", "_", self.program) + f"_{self.port}"
        return name + ("_udp" if self.protocol == "udp" else "")

    @property
    def is_inside(self) -> bool:
        """Return whether only the host's own containers and guests reach it."""
        return bool(INSIDE.match(self.interface))

    @property
    def serves(self) -> bool:
        """Return whether it serves others: it is not on loopback alone, and no client that waits for answers.

        A UDP socket of a program on a port that the kernel gives out waits for answers, which any firewall
        lets in.
        """
        if self.address != "*":
            address = ipaddress.ip_address(self.address)
            if (getattr(address, "ipv4_mapped", None) or address).is_loopback:
                return False
        if self.interface == "lo" or self.port in CLIENT_PORTS or self.program in FORWARDED:
            return False
        return self.protocol == "tcp" or self.program == KERNEL or self.port < _first_ephemeral()


def _first_ephemeral() -> int:
    """Return the first port that the kernel gives to sockets which ask for none."""
    return int(EPHEMERAL.read_text().split()[0])


def _unit(pid: str) -> str:
    """Return the systemd unit of a process; empty: it has none, or has ended."""
    try:
        found = re.search(r"/([^/]+\.(?:service|scope))\n", Path(CGROUP.format(pid)).read_text())
    except OSError:
        return ""
    return found[1] if found else ""


def interfaces_of_addresses(text: str) -> dict[str, str]:
    """Return the interface of each address of the host.

    Args:
        text: what ADDRESSES says.
    """
    return {
        address["local"]: interface["ifname"]
        for interface in json.loads(text)
        for address in interface.get("addr_info", [])
        if "local" in address
    }


def listening_sockets(text: str, interfaces: Mapping[str, str]) -> list[Listener]:
    """Return what listens, a socket once, sorted by port.

    Args:
        text: what COMMAND says.
        interfaces: the interface of each address of the host.
    """
    found = set()
    for match in filter(None, map(LINE.match, text.splitlines())):
        address = match["address"]
        found.add(
            Listener(
                match["protocol"],
                address,
                int(match["port"]),
                match["program"] or KERNEL,
                _unit(match["pid"]) if match["pid"] else "",
                match["interface"] or interfaces.get(address, ""),
            )
        )
    return sorted(found, key=lambda one: (one.port, one.protocol, one.address, one.program, one.interface))
