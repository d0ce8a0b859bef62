"""The network as the lab's inventory and the catalogue describe it, for programs that are no playbook."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

from network import CLIENT, INVENTORY, PROJECT, addresses, shared_address

sys.path.append(str(PROJECT))
from filter_plugins.catalogue import VIRTUAL_HOST, catalogue_for_mode, health_checks

CATALOGUE = PROJECT / "inventories/common/services.yml"
QUESTION = {"question": "What medications am I taking?"}
CHECK_TIMEOUT_S = 3
TWINNED = ("qm_servers", "gateways", "ai_servers", "proxies")  # groups whose hosts do the same


@dataclass(frozen=True)
class Description:
    """The lab's network; `mode` is its hal_listener_mode."""

    mode: str = "gateway"

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """The inventory's groups, each with its hosts and those of its children."""
        inventory = InventoryManager(loader=DataLoader(), sources=[str(INVENTORY)])
        groups: dict[str, list[str]] = inventory.get_groups_dict()
        return groups

    @cached_property
    def services(self) -> dict[str, Any]:
        """The service catalogue."""
        described = yaml.safe_load(CATALOGUE.read_text())["network_services"]
        services: dict[str, Any] = catalogue_for_mode(described, self.mode)
        return services

    @cached_property
    def addresses(self) -> dict[str, str]:
        """Address of each host that is configured."""
        return {
            name: address for name, address in addresses().items() if name in self.groups["managed_hosts"]
        }

    def groups_of(self, host: str) -> set[str]:
        """Return the names of the groups that a host is in."""
        return {name for name, hosts in self.groups.items() if host in hosts}

    def port(self, service: str) -> int:
        """Return a service's port."""
        port: int = self.services[service]["port"]
        return port

    @property
    def shares_address(self) -> bool:
        """Whether the proxies share an address, at which clients ask."""
        return bool(shared_address())

    def has_twin(self, host: str) -> bool:
        """Return whether another host does all that a host does, the keeping of the records included."""
        groups = [self.groups[name] for name in TWINNED if host in self.groups[name]]
        return bool(groups) and all(len(group) > 1 for group in groups)

    def url(self, service: str, scheme: str = "ws") -> str:
        """Return the URL of a service: at the address that the proxies share, or on the first host."""
        described = self.services[service]
        shared = self.shares_address and "frontend" in described
        host = VIRTUAL_HOST if shared else self.groups[described["group"]][0]
        return f"{scheme}://{host}:{self.port(service)}"

    @property
    def ways(self) -> tuple[str, str]:
        """URLs that clients ask: the gateway's, empty where the proxies share an address, and the proxy's."""
        return "" if self.shares_address else self.url("gateway"), self.url("proxy_gateway")

    def monitor(self, host: str) -> tuple[str, list[dict[str, Any]]]:
        """Return who would notice that a host is gone, and the checks that it would run.

        That is a host that uses its services: the client if it does, else the first one.
        """
        others = sorted((name for name in self.addresses if name != host), key=lambda name: name != CLIENT)
        for origin in others:
            checks = health_checks(
                self.services,
                origin,
                self.groups,
                self.addresses,
                {"gateway": QUESTION | {"timeout": CHECK_TIMEOUT_S}},
            )
            own = [
                check
                for check in checks
                if check["host"] == host and check["expect"] == "open" and not check["tls"]
            ]
            if own:
                return origin, own
        raise ValueError(f"No host uses {host}.")
