"""What the household runs beside HAL, and who else may use HAL's services: all follows from that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from filter_plugins import hal as filters

from hal.network import validation

type Made = Callable[..., dict[str, Any]]

FOREIGN = {
    "grafana": {
        "group": "nas",
        "port": 3000,
        "protocol": "http",
        "health": "/api/health",
        "clients": ["clients"],
    },
    "names": {"group": "nas", "port": 53, "protocol": "udp", "clients": ["any"]},
    "dashboard": {"group": "proxies", "port": 8443, "protocol": "tcp", "clients": ["ubuai", "10.9.0.0/24"]},
    "ups": {"group": "nas", "port": 3493, "protocol": "tcp", "clients": []},
}
NETWORK = "group_vars/all/network.yml"


@pytest.fixture
def made(services: dict[str, Any]) -> Made:
    """Return the catalogue with what a household adds to it, in gateway mode."""

    def make(foreign: Any = FOREIGN, clients: Any = None, mode: str = "gateway") -> dict[str, Any]:
        return filters.catalogue_for_mode(filters.with_household(services, foreign, clients or {}), mode)

    return make


@pytest.fixture
def faults(services: dict[str, Any], network: dict[str, Any]) -> Callable[..., list[str]]:
    """Return what the validation says of the lab with what a household adds to it."""

    def find(foreign: Any = FOREIGN, clients: Any = None) -> list[str]:
        return validation.network_faults(
            {
                **network,
                "catalogue": services,
                "subnets": ["198.18.0.0/16"],
                "administrators": ["198.18.0.1/32"],
                "foreign": foreign,
                "service_clients": clients or {},
            }
        )

    return find


def opened(catalogue: dict[str, Any], network: dict[str, Any], host: str, port: int) -> set[tuple[str, str]]:
    rules = filters.firewall_rules(catalogue, host, **network, administrators=[])
    return {(rule["protocol"], rule["from"]) for rule in rules if rule["port"] == port}


def test_the_firewall_lets_in_those_who_are_named_and_the_monitoring(
    made: Made, network: dict[str, Any]
) -> None:
    catalogue = made()
    assert opened(catalogue, network, "nas", 3000) == {("tcp", "198.18.60.10")}
    assert opened(catalogue, network, "nas", 53) == {("udp", "any")}
    assert opened(catalogue, network, "nas", 3493) == set()
    assert opened(catalogue, network, "haproxy", 8443) == {
        ("tcp", "10.9.0.0/24"),
        ("tcp", "198.18.10.20"),
        ("tcp", "198.18.70.10"),
    }


def test_checks_ask_them_and_prove_that_others_cannot(made: Made, network: dict[str, Any]) -> None:
    found = {
        (origin, check["name"], check["kind"], check["expect"])
        for origin in ("mac", "ubuai", "nas")
        for check in filters.planned_checks(made(), origin, **network)
        if check["name"] in FOREIGN
    }
    assert found == {
        ("mac", "grafana", "http", "open"),
        ("ubuai", "grafana", "flow", "closed"),
        ("nas", "grafana", "http", "open"),
        ("ubuai", "dashboard", "flow", "open"),
        ("nas", "dashboard", "flow", "open"),
        ("nas", "ups", "flow", "open"),
        ("ubuai", "ups", "flow", "closed"),
        ("mac", "ups", "flow", "closed"),
        ("mac", "dashboard", "flow", "closed"),
    }


def test_the_monitoring_asks_what_answers(made: Made, network: dict[str, Any]) -> None:
    targets = {
        target["service"]: (target["kind"], target["target"])
        for target in filters.probe_targets(made(), **network)
        if target["service"] in FOREIGN
    }
    assert targets == {
        "grafana": ("http", "http://198.18.70.10:3000/api/health"),
        "dashboard": ("tcp", "198.18.50.100:8443"),
    }


def test_flows_and_drawing_show_networks_that_are_named(made: Made, network: dict[str, Any]) -> None:
    flows = filters.network_flows(made(), **network)
    sources = {(flow["from"], flow["service"]) for flow in flows if flow["service"] in FOREIGN}
    assert sources == {
        ("mac", "grafana"),
        ("any", "names"),
        ("ubuai", "dashboard"),
        ("10.9.0.0/24", "dashboard"),
        ("nas", "dashboard"),
    }
    drawn = filters.network_diagram(filters.diagram_hosts(made(), **network), flows)
    assert all(text in drawn for text in ("10.9.0.0/24", "grafana", ":3000"[1:]))


@pytest.mark.parametrize("mode", ["gateway", "phantom"])
def test_further_clients_are_let_in_beside_those_of_the_catalogue(
    made: Made, network: dict[str, Any], mode: str
) -> None:
    before = opened(made({}, mode=mode), network, "ubuai", 11434)
    after = opened(made({}, {"ollama": ["10.1.34.50", "nas", "proxies"]}, mode), network, "ubuai", 11434)
    assert ("tcp", "198.18.60.10") in before
    assert after - before == {("tcp", "10.1.34.50"), ("tcp", "198.18.50.100")}
    assert after >= before


def test_a_client_is_told_only_of_what_is_open_to_it(made: Made, network: dict[str, Any]) -> None:
    def names(catalogue: dict[str, Any]) -> set[str]:
        about = {"administrator": "lawr", "proxmox": {"host": "127.0.0.2", "user": "root@pam"}}
        return set(filters.client_environment(catalogue, "mac", **network, **about))

    every = names(made())
    catalogue = made()
    catalogue["ollama"]["clients"] = ["gateways"]
    assert every - names(catalogue) == {"OLLAMA_HOST", "OLLAMA_PORT", "OLLAMA_URL"}
    catalogue["speech"]["clients"] = ["gateways"]
    assert "WHISPER_URL" in every
    assert "WHISPER_URL" not in names(catalogue)


def test_the_ports_of_a_host_are_known_in_every_mode(
    services: dict[str, Any], network: dict[str, Any]
) -> None:
    household = filters.with_household(services, FOREIGN, {})

    def ports(host: str) -> set[tuple[int, str]]:
        known = filters.known_ports(household, host, network["groups"])
        return {(one["port"], one["protocol"]) for one in known}

    # 2222 is the proxy's: elsewhere it is somebody's own, and is not closed unasked.
    assert ports("qm1") == {(22, "tcp"), (8767, "tcp"), (8768, "tcp"), (9100, "tcp")}
    assert {(53, "udp"), (3000, "tcp"), (3493, "tcp")} <= ports("nas")
    assert (53, "tcp") not in ports("nas")
    assert (5000, "tcp") in ports("ubuai")  # closed, and meant to be
    assert (112, "tcp") not in ports("haproxy")
    assert {(22, "tcp"), (2222, "tcp")} <= ports("haproxy")


def test_a_description_of_a_household_has_no_fault(faults: Callable[..., list[str]]) -> None:
    assert faults(FOREIGN, {"ollama": ["10.1.34.50", "proxies"], "grafana": ["10.1.34.0/24"]}) == []


def entry(**changes: Any) -> dict[str, Any]:
    return {"grafana": FOREIGN["grafana"] | changes}


@pytest.mark.parametrize(
    ("foreign", "clients", "fault"),
    [
        (["grafana"], {}, "network_foreign_services is ['grafana'], which is not a mapping of names"),
        ({"grafana": 3000}, {}, "service grafana of network_foreign_services is 3000, which is not a"),
        ({"ollama": {}}, {}, "network_foreign_services has ollama, which is the name"),
        ({"grafana": {"group": "nas", "protocol": "tcp", "clients": []}}, {}, "service grafana has no port"),
        (entry(group="attic"), {}, "service grafana names the group attic, which hosts.yml does not have"),
        (entry(group="pve"), {}, "service grafana would run on pve, which is not one of managed_hosts"),
        (entry(port=9090), {}, "port 9090 of nas is claimed by prometheus and by grafana"),
        (entry(port="web"), {}, "port of service grafana is 'web', which is not a number"),
        (entry(clients=["neighbours"]), {}, "service grafana names the group neighbours, which hosts.yml"),
        (
            entry(clients=["10.1.34.5/24"]),
            {},
            "service grafana has the client 10.1.34.5/24, which is no address or network: "
            "write such as 10.1.34.50 or 10.1.34.0/24",
        ),
        ({}, {"olama": ["clients"]}, "network_service_clients has olama, which is no service; there are "),
        ({}, {"ollama": "clients"}, "network_service_clients has 'clients' for ollama, no list of groups"),
        ({}, {"ollama": ["guests"]}, "service ollama names the group guests, which hosts.yml does not have"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_the_file_to_edit(
    faults: Callable[..., list[str]], foreign: Any, clients: Any, fault: str
) -> None:
    (found,) = faults(foreign, clients)
    assert found.startswith(f"{NETWORK}: {fault}")
