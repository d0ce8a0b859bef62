"""Who reaches what listens on a host, and rules of its firewall that no inventory can say."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.network.test_adopted_hosts import OPEN, SERVICES, SHUT, found, listener, rule

from hal.network.adoption.hosts import found_on_host


@pytest.mark.parametrize("loopback", ["127.0.0.1", "::1"])
def test_a_program_that_listens_for_the_host_and_for_others_is_one_that_others_reach(loopback: str) -> None:
    near = listener(5432, "postgres", address=loopback, interface="lo", serves=False)
    told = found(listeners=[near, listener(5432, "postgres", address="192.0.2.7")], firewall=OPEN)
    assert list(told["services"]) == ["postgres_5432"]
    assert told["left"] == []


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (listener(8080, "docker-proxy", serves=False), "Docker's own rules let others reach past ufw"),
        (listener(8080, "docker-proxy", serves=False, address="127.0.0.1"), "no other host reaches"),
        (
            listener(41641, "tailscaled", serves=False, protocol="udp"),
            "has a port that clients get for their answers: name it in network_foreign_services if others "
            "ask there",
        ),
        (listener(40000, "mine", serves=False, protocol="udp", interface="lo"), "no other host reaches"),
    ],
)
def test_of_what_listens_it_is_said_who_reaches_it(one: dict[str, Any], told: str) -> None:
    assert found(listeners=[one], firewall=SHUT)["left"] == [f"{one['text']}, which {told}"]


def test_a_rule_for_a_port_that_looks_like_a_clients_says_that_others_ask_there() -> None:
    rules = [rule("allow 41641/udp", (41641, "udp"))]
    one = listener(41641, "tailscaled", serves=False, protocol="udp")
    told = found(listeners=[one], firewall=SHUT | {"rules": rules})
    assert told["services"]["tailscaled_41641"]["clients"] == ["any"]


def test_a_rule_for_ipv6_lets_nobody_in_with_ipv4() -> None:
    by_six = rule("allow from fd00::/8 to any port 3000 proto tcp", (3000, "tcp"), source="fd00::/8")
    one = listener(3000, "grafana")
    told = found(listeners=[one], firewall=SHUT | {"rules": [by_six]})
    assert told["services"] == {}
    assert told["left"][0] == "grafana on 3000, which its firewall lets IPv6 alone reach"
    near = rule("allow from 192.0.2.0/24 to any port 3000", (3000, "tcp"), source="192.0.2.0/24")
    told = found(listeners=[one], firewall=SHUT | {"rules": [near, by_six]})
    assert told["services"]["grafana_3000"]["clients"] == ["192.0.2.0/24"]
    assert told["unknown"][0].endswith(f"; correct who may connect, as no inventory says `{by_six['text']}`")
    of_hal = rule("allow from fd00::/8 to any port 11434", (11434, "tcp"), source="fd00::/8")
    assert found(firewall=SHUT | {"rules": [of_hal]})["clients"] == {}


@pytest.mark.parametrize(
    "fewer",
    [
        rule("allow in on wg0 to any port 3000 proto tcp", (3000, "tcp")),
        rule("deny from 192.0.2.66 to any port 3000", (3000, "tcp"), source="192.0.2.66", allows=False),
    ],
    ids=["for one interface", "that refuses some"],
)
def test_a_rule_that_no_inventory_can_say_is_named_where_clients_are_proposed(fewer: dict[str, Any]) -> None:
    rules = [fewer, rule("allow 3000/tcp", (3000, "tcp"))]
    told = found(listeners=[listener(3000, "grafana")], firewall=SHUT | {"rules": rules})
    assert told["unknown"][0].endswith(f"; correct who may connect, as no inventory says `{fewer['text']}`")


def test_a_rule_that_gives_way_and_was_narrower_than_the_inventory_is_asked_about() -> None:
    refused = rule(
        "deny from 192.0.2.66 to any port 11434", (11434, "tcp"), source="192.0.2.66", allows=False
    )
    inside = rule("allow in on wg0 to any port 22 proto tcp", (22, "tcp"))
    of_hal = [{"port": 11434, "protocol": "tcp", "from": "192.0.2.0/24", "comment": "ollama"}]
    reading = {"firewall": SHUT | {"rules": [refused, inside]}}
    told = found_on_host(reading, "ubuai", SERVICES, rules=of_hal)
    assert [sentence.partition("`")[2].partition("`")[0] for sentence in told["unknown"]] == [
        refused["text"],
        inside["text"],
    ]
    assert told["changes"] == []
    elsewhere = refused | {"source": "203.0.113.66"}
    told = found_on_host({"firewall": SHUT | {"rules": [elsewhere]}}, "ubuai", SERVICES, rules=of_hal)
    assert told["unknown"] == [] and told["changes"]


def test_a_rule_for_another_protocol_than_the_inventorys_stays() -> None:
    told = found(firewall=SHUT | {"rules": [rule("allow 9000/udp", (9000, "udp"))]})
    assert told["left"] == ["the firewall's rule `allow 9000/udp`"]
