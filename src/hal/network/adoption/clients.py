"""Who reaches a socket of a host, and what a rule of its firewall says of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any

from hal.network.catalogue import EVERYBODY
from hal.network.model import EVERYWHERE, is_network

CONTAINERS_PROXY = "docker-proxy"

type Listener = Mapping[str, Any]
type Rule = Mapping[str, Any]  # made by hand, as the module host_reading tells it


def holds(network: str, source: str) -> bool:
    """Return whether a network, or everybody, holds all of another."""
    whole, part = (EVERYWHERE if text == EVERYBODY else text for text in (network, source))
    return IPv4Network(part, strict=False).subnet_of(IPv4Network(whole, strict=False))


def is_ipv6(rule: Rule) -> bool:
    """Return whether a rule is for clients with IPv6, who are none of the inventory's."""
    return ":" in rule["source"]


def is_on_one(rule: Rule) -> bool:
    """Return whether a rule is for what comes in by one interface."""
    return " in on " in rule["text"]


def is_unsaid(rule: Rule) -> bool:
    """Return whether a rule says of who may connect what the inventory has no words for."""
    return not rule["allows"] or is_ipv6(rule) or is_on_one(rule)


def refuses_some(rule: Rule, admitted: Sequence[str]) -> bool:
    """Return whether a rule refuses a source, part of which is let in."""
    source = rule["source"]
    return is_network(source) and any(holds(one, source) or holds(source, one) for one in admitted)


def is_on_loopback(listener: Listener) -> bool:
    """Return whether a socket takes what the host itself sends."""
    address = listener["address"].removeprefix("::ffff:")
    return bool(listener["interface"] == "lo" or address == "::1" or address.startswith("127."))


def who_reaches(listener: Listener) -> str:
    """Return who reaches a socket that does not serve others itself."""
    if not listener["inside"] and not is_on_loopback(listener):
        if listener["program"] == CONTAINERS_PROXY:
            return "Docker's own rules let others reach past ufw"
        if listener["protocol"] == "udp":
            return (
                "has a port that clients get for their answers: name it in network_foreign_services if "
                "others ask there"
            )
    return "no other host reaches"


def way_out(listener: Listener) -> str:
    """Return what to do about a program on a port that HAL needs."""
    if listener["program"] == CONTAINERS_PROXY:
        return "publish the container at another port"
    if listener["program"] == "systemd":  # it holds the socket of a service that it starts when asked
        return "give it another port, or disable the socket unit that `systemctl list-sockets` names"
    stop = f" (`systemctl disable --now {listener['unit']}`)" if listener["unit"].endswith(".service") else ""
    return f"give it another port, or stop it{stop}"
