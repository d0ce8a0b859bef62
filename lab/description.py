"""The network as the lab's inventory and the catalogue describe it, for programs that are no playbook."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from hal.network.catalogue import catalogue_for_mode
from hal.network.checks import planned_checks
from hal.network.model import VIRTUAL_HOST, Network
from lab.network import CLIENT, PROJECT, inventory, shared_address

CATALOGUE = PROJECT / "inventories/common/services.yml"
QUESTION = {"question": "What medications am I taking?"}
CHECK_TIMEOUT_S = 3
TWINNED = ("qm_servers", "gateways", "ai_servers", "proxies")  # groups whose hosts do the same


@dataclass(frozen=True)
class Description:
    """The lab's network; `mode` is its hal_listener_mode."""

    mode: str = "gateway"

    @cached_property
    def network(self) -> Network:
        """The hosts that are configured, and the services of the mode."""
        services = yaml.safe_load(CATALOGUE.read_text())["network_services"]
        described = inventory()
        configured = described.groups["managed_hosts"]
        addresses = {name: address for name, address in described.addresses.items() if name in configured}
        return Network.parse(catalogue_for_mode(services, self.mode), described.groups, addresses)

    def groups_of(self, host: str) -> set[str]:
        """Return the names of the groups that a host is in."""
        return {name for name, hosts in self.network.groups.items() if host in hosts}

    def port(self, service: str) -> int:
        """Return a service's port."""
        return self.network.services[service].port

    @property
    def shares_address(self) -> bool:
        """Whether the proxies share an address, at which clients ask."""
        return bool(shared_address())

    def has_twin(self, host: str) -> bool:
        """Return whether another host does all that a host does, the keeping of the records included."""
        groups = [hosts for name, hosts in self.network.groups.items() if name in TWINNED and host in hosts]
        return bool(groups) and all(len(group) > 1 for group in groups)

    def url(self, service: str, scheme: str = "ws") -> str:
        """Return the URL of a service: at the address that the proxies share, or on the first host."""
        described = self.network.services[service]
        shared = self.shares_address and described.frontend
        host = VIRTUAL_HOST if shared else self.network.hosts(described)[0]
        return f"{scheme}://{host}:{self.port(service)}"

    @property
    def ways(self) -> tuple[str, str]:
        """URLs that clients ask: the gateway's, empty where the proxies share an address, and the proxy's."""
        return "" if self.shares_address else self.url("gateway"), self.url("proxy_gateway")

    def monitor(self, host: str) -> tuple[str, list[dict[str, Any]]]:
        """Return who would notice that a host is gone, and the checks that it would run.

        That is a host that uses its services: the client if it does, else the first one.
        """
        hosts = (name for name in self.network.addresses if name != host)
        options = {"gateway": QUESTION | {"timeout": CHECK_TIMEOUT_S}}
        for origin in sorted(hosts, key=lambda name: name != CLIENT):
            checks = planned_checks(self.network, origin, options)
            own = [
                check
                for check in checks
                if check["host"] == host and check["expect"] == "open" and not check["tls"]
            ]
            if own:
                return origin, own
        raise ValueError(f"No host uses {host}.")
