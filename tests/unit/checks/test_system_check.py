"""The check of the host itself: disks full or read-only, a clock that is off, no name server, no firewall."""

from __future__ import annotations

import os
import socket
import threading
import time
from types import SimpleNamespace

import pytest
from ansible.module_utils.hal_checks import runner
from ansible.module_utils.hal_checks import system as checked

MOUNTS = "/dev/vda1 / ext4 {options} 0 0\nproc /proc proc rw 0 0\n"


@pytest.fixture
def host(tmp_path, monkeypatch):
    """Be a host with one disk, of which the test says how it is."""
    state = SimpleNamespace(free=50, inodes=50)
    monkeypatch.setattr(checked, "MOUNTS", tmp_path / "mounts")
    monkeypatch.setattr(checked, "TABLE", tmp_path / "fstab")
    (tmp_path / "mounts").write_text(MOUNTS.format(options="rw,relatime"))

    def statvfs(path: str) -> SimpleNamespace:
        return SimpleNamespace(f_bavail=state.free, f_blocks=100, f_favail=state.inodes, f_files=100)

    monkeypatch.setattr(checked.os, "statvfs", statvfs)

    def run(**options) -> dict:
        order = [{"name": "system", "kind": "system", "host": "qm1", **options}]
        assert runner.fault_in(order) == ""
        return runner.run_checks(runner.targets(order), "qm1")[0]

    state.check, state.mounts = run, tmp_path / "mounts"
    return state


def test_a_host_with_room_time_and_names_passes(host):
    result = host.check(now=time.time())
    assert result["ok"], result["message"]


def test_this_machine_can_be_checked():
    assert any(path == "/" for path, _ in checked.mounts())
    assert os.statvfs("/").f_blocks


@pytest.mark.parametrize(("free", "inodes", "of"), [(0, 50, "space"), (1, 50, "space"), (50, 0, "inodes")])
def test_a_full_disk_is_called_full(host, free, inodes, of):
    host.free, host.inodes = free, inodes
    result = host.check()
    assert not result["ok"] and "/ is full" in result["message"] and of in result["message"]
    assert "Make room there" in result["remedy"]


def test_a_disk_that_the_kernel_has_made_read_only_is_named(host):
    host.mounts.write_text(MOUNTS.format(options="ro,relatime"))
    result = host.check()
    assert not result["ok"] and "/ is mounted read-only" in result["message"]
    assert "fsck" in result["remedy"]


@pytest.mark.parametrize(("hours", "said"), [(-3, "10800 s ahead of"), (3, "10800 s behind")])
def test_a_clock_that_is_hours_off_is_named(host, hours, said):
    result = host.check(now=time.time() + hours * 3600)
    assert not result["ok"] and said in result["message"]
    assert "timedatectl" in result["remedy"]


@pytest.fixture
def firewall(host, tmp_path, monkeypatch):
    """Be a host whose firewall is as the test says."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "iptables"
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setattr(checked, "UFW_STATE", tmp_path / "ufw.conf")
    monkeypatch.setattr(checked, "UFW_DEFAULTS", tmp_path / "ufw")

    def become(enabled="yes", policy="DROP", rules="-P INPUT DROP\n-A INPUT -j ufw-before-input", code=0):
        (tmp_path / "ufw.conf").write_text(f"# begun by hand\nENABLED={enabled}\nLOGLEVEL=low\n")
        (tmp_path / "ufw").write_text(f'IPV6=yes\nDEFAULT_INPUT_POLICY="{policy}"\n')
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{rules}\nEND\nexit {code}\n")
        program.chmod(0o755)
        return host.check(firewall=True)

    return become


@pytest.mark.parametrize("policy", ["DROP", "REJECT"])
def test_a_firewall_that_refuses_what_no_rule_names_passes(firewall, policy):
    assert firewall(policy=policy)["ok"]


def test_who_may_not_ask_the_kernel_believes_the_settings(firewall):
    assert firewall(rules="", code=4)["ok"]


@pytest.mark.parametrize(
    ("how", "said", "remedy"),
    [
        ({"enabled": "no"}, "is switched off", "site.yml --tags firewall"),
        ({"policy": "ACCEPT"}, "lets in whatever no rule names", "site.yml --tags firewall"),
        ({"rules": "-P INPUT ACCEPT"}, "are not in force", "Restart qm1"),
    ],
)
def test_a_firewall_that_is_open_is_a_fault(firewall, how, said, remedy):
    result = firewall(**how)
    assert not result["ok"] and said in result["message"]
    assert remedy in result["remedy"]


def test_a_missing_firewall_is_a_fault_only_where_one_must_be(host, tmp_path, monkeypatch):
    monkeypatch.setattr(checked, "UFW_STATE", tmp_path / "none")
    monkeypatch.setattr(checked, "UFW_DEFAULTS", tmp_path / "none")
    assert "is switched off" in host.check(firewall=True)["message"]
    assert host.check()["ok"]


def test_names_that_nobody_tells_are_a_fault_and_one_server_is_enough(host, monkeypatch):
    monkeypatch.setattr(checked, "answers", lambda server: server == "192.0.2.1")
    result = host.check(nameservers=["192.0.2.2", "192.0.2.3"])
    assert not result["ok"] and "no name server answers (192.0.2.2, 192.0.2.3)" in result["message"]
    assert host.check(nameservers=["192.0.2.2", "192.0.2.1"])["ok"]


def test_a_name_server_answers_or_does_not(monkeypatch):
    monkeypatch.setattr(checked, "DNS_TIMEOUT_S", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        assert not checked.answers("127.0.0.1", port)

        def refuse() -> None:
            while True:
                question, asker = server.recvfrom(512)
                if asker[1] != port:
                    server.sendto(question[:2] + b"\x81\x85" + question[4:], asker)
                    return

        server.recvfrom(512)  # the two that went unanswered
        server.recvfrom(512)
        thread = threading.Thread(target=refuse)
        thread.start()
        assert checked.answers("127.0.0.1", port)
        thread.join()
