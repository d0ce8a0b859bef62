"""The lab's own catalogue and hosts, for the tests of what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

LAB = Path(__file__).resolve().parents[3] / "inventories/lab"


@pytest.fixture
def catalogue() -> dict[str, Any]:
    """Return the lab's service catalogue."""
    content: dict[str, Any] = yaml.safe_load((LAB / "group_vars/all/services.yml").read_text())["catalogue"]
    return content


@pytest.fixture
def network() -> dict[str, Any]:
    """Return groups and addresses of the lab: every group with all hosts below it, as Ansible has them."""
    groups: dict[str, list[str]] = {}
    addresses: dict[str, str] = {}

    def collect(name: str, group: dict[str, Any]) -> list[str]:
        hosts = list(group.get("hosts") or {})
        addresses.update({host: values["address"] for host, values in (group.get("hosts") or {}).items()})
        for child, content in (group.get("children") or {}).items():
            hosts += collect(child, content)
        groups[name] = hosts
        return hosts

    collect("all", yaml.safe_load((LAB / "hosts.yml").read_text())["all"])
    return {"groups": groups, "addresses": {host: addresses[host] for host in groups["managed_hosts"]}}
