"""The service catalogue: what a service is, and which there are in a mode.

`inventories/common/services.yml` describes the services and explains each key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Self

from hal.network.inventory import NETWORK

type Described = Mapping[str, Any]  # a service as the catalogue has it, before it is read
type Catalogue = dict[str, "Service"]

LISTENER_MODES = ("gateway", "phantom")
ADMINISTRATORS = "administrators"  # stands for networks and not for a group
CLIENTS = "clients"
WATCHERS = "monitoring_servers"
WINDOWS = "windows_hosts"
PORTLESS = "vrrp"  # a protocol of IP itself, whose number stands for the port
# Every protocol, with the scheme of its URLs.
SCHEMES = {
    "websocket": "ws",
    "websocket_tls": "wss",
    "http": "http",
    "https": "https",
    "tcp": "tcp",
    "ssh": "ssh",
}
ENCRYPTED = {"websocket_tls", "https"}  # by TLS, with a certificate that names the host
DATAGRAMS = "udp"  # has no handshake by which open and closed could be told apart
PROTOCOLS = {*SCHEMES, DATAGRAMS, PORTLESS}
EVERYBODY = "any"  # among the clients of a service
UNCHECKED = "none"


@dataclass(frozen=True)
class Route:
    """One of the proxy's services that leads to a service, for paths that begin with `path`."""

    service: str
    path: str = "/"


@dataclass(frozen=True)
class Exposure:
    """How the proxy exposes a service: the name of its back end, and what leads to it."""

    backend: str
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True)
class Service:
    """A service as it is in one mode: its name, and a field for each key of its description."""

    name: str
    description: str
    group: str
    port: int
    protocol: str
    clients: tuple[str, ...]
    check: str
    except_: tuple[str, ...] = ()
    else_group: str = ""
    local_check: str = ""
    health: str = "/"
    metrics: str = ""
    probe: str = ""
    proxy: Exposure | None = None
    frontend: str = ""
    redirect: bool = False
    encrypts: str = ""
    unit: str = ""
    windows_service: str = ""

    @property
    def transport(self) -> str:
        """The protocol that its port is one of, `tcp` or `udp`, or PORTLESS."""
        return self.protocol if self.protocol in (DATAGRAMS, PORTLESS) else "tcp"

    @property
    def is_encrypted(self) -> bool:
        """Whether what it says to its clients is encrypted by TLS."""
        return self.protocol in ENCRYPTED

    @classmethod
    def parse(cls, name: str, described: Described) -> Self:
        """Read a service; keys that are none of its own are passed over.

        Raises:
            TypeError: a key is missing, which validation names.
        """
        given = {field.name: described[key] for key, field in _FIELDS.items() if key in described}
        given |= {key: tuple(given[key]) for key in ("clients", "except_") if key in given}
        if proxy := given.get("proxy"):
            routes = tuple(Route(**route) for route in proxy.get("routes", ()))
            given["proxy"] = Exposure(proxy["backend"], routes)
        return cls(name=name, **given)


_FIELDS = {field.name.rstrip("_"): field for field in fields(Service) if field.name != "name"}
_MODE_TYPES: dict[str, type] = {"listener_modes": list, "in_mode": dict, "optional": str, "where": dict}
# What YAML has for the type of a field.
_YAML_TYPES: dict[str, type] = {
    "str": str,
    "int": int,
    "bool": bool,
    "tuple[str, ...]": list,
    "Exposure | None": dict,
}
# What a description says in part: a mode or a variable, and the keys that are different there.
_PARTS = ("in_mode", "where", "chosen")

# The keys that a description may have, with the type of each, and those that it must have.
TYPES = {key: _YAML_TYPES[str(field.type)] for key, field in _FIELDS.items()} | _MODE_TYPES
REQUIRED = {key for key, field in _FIELDS.items() if field.default is MISSING}


def _with_clients(described: Described, further: Sequence[str]) -> dict[str, Any]:
    """Return a description whose clients, wherever it has any, are also further ones."""
    found = dict(described)
    if "clients" in found:
        found["clients"] = list(dict.fromkeys([*found["clients"], *further]))
    for part in _PARTS:
        if part in found:
            found[part] = {key: _with_clients(changes, further) for key, changes in found[part].items()}
    return found


def _as_chosen(described: Described, chosen: Collection[str]) -> dict[str, Any]:
    """Return a description in which what is chosen is not optional, and has become `chosen` of `where`."""
    found = {key: value for key, value in described.items() if key != "optional" or value not in chosen}
    if changed := {name: changes for name, changes in found.get("where", {}).items() if name in chosen}:
        found["chosen"] = changed
    if "in_mode" in found:
        found["in_mode"] = {mode: _as_chosen(changes, chosen) for mode, changes in found["in_mode"].items()}
    return found


def choices(services: Mapping[str, Described]) -> list[str]:
    """Return the variables that `optional` and `where` name, each once."""
    found: list[str] = []
    for service in services.values():
        for described in (service, *service.get("in_mode", {}).values()):
            found += [described["optional"]] if "optional" in described else []
            found += described.get("where", {})
    return list(dict.fromkeys(found))


def with_household(
    services: Mapping[str, Described],
    foreign: Mapping[str, Described],
    clients: Mapping[str, Sequence[str]],
    chosen: Collection[str] = (),
) -> dict[str, dict[str, Any]]:
    """Return the services with those that the household runs beside them, and with further clients.

    An optional one that is chosen becomes a service like any other.

    A foreign service needs `group`, `port`, `protocol` and `clients`. It is checked and watched by a
    connection, or by HTTP where its `health` says at which path; datagrams are neither.

    Args:
        services: every service, for all modes.
        foreign: `network_foreign_services`, described like the services.
        clients: `network_service_clients`, groups, hosts and networks that may use a service besides.
        chosen: the variables that are set, of those that `optional` and `where` name.
    """
    found = {name: _as_chosen(service, chosen) for name, service in services.items()}
    for name, service in foreign.items():
        asked = "http" if service.get("protocol") == "http" and "health" in service else "tcp"
        ways = {"check": "flow" if asked == "tcp" else asked, "probe": asked}
        if service.get("protocol") == DATAGRAMS:
            ways = {"check": UNCHECKED}
        elif not service.get("clients"):
            del ways["probe"]
        described = {"description": "The household's own", **ways, **service}
        found[name] = _with_clients(described, [WATCHERS] if "probe" in described else [])
    for name, further in clients.items():
        found[name] = _with_clients(found[name], further)
    return found


def catalogue_for_mode(services: Mapping[str, Described], mode: str) -> dict[str, dict[str, Any]]:
    """Return the descriptions of the services that there are in a mode, each as it is in that mode.

    Optional ones that nobody has chosen (`with_household`) are not there.

    Args:
        services: every service, with `listener_modes` and `in_mode` where the mode matters.
        mode: `gateway`, where the gateway stands between the clients and the listener, or `phantom`,
            where QM serves the clients itself.

    Raises:
        ValueError: there is no such mode.
    """
    if mode not in LISTENER_MODES:
        known = ", ".join(LISTENER_MODES)
        raise ValueError(f"{NETWORK}: hal_listener_mode is {mode!r}; it can be {known}")
    return {
        name: _in_mode(service, mode)
        for name, service in services.items()
        if mode in service.get("listener_modes", LISTENER_MODES) and "optional" not in service
    }


def _in_mode(described: Described, mode: str) -> dict[str, Any]:
    """Return a description as it is in a mode, with what is chosen there (`_as_chosen`)."""
    found = {**described, **described.get("in_mode", {}).get(mode, {})}
    for changes in found.get("chosen", {}).values():
        found |= changes
    left_out = {*_MODE_TYPES, "chosen"}
    return {key: value for key, value in found.items() if key not in left_out and value is not None}


def parse(services: Mapping[str, Described]) -> Catalogue:
    """Read the services of one mode."""
    return {name: Service.parse(name, described) for name, described in services.items()}
