"""What the proxy listens on, and what it leads to."""

from __future__ import annotations

from typing import Any

from hal.network.catalogue import Catalogue, Service
from hal.network.model import Network

_UNENCRYPTED = {"https": "http", "websocket_tls": "websocket"}


def proxy_frontends(services: Catalogue) -> list[dict[str, Any]]:
    """Return where the proxy listens: [{name, port, tls, redirect, routes: [{path, backend}]}].

    Routes are in the order in which they are tried: the longest path first.
    """
    return [
        {
            "name": service.frontend,
            "port": service.port,
            "tls": service.protocol == "https",
            "redirect": service.redirect,
            "routes": _routes(services, service),
        }
        for service in services.values()
        if service.frontend
    ]


def _routes(services: Catalogue, frontend: Service) -> list[dict[str, str]]:
    routes = [
        {"path": route.path, "backend": service.proxy.backend}
        for service in services.values()
        if service.proxy
        for route in service.proxy.routes
        if route.service == frontend.name
    ]
    return sorted(routes, key=lambda route: -len(route["path"]))


def encrypted_ports(services: Catalogue, unit: str) -> list[dict[str, Any]]:
    """Return the ports at which a unit offers other services of its host encrypted.

    Returns:
        [{name, port, leads_to}]; the name is that of the service that is offered, and its port `leads_to`.
    """
    return [
        {
            "name": service.encrypts,
            "port": service.port,
            "leads_to": services[service.encrypts].port,
        }
        for service in services.values()
        if service.encrypts and service.unit == unit
    ]


def proxy_backends(network: Network) -> list[dict[str, Any]]:
    """Return what the proxy leads to: [{name, kind, tls, health, servers: [{name, address, port}]}].

    `kind` is the protocol that is spoken, encrypted if `tls` says so.
    """
    return [
        {
            "name": service.proxy.backend,
            "kind": _UNENCRYPTED.get(service.protocol, service.protocol),
            "tls": service.is_encrypted,
            "health": service.health,
            "servers": [
                {"name": host, "address": network.addresses[host], "port": service.port}
                for host in network.hosts(service)
            ],
        }
        for service in network.services.values()
        if service.proxy
    ]
