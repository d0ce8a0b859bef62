"""What ufw lets in, as the kernel's rules and a knock at the door show it."""

import re
import socket

import pytest

pytestmark = pytest.mark.units("ufw")

RULES = {
    ("22/tcp", "198.18.0.1", "ssh for administrators"),
    ("8768/tcp", "198.18.60.0/24", "gateway for clients"),
    ("9090/udp", "Anywhere", "a port, for everybody"),
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


def test_these_rules_are_open_and_no_others(host):
    status = host.check_output("ufw status verbose")
    assert "Status: active" in status
    assert "Default: deny (incoming), allow (outgoing)" in status
    lines = [
        re.split(r"\s{2,}", line) for line in status.splitlines() if "ALLOW" in line and "(v6)" not in line
    ]
    assert {(port, source, comment.removeprefix("# ")) for port, _, source, comment in lines} == RULES


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


def test_the_firewall_starts_with_the_host(host):
    assert host.service("ufw").is_enabled
    assert "ENABLED=yes" in host.file("/etc/ufw/ufw.conf").content_string


def test_no_timer_is_left_that_would_undo_the_change(host):
    assert host.run("systemctl is-active hal-firewall-revert.timer").stdout.strip() != "active"
