"""The model of the network (src/hal/network) as filters: what Jinja hands over is read here, once.

A catalogue is `network_services` in one mode, as `catalogue_for_mode` returns it. Functions of the model that
are filters as they are stand in FilterModule alone.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.loader import module_loader

try:
    from hal.network import catalogue as services
    from hal.network import checks, clients, flows, monitoring, preparation, proxy, reference
    from hal.network.adoption.hosts import (
        adoption_hosts,
        found_on_host,
        obstacles,
        ollama_handover,
        site_networks,
    )
    from hal.network.adoption.report import (
        adoption_open,
        adoption_page,
        adoption_proposal,
        adoption_table,
    )
    from hal.network.adoption.sites import adopt_sites
    from hal.network.adoption.windows import (
        closed_on_windows,
        found_on_windows,
        windows_obstacles,
        windows_refusal,
    )
    from hal.network.backups import (
        backup_access,
        backup_hosts,
        backup_items,
        backup_repositories,
        chosen_snapshot,
        data_had,
        watched_backups,
        watched_snapshots,
    )
    from hal.network.catalogue import (
        ADMINISTRATORS,
        CLIENTS,
        LISTENER_MODES,
        catalogue_for_mode,
        with_household,
    )
    from hal.network.certificates import certificate_end, certificate_names, certificate_of
    from hal.network.downloads import (
        cached_files,
        declared_models,
        from_cache,
        model_downloads,
        package_archives,
    )
    from hal.network.drift import drift_metrics, drift_table
    from hal.network.hardening import hardening, hardening_drop_in, proxy_needs
    from hal.network.health import layout
    from hal.network.health.diagram import network_diagram
    from hal.network.health.report import (
        health_report,
        health_results,
        health_states,
        health_table,
        unreachable_reasons,
    )
    from hal.network.inventory import Groups
    from hal.network.model import Network, with_virtual_address
    from hal.network.renamed import renamed_variables
    from hal.network.rotation import unfit_backups, with_former_tokens
    from hal.network.site_flows import site_clients
    from hal.network.sites import client_timeout, proxy_sites, site_faults, site_frontends, with_sites
    from hal.network.space import space_faults
    from hal.network.store import sftp_address, sftp_command, store_faults, store_ssh_key
    from hal.network.systems import system_faults
    from hal.network.validation import network_faults
except ModuleNotFoundError as error:
    raise AnsibleError(f"{error}. Run `make tools`, then .venv/bin/ansible-playbook") from None

type Catalogue = Mapping[str, Mapping[str, Any]]
type Addresses = Mapping[str, str]
type Networks = Mapping[str, Sequence[str]]


def of_network[Result](function: Callable[[Network], Result]) -> Callable[..., Result]:
    """Return a function of a network as a filter of what it is read from."""

    @functools.wraps(function)
    def read(
        catalogue: Catalogue,
        groups: Groups,
        addresses: Addresses | None = None,
        networks: Networks | None = None,
    ) -> Result:
        return function(Network.parse(catalogue, groups, addresses, networks))

    return read


diagram_hosts = of_network(layout.diagram_hosts)
first_aid = of_network(reference.first_aid)
metrics_targets = of_network(monitoring.metrics_targets)
network_flows = of_network(flows.network_flows)
probe_targets = of_network(monitoring.probe_targets)
proxy_backends = of_network(proxy.proxy_backends)


def service_hosts(catalogue: Catalogue, name: str, groups: Groups) -> list[str]:
    """Return the hosts that run a service, in the inventory's order."""
    network = Network.parse(catalogue, groups)
    return network.hosts(network.services[name])


def host_services(catalogue: Catalogue, host: str, groups: Groups) -> dict[str, Mapping[str, Any]]:
    """Return the services that a host runs, as the catalogue has them."""
    return {
        service.name: catalogue[service.name]
        for service in Network.parse(catalogue, groups).services_of(host)
    }


def listen_address(catalogue: Catalogue, name: str, groups: Groups) -> str:
    """Return where a service listens: on loopback alone when nobody but its own host may connect."""
    network = Network.parse(catalogue, groups)
    return network.listen_address(network.services[name])


def service_urls(
    catalogue: Catalogue, name: str, groups: Groups, addresses: Addresses, *, encrypted: bool = True
) -> list[str]:
    """Return the URL of a service on every host that runs it, such as http://198.18.10.20:9000.

    Where another service offers it encrypted, it is that one's, unless the service itself is asked for.
    """
    network = Network.parse(catalogue, groups, addresses)
    service = network.services[name]
    return network.urls(network.encrypted(service) if encrypted else service)


def firewall_rules(
    catalogue: Catalogue,
    host: str,
    groups: Groups,
    addresses: Addresses,
    administrators: Sequence[str],
    *,
    client_networks: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Return the flows that a host lets in: `flows.firewall_rules`."""
    networks = {ADMINISTRATORS: administrators, CLIENTS: client_networks}
    return flows.firewall_rules(Network.parse(catalogue, groups, addresses, networks), host)


def encrypted_ports(catalogue: Catalogue, unit: str) -> list[dict[str, Any]]:
    """Return what a unit offers encrypted: `proxy.encrypted_ports`."""
    return proxy.encrypted_ports(services.parse(catalogue), unit)


def proxy_frontends(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return where the proxy listens: `proxy.proxy_frontends`."""
    return proxy.proxy_frontends(services.parse(catalogue))


def planned_checks(
    catalogue: Catalogue,
    origin: str,
    groups: Groups,
    addresses: Addresses,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    networks: Networks | None = None,
) -> list[dict[str, Any]]:
    """Return the checks to be run from one host: `checks.planned_checks`."""
    return checks.planned_checks(Network.parse(catalogue, groups, addresses, networks), origin, options)


def client_environment(
    catalogue: Catalogue, client: str, groups: Groups, addresses: Addresses, **about: Any
) -> dict[str, Any]:
    """Return the variables of network_config.sh: `clients.client_environment`."""
    return clients.client_environment(Network.parse(catalogue, groups, addresses), client, **about)


def known_ports(household: Catalogue, host: str, groups: Groups) -> list[dict[str, Any]]:
    """Return the ports of a host that services have in any mode: `flows.known_ports`."""
    modes = (catalogue_for_mode(household, mode) for mode in LISTENER_MODES)
    return flows.known_ports((Network.parse(catalogue, groups) for catalogue in modes), host)


def logins(catalogue: Catalogue, host: str, address: str, user: str) -> list[str]:
    """Return the commands with which an administrator gets into a host: `reference.logins`."""
    return reference.logins(services.parse(catalogue), host, address, user)


def preparation_faults(inventory: Mapping[str, Any]) -> list[str]:
    """Return everything that an inventory lacks: `preparation.preparation_faults`."""
    return preparation.preparation_faults(inventory, _is_installed)


def host_sbom(host: str, facts: Mapping[str, str], *read: Any) -> str:
    """Return the bill of materials of a host of which Ansible told these facts: `sbom.host_sbom`."""
    from hal.network import sbom  # noqa: PLC0415 - it takes 0.3 s, for which no other play should wait

    system = {
        "distribution": facts["distribution"],
        "version": facts["distribution_version"],
        "codename": facts["distribution_release"],
    }
    return sbom.host_sbom(host, system, *read)


def lock_sbom(text: str, name: str) -> str:
    """Return the bill of materials of a lock: `sbom.lock_sbom`."""
    from hal.network import sbom  # noqa: PLC0415 - as above

    return sbom.lock_sbom(text, name)


def _is_installed(name: str) -> bool:
    """Return whether this Ansible has a module, or with a name of less than three parts its Python."""
    if name.count(".") == 2:
        return bool(module_loader.find_plugin_with_context(name).resolved)
    return importlib.util.find_spec(name) is not None


class FilterModule:
    """The filters, by the names that playbooks use."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return name and function of each filter."""
        functions: Iterable[Callable[..., Any]] = (
            adopt_sites, adoption_hosts, adoption_open, adoption_page, adoption_proposal, adoption_table,
            backup_access, backup_hosts, backup_items, backup_repositories, cached_files,
            catalogue_for_mode, reference.cell, certificate_end, certificate_names, certificate_of,
            services.choices, chosen_snapshot, client_environment, client_timeout, closed_on_windows,
            data_had, declared_models,
            diagram_hosts, drift_metrics, drift_table, encrypted_ports, firewall_rules, first_aid,
            found_on_host, found_on_windows, from_cache, hardening, hardening_drop_in, health_report,
            health_results, health_states, health_table, host_sbom, host_services, reference.interval,
            known_ports, listen_address, lock_sbom, logins, metrics_targets, model_downloads, network_diagram,
            network_faults, network_flows, obstacles, ollama_handover, package_archives, planned_checks,
            preparation_faults, probe_targets, proxy_backends, proxy_frontends, proxy_needs, proxy_sites,
            preparation.reach_hosts, renamed_variables, service_hosts, service_urls, sftp_address,
            sftp_command, site_clients, site_faults, site_frontends, site_networks, space_faults,
            store_faults, store_ssh_key, system_faults, unfit_backups, unreachable_reasons, watched_backups,
            watched_snapshots, windows_obstacles, windows_refusal, with_former_tokens, with_household,
            with_sites, with_virtual_address,
        )  # fmt: skip
        return {function.__name__: function for function in functions}
