"""What every Linux host has in common, on a kernel of its own: configured, restarted, configured again."""

from __future__ import annotations

import re

import pytest
from tests.vm.conftest import HOSTS, METRICS_PORT, NAME


@pytest.fixture(params=["configured", "restarted", "again"])
def managed(request):
    """What was seen of the machine since the roles ran on it."""
    return request.getfixturevalue(request.param)


def test_no_unit_fails(managed):
    assert managed["state"] == "running"


def test_the_clock_is_kept(managed):
    service, now = managed["clock"].split()
    assert service == "active"
    assert abs(int(now) - int(managed["asked"])) < 60


def test_ssh_has_moved_to_its_own_port(host, managed):
    ports = {int(port) for port in re.findall(r":(\d+) .*\"sshd\"", managed["sshd"])}
    assert ports == {host.new_ssh_port}


def test_the_hosts_of_the_network_have_their_names(managed):
    """cloud-init writes the file anew at each boot, for Proxmox tells it to."""
    entries = dict(reversed(line.split()[:2]) for line in managed["hosts"].splitlines() if line[:1].isdigit())
    assert entries.items() >= HOSTS.items()


def test_the_firewall_is_active_with_the_catalogues_flows_alone(host, managed):
    assert "Status: active" in managed["ufw"]
    assert "Default: deny (incoming), allow (outgoing)" in managed["ufw"]
    opened = re.findall(r"^(\d+)/tcp +ALLOW IN", managed["ufw"], re.MULTILINE)
    assert set(map(int, opened)) == {host.new_ssh_port, METRICS_PORT}


def test_the_timer_that_would_undo_the_firewall_is_disarmed(managed):
    assert managed["revert"] == "inactive"


def test_the_kernel_lets_in_what_a_rule_names_and_nothing_else(asked_from_outside):
    assert asked_from_outside == {"open": True, "closed": False, "closed, from inside": True}


def test_node_exporter_tells_of_the_machine(managed):
    name = rf'^node_uname_info{{.*nodename="{NAME}".*sysname="Linux"'
    assert re.search(name, managed["exporter"], re.MULTILINE)


def test_security_updates_come_by_themselves(managed):
    assert managed["upgrades"].split()[:2] == ["active", "active"]
    assert 'APT::Periodic::Unattended-Upgrade "1";' in managed["upgrades"]


def test_the_restart_was_one_and_the_journal_still_has_the_boot_before(configured, restarted):
    assert configured["boot"] != restarted["boot"]
    boots = [boot.replace("-", "") for boot in (configured["boot"], restarted["boot"])]
    assert all(boot in restarted["journal"] for boot in boots)


def test_a_second_run_changes_nothing(again):
    assert re.search(
        rf"^{NAME}\s+: ok=\d+\s+changed=0\s+unreachable=0\s+failed=0", again["play"], re.MULTILINE
    ), again["play"]


def test_a_change_that_locks_the_controller_out_undoes_itself(locked_out):
    assert locked_out["closed"] == "True"
    assert "Status: inactive" in locked_out["ufw"]


def test_the_guest_agent_shuts_the_machine_down_when_proxmox_says_so(shut_down):
    assert "reboot: Power down" in shut_down
