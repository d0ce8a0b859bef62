"""Services that a household chooses with a variable: without it there is no port, flow or check of them."""

from __future__ import annotations

import pytest
from filter_plugins import hal as filters

WYOMING = ["wyoming_stt", "wyoming_tts", "wyoming_assistant"]
PORTS = {"network_second_gateway_port": "gateway_second", "network_ai_server_port": "gateway_ai_server"}
VARIABLES = {"network_wyoming": WYOMING, "network_internal_tls": ["gateway_tls", "speech_tls", "ollama_tls"]}
VARIABLES |= {variable: [name] for variable, name in PORTS.items()}
HOME_ASSISTANT = "198.18.34.60"


@pytest.fixture
def chosen(services):
    """Return the catalogue with some services chosen: `chosen(variable, …, mode=…, clients=…)`."""

    def choose(*variables, mode="gateway", clients=None):
        household = filters.with_household(services, {}, clients or {}, variables)
        return filters.catalogue_for_mode(household, mode)

    return choose


def test_nothing_optional_is_there_unless_it_is_chosen(services, chosen):
    assert {service.get("optional") for service in services.values()} == {None, *VARIABLES}
    for mode in ("gateway", "phantom"):
        names = filters.catalogue_for_mode(services, mode).keys()
        assert not names & {name for each in VARIABLES.values() for name in each}
        assert chosen(mode=mode).keys() == names


@pytest.mark.parametrize("variable", VARIABLES)
def test_what_is_chosen_is_a_service_like_any_other(services, chosen, variable):
    before = {name: dict(service) for name, service in services.items()}
    assert chosen(variable).keys() - chosen().keys() == set(VARIABLES[variable])
    assert services == before
    assert "optional" not in chosen(variable)[VARIABLES[variable][0]]


def test_home_assistant_is_let_in_where_it_is_named(chosen, network):
    clients = {name: [HOME_ASSISTANT] for name in WYOMING}
    assert HOME_ASSISTANT not in str(
        filters.firewall_rules(chosen(clients=clients), "ubuai", **network, administrators=[])
    )
    rules = filters.firewall_rules(
        chosen("network_wyoming", clients=clients), "ubuai", **network, administrators=[]
    )
    let_in = {rule["port"] for rule in rules if rule["from"] == HOME_ASSISTANT}
    assert let_in == {10300, 10200, 10600}


def test_each_is_checked_in_its_own_protocol(chosen, network):
    catalogue = chosen("network_wyoming", *PORTS)
    own = {
        check["name"]: check
        for check in filters.planned_checks(catalogue, "ubuai", **network)
        if check["own"]
    }
    assert {name: own[name]["kind"] for name in WYOMING} == dict.fromkeys(WYOMING, "wyoming")
    of_clients = {check["name"]: check for check in filters.planned_checks(catalogue, "mac", **network)}
    ports = [of_clients[name] for name in PORTS.values()]
    assert [(check["kind"], check["port"], check["expect"]) for check in ports] == [
        ("gateway", 8765, "open"),
        ("ai_server", 8745, "open"),
    ]


def test_others_than_clients_are_kept_from_the_further_ports_and_that_is_checked(chosen, network):
    catalogue = chosen(*PORTS)
    let_in = {
        (rule["port"], rule["from"])
        for rule in filters.firewall_rules(catalogue, "qm1", **network, administrators=[])
        if rule["port"] in (8745, 8765)
    }
    client = network["addresses"]["mac"]
    assert let_in == {(8745, client), (8765, client)}
    of_others = [
        (check["port"], check["expect"])
        for check in filters.planned_checks(catalogue, "ubuai", **network)
        if check["name"] in PORTS.values()
    ]
    assert sorted(set(of_others)) == [(8745, "closed"), (8765, "closed")]


@pytest.mark.parametrize(("variable", "name"), PORTS.items())
def test_there_is_no_further_port_where_qm_serves_the_clients(chosen, variable, name):
    assert name not in chosen(variable, mode="phantom")
