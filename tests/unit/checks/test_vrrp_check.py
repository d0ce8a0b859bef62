"""The check of a host that shares an address, alone and with the others; scripts are systemctl and ip."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible.module_utils.hal_checks import runner

from hal.network.health import report as health_report

VIRTUAL = "198.18.50.99"


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the check where the unit is in a state and the host has these addresses."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def run(state: str, *addresses: str, host: str = "haproxy") -> dict:
        told = [{}, {"ifname": "eth0", "addr_info": [{"local": address} for address in addresses]}]
        for name, said in (("systemctl", state), ("ip", json.dumps(told))):
            (tmp_path / name).write_text(f"#!/bin/sh\necho '{said}'\n")
            (tmp_path / name).chmod(0o755)
        order = [{"name": "proxy_pair", "kind": "vrrp", "host": host, "address": VIRTUAL}]
        assert runner.fault_in(order) == ""
        return runner.run_checks(runner.targets(order), host)[0]

    return run


def test_a_host_tells_whether_it_has_the_address(check):
    having, standing_by = check("active", "198.18.50.100", VIRTUAL), check("active", "198.18.50.101")
    assert (having["ok"], having["message"]) == (True, f"has {VIRTUAL}")
    assert (standing_by["ok"], standing_by["message"]) == (True, f"stands by for {VIRTUAL}")


def test_a_host_that_would_not_take_it_over_is_named(check):
    result = check("failed", "198.18.50.100")
    assert not result["ok"]
    assert f"keepalived is failed, so haproxy takes {VIRTUAL} over from nobody" in result["message"]
    assert "journalctl -u keepalived" in result["remedy"]


@pytest.mark.parametrize(
    ("holders", "told"), [(0, "no proxy has it"), (1, ""), (2, "both haproxy, haproxy2 have it")]
)
def test_exactly_one_host_must_have_it(check, holders, told):
    hosts = ["haproxy", "haproxy2"]
    results = [
        check("active", *([VIRTUAL] if number < holders else []), host=host)
        for number, host in enumerate(hosts)
    ]
    hostvars = {host: {"health": {"results": [result]}} for host, result in zip(hosts, results, strict=True)}
    judged = health_report.health_results(hosts, hostvars)
    assert [result["ok"] for result in judged] == [not told] * 2
    assert all(told in result["message"] for result in judged)


def test_who_does_not_run_it_is_no_second_fault(check):
    results = [check("active", VIRTUAL), check("failed", host="haproxy2")]
    hostvars = {result["host"]: {"health": {"results": [result]}} for result in results}
    judged = health_report.health_results(["haproxy", "haproxy2"], hostvars)
    assert [result["ok"] for result in judged] == [True, False]
