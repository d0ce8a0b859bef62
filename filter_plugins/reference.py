"""Filters that tell people how to look after what the catalogue describes."""

from __future__ import annotations

from typing import Any

type Catalogue = dict[str, dict[str, Any]]

# How a person gets in, by the service that lets them in.
LOGINS = {
    "ssh": "ssh -p {port} {user}@{address}",
    "ssh_proxy": "ssh -p {port} {user}@{address}",
    "rdp": "mstsc /v:{address}:{port}",
    "psrp": "Enter-PSSession {host} -Port {port} -UseSSL -Credential {user}",
}
UNITS = ((86400, "day", "days"), (3600, "hour", "hours"), (60, "minute", "minutes"), (1, "second", "seconds"))


def logins(services: Catalogue, host: str, address: str, user: str) -> list[str]:
    """Return the commands with which an administrator gets into a host that has these services."""
    return [
        command.format(host=host, address=address, user=user, port=services[name]["port"])
        for name, command in LOGINS.items()
        if name in services
    ]


def interval(seconds: int) -> str:
    """Return a time between two events in words, such as `20 seconds` or `day`."""
    size, one, many = next(unit for unit in UNITS if seconds % unit[0] == 0)
    return one if seconds == size else f"{seconds // size} {many}"


def cell(value: object) -> str:
    """Return a value as text for a cell of a Markdown table."""
    return str(value).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


class FilterModule:
    """The filters of the network reference."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"cell": cell, "interval": interval, "logins": logins}
