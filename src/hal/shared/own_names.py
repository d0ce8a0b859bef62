"""Under which names browsers may ask a service, and which web pages may.

A browser lends what its network may do to any page that it shows. A page of another origin is known by its
Origin; one whose name was made to lead here ("DNS rebinding") has an Origin that agrees with its Host, and is
known because that Host is no name of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from hal.shared.addresses import parse_address

# What leads to the own machine wherever it is asked; nobody else can have a page under these names.
THIS_MACHINE = ("localhost", "host.docker.internal", "127.0.0.1", "::1")
FOREIGN_HOST = (
    "This service is not known by the name in the Host header: use an address or name of the inventory, "
    "or add the name to network_service_names."
)
FOREIGN_ORIGIN = "Web pages of this origin may not connect without a token: see network_web_origins."


class OwnNames:
    """The names and addresses of a network, and the origins whose pages may ask as well.

    Args:
        names: host names and addresses; "*.example.org" stands for every name that ends like it.
        origins: further origins, such as https://hal.example.org, whose name is then one of the names.
    """

    def __init__(self, names: Sequence[str] = (), origins: Sequence[str] = ()) -> None:
        self._origins = frozenset(origins)
        known = {_plain(name) for name in (*THIS_MACHINE, *names)} | {_hostname(origin) for origin in origins}
        self._names = frozenset(known - {""})
        self._suffixes = tuple(name[1:] for name in self._names if name.startswith("*."))

    def fault(self, hosts: Sequence[str], origins: Sequence[str], local: str = "") -> str:
        """Return why a request may not be answered; empty: it may.

        Args:
            hosts: its Host headers; a program that sends none is no browser.
            origins: its Origin headers.
            local: the address at which it arrived.
        """
        names = {_hostname(f"//{host}") for host in hosts}
        if len(hosts) > 1 or not all(self._is_own(name, local) for name in names):
            return FOREIGN_HOST
        for origin in origins:
            if origin not in self._origins and (_hostname(origin) or None) not in names:
                return FOREIGN_ORIGIN
        return ""

    def _is_own(self, name: str, local: str) -> bool:
        return name in self._names or bool(local and name == _plain(local)) or name.endswith(self._suffixes)


def _hostname(url: str) -> str:
    """Return the host of a URL; empty if it has none."""
    try:
        return _plain(urlsplit(url).hostname or "")
    except ValueError:
        return ""


def _plain(name: str) -> str:
    """Write a name or an address in the one way that it is compared in."""
    address = parse_address(name.strip("[]"))
    return name.lower().removesuffix(".") if address is None else str(address)
