"""Filters that turn the service catalogue into what the monitoring reads and probes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

type Catalogue = dict[str, dict[str, Any]]
type Groups = dict[str, list[str]]

LOOPBACK = "127.0.0.1"
VIRTUAL_HOST = "hal"  # the name of the address that the proxies share


def _places(
    catalogue: Catalogue, groups: Groups, addresses: dict[str, str], key: str
) -> Iterator[tuple[str, dict[str, Any], str, str]]:
    """Return name, description, host and address of every service that has a key.

    A service that listens on loopback alone is that of the monitoring server itself.
    """
    for name, service in catalogue.items():
        if not service.get(key):
            continue
        left_out = {host for group in service.get("except", []) for host in groups.get(group, [])}
        for host in groups.get(service["group"], []):
            if host in addresses and host not in left_out:
                yield name, service, host, addresses[host] if service["clients"] else LOOPBACK


def metrics_targets(catalogue: Catalogue, groups: Groups, addresses: dict[str, str]) -> list[dict[str, Any]]:
    """Return whose metrics are read.

    Args:
        catalogue: the services, as they are in one mode.
        groups: Ansible's groups.
        addresses: address of each configured host.

    Returns:
        [{service, host, address, port, path}]
    """
    return [
        {
            "service": name,
            "host": host,
            "address": address,
            "port": service["port"],
            "path": service["metrics"],
        }
        for name, service, host, address in _places(catalogue, groups, addresses, "metrics")
    ]


def probe_targets(catalogue: Catalogue, groups: Groups, addresses: dict[str, str]) -> list[dict[str, str]]:
    """Return what is asked whether it serves.

    Args:
        catalogue: the services, as they are in one mode.
        groups: Ansible's groups.
        addresses: address of each configured host.

    Returns:
        [{service, host, kind, target}]; the target of the kind http is a URL, else address and port.
    """
    found = []
    places = [*_places(catalogue, groups, addresses, "probe")]
    shared = {name: service for name, service, *_ in places if "frontend" in service}
    if VIRTUAL_HOST in addresses:
        places += [(name, service, VIRTUAL_HOST, addresses[VIRTUAL_HOST]) for name, service in shared.items()]
    for name, service, host, address in places:
        place = f"{address}:{service['port']}"
        target = f"http://{place}{service.get('health', '/')}" if service["probe"] == "http" else place
        found.append({"service": name, "host": host, "kind": service["probe"], "target": target})
    return found


def watched_backups(backups: dict[str, dict[str, Any]], groups: Groups) -> list[dict[str, str]]:
    """Return which backups must tell of themselves; Windows hosts have no exporter that could.

    Args:
        backups: network_backups, as inventories/common/backups.yml has it.
        groups: Ansible's groups.

    Returns:
        [{host, item}]
    """
    windows = groups.get("windows_hosts", [])
    return [
        {"host": host, "item": name}
        for name, backup in backups.items()
        for host in groups.get(backup["group"], [])
        if host not in windows
        and not any(host in groups.get(group, []) for group in backup.get("except", []))
    ]


class FilterModule:
    """The filters of the monitoring."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {
            "metrics_targets": metrics_targets,
            "probe_targets": probe_targets,
            "watched_backups": watched_backups,
        }
