"""What ufw lets in, as the kernel's rules and a knock at the door show it."""

import re
import socket

import pytest

pytestmark = pytest.mark.units("ufw")

RULES = {
    ("22/tcp", "198.18.0.1", "HAL: ssh for administrators"),
    ("3000/tcp", "Anywhere", "HAL: dashboard, which the household runs"),
    ("8768/tcp", "198.18.60.0/24", "HAL: gateway for clients"),
    ("9090/udp", "Anywhere", "HAL: a port, for everybody"),
    ("5900/tcp", "Anywhere", ""),  # made by hand, and named by nobody
    ("53/tcp on virbr0", "Anywhere", "for containers and guests of this host"),
}


@pytest.fixture
def address(host):
    """Return the host's address on the network that the controller is in, too."""
    return host.check_output("hostname --all-ip-addresses").split()[0]


def answers(address, port):
    """Return whether something takes a connection from here."""
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


def test_the_rules_of_the_inventory_and_those_made_by_hand_are_open_and_no_others(host):
    status = host.check_output("ufw status verbose")
    assert "Status: active" in status
    assert "Default: deny (incoming), allow (outgoing), allow (routed)" in status
    lines = [
        [*re.split(r"\s{2,}", line.strip()), ""]
        for line in status.splitlines()
        if "ALLOW" in line and "(v6)" not in line
    ]
    assert {(port, source, comment.removeprefix("# ")) for port, _, source, comment, *_ in lines} == RULES


def test_the_kernel_refuses_what_no_rule_opens(host, address):
    host.check_output("systemd-run --quiet --unit knock python3 -m http.server 4444")
    try:
        waiting = "for i in $(seq 100); do ss -Hltn sport = :4444 | grep -q . && break; sleep 0.1; done"
        host.check_output(waiting)
        assert host.run("curl --silent --fail --output /dev/null http://127.0.0.1:4444/").rc == 0
        assert not answers(address, 4444)
    finally:
        host.check_output("systemctl stop knock")
    assert answers(address, 22)


def test_what_the_household_runs_stays_open(address):
    assert answers(address, 3000)


def test_the_firewall_starts_with_the_host(host):
    assert host.service("ufw").is_enabled
    assert "ENABLED=yes" in host.file("/etc/ufw/ufw.conf").content_string


@pytest.mark.parametrize(
    ("opened", "closed"),
    [
        ("ufw disable", "ufw --force enable"),
        ("ufw default allow incoming", "ufw default deny incoming"),
        ("iptables -D INPUT -j ufw-before-input", "iptables -I INPUT 2 -j ufw-before-input"),
    ],
)
def test_a_firewall_that_is_open_makes_a_unit_fail(host, opened, closed):
    host.check_output("systemctl start hal-firewall-check")
    host.check_output(opened)
    try:
        assert host.run("systemctl start hal-firewall-check").rc
        assert host.check_output("systemctl is-failed hal-firewall-check") == "failed"
    finally:
        host.check_output(closed)
    host.check_output("systemctl start hal-firewall-check")
    assert host.service("hal-firewall-check.timer").is_enabled


def test_no_timer_is_left_that_would_undo_the_change(host):
    assert host.run("systemctl is-active hal-firewall-revert.timer").stdout.strip() != "active"
