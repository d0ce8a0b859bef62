"""Every fault in the description of the network, found before a host is contacted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import Any

from hal.network.catalogue import (
    ADMINISTRATORS,
    EVERYBODY,
    LISTENER_MODES,
    PROTOCOLS,
    REQUIRED,
    TYPES,
    UNCHECKED,
    WATCHERS,
    WINDOWS,
    Service,
    with_household,
)
from hal.network.inventory import HOSTS, NETWORK, SERVICES, Groups
from hal.network.model import VIRTUAL_HOST, Network, is_network

# What the wiring in playbooks/group_vars and clients.py ask for by name.
SERVICES_NEEDED = {"gateway", "listener", "speech", "tts", "ollama", "artifacts", "ssh", "ssh_proxy"}
SERVICES_WATCHING = {"node_exporter", "prometheus", "alertmanager", "prober", "proxy_metrics"}
WINDOWS_SERVICES = {"psrp"}
# The port at which Ansible reaches a host stands in the catalogue as it is written, before a mode is known.
MANAGEMENT_SERVICES = {"ssh", "ssh_proxy", *WINDOWS_SERVICES}
GROUPS_NEEDED = ("qm_servers", "gateways", "ai_servers", "proxies")
PROBES = {"http", "tls", "tcp"}
CHECKS = {
    "ai_server",
    "gateway",
    "listener",
    "speech",
    "tts",
    "ollama",
    "haproxy",
    "http",
    "ssh",
    "flow",
    "tls",
    "vrrp",
    "wyoming",
}
FOREIGN = "network_foreign_services"
FURTHER_CLIENTS = "network_service_clients"
KINDS = {str: "a text", int: "a number", list: "a list", dict: "a mapping", bool: "true or false"}


def _type_faults(name: str, service: dict[str, Any]) -> Iterator[str]:
    """Find keys that are missing, unknown or of the wrong kind, and values that are out of range."""
    for key in sorted(REQUIRED - service.keys()):
        yield f"service {name} has no {key}"
    for key, value in service.items():
        kind = TYPES.get(key)
        if kind is None:
            yield f"service {name} has an unknown key, {key}"
        elif not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            yield f"{key} of service {name} is {value!r}, which is not {KINDS[kind]}"
        elif isinstance(value, list) and not all(isinstance(group, str) for group in value):
            yield f"{key} of service {name} is {value!r}, which are not all names of groups"
    port = service.get("port")
    if isinstance(port, int) and not 1 <= port <= 65535:
        yield f"port {port} of service {name} is not between 1 and 65535"
    for key, known in (
        ("protocol", PROTOCOLS),
        ("check", CHECKS | {UNCHECKED}),
        ("local_check", CHECKS),
        ("probe", PROBES),
    ):
        if isinstance(service.get(key), str) and service[key] not in known:
            yield f"{key} {service[key]} of service {name} is unknown; there are {', '.join(sorted(known))}"
    if isinstance(service.get("proxy"), dict):
        yield from _proxy_faults(name, service)


def _variants(service: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a service as it is in each mode, and where one variable after the other is set as well.

    Changes that are no mappings make no variant: `_change_faults` names them.
    """
    found = []
    for changes in ({}, *_mappings(service.get("in_mode"))):
        found.append({**service, **changes})
        for chosen in _mappings(found[-1].get("where")):
            found.append({**found[-1], **chosen})
    return [{key: value for key, value in variant.items() if value is not None} for variant in found]


def _mappings(changes: Any) -> list[dict[str, Any]]:
    """Return the values of a mapping that are mappings themselves."""
    return [value for _, value in _items(changes) if isinstance(value, dict)]


def _change_faults(name: str, service: dict[str, Any]) -> Iterator[str]:
    """Find modes that do not exist, and what a service must not be in a mode or where a variable is set."""
    named = [*service.get("listener_modes", []), *service.get("in_mode", {})]
    for mode in sorted(map(str, set(named) - {*LISTENER_MODES})):
        yield f"service {name} names the mode {mode}; there are {', '.join(sorted(LISTENER_MODES))}"
    for mode, changes in service.get("in_mode", {}).items():
        if not isinstance(changes, dict):
            yield f"service {name} is {changes!r} in the mode {mode}, which is not a mapping"
    variants = _variants(service)
    for variable, changes in (item for each in variants for item in _items(each.get("where"))):
        if not isinstance(changes, dict):
            yield f"service {name} is {changes!r} where {variable} is set, which is not a mapping"
    for variant in variants:
        yield from _type_faults(name, variant)
    if name in MANAGEMENT_SERVICES and any(each.get("port") != service.get("port") for each in variants):
        yield f"service {name} has another port in a mode or where a variable is set; Ansible asks one"


def _items(changes: Any) -> list[tuple[str, Any]]:
    """Return what a mapping holds; anything else holds nothing, and is named as a fault of its type."""
    return list(changes.items()) if isinstance(changes, dict) else []


def _proxy_faults(name: str, service: dict[str, Any]) -> Iterator[str]:
    """Find what the proxy needs to know of a service and is missing or of the wrong kind."""
    proxy = service["proxy"]
    for key, holder in (("health", service), ("backend", proxy)):
        if not isinstance(holder.get(key), str) or not holder[key]:
            yield f"service {name} stands behind the proxy and has no {key}"
    routes = proxy.get("routes", [])
    for route in routes if isinstance(routes, list) else [routes]:
        if not (
            isinstance(route, dict)
            and isinstance(route.get("service"), str)
            and isinstance(route.get("path", "/"), str)
        ):
            yield f"service {name} has the route {route!r}, which is not {{service: NAME, path: /PATH}}"


def _reference_faults(
    name: str, service: dict[str, Any], catalogue: dict[str, Any], groups: Groups
) -> Iterator[str]:
    """Find groups and services that are named and do not exist."""
    first = service["group"] if service["group"] in groups else service.get("else_group", service["group"])
    for group in [first, *service.get("except", [])]:
        if group not in groups and group not in groups.get("all", ()):
            yield f"service {name} names the group {group}, which {HOSTS} does not have"
    for client in service["clients"]:
        if "." in client or "/" in client:
            yield from _client_network_faults(name, client)
        elif client not in {*groups, *groups.get("all", ()), ADMINISTRATORS, EVERYBODY}:
            yield f"service {name} names the group {client}, which {HOSTS} does not have"
    watched = (service.get("metrics") or service.get("probe")) and service["group"] != WATCHERS
    if watched and service["clients"] and WATCHERS not in service["clients"]:
        yield f"service {name} is to be watched, and its clients are without {WATCHERS}"
    if service.get("encrypts", name) not in catalogue:
        yield f"service {name} encrypts {service['encrypts']}, which is no service"
    for route in service.get("proxy", {}).get("routes", []):
        target = catalogue.get(route["service"])
        if not isinstance(target, dict) or "frontend" not in target:
            yield f"service {name} is routed through {route['service']}, which is no proxy service"


def _client_network_faults(name: str, client: str) -> Iterator[str]:
    """Find an address or network among a service's clients that is none."""
    if not is_network(client):
        yield (
            f"service {name} has the client {client}, which is no address or network: "
            "write such as 10.1.34.50 or 10.1.34.0/24"
        )


def _host_faults(catalogue: dict[str, Any], groups: Groups, hosts: Collection[str]) -> Iterator[str]:
    """Find services on hosts that are not configured, and two that want one port of one host."""
    taken: dict[tuple[str, int, str], str] = {}
    for name, service in catalogue.items():
        parsed = Service.parse(name, service)
        for host in Network({}, groups).hosts(parsed):
            if host not in hosts:
                yield f"service {name} would run on {host}, which is not one of managed_hosts"
            first = taken.setdefault((host, parsed.port, parsed.transport), name)
            if first != name:
                yield f"port {parsed.port} of {host} is claimed by {first} and by {name}"


def _missing_faults(catalogue: dict[str, Any], groups: Groups) -> Iterator[str]:
    """Find services that the playbooks need and the catalogue lacks."""
    needed = SERVICES_NEEDED | (WINDOWS_SERVICES if groups.get(WINDOWS) else set())
    needed |= SERVICES_WATCHING if groups.get(WATCHERS) else set()
    for name in sorted(needed - catalogue.keys()):
        yield f"there is no service {name}, which the playbooks need"


def _name_faults(catalogue: dict[str, Any]) -> Iterator[str]:
    """Find names that haproxy.cfg would have twice; what encrypts another service may take its back end."""
    own = {name: service for name, service in catalogue.items() if not service.get("encrypts")}
    for kind, names in (
        ("frontend", {name: service.get("frontend") for name, service in catalogue.items()}),
        ("backend", {name: service.get("proxy", {}).get("backend") for name, service in own.items()}),
    ):
        taken: dict[str, str] = {}
        for service, name in names.items():
            if name is not None and taken.setdefault(name, service) != service:
                yield f"the {kind} {name} is claimed by {taken[name]} and by {service}"


def _service_faults(catalogue: dict[str, Any], groups: Groups, hosts: Collection[str]) -> Iterator[str]:
    """Find what is wrong with each service, and between those that are well formed."""
    well_formed = {}
    for name, service in catalogue.items():
        if not isinstance(service, dict):
            yield f"service {name} is not a mapping"
            continue
        faults = [*_type_faults(name, service)]
        faults += (
            [] if faults else dict.fromkeys(_change_faults(name, service))
        )  # several variants may share one
        yield from faults
        if not faults:
            well_formed[name] = service
    for name, service in well_formed.items():
        for variant in _variants(service):
            yield from _reference_faults(name, variant, catalogue, groups)
    yield from _missing_faults(catalogue, groups)
    yield from _name_faults(well_formed)
    yield from _host_faults(well_formed, groups, hosts)


def _household_faults(catalogue: dict[str, Any], foreign: Any, further: Any) -> Iterator[str]:
    """Find what keeps the household's own services and clients from standing in the catalogue at all."""
    for variable, value in ((FOREIGN, foreign), (FURTHER_CLIENTS, further)):
        if not isinstance(value, dict):
            yield f"{variable} is {value!r}, which is not a mapping of names"
            return
    for name, service in foreign.items():
        if name in catalogue:
            yield f"{FOREIGN} has {name}, which is the name of a service of HAL: choose another"
        elif not isinstance(service, dict):
            yield f"service {name} of {FOREIGN} is {service!r}, which is not a mapping"
    known = {*catalogue, *foreign}
    for name, clients in further.items():
        if name not in known:
            yield f"{FURTHER_CLIENTS} has {name}, which is no service; there are {', '.join(sorted(known))}"
        elif not isinstance(clients, list) or not all(isinstance(client, str) for client in clients):
            yield f"{FURTHER_CLIENTS} has {clients!r} for {name}, no list of groups, hosts and networks"


def _address_faults(hosts: dict[str, Any], subnets: list[str]) -> Iterator[str]:
    """Find addresses that are missing, wrong, used twice or outside the network."""
    taken: dict[IPv4Address, str] = {}
    networks = [IPv4Network(subnet) for subnet in subnets]
    for host, address in hosts.items():
        try:
            parsed = IPv4Address(str(address))  # a number would be taken for one of its 32 bits
        except AddressValueError:
            yield f"the address of {host} is {address!r}, which is no IPv4 address"
            continue
        first = taken.setdefault(parsed, host)
        if first != host:
            yield f"{address} is the address of {first} and of {host}"
        if not any(parsed in network for network in networks):
            yield f"{address} of {host} is in none of network_subnets ({', '.join(subnets)})"


def _virtual_faults(
    virtual: str, groups: Groups, addresses: dict[str, Any], subnets: list[str]
) -> Iterator[str]:
    """Find what is wrong with the address that the proxies share, or that two have none."""
    proxies = groups.get("proxies", [])
    if not virtual:
        if len(proxies) > 1:
            yield (
                f"there are {len(proxies)} proxies ({', '.join(proxies)}) and no network_virtual_address, so "
                f"clients would know {proxies[0]} alone: choose an address of their subnet that nothing has"
            )
        return
    try:
        parsed = IPv4Address(str(virtual))
    except AddressValueError:
        yield f"network_virtual_address is {virtual!r}, which is no IPv4 address"
        return
    for host in (host for host, address in addresses.items() if str(address) == str(parsed)):
        yield f"network_virtual_address is {virtual}, the address of {host}: choose one that nothing has"
    if not any(parsed in IPv4Network(subnet) for subnet in subnets):
        yield f"network_virtual_address {virtual} is in none of network_subnets ({', '.join(subnets)})"
    if VIRTUAL_HOST in addresses:
        yield f"a host is called {VIRTUAL_HOST}, which is the name of network_virtual_address"


def _network_faults(
    networks: Any, name: str, kind: Callable[[str], IPv4Network | IPv6Network] = IPv4Network
) -> Iterator[str]:
    """Find entries of a list that are no networks."""
    if not isinstance(networks, list) or not networks:
        yield f"{name} is empty: name at least one network, such as 192.0.2.0/24"
        return
    for network in networks:
        try:
            kind(str(network))
        except ValueError as error:
            yield f"{name} has {network!r}, which is no network: {error}"


def _chosen_faults(chosen: Collection[str]) -> Iterator[str]:
    """Find what is chosen without what it needs."""
    if "network_encrypted_only" in chosen and "network_internal_tls" not in chosen:
        yield "network_encrypted_only closes the ports without TLS and needs network_internal_tls: set both"


def _trusted_faults(networks: Any) -> Iterator[str]:
    """Find what is wrong with the networks whose devices need no token; there may be none."""
    if not isinstance(networks, list):
        yield f"network_trusted_networks is {networks!r}, which is no list of networks"
    elif networks:
        yield from _network_faults(networks, "network_trusted_networks", ip_network)
        yield from _internet_faults(networks, "network_trusted_networks")


def _internet_faults(networks: Any, name: str) -> Iterator[str]:
    """Find networks that hold more than a house's own addresses."""
    for network in networks if isinstance(networks, list) else []:
        if fault := internet_fault(str(network)):
            yield f"{name} has {fault}"


def internet_fault(network: str) -> str:
    """Return which network holds addresses of the internet and what to write instead; empty if it holds none.

    Args:
        network: the network or address, of either version; what is neither has another fault.
    """
    try:
        public = ip_network(network).is_global
    except ValueError:
        return ""
    return (
        f"{network}, which holds addresses of the internet: name networks of the house, "
        "such as 192.168.1.0/24, or one computer, such as 192.168.1.7/32"
        if public
        else ""
    )


def _login_faults(logins: dict[str, Any]) -> Iterator[str]:
    """Find what says wrongly where a host lets somebody in before HAL's first run, and as whom."""
    for host, login in logins.items():
        given = login if isinstance(login, dict) else {"": login}
        port, user = given.get("port", 22), given.get("user", "x")
        right = isinstance(port, int) and 1 <= port <= 65535 and isinstance(user, str) and user
        if not right or isinstance(port, bool) or given.keys() - {"port", "user"}:
            yield (
                f"ssh_before of {host} is {login!r}; it is such as {{port: 2222, user: admin}}, of which "
                "one may be left out"
            )


def network_faults(network: dict[str, Any]) -> list[str]:
    """Return every fault, each after the file to edit; none when all is well.

    Args:
        network: the description, with
            catalogue: every service, as services.yml describes it for all modes;
            foreign: services that the household runs beside HAL, as network_foreign_services describes them;
            service_clients: who may use a service besides, as network_service_clients names them;
            groups: Ansible's groups;
            addresses: address of each configured host;
            subnets: networks that hold every address;
            virtual_address: the address that the proxies share; there may be none;
            administrators: networks that may administer the hosts;
            client_networks: networks of clients without a fixed address; there may be none;
        trusted: networks whose devices may use the gateway without a token; there may be none;
            logins: `ssh_before` of each host that has it;
            chosen: the variables that are set, of those that choose what services there are and how they are;
            hosts: the hosts that are configured; by default those that have an address.
    """
    catalogue, groups, subnets = network["catalogue"], network["groups"], network["subnets"]
    if not isinstance(catalogue, dict) or not catalogue:
        return [f"{SERVICES}: the catalogue is empty"]
    foreign, further = network.get("foreign", {}), network.get("service_clients", {})
    household = [*_household_faults(catalogue, foreign, further)]
    clients = network.get("client_networks", [])
    hosts = network.get("hosts", network["addresses"])
    addresses = {host: address for host, address in network["addresses"].items() if host in hosts}
    subnet_faults = [*_network_faults(subnets, "network_subnets")]
    empty = [f"the group {group} has no host" for group in GROUPS_NEEDED if not groups.get(group)]
    empty += [
        f"{host} is in qm_servers and not in gateways, which that group must be a child of"
        for host in groups.get("qm_servers", [])
        if host not in groups.get("gateways", [])
    ]
    service_faults = [*_service_faults(catalogue, groups, hosts)]
    if not service_faults and not household:
        household = [*_service_faults(with_household(catalogue, foreign, further), groups, hosts)]
    found = {
        SERVICES: service_faults,
        NETWORK: [
            *household,
            *subnet_faults,
            *_network_faults(network["administrators"], "network_administrator_networks"),
            *_internet_faults(network["administrators"], "network_administrator_networks"),
            *_trusted_faults(network.get("trusted", [])),
            *_chosen_faults(network.get("chosen", ())),
            *(_network_faults(clients, "network_client_networks") if clients else []),
            *(
                []
                if subnet_faults
                else _virtual_faults(network.get("virtual_address", ""), groups, addresses, subnets)
            ),
        ],
        HOSTS: empty
        + [*_login_faults(network.get("logins", {}))]
        + ([] if subnet_faults else [*_address_faults(addresses, subnets)]),
    }
    return [f"{file}: {fault}" for file, faults in found.items() for fault in dict.fromkeys(faults)]
