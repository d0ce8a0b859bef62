"""Which checks a host runs, so that together the hosts prove every flow open or closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hal.network.catalogue import PORTLESS, UNCHECKED, WATCHERS, Service
from hal.network.inventory import members
from hal.network.model import LOOPBACK, VIRTUAL_HOST, Network

FLOW = "flow"


def planned_checks(
    network: Network, origin: str, options: Mapping[str, Mapping[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """Return the checks to be run from one host, for the module `service_checks`.

    A service that the host uses or runs is checked by its own protocol; every service of another host that
    it may not use is checked to be closed. So the whole matrix of flows, open and closed, is proven.
    A monitoring server asks for what it watches, the metrics or the health, and does not use the service. Any
    other host that may connect because its address may has no authority to check a certificate with: it
    connects.
    The address that the proxies share counts as one more host that serves what they do; to the proxies
    themselves it is their own or the other's, so they are not asked about it.

    Args:
        network: the network.
        origin: the host that runs the checks.
        options: further settings of the checks by their kind, such as {"ollama": {"models": ["llama3"]}}.

    Returns:
        [{name, kind, host, own, address, port, expect, tls, …}]
    """
    checks = []
    for service in network.services.values():
        for target in _targets(network, origin, service):
            allowed = origin == target or network.may_connect(origin, service)
            if allowed is None:
                continue
            watched = allowed and origin != target and _only_watches(network, origin, service)
            kind = _kind(service, own=origin == target, allowed=allowed, watched=watched)
            trusts = watched or origin == target or _is_user(network, origin, service)
            if service.is_encrypted and not trusts:
                kind = FLOW
            checks.append(
                {
                    "name": service.name,
                    "kind": kind,
                    "host": target,
                    "address": LOOPBACK
                    if origin == target and network.is_local(service)
                    else network.addresses[target],
                    "port": service.port,
                    "own": origin == target,
                    "expect": "open" if allowed else "closed",
                    "tls": service.is_encrypted,
                    "windows": network.runs_windows(target),
                    "unit": network.unit(service, target),
                    "proxied": bool(service.frontend),
                    **({"path": (watched and service.metrics) or service.health} if kind == "http" else {}),
                    **(options or {}).get(kind, {}),
                }
            )
    return checks


def _targets(network: Network, origin: str, service: Service) -> Iterator[str]:
    """Yield the hosts on which a host checks a service."""
    if service.protocol == PORTLESS or service.check == UNCHECKED:
        return  # VRRP and UDP have no handshake: open and closed look alike from outside
    hosts = network.hosts(service)
    for target in hosts + ([VIRTUAL_HOST] if service.frontend and origin not in hosts else []):
        if target in network.addresses and not (origin == target and service.protocol == "ssh"):
            yield target


def _is_user(network: Network, host: str, service: Service) -> bool:
    """Return whether a host uses a service: itself or its group is named, and not to watch."""
    return host in members(network.groups, *(group for group in service.clients if group != WATCHERS))


def _only_watches(network: Network, host: str, service: Service) -> bool:
    """Return whether a host that may connect to a service does so for no other reason than to watch it."""
    return (
        host in network.groups.get(WATCHERS, ())
        and not _is_user(network, host, service)
        and not network.client_networks(service)
    )


def _kind(service: Service, *, own: bool, allowed: bool, watched: bool) -> str:
    """Return how a service is checked."""
    if not allowed:
        return FLOW
    if own:
        return service.local_check or service.check
    if watched:
        return "http" if service.metrics or service.probe == "http" else FLOW
    return service.check
