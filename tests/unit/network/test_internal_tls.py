"""What hosts say to each other is encrypted where that is chosen, and who may still speak in clear."""

from __future__ import annotations

import pytest
from filter_plugins import hal as filters

TLS, ONLY = "network_internal_tls", "network_encrypted_only"


@pytest.fixture
def chosen(services):
    """Return the catalogue with variables set: `chosen(variable, …, mode=…, clients=…)`."""

    def choose(*variables, mode="gateway", clients=None):
        household = filters.with_household(services, {}, clients or {}, variables)
        return filters.catalogue_for_mode(household, mode)

    return choose


def ports_open_to(catalogue, network, target, source):
    """Return the ports at which a host lets another in."""
    rules = filters.firewall_rules(catalogue, target, **network, administrators=[])
    return {rule["port"] for rule in rules if rule["from"] == network["addresses"][source]}


def test_without_it_everything_is_as_before(services, chosen):
    assert chosen() == filters.catalogue_for_mode(services, "gateway")
    assert {key for service in chosen(TLS).values() for key in service}.isdisjoint(
        {"where", "chosen", "optional"}
    )


def test_the_hosts_ask_each_other_encrypted_and_cannot_do_otherwise(chosen, network):
    catalogue = chosen(TLS)
    assert ports_open_to(catalogue, network, "qm1", "haproxy") == {8769}
    assert ports_open_to(catalogue, network, "ubuai", "qm1") == {9001, 11435}
    assert ports_open_to(catalogue, network, "ubuai", "haproxy") == {9001}
    for name, url in {
        "gateway": "wss://198.18.34.103:8769",
        "speech": "https://198.18.10.20:9001",
        "ollama": "https://198.18.10.20:11435",
    }.items():
        assert filters.service_urls(catalogue, name, **network) == [url]


def test_the_proxy_encrypts_towards_what_is_behind_it(chosen, network):
    before = filters.proxy_backends(chosen(), **network)
    after = filters.proxy_backends(chosen(TLS), **network)
    assert [each["tls"] for each in before] == [False, False]
    assert {each["name"]: (each["kind"], each["tls"], each["servers"][0]["port"]) for each in after} == {
        "qm_voice_gateway": ("websocket", True, 8769),
        "hal_speech": ("http", True, 9001),
    }
    assert filters.proxy_frontends(chosen()) == filters.proxy_frontends(chosen(TLS))


def test_old_clients_go_on_until_that_is_closed_too(chosen, network):
    assert {8768} <= ports_open_to(chosen(TLS), network, "qm1", "mac")
    only = chosen(TLS, ONLY)
    assert ports_open_to(only, network, "qm1", "mac") == set()
    assert ports_open_to(only, network, "ubuai", "mac") == set()
    assert ports_open_to(only, network, "haproxy", "mac") == {80, 443}
    checked = {(check["name"], check["expect"]) for check in filters.planned_checks(only, "mac", **network)}
    assert {("gateway", "closed"), ("proxy_gateway", "closed"), ("proxy_https", "open")} <= checked


def test_who_is_let_in_besides_stays_so(chosen, network):
    clients = {"ollama": ["198.18.34.60"]}
    for variables in ((TLS,), (TLS, ONLY)):
        catalogue = chosen(*variables, clients=clients)
        rules = filters.firewall_rules(catalogue, "ubuai", **network, administrators=[])
        assert {rule["port"] for rule in rules if rule["from"] == "198.18.34.60"} == {11434}


def test_qm_itself_has_no_tls_so_that_the_proxy_asks_it_as_before(chosen, network):
    catalogue = chosen(TLS, ONLY, mode="phantom")
    assert "gateway_tls" not in catalogue
    assert {8768} <= ports_open_to(catalogue, network, "qm1", "haproxy")
    gateway, speech = filters.proxy_backends(catalogue, **network)
    assert (gateway["tls"], speech["tls"]) == (False, True)


def test_the_ai_server_offers_what_encrypts_nothing_itself(chosen):
    assert filters.encrypted_ports(chosen(TLS), "hal-tls") == [
        {"name": "speech", "port": 9001, "leads_to": 9000},
        {"name": "ollama", "port": 11435, "leads_to": 11434},
    ]


def test_what_is_encrypted_is_checked_in_its_own_protocol_by_who_uses_it(chosen, network):
    checks = {
        (check["name"], check["host"]): check
        for check in filters.planned_checks(chosen(TLS), "qm1", **network)
    }
    for name, kind in (("speech_tls", "speech"), ("ollama_tls", "ollama")):
        assert (checks[name, "ubuai"]["kind"], checks[name, "ubuai"]["tls"]) == (kind, True)
        assert checks[name.removesuffix("_tls"), "ubuai"]["expect"] == "closed"
    watched = {
        check["name"]: check["kind"]
        for check in filters.planned_checks(chosen(TLS), "nas", **network)
        if check["expect"] == "open"
    }
    assert watched["speech_tls"] == watched["gateway_tls"] == watched["node_exporter"] == "http"
    assert watched["proxy_https"] == "flow"


def test_metrics_and_probes_come_encrypted_from_there(chosen, network):
    targets = {each["service"]: each for each in filters.metrics_targets(chosen(TLS), **network)}
    assert targets["gateway_tls"]["tls"] and targets["speech_tls"]["tls"]
    assert "gateway" not in targets
    probes = {each["service"]: each["target"] for each in filters.probe_targets(chosen(TLS), **network)}
    assert probes["speech_tls"] == "https://198.18.10.20:9001/health"
    assert "speech" not in probes and "ollama" not in probes


MEASURED = ("node_exporter", "proxy_metrics", "prometheus")


@pytest.mark.parametrize("name", MEASURED)
def test_what_is_measured_passes_encrypted_too(chosen, network, name):
    catalogue = chosen(TLS)
    (target, *_) = [each for each in filters.metrics_targets(catalogue, **network) if each["service"] == name]
    assert target["tls"]
    assert not any(
        each["tls"] for each in filters.metrics_targets(chosen(), **network) if each["service"] == name
    )
    assert all(url.startswith("https://") for url in filters.service_urls(catalogue, name, **network))


@pytest.mark.parametrize("name", MEASURED)
def test_the_end_of_each_certificate_that_measurements_come_with_is_seen(chosen, network, name):
    kinds = {
        (probe["service"], probe["host"]): probe["kind"]
        for probe in filters.probe_targets(chosen(TLS), **network)
    }
    served = filters.service_hosts(chosen(TLS), name, network["groups"])
    assert served and {kinds[name, host] for host in served} == {"tls"}


def test_the_monitoring_server_asks_for_measurements_by_the_name_of_their_host(chosen, network):
    checks = {
        (check["name"], check["host"]): check
        for check in filters.planned_checks(chosen(TLS), "nas", **network)
    }
    asked = checks["node_exporter", "qm1"]
    assert (asked["kind"], asked["tls"], asked["path"]) == ("http", True, "/metrics")
    own = checks["prometheus", "nas"]
    assert (own["kind"], own["tls"], own["path"]) == ("http", True, "/-/ready")
