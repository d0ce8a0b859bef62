"""What the monitoring reads and probes, from a catalogue."""

from __future__ import annotations

from typing import Any

import pytest
from filter_plugins import hal as filters

GROUPS = {"qm_servers": ["qm1", "qm2"], "windows_hosts": ["qm2"], "proxies": ["haproxy"], "clients": ["mac"]}
ADDRESSES = {"qm1": "192.0.2.1", "qm2": "192.0.2.2", "haproxy": "192.0.2.9"}


@pytest.fixture
def catalogue() -> dict[str, Any]:
    """Return services of every kind."""
    described = {
        "gateway": {
            "group": "qm_servers", "port": 8768, "clients": ["clients"],
            "health": "/readyz", "metrics": "/metrics", "probe": "http",
        },
        "node_exporter": {
            "group": "qm_servers", "except": ["windows_hosts"], "port": 9100, "clients": ["watchers"],
            "metrics": "/metrics",
        },
        "proxy": {"group": "proxies", "port": 443, "clients": ["clients"], "probe": "tls"},
        "page": {"group": "proxies", "port": 80, "clients": ["clients"], "probe": "http"},
        "inside": {"group": "proxies", "port": 9093, "clients": [], "metrics": "/numbers"},
        "quiet": {"group": "qm_servers", "port": 1, "clients": [], "metrics": ""},
        "far": {"group": "clients", "port": 2, "clients": ["proxies"], "probe": "tcp"},
    }  # fmt: skip
    usual = {"description": "", "protocol": "http", "check": "flow"}
    return {name: usual | service for name, service in described.items()}


def test_metrics_are_read_where_the_catalogue_has_a_path(catalogue: dict[str, Any]) -> None:
    found = filters.metrics_targets(catalogue, GROUPS, ADDRESSES)
    assert [
        (each["service"], each["host"], each["address"], each["port"], each["path"]) for each in found
    ] == [
        ("gateway", "qm1", "192.0.2.1", 8768, "/metrics"),
        ("gateway", "qm2", "192.0.2.2", 8768, "/metrics"),
        ("node_exporter", "qm1", "192.0.2.1", 9100, "/metrics"),
        ("inside", "haproxy", "127.0.0.1", 9093, "/numbers"),
    ]


def test_a_service_is_probed_in_its_own_way(catalogue: dict[str, Any]) -> None:
    found = filters.probe_targets(catalogue, GROUPS, ADDRESSES)
    assert [(each["service"], each["kind"], each["target"]) for each in found] == [
        ("gateway", "http", "http://192.0.2.1:8768/readyz"),
        ("gateway", "http", "http://192.0.2.2:8768/readyz"),
        ("proxy", "tls", "192.0.2.9:443"),
        ("page", "http", "http://192.0.2.9:80/"),
    ]


def test_a_host_without_an_address_is_nobodys_target(catalogue: dict[str, Any]) -> None:
    assert "mac" not in {each["host"] for each in filters.probe_targets(catalogue, GROUPS, ADDRESSES)}
