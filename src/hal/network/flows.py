"""The flows that the network lets through: as rules of each host's firewall, and as one list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hal.network.catalogue import ADMINISTRATORS, CLIENTS, EVERYBODY, PORTLESS, Service
from hal.network.model import EVERYWHERE, Network, is_network

SSH_BEFORE = 22  # where it listens until HAL moves it
NAMES = {ADMINISTRATORS: "administrators", CLIENTS: "client networks"}  # of whom networks stand for


def firewall_rules(network: Network, host: str) -> list[dict[str, Any]]:
    """Return the flows that a host lets in, sorted: [{port, protocol, from, comment}].

    A protocol without ports has no `port`. `from` is the address of one host, or a network: of the
    administrators, or of clients without a fixed address. A host's own traffic needs no rule.
    """
    rules = []
    for service in network.services_of(host):
        sources = {
            other: network.addresses[other] for other in network.client_hosts(service) if other != host
        }
        for admitted in network.client_networks(service):
            name = EVERYBODY if admitted == EVERYWHERE else admitted
            sources[name] = name
        kind: dict[str, Any] = {"port": service.port, "protocol": service.transport}
        if service.protocol == PORTLESS:
            kind = {"protocol": PORTLESS}
        rules += [
            kind | {"from": source, "comment": f"{service.name} from {name}"}
            for name, source in sources.items()
        ]
    return sorted(rules, key=lambda rule: (rule.get("port", 0), rule["from"]))


def known_ports(networks: Iterable[Network], host: str) -> list[dict[str, Any]]:
    """Return the ports of a host that the catalogue describes, in any mode: [{port, protocol}].

    The port that SSH has before HAL moves it is known on every host.
    """
    found = {(SSH_BEFORE, "tcp")} | {
        (service.port, service.transport)
        for network in networks
        for service in network.services.values()
        if service.transport != PORTLESS and host in network.hosts(service)
    }
    return [{"port": port, "protocol": protocol} for port, protocol in sorted(found)]


def named_networks(service: Service) -> list[str]:
    """Return the networks that are named among the clients of a service, EVERYBODY among them."""
    return [client for client in service.clients if client == EVERYBODY or is_network(client)]


def network_flows(network: Network) -> list[dict[str, Any]]:
    """Return every flow that is open, in the catalogue's order.

    A host without an address is let in by its network alone.

    Returns:
        [{from, to, service, port, protocol, description}]; `from` and `to` are hosts, and `from` is also
        `administrators`, `client networks`, or a network or EVERYBODY that a service names.
    """
    flows = []
    for service in network.services.values():
        sources = [
            name for group, name in NAMES.items() if group in service.clients and network.networks.get(group)
        ]
        sources += named_networks(service) + network.client_hosts(service)
        about = {"port": service.port, "protocol": service.protocol, "description": service.description}
        flows += [
            {"from": source, "to": target, "service": service.name} | about
            for target in network.hosts(service)
            for source in sources
            if source != target
        ]
    return flows
