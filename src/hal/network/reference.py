"""How people look after what the catalogue describes: the words of the network reference."""

from __future__ import annotations

from typing import Any

from hal.network.catalogue import CLIENTS, Catalogue
from hal.network.inventory import members
from hal.network.model import Network

# How a person gets in, by the service that lets them in.
LOGINS = {
    "ssh": "ssh -p {port} {user}@{address}",
    "ssh_proxy": "ssh -p {port} {user}@{address}",
    "rdp": "mstsc /v:{address}:{port}",
    "psrp": "Enter-PSSession {host} -Port {port} -UseSSL -Credential {user}",
}
INTERVALS = (
    (86400, "day", "days"),
    (3600, "hour", "hours"),
    (60, "minute", "minutes"),
    (1, "second", "seconds"),
)


def first_aid(network: Network) -> list[dict[str, Any]]:
    """Return what to type on a server when its service does not answer.

    Services that are one unit are one entry. Clients are left out: what runs there is their owners' affair.

    Returns:
        [{services, hosts, look, restart}]; `restart` is empty where the catalogue names no unit.
    """
    found: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
    clients = members(network.groups, CLIENTS)
    for service in network.services.values():
        for host in network.hosts(service):
            if host not in clients:
                commands = _commands(
                    network.unit(service, host), service.port, windows=network.runs_windows(host)
                )
                services, hosts = found.setdefault(commands, ({}, {}))
                services[service.name] = hosts[host] = None
    return [
        {"services": list(services), "hosts": list(hosts), "look": look, "restart": restart}
        for (look, restart), (services, hosts) in found.items()
    ]


def _commands(unit: str, port: int, *, windows: bool) -> tuple[str, str]:
    """Return what shows why a service does not answer, and what starts it anew; empty without a unit."""
    if windows:
        if unit:
            return f"Get-Service {unit}", f"Restart-Service {unit}"
        return f"Get-NetTCPConnection -State Listen -LocalPort {port}", ""
    if unit:
        return f"sudo systemctl status -n 50 {unit}", f"sudo systemctl restart {unit}"
    return f"sudo ss -ltnp 'sport = :{port}'", ""


def logins(services: Catalogue, host: str, address: str, user: str) -> list[str]:
    """Return the commands with which an administrator gets into a host that has these services."""
    return [
        command.format(host=host, address=address, user=user, port=services[name].port)
        for name, command in LOGINS.items()
        if name in services
    ]


def interval(seconds: int) -> str:
    """Return a time between two events in words, such as `20 seconds` or `day`."""
    size, one, many = next(unit for unit in INTERVALS if seconds % unit[0] == 0)
    return one if seconds == size else f"{seconds // size} {many}"


def cell(value: object) -> str:
    """Return a value as text for a cell of a Markdown table."""
    return str(value).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
