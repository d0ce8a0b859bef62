"""The lab's own catalogue and hosts, for the tests of what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from filter_plugins import hal as filters

from hal.network.inventory import read_inventory

LAB = Path(__file__).resolve().parents[3] / "inventories/lab"


@pytest.fixture
def services() -> dict[str, Any]:
    """Return the services as they are described, for all modes."""
    content = yaml.safe_load((LAB / "group_vars/all/services.yml").read_text())
    described: dict[str, Any] = content["network_services"]
    return described


@pytest.fixture
def catalogue(services: dict[str, Any]) -> dict[str, Any]:
    """Return the lab's service catalogue in gateway mode."""
    return filters.catalogue_for_mode(services, "gateway")


@pytest.fixture
def phantom(services: dict[str, Any]) -> dict[str, Any]:
    """Return the lab's service catalogue in phantom mode."""
    return filters.catalogue_for_mode(services, "phantom")


@pytest.fixture
def network() -> dict[str, Any]:
    """Return groups and addresses of the lab: every group with all hosts below it, as Ansible has them."""
    lab = read_inventory(LAB / "hosts.yml")
    addresses = {host: lab.addresses[host] for host in lab.groups["managed_hosts"]}
    return {"groups": lab.groups, "addresses": addresses}


@pytest.fixture
def pairs(network: dict[str, Any]) -> dict[str, Any]:
    """Give the network a second host of each kind, and the proxies an address that they share."""
    for group, host, address in (
        ("gateways", "gateway2", "198.18.34.104"),
        ("ai_servers", "ubuai2", "198.18.10.21"),
        ("proxies", "haproxy2", "198.18.50.101"),
    ):
        network["groups"][group].append(host)
        network["groups"]["managed_hosts"].append(host)
        network["addresses"][host] = address
    network["addresses"] = filters.with_virtual_address(network["addresses"], "198.18.50.99")
    return network
