"""The network in one mode: its services on its hosts, and who may connect to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Self

from hal.network.catalogue import EVERYBODY, SCHEMES, WINDOWS, Catalogue, Described, Service, parse
from hal.network.inventory import Groups, hosts_of, members

LOOPBACK = "127.0.0.1"
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - a service that others may use listens on every interface
EVERYWHERE = "0.0.0.0/0"
VIRTUAL_HOST = "hal"  # the name of the address that the proxies share


def is_network(text: str) -> bool:
    """Return whether a client of a service is an address or a network, and not a group or a host."""
    try:
        return bool(IPv4Network(text))
    except ValueError:
        return False


def with_virtual_address(addresses: Mapping[str, str], virtual_address: str) -> dict[str, str]:
    """Return the addresses of the hosts, and that which the proxies share if they do; empty: they do not."""
    return {**addresses, **({VIRTUAL_HOST: virtual_address} if virtual_address else {})}


@dataclass(frozen=True)
class Network:
    """What the catalogue and the inventory say together.

    Attributes:
        services: the services of one mode by name, in the catalogue's order.
        groups: the inventory's groups.
        addresses: address of each configured host, and of VIRTUAL_HOST where the proxies share one.
        networks: networks that may connect as a group does: those of `administrators` and of `clients`.
    """

    services: Catalogue
    groups: Groups
    addresses: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def parse(
        cls,
        services: Mapping[str, Described],
        groups: Groups,
        addresses: Mapping[str, str] | None = None,
        networks: Mapping[str, Sequence[str]] | None = None,
    ) -> Self:
        """Read the descriptions of services; the rest is taken as it is."""
        return cls(parse(services), groups, addresses or {}, networks or {})

    def hosts(self, service: Service) -> list[str]:
        """Return the hosts that run a service, in the inventory's order."""
        group = service.group if self.groups.get(service.group) else service.else_group or service.group
        return hosts_of(self.groups, group, service.except_)

    def services_of(self, host: str) -> list[Service]:
        """Return the services that a host runs."""
        return [service for service in self.services.values() if host in self.hosts(service)]

    def client_hosts(self, service: Service) -> list[str]:
        """Return the hosts with an address that may connect to a service because of their group."""
        allowed = members(self.groups, *service.clients)
        return [host for host in self.addresses if host in allowed]

    def client_networks(self, service: Service) -> list[str]:
        """Return the networks that may connect to a service."""
        return [network for client in service.clients for network in self._networks_of(client)]

    def _networks_of(self, client: str) -> Sequence[str]:
        """Return the networks that a client of a service stands for."""
        if client == EVERYBODY:
            return [EVERYWHERE]
        return [client] if is_network(client) else self.networks.get(client, ())

    def may_connect(self, host: str, service: Service) -> bool | None:
        """Return whether a host may connect to a service; None if its network is not known."""
        if host in members(self.groups, *service.clients):
            return True
        networks = self.client_networks(service)
        if networks and host not in self.addresses:
            return None
        return any(IPv4Address(self.addresses[host]) in IPv4Network(network) for network in networks)

    def is_local(self, service: Service) -> bool:
        """Return whether nobody but a service's own host may connect to it."""
        own = self.hosts(service)
        return all(hosts_of(self.groups, client) == own and len(own) == 1 for client in service.clients)

    def listen_address(self, service: Service) -> str:
        """Return the address that a service listens on."""
        return LOOPBACK if self.is_local(service) else ANY_ADDRESS

    def encrypted(self, service: Service) -> Service:
        """Return the service that offers another one encrypted; that one itself where there is none."""
        return next((other for other in self.services.values() if other.encrypts == service.name), service)

    def urls(self, service: Service) -> list[str]:
        """Return the URL of a service on every host that runs it, such as http://198.18.10.20:9000.

        Where nobody but a host itself may ask, its URL there is that of loopback.
        """
        scheme, is_local = SCHEMES[service.protocol], self.is_local(service)
        addresses = [LOOPBACK if is_local else self.addresses[host] for host in self.hosts(service)]
        return [f"{scheme}://{address}:{service.port}" for address in addresses]

    def runs_windows(self, host: str) -> bool:
        """Return whether a host runs Windows."""
        return host in self.groups.get(WINDOWS, ())

    def unit(self, service: Service, host: str) -> str:
        """Return the systemd unit or Windows service that a service is on a host; empty: none is named."""
        return service.windows_service if self.runs_windows(host) else service.unit
