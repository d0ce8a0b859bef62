"""What the proxy listens on, and what it leads to."""

from __future__ import annotations

from typing import Any

from hal.network.catalogue import Catalogue, Service
from hal.network.model import Network


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


def proxy_backends(network: Network) -> list[dict[str, Any]]:
    """Return what the proxy leads to: [{name, kind, health, servers: [{name, address, port}]}]."""
    return [
        {
            "name": service.proxy.backend,
            "kind": service.protocol,
            "health": service.health,
            "servers": [
                {"name": host, "address": network.addresses[host], "port": service.port}
                for host in network.hosts(service)
            ],
        }
        for service in network.services.values()
        if service.proxy
    ]
