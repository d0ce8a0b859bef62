"""The household's sites: what is wrong with their description, and what follows from them."""

from __future__ import annotations

from typing import Any

import pytest
from filter_plugins import hal as filters

SITE = {"name": "cloud", "names": ["cloud.example.org"], "servers": [{"address": "192.0.2.1", "port": 80}]}
PEM = "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n"


@pytest.fixture
def faults(services: dict[str, Any]) -> Any:
    """Return a function that names what is wrong with sites, and whatever else is described beside them."""

    def find(*sites: Any, **beside: Any) -> list[str]:
        described = {"sites": sites, "services": services, "names": ["haproxy", "198.18.50.100"]} | beside
        return [fault.removeprefix("group_vars/all/sites.yml: ") for fault in filters.site_faults(described)]

    return find


def test_a_site_needs_a_name_and_a_server_and_no_more(faults: Any) -> None:
    assert faults(SITE) == []
    assert filters.site_faults({"sites": [{}], "services": {}, "names": []}) == [
        "group_vars/all/sites.yml: site number 1 has no name"
    ]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"nmaes": []}, "site cloud has an unknown key, nmaes; there are "),
        ({"names": "x"}, "names of site cloud is 'x', which is not a list"),
        (
            {"names": ["Cloud.example.org"]},
            "names of site cloud has 'Cloud.example.org': a name in small letters",
        ),
        (
            {"names": ["a.*.org"]},
            "names of site cloud has 'a.*.org': a name in small letters, with * at most at",
        ),
        ({"paths": ["api"]}, "paths of site cloud has 'api', which is not the beginning of a path"),
        ({"names": []}, "site cloud has neither names nor paths"),
        ({"servers": []}, "site cloud has nowhere to go: it needs one of servers, backend and redirect"),
        ({"redirect": {"scheme": "https"}}, "site cloud has servers and redirect: it needs one of"),
        (
            {"servers": [], "redirect": {"to": "https"}},
            "redirect of site cloud is {'to': 'https'}: it has one of",
        ),
        (
            {"servers": [{"address": "nas", "port": 80}]},
            "a server of site cloud has the address 'nas', which is no IP",
        ),
        (
            {"servers": [{"address": "192.0.2.1"}]},
            "port None of a server of site cloud is not between 1 and 65535",
        ),
        (
            {"servers": [{"address": "192.0.2.1", "port": 1, "tls": "yes"}]},
            "tls of a server of site cloud is 'yes': name",
        ),
        (
            {"servers": [{"adress": "192.0.2.1"}]},
            "a server of site cloud has an unknown key, adress; there are",
        ),
        (
            {"servers": [], "backend": "old"},
            "site cloud leads to old, which no site and no fragment describes",
        ),
        ({"https_ports": [80]}, "site cloud speaks TLS on port 80, where HAL does not: give it another port"),
        ({"http_ports": [443]}, "site cloud speaks no TLS on port 443, where HAL does not"),
        ({"https_ports": [8768]}, "site cloud has the port 8768, which is HAL's own (proxy_gateway)"),
        ({"https_ports": [0]}, "https_ports of site cloud has 0, which is no port"),
        ({"names": ["haproxy"]}, "site cloud has the name haproxy, which is HAL's own"),
        ({"name": "qm_voice_gateway"}, "site qm_voice_gateway has the name of one of HAL's own parts"),
        (
            {"timeouts": {"server": "soon"}},
            "server of the timeouts of site cloud is 'soon', which is no time",
        ),
        (
            {"request_headers": [{"name": "X"}]},
            "request_headers of site cloud has {'name': 'X'}, which is not {set: NAME",
        ),
        (
            {"passthrough": True, "paths": ["/a"]},
            "site cloud is passed through encrypted, so that its paths cannot",
        ),
    ],
)
def test_a_site_that_cannot_be_is_named(faults: Any, changes: dict[str, Any], fault: str) -> None:
    assert [found[: len(fault)] for found in faults(SITE | changes)] == [fault]


def test_two_sites_do_not_want_the_same(faults: Any) -> None:
    other = SITE | {"name": "files"}
    assert faults(SITE, SITE | {"names": ["x.org"]}) == ["two sites have the name cloud"]
    assert sorted(faults(SITE, other)) == [
        "sites cloud and files both answer cloud.example.org on port 443",
        "sites cloud and files both answer cloud.example.org on port 80",
    ]
    assert faults(SITE | {"http_ports": [80]}, other | {"https_ports": [443]}) == []
    everything = {"name": "rest", "default": True, "servers": SITE["servers"], "https_ports": [443]}
    assert faults(SITE, everything) == []
    assert faults(everything, SITE) == [
        "site cloud is never asked on port 443, as rest before it answers everything: put that last"
    ]


def test_a_certificate_comes_with_its_key(faults: Any) -> None:
    wrong = [{"name": "a", "pem": PEM[:28]}, {"name": "b", "pem": PEM[28:]}, {"path": "certs"}, {"file": "x"}]
    assert [fault.split(":")[0] for fault in faults(SITE, certificates=wrong)] == [
        "the certificate a is without its key",
        "the certificate b is without its certificate",
        "the certificate certs is no absolute path",
        "network_site_certificates has ['file'], which is neither {path",
    ]
    assert faults(SITE, certificates=[{"name": "a", "pem": PEM}, {"path": "/etc/ssl/home"}]) == []


def test_a_fragment_needs_its_secrets(faults: Any) -> None:
    fragment = {"name": "old", "text": 'backend old\n    x "${SITE_ANNA}"\n', "ports": [8404]}
    (fault,) = faults(SITE | {"servers": [], "backend": "old"}, fragments=[fragment])
    assert fault.startswith(
        "a fragment needs the secret SITE_ANNA: put it into network_site_secrets in the vault"
    )
    assert faults(SITE, fragments=[fragment], secrets={"SITE_ANNA": "x"}) == []
    assert faults(SITE, fragments=[{"name": "old", "text": "", "ports": 8404}]) == [
        "ports of the fragment old are 8404, which is no list of ports"
    ]


def test_who_may_ask_is_named_by_networks(faults: Any) -> None:
    (fault,) = faults(SITE, port_networks={8404: ["192.0.2.0/24", "lan"]})
    assert fault.startswith("network_site_port_networks.8404 has 'lan', which is no network")


def test_whoever_asks_the_sites_is_let_in_and_the_services_follow(
    services: dict[str, Any], network: dict[str, Any]
) -> None:
    sites = [SITE, {"nmaes": "one that validation names does not stop the others"}]
    fragments = [{"name": "old", "text": "", "ports": [8404]}]
    described = filters.with_sites(services, sites, fragments, ["192.0.2.0/24"])
    catalogue = filters.catalogue_for_mode(described, "gateway")
    rules = filters.firewall_rules(catalogue, "haproxy", administrators=["198.18.0.1/32"], **network)
    assert {rule["port"] for rule in rules if rule["from"] == "192.0.2.0/24"} == {80, 443, 8404}
    described = filters.with_sites(services, sites, fragments, ["any"], {443: ["192.0.2.9"], 8404: []})
    assert (
        "any" not in described["proxy_https"]["clients"]
        and "192.0.2.9" in described["proxy_https"]["clients"]
    )
    assert described["sites_8404"]["clients"] == []
    assert filters.with_sites(services, [], []) == services


def test_a_port_that_sites_alone_have_gets_a_front_end(services: dict[str, Any]) -> None:
    site = SITE | {"https_ports": [443, 8443]}
    assert [(one["name"], one["tls"]) for one in filters.site_frontends([site], services)] == [
        ("sites_8443", True)
    ]
    (read,) = filters.proxy_sites([site], services)
    assert (read["https_ports"], read["http_ports"], read["leads_to"]) == ((443, 8443), (), "cloud")


@pytest.mark.parametrize(
    ("times", "longest"), [([], "60s"), (["30s"], "60s"), (["90000", "1m"], "90000"), (["1h"], "1h")]
)
def test_the_proxy_waits_as_long_as_the_most_patient_site(times: list[str], longest: str) -> None:
    sites = [SITE | {"name": f"n{time}", "timeouts": {"client": time}} for time in times]
    assert filters.client_timeout(sites) == longest
