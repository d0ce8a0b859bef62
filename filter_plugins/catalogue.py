"""Filters that turn the service catalogue into rules, configuration and checks.

The catalogue is what `inventories/*/group_vars/all/services.yml` describes, as it is in one mode:
`catalogue_for_mode` makes it. Each other filter takes it first, and beside it only what it needs: Ansible's
`groups`, and `addresses`, which maps the name of each configured host to its IPv4.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network
from typing import Any

type Service = dict[str, Any]
type Catalogue = dict[str, Service]
type Groups = dict[str, list[str]]
type Addresses = dict[str, str]

LISTENER_MODES = ("gateway", "phantom")
ADMINISTRATORS = "administrators"
CLIENTS = "clients"
WATCHERS = "monitoring_servers"
NETWORKS = {ADMINISTRATORS: "administrators", CLIENTS: "client networks"}  # what their members are called
DIAGRAM_LAYERS = (CLIENTS, "proxies", "gateways", "ai_servers", "hypervisors")
LOOPBACK = "127.0.0.1"
VIRTUAL_HOST = "hal"  # the name of the address that the proxies share
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - a service that others may use listens on every interface
SCHEMES = {"websocket": "ws", "http": "http", "https": "https", "tcp": "tcp", "ssh": "ssh"}
PORTLESS = "vrrp"  # a protocol of IP itself, whose number stands for the port

# What is typed on a host whose service does not answer: to see why, and to start it anew.
AID = {
    "unit": ("sudo systemctl status -n 50 {unit}", "sudo systemctl restart {unit}"),
    "windows_service": ("Get-Service {unit}", "Restart-Service {unit}"),
}
# Of a service that names no unit, who has its port.
AID_BY_PORT = {
    "unit": "sudo ss -ltnp 'sport = :{port}'",
    "windows_service": "Get-NetTCPConnection -State Listen -LocalPort {port}",
}


def _members(groups: Groups, names: Iterable[str]) -> set[str]:
    return {host for name in names for host in groups.get(name, [])}


def catalogue_for_mode(services: Catalogue, mode: str) -> Catalogue:
    """Return the services that there are in a mode, each as it is in that mode.

    Args:
        services: every service, with `listener_modes` and `in_mode` where the mode matters.
        mode: `gateway`, where the gateway stands between the clients and the listener, or `phantom`,
            where QM serves the clients itself.

    Raises:
        ValueError: there is no such mode.
    """
    if mode not in LISTENER_MODES:
        known = ", ".join(LISTENER_MODES)
        raise ValueError(f"group_vars/all/network.yml: hal_listener_mode is {mode!r}; it can be {known}")
    return {
        name: {key: value for key, value in service.items() if key not in ("listener_modes", "in_mode")}
        | service.get("in_mode", {}).get(mode, {})
        for name, service in services.items()
        if mode in service.get("listener_modes", LISTENER_MODES)
    }


def with_virtual_address(addresses: Addresses, virtual_address: str) -> Addresses:
    """Return the addresses of the hosts, and that which the proxies share if they do; empty: they do not."""
    return addresses | ({VIRTUAL_HOST: virtual_address} if virtual_address else {})


def service_hosts(catalogue: Catalogue, name: str, groups: Groups) -> list[str]:
    """Return the hosts that run a service, in the inventory's order."""
    service = catalogue[name]
    left_out = _members(groups, service.get("except", []))
    return [host for host in groups.get(service["group"], []) if host not in left_out]


def host_services(catalogue: Catalogue, host: str, groups: Groups) -> Catalogue:
    """Return the services that a host runs."""
    return {
        name: service for name, service in catalogue.items() if host in service_hosts(catalogue, name, groups)
    }


def firewall_rules(
    catalogue: Catalogue,
    host: str,
    groups: Groups,
    addresses: Addresses,
    administrators: list[str],
    *,
    client_networks: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """Return the flows that a host lets in, sorted: [{port, protocol, from, comment}].

    A protocol without ports has no `port`. `from` is the address of one host, or a network: of the
    administrators, or of clients without a fixed address. A host's own traffic needs no rule.
    """
    rules = []
    for name, service in host_services(catalogue, host, groups).items():
        sources = {
            client: addresses[client]
            for client in _members(groups, service["clients"])
            if client in addresses
        }
        sources.pop(host, None)
        if ADMINISTRATORS in service["clients"]:
            sources |= {network: network for network in administrators}
        if CLIENTS in service["clients"]:
            sources |= {network: network for network in client_networks}
        kind = (
            {"protocol": PORTLESS}
            if service["protocol"] == PORTLESS
            else {"port": service["port"], "protocol": "tcp"}
        )
        rules += [
            kind | {"from": source, "comment": f"{name} from {client}"} for client, source in sources.items()
        ]
    return sorted(rules, key=lambda rule: (rule.get("port", 0), rule["from"]))


def network_flows(
    catalogue: Catalogue,
    groups: Groups,
    addresses: Addresses,
    networks: dict[str, list[str]] | None = None,
) -> list[dict[str, Any]]:
    """Return every flow that is open, in the catalogue's order.

    `from` and `to` are hosts; `from` is also `administrators` or `client networks`.

    Args:
        catalogue: the service catalogue.
        groups: Ansible's groups.
        addresses: address of each configured host; one without any is let in by its network alone.
        networks: networks that may connect as a group does: those of `administrators` and of `clients`.

    Returns:
        [{from, to, service, port, protocol, description}]
    """
    flows = []
    for name, service in catalogue.items():
        members = _members(groups, service["clients"])
        sources = [
            label
            for group, label in NETWORKS.items()
            if group in service["clients"] and (networks or {}).get(group)
        ]
        sources += [host for host in addresses if host in members]
        flows += [
            {"from": source, "to": target, "service": name}
            | {key: service.get(key, "") for key in ("port", "protocol", "description")}
            for target in service_hosts(catalogue, name, groups)
            for source in sources
            if source != target
        ]
    return flows


def diagram_hosts(
    catalogue: Catalogue, groups: Groups, addresses: Addresses, networks: dict[str, list[str]] | None = None
) -> list[dict[str, Any]]:
    """Return the hosts and networks that `network_diagram` draws: [{name, address, layer, about, services}].

    Args:
        catalogue: the service catalogue.
        groups: Ansible's groups.
        addresses: what is said of each host's address, those of the hypervisors among them.
        networks: networks that may connect as a group does: those of `administrators` and of `clients`.
    """
    sources = [
        {"name": label, "address": "", "layer": group, "about": networks[group], "services": []}
        for group, label in NETWORKS.items()
        if networks and networks.get(group)
    ]
    hypervisors, guests = groups.get("hypervisors", []), groups.get("virtual_machines", [])
    hosts = [
        {
            "name": host,
            "address": addresses.get(host, ""),
            "layer": next((layer for layer in DIAGRAM_LAYERS if host in groups.get(layer, [])), "others"),
            "about": [f"runs {guest}" for guest in guests] if [host] == hypervisors else [],
            "services": [
                {
                    "name": name,
                    "port": service["port"],
                    "local": listen_address(catalogue, name, groups) == LOOPBACK,
                }
                for name, service in host_services(catalogue, host, groups).items()
            ],
        }
        for host in [*groups.get("managed_hosts", []), *hypervisors]
    ]
    return sources + hosts


def listen_address(catalogue: Catalogue, name: str, groups: Groups) -> str:
    """Return where a service listens: on loopback alone when nobody but its own host may connect."""
    own = service_hosts(catalogue, name, groups)
    to_itself = all(groups.get(group) == own and len(own) == 1 for group in catalogue[name]["clients"])
    return LOOPBACK if to_itself else ANY_ADDRESS


def service_urls(catalogue: Catalogue, name: str, groups: Groups, addresses: Addresses) -> list[str]:
    """Return the URL of a service on every host that runs it, such as http://198.18.10.20:9000."""
    service = catalogue[name]
    scheme = SCHEMES[service["protocol"]]
    return [
        f"{scheme}://{addresses[host]}:{service['port']}" for host in service_hosts(catalogue, name, groups)
    ]


def proxy_frontends(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return where the proxy listens: [{name, port, tls, redirect, routes: [{path, backend}]}].

    Routes are in the order in which they are tried: the longest path first.
    """
    frontends = []
    for name, service in catalogue.items():
        if "frontend" not in service:
            continue
        routes = [
            {"path": route.get("path", "/"), "backend": exposed["proxy"]["backend"]}
            for exposed in catalogue.values()
            for route in exposed.get("proxy", {}).get("routes", [])
            if route["service"] == name
        ]
        frontends.append(
            {
                "name": service["frontend"],
                "port": service["port"],
                "tls": service["protocol"] == "https",
                "redirect": service.get("redirect", False),
                "routes": sorted(routes, key=lambda route: -len(route["path"])),
            }
        )
    return frontends


def proxy_backends(catalogue: Catalogue, groups: Groups, addresses: Addresses) -> list[dict[str, Any]]:
    """Return what the proxy leads to: [{name, kind, health, servers: [{name, address, port}]}]."""
    return [
        {
            "name": service["proxy"]["backend"],
            "kind": service["protocol"],
            "health": service["health"],
            "servers": [
                {"name": host, "address": addresses[host], "port": service["port"]}
                for host in service_hosts(catalogue, name, groups)
            ],
        }
        for name, service in catalogue.items()
        if "proxy" in service
    ]


def _only_watches(service: Service, host: str, groups: Groups) -> bool:
    """Return whether a host may connect to a service for no other reason than to watch it."""
    users = [group for group in service["clients"] if group != WATCHERS]
    return host in groups.get(WATCHERS, []) and host not in _members(groups, users)


def _path(service: Service, *, watched: bool) -> str:
    """Return what a web server is asked for: its health, or by who watches it its metrics."""
    path: str = (watched and service.get("metrics")) or service.get("health", "/")
    return path


def health_checks(
    catalogue: Catalogue,
    origin: str,
    groups: Groups,
    addresses: Addresses,
    options: dict[str, Any] | None = None,
    *,
    networks: dict[str, list[str]] | None = None,
) -> list[dict[str, Any]]:
    """Return the checks to be run from one host, for the module `service_checks`.

    A service that the host uses or runs is checked by its own protocol; every service of another host that
    it may not use is checked to be closed. So the whole matrix of flows, open and closed, is proven.
    A monitoring server asks for what it watches, the metrics or the health, and does not use the service.
    The address that the proxies share counts as one more host that serves what they do; to the proxies
    themselves it is their own or the other's, so they are not asked about it.

    Args:
        catalogue: the service catalogue.
        origin: the host that runs the checks.
        groups: Ansible's groups.
        addresses: address of each configured host.
        options: further settings of the checks by their kind, such as {"ollama": {"models": ["llama3"]}}.
        networks: networks that may connect as a group does: those of `administrators` and of `clients`.

    Returns:
        [{name, kind, host, address, port, expect, tls, …}]
    """
    checks = []
    for name, service in catalogue.items():
        if service["protocol"] == PORTLESS:  # who is refused hears no more than who is not
            continue
        hosts = service_hosts(catalogue, name, groups)
        is_local = listen_address(catalogue, name, groups) == LOOPBACK
        for target in hosts + ([VIRTUAL_HOST] if "frontend" in service and origin not in hosts else []):
            own = origin == target
            if target not in addresses or (own and service["protocol"] == "ssh"):
                continue
            admitted = [
                network for group in service["clients"] for network in (networks or {}).get(group, [])
            ]
            allowed = own or origin in _members(groups, service["clients"])
            if not allowed and admitted:
                if origin not in addresses:  # which network it will be in is not known
                    continue
                allowed = any(IPv4Address(addresses[origin]) in IPv4Network(network) for network in admitted)
            watched = allowed and not own and not admitted and _only_watches(service, origin, groups)
            kind = (
                "flow"
                if not allowed
                else service.get("local_check") or service["check"]
                if own
                else ("http" if service["protocol"] in ("http", "websocket") else "flow")
                if watched
                else service["check"]
            )
            checks.append(
                {
                    "name": name,
                    "kind": kind,
                    "host": target,
                    "address": LOOPBACK if own and is_local else addresses[target],
                    "port": service["port"],
                    "expect": "open" if allowed else "closed",
                    "tls": service["protocol"] == "https",
                    "windows": target in groups.get("windows_hosts", []),
                    "proxied": "frontend" in service,
                    **({"path": _path(service, watched=watched)} if kind == "http" else {}),
                    **((options or {}).get(kind, {})),
                }
            )
    return checks


def first_aid(catalogue: Catalogue, groups: Groups) -> list[dict[str, Any]]:
    """Return what to type on a server when its service does not answer.

    Services that are one unit are one entry. Clients are left out: what runs there is their owners' affair.

    Returns:
        [{services, hosts, look, restart}]; `restart` is empty where the catalogue names no unit.
    """
    found: dict[tuple[str, str], dict[str, dict[str, None]]] = {}
    for name, service in catalogue.items():
        for host in service_hosts(catalogue, name, groups):
            if host in groups.get(CLIENTS, []):
                continue
            key = "windows_service" if host in groups.get("windows_hosts", []) else "unit"
            look, restart = AID[key] if service.get(key) else (AID_BY_PORT[key], "")
            about = {"unit": service.get(key), "port": service["port"]}
            entry = found.setdefault(
                (look.format(**about), restart.format(**about)), {"services": {}, "hosts": {}}
            )
            entry["services"][name] = entry["hosts"][host] = None
    return [
        {"services": list(entry["services"]), "hosts": list(entry["hosts"]), "look": look, "restart": restart}
        for (look, restart), entry in found.items()
    ]


def client_environment(
    catalogue: Catalogue, groups: Groups, addresses: Addresses, administrator: str, proxmox: dict[str, Any]
) -> dict[str, Any]:
    """Return the variables of network_config.sh, under the names that clients use today.

    Where the proxies share an address, people ask there: it stays when a proxy or a gateway is lost.

    Args:
        catalogue: the service catalogue.
        groups: Ansible's groups.
        addresses: address of each configured host.
        administrator: who logs in to the proxy.
        proxmox: the Proxmox API, {host, user}.
    """
    qm, ai = groups["qm_servers"][0], groups["ai_servers"][0]
    proxy = groups["proxies"][0]
    asked = VIRTUAL_HOST if VIRTUAL_HOST in addresses else qm
    port = catalogue["gateway" if asked == qm else "proxy_gateway"]["port"]
    ollama = service_urls(catalogue, "ollama", groups, addresses)[0]
    return {
        "HAL_GATEWAY_URL": f"ws://{addresses[asked]}:{port}",
        "HAL_SPEECH_URL": f"https://{proxy if asked == qm else asked}",
        "HAL_CA_FILE": "/etc/hal/ca.crt",
        "OLLAMA_HOST": addresses[ai],
        "OLLAMA_PORT": catalogue["ollama"]["port"],
        "OLLAMA_URL": ollama,
        "WHISPER_URL": f"{service_urls(catalogue, 'speech', groups, addresses)[0]}/transcribe",
        "HAPROXY_HOST": addresses[proxy],
        "HAPROXY_SSH_PORT": catalogue["ssh_proxy"]["port"],
        "HAPROXY_USER": administrator,
        "PROXMOX_HOST": proxmox["host"],
        "PROXMOX_USER": proxmox["user"].partition("@")[0],
        "QM_HOST": addresses[qm],
        "QM_VOICE_PORT": catalogue.get("listener", catalogue["gateway"])["port"],
        "QM_GATEWAY_PORT": catalogue["gateway"]["port"],
    }


class FilterModule:
    """The filters, by the names that playbooks use."""

    def filters(self) -> dict[str, Any]:
        """Return name and function of each filter."""
        return {
            function.__name__: function
            for function in (
                catalogue_for_mode,
                client_environment,
                diagram_hosts,
                first_aid,
                firewall_rules,
                health_checks,
                host_services,
                listen_address,
                network_flows,
                proxy_backends,
                proxy_frontends,
                service_hosts,
                service_urls,
                with_virtual_address,
            )
        }
