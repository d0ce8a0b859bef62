"""What is made of the catalogue in phantom mode, and what tells the modes apart."""

import pytest
from filter_plugins import hal as filters

ADMINISTRATORS = ["198.18.0.1/32"]
PROXMOX = {"host": "127.0.0.2", "port": 8006, "user": "root@pam"}


def flows(rules):
    """Return (port, from) of firewall rules."""
    return {(rule["port"], rule["from"]) for rule in rules}


def checks(catalogue, network):
    """Return every check of every host, as (from, name, host, expected)."""
    return {
        (origin, check["name"], check["host"], check["expect"])
        for origin in network["groups"]["managed_hosts"]
        for check in filters.planned_checks(catalogue, origin, **network)
    }


def test_an_unknown_mode_names_the_file_and_the_modes_there_are(services):
    with pytest.raises(
        ValueError, match=r"network\.yml: hal_listener_mode is 'none'; it can be gateway, phantom"
    ):
        filters.catalogue_for_mode(services, "none")


def test_the_catalogue_says_nothing_of_modes(catalogue, phantom):
    keys = {key for made in (catalogue, phantom) for service in made.values() for key in service}
    assert not keys & {"listener_modes", "in_mode", "optional"}


def test_only_in_gateway_mode_there_is_a_listener(services, catalogue, phantom):
    optional = {name for name, service in services.items() if "optional" in service}
    assert catalogue.keys() == services.keys() - optional
    assert catalogue.keys() - phantom.keys() == {"listener"}


def test_what_differs_in_a_mode_leaves_the_description_as_it_is(services):
    services["tts"]["in_mode"] = {"phantom": {"port": 5001}}
    assert filters.catalogue_for_mode(services, "phantom")["tts"]["port"] == 5001
    assert filters.catalogue_for_mode(services, "gateway")["tts"]["port"] == 5000
    assert services["tts"]["port"] == 5000


def test_qm_lets_clients_and_proxies_in_and_has_nothing_on_the_listeners_port(phantom, network):
    rules = filters.firewall_rules(phantom, "qm1", **network, administrators=ADMINISTRATORS)
    watched = {(8768, "198.18.70.10"), (9100, "198.18.70.10")}
    assert flows(rules) == {(22, "198.18.0.1/32"), (8768, "198.18.60.10"), (8768, "198.18.50.100"), *watched}


def test_the_ai_server_lets_qm_in_only_where_the_gateway_asks_it(catalogue, phantom, network):
    closed = {(9000, "198.18.34.103"), (11434, "198.18.34.103")}
    asked = flows(filters.firewall_rules(catalogue, "ubuai", **network, administrators=ADMINISTRATORS))
    unasked = flows(filters.firewall_rules(phantom, "ubuai", **network, administrators=ADMINISTRATORS))
    assert asked - unasked == closed
    assert unasked < asked


@pytest.mark.parametrize("host", ["haproxy", "mac", "nas"])
def test_the_other_hosts_let_in_the_same_in_both_modes(catalogue, phantom, network, host):
    gateway, other = (
        filters.firewall_rules(made, host, **network, administrators=ADMINISTRATORS)
        for made in (catalogue, phantom)
    )
    assert gateway == other != []


def test_the_proxy_leads_to_the_same_place_in_both_modes(catalogue, phantom, network):
    assert filters.proxy_frontends(phantom) == filters.proxy_frontends(catalogue)
    backends = filters.proxy_backends(phantom, **network)
    assert backends == filters.proxy_backends(catalogue, **network)
    assert backends[0]["servers"] == [{"name": "qm1", "address": "198.18.34.103", "port": 8768}]


def test_qm_itself_listens_for_everybody_whom_the_firewall_lets_in(phantom, network):
    assert filters.listen_address(phantom, "gateway", network["groups"]) == "0.0.0.0"


def test_the_checks_follow_the_mode(catalogue, phantom, network):
    gateway, other = checks(catalogue, network), checks(phantom, network)
    hosts = network["groups"]["managed_hosts"]
    listener = {(host, "listener", "qm1", "open" if host == "qm1" else "closed") for host in hosts}
    asked = {("qm1", "speech", "ubuai", "open"), ("qm1", "ollama", "ubuai", "open")}
    assert gateway - other == listener | asked
    assert other - gateway == {("qm1", "speech", "ubuai", "closed"), ("qm1", "ollama", "ubuai", "closed")}


def test_clients_are_told_the_same_but_for_the_voice_port_of_qm(catalogue, phantom, network):
    gateway, other = (
        filters.client_environment(made, "mac", **network, administrator="lawr", proxmox=PROXMOX)
        for made in (catalogue, phantom)
    )
    assert gateway.pop("QM_VOICE_PORT") == 8767
    assert other.pop("QM_VOICE_PORT") == 8768
    assert gateway == other
