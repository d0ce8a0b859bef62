"""A site that leads to a service of HAL keeps its way there, and the proxies have no other."""

from __future__ import annotations

import pytest
from filter_plugins import hal as filters

AI = "198.18.10.20"


@pytest.fixture
def let_in(services, network):
    """Return the ports at which the AI server lets the proxy in: `let_in(sites, fragments, chosen)`."""

    def ports(sites=(), fragments=(), chosen=()):
        clients = filters.site_clients(services, list(sites), list(fragments))
        catalogue = filters.catalogue_for_mode(
            filters.with_household(services, {}, clients, chosen), "gateway"
        )
        rules = filters.firewall_rules(catalogue, "ubuai", **network, administrators=[])
        return {rule["port"] for rule in rules if rule["from"] == network["addresses"]["haproxy"]}

    return ports


@pytest.mark.parametrize(
    "chosen", [(), ("network_internal_tls",), ("network_internal_tls", "network_encrypted_only")]
)
def test_the_language_model_is_the_proxys_only_where_a_site_leads_there(let_in, chosen):
    site = {"name": "chat", "names": ["chat.example.org"], "servers": [{"address": AI, "port": 11434}]}
    assert 11434 not in let_in(chosen=chosen)
    assert let_in(sites=[site], chosen=chosen) == let_in(chosen=chosen) | {11434}


@pytest.mark.parametrize(
    ("text", "leads"),
    [
        (f"backend chat\n    server a {AI}:11434 check\n", True),
        ("backend chat\n    server a ubuai:11434 check\n", True),
        ("backend chat\n    server a ubuai:1143\n    server b ubuai:114345\n", False),
    ],
)
def test_a_fragment_may_lead_there_too(let_in, text, leads):
    fragments = [{"name": "haproxy.cfg", "text": text}]
    assert (11434 in let_in(fragments=fragments)) == leads


def test_a_site_opens_nothing_that_is_no_affair_of_peoples_computers(let_in, services):
    ports = [service["port"] for service in services.values()]
    sites = [{"name": "all", "servers": [{"address": AI, "port": port} for port in ports]}]
    assert let_in(sites=sites) == let_in() | {9000, 11434}
    named = filters.site_clients(services, sites, []).keys()
    assert named == {name for name, service in services.items() if "clients" in service["clients"]} - {
        name for name, service in services.items() if service["group"] == "proxies"
    }
    assert not named & {"tts", "prometheus", "ssh", "listener", "backups"}


@pytest.mark.parametrize(
    "odd", [None, 5, {}, {"servers": 5}, {"servers": [5, {}, {"address": [], "port": {}}]}]
)
def test_what_is_not_well_formed_is_left_to_the_validation(let_in, odd):
    assert let_in(sites=[odd], fragments=[odd]) == let_in()
