"""What listens on a host: real sockets in a network of their own, and samples of what `ss` says elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.module_utils import listening_sockets
from ansible.module_utils.listening_sockets import COMMAND, KERNEL, Listener

# Opens sockets of many kinds in a network namespace, and has `ss` tell of them while they are open.
SOCKETS = """
import socket, subprocess
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
open_ = []
def take(kind, address, port, family=socket.AF_INET):
    open_.append(socket.socket(family, kind))
    open_[-1].bind((address, port))
    if kind == socket.SOCK_STREAM:
        open_[-1].listen()
take(socket.SOCK_STREAM, "0.0.0.0", 3000)
take(socket.SOCK_STREAM, "127.0.0.1", 3001)
take(socket.SOCK_STREAM, "::", 3002, socket.AF_INET6)
take(socket.SOCK_STREAM, "::1", 3003, socket.AF_INET6)
take(socket.SOCK_STREAM, "::ffff:127.0.0.1", 3004, socket.AF_INET6)
take(socket.SOCK_DGRAM, "0.0.0.0", 53)
take(socket.SOCK_DGRAM, "0.0.0.0", 5353)
take(socket.SOCK_DGRAM, "0.0.0.0", 0)
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.connect(("127.0.0.1", 53))
print(subprocess.check_output({command!r}, text=True))
"""


@pytest.fixture(autouse=True)
def ephemeral(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the kernel give out the ports that it gives out by default."""
    (tmp_path / "range").write_text("32768\t60999\n")
    monkeypatch.setattr(listening_sockets, "EPHEMERAL", tmp_path / "range")


def found(text: str, interfaces: dict[str, str] | None = None) -> list[Listener]:
    return listening_sockets.listening_sockets(text, interfaces or {})


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace takes root")
def test_real_sockets_are_told_apart() -> None:
    program = SOCKETS.format(command=COMMAND)
    command = ["unshare", "--net", sys.executable, "-c", program]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    listeners = found(said)
    assert {(one.port, one.protocol) for one in listeners if one.port < 32768} == {
        (3000, "tcp"), (3001, "tcp"), (3002, "tcp"), (3003, "tcp"), (3004, "tcp"), (53, "udp"), (5353, "udp")
    }  # fmt: skip
    assert {(one.port, one.protocol) for one in listeners if one.serves} == {
        (3000, "tcp"),
        (3002, "tcp"),
        (53, "udp"),
    }
    assert {one.program for one in listeners} == {Path(sys.executable).name[:15]}


UBUNTU = """\
udp   UNCONN 0      0       127.0.0.54:53         0.0.0.0:* users:(("systemd-resolve",pid=99999999,fd=16))
udp   UNCONN 0      0    127.0.0.53%lo:53         0.0.0.0:* users:(("systemd-resolve",pid=99999999,fd=14))
udp   UNCONN 0      0    198.18.10.20%eth0:68     0.0.0.0:* users:(("systemd-network",pid=99999999,fd=19))
udp   UNCONN 0      0        127.0.0.1:323        0.0.0.0:* users:(("chronyd",pid=99999999,fd=5))
udp   UNCONN 0      0          0.0.0.0:5353       0.0.0.0:* users:(("avahi-daemon",pid=99999999,fd=12))
udp   UNCONN 0      0          0.0.0.0:41777      0.0.0.0:* users:(("avahi-daemon",pid=99999999,fd=14))
udp   UNCONN 0      0          0.0.0.0:5355       0.0.0.0:* users:(("systemd-resolve",pid=99999999,fd=11))
udp   UNCONN 0      0    [fe80::1]%eth0:546          [::]:* users:(("systemd-network",pid=99999999,fd=20))
udp   UNCONN 0      0  [ff02::1:2]%eth0:547          [::]:* users:(("dhcrelay",pid=99999999,fd=20))
tcp   LISTEN 0 4096         0.0.0.0:22         0.0.0.0:* users:(("sshd",pid=1,fd=3),("systemd",pid=1,fd=9))
tcp   LISTEN 0 4096       127.0.0.1:631        0.0.0.0:* users:(("cupsd",pid=99999999,fd=7))
tcp   LISTEN 0 4096            [::]:22            [::]:* users:(("sshd",pid=1,fd=4),("systemd",pid=1,fd=9))
"""
DOCKER = """\
tcp   LISTEN 0 4096         0.0.0.0:8080       0.0.0.0:* users:(("docker-proxy",pid=99999999,fd=8))
tcp   LISTEN 0 4096            [::]:8080          [::]:* users:(("docker-proxy",pid=99999999,fd=8))
tcp   LISTEN 0 4096               *:2375             *:* users:(("dockerd",pid=99999999,fd=4))
udp   UNCONN 0      0          0.0.0.0:51820      0.0.0.0:*
"""
LIBVIRT = """\
udp   UNCONN 0      0      192.168.122.1:53         0.0.0.0:*    users:(("dnsmasq",pid=99999999,fd=5))
udp   UNCONN 0      0     0.0.0.0%virbr0:67         0.0.0.0:*    users:(("dnsmasq",pid=99999999,fd=3))
tcp   LISTEN 0      32     192.168.122.1:53         0.0.0.0:*    users:(("dnsmasq",pid=99999999,fd=6))
"""


def test_of_a_plain_host_only_ssh_and_a_relay_serve_others() -> None:
    assert {(one.port, one.program) for one in found(UBUNTU) if one.serves} == {
        (22, "sshd"),
        (547, "dhcrelay"),
    }


def test_what_docker_forwards_is_none_of_the_firewalls_but_its_own_socket_is() -> None:
    serving = [one for one in found(DOCKER) if one.serves]
    assert [(one.port, one.program) for one in serving] == [(2375, "dockerd"), (51820, KERNEL)]
    assert str(serving[0]) == "dockerd on port 2375/tcp of every address"


def test_what_listens_on_a_bridge_of_the_host_serves_its_guests_alone() -> None:
    listeners = found(LIBVIRT, {"192.168.122.1": "virbr0"})
    assert [(one.port, one.protocol, one.interface, one.is_inside) for one in listeners] == [
        (53, "tcp", "virbr0", True),
        (53, "udp", "virbr0", True),
        (67, "udp", "virbr0", True),
    ]


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("br-0a1b2c3d4e5f", True), ("docker0", True), ("cni-podman1", True), ("lxcbr0", True),
        ("vmbr0", False), ("br0", False), ("br-lan", False), ("eth0", False), ("", False),
    ],
)  # fmt: skip
def test_bridges_to_the_network_outside_are_not_inside(name: str, inside: bool) -> None:
    assert Listener("tcp", "198.18.10.20", 1, "x", interface=name).is_inside is inside


def test_the_unit_of_a_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "77").write_text("0::/system.slice/grafana-server.service\n")
    monkeypatch.setattr(listening_sockets, "CGROUP", str(tmp_path / "{}"))
    (grafana,) = found('tcp LISTEN 0 511 198.18.10.20:3000 *:* users:(("grafana",pid=77,fd=8))')
    assert str(grafana) == "grafana (grafana-server.service) on port 3000/tcp of 198.18.10.20"
