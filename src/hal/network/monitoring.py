"""What the monitoring reads and probes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hal.network.catalogue import Service
from hal.network.model import LOOPBACK, VIRTUAL_HOST, Network


def _places(network: Network) -> Iterator[tuple[Service, str, str]]:
    """Yield every service with the name and the address of each host that runs it.

    A service that nobody may use is that of the monitoring server itself.
    """
    for service in network.services.values():
        for host in network.hosts(service):
            if host in network.addresses:
                yield service, host, network.addresses[host] if service.clients else LOOPBACK


def metrics_targets(network: Network) -> list[dict[str, Any]]:
    """Return whose metrics are read: [{service, host, address, port, path, tls}]."""
    return [
        {
            "service": service.name,
            "host": host,
            "address": address,
            "port": service.port,
            "path": service.metrics,
            "tls": service.is_encrypted,
        }
        for service, host, address in _places(network)
        if service.metrics
    ]


def probe_targets(network: Network) -> list[dict[str, str]]:
    """Return what is asked whether it serves.

    Returns:
        [{service, host, kind, target}]; the target of the kind http is a URL, else address and port.
    """
    places = [place for place in _places(network) if place[0].probe]
    if VIRTUAL_HOST in network.addresses:
        shared = {service.name: service for service, *_ in places if service.frontend}
        places += [(service, VIRTUAL_HOST, network.addresses[VIRTUAL_HOST]) for service in shared.values()]
    found = []
    for service, host, address in places:
        target = f"{address}:{service.port}"
        if service.probe == "http":
            target = f"http{'s' if service.is_encrypted else ''}://{target}{service.health}"
        found.append({"service": service.name, "host": host, "kind": service.probe, "target": target})
    return found
