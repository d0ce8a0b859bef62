"""What adopt.yml found on the hosts: as lines of a terminal, as a page, and as a proposal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hal.network.health.view import environment

type Hosts = Mapping[str, Mapping[str, Any]]

TEMPLATE = Path(__file__).with_name("adopt.html.j2")
KINDS = {
    "in_the_way": "Stands where HAL must",
    "unknown": "Not known",
    "changes": "HAL changes",
    "left": "HAL leaves",
    "here": "Here, and known",
}
OPEN = ("in_the_way", "unknown")  # what a person has to decide


def adoption_open(hosts: Hosts) -> int:
    """Return how many things a person has to decide.

    Args:
        hosts: what `hosts.found_on_host` returned of each host.
    """
    return sum(len(found[kind]) for found in hosts.values() for kind in OPEN)


def adoption_table(hosts: Hosts) -> list[str]:
    """Return the lines that a person reads in the terminal; arguments as of `adoption_open`."""
    lines = [
        f"{host}: {title}: {sentence}"
        for host, found in hosts.items()
        for kind, title in KINDS.items()
        if kind != "here"
        for sentence in found[kind]
    ]
    number = adoption_open(hosts)
    return [*lines, f"{number} to decide." if number else "Nothing is unknown."]


def adoption_page(hosts: Hosts, network: str, at: str) -> str:
    """Return the page.

    Args:
        hosts: what `hosts.found_on_host` returned of each host; its sentences are escaped.
        network: what the inventory is called.
        at: when it was read, ISO 8601.
    """
    ordered = sorted(hosts.items(), key=lambda item: not any(item[1][kind] for kind in OPEN))
    return (
        environment(TEMPLATE.parent)
        .get_template(TEMPLATE.name)
        .render(
            hosts=dict(ordered),
            kinds=KINDS,
            open_kinds=OPEN,
            number=adoption_open(hosts),
            network=network,
            at=at,
        )
    )


def adoption_proposal(
    hosts: Hosts,
    foreign: Mapping[str, Mapping[str, Any]],
    models: Sequence[Mapping[str, Any]],
    taken: Sequence[str] = (),
    clients: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Return the variables to propose, each whole, with what the inventory has; none that would be the same.

    Args:
        hosts: what `hosts.found_on_host` returned of each host.
        foreign: network_foreign_services.
        models: network_language_models.
        taken: the names of HAL's own services.
        clients: network_service_clients.
    """
    further = {name: [*those] for name, those in (clients or {}).items()}
    services = {name: dict(service) for name, service in foreign.items()}
    wanted = [dict(model) for model in models]
    for host, found in hosts.items():
        for name, service in found["services"].items():
            services[f"{name}_{host}" if name in services or name in taken else name] = dict(service)
        named = {model["name"] for model in wanted}
        wanted += [dict(model) for model in found["models"] if model["name"] not in named]
        for name, those in found["clients"].items():
            further[name] = list(dict.fromkeys([*further.get(name, []), *those]))
    proposal: dict[str, Any] = {}
    if len(services) > len(foreign):
        proposal["network_foreign_services"] = services
    if len(wanted) > len(models):
        proposal["network_language_models"] = wanted
    if further != (clients or {}):
        proposal["network_service_clients"] = further
    return proposal
