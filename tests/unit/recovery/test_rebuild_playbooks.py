"""provision.yml and recover.yml with the lab's inventory against a fake Proxmox API."""

from __future__ import annotations

import os
import pty
import select
import socket
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.conftest import Fake
from tests.unit.recovery.conftest import MACHINES, ROOT, Done

pytestmark = pytest.mark.slow


@pytest.fixture
def answer(command: Any) -> Callable[..., Done]:
    """Run a playbook at a terminal, where somebody types an answer to its question."""

    def start(text: str, playbook: str, **variables: Any) -> Done:
        terminal, theirs = pty.openpty()
        child = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *command(playbook, **variables)],
            cwd=ROOT,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        said, deadline = b"", time.monotonic() + 120
        while True:
            ready, _, _ = select.select([terminal], [], [], 1)
            if not ready:
                assert time.monotonic() < deadline, said.decode()
                # Ansible drops what was typed before it began to listen: whoever sees no effect types again.
                if b'Type "yes" to go on' in said:
                    os.write(terminal, f"{text}\r".encode())
                continue
            try:
                said += os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
        os.close(terminal)
        return child.wait(timeout=60), " ".join(said.decode().split())

    return start


def rebuilt(fake: Fake) -> set[str]:
    """Return the machines that are not what they were at the beginning."""
    guests = {name: fake.guest(vmid) for name, vmid in MACHINES.items()}
    return {
        name
        for name, guest in guests.items()
        if guest is None or guest["config"]["smbios1"] != f"uuid={name}"
    }


def test_without_rebuild_nothing_is_touched(network, run):
    code, said = run("provision")
    assert code == 0, said
    assert rebuilt(network) == set() and network.writes() == []


def test_a_rebuild_that_nobody_can_be_asked_about_is_refused(network, run):
    code, said = run("provision", rebuild="qm1")
    assert code == 2 and "Rebuilding qm1 was not confirmed. Nothing was done." in said
    assert "-e rebuild_confirmed=true" in said
    assert rebuilt(network) == set() and network.writes() == []


def test_a_rebuild_that_was_confirmed_beforehand_makes_that_machine_anew_and_no_other(network, run):
    code, said = run("provision", rebuild="qm1, haproxy", rebuild_confirmed="true")
    assert code == 0, said
    assert rebuilt(network) == {"qm1", "haproxy"}
    assert network.guest(103)["config"]["ipconfig0"] == "ip=198.18.34.103/16,gw=198.18.0.1"
    assert network.guest(103)["status"] == "running"


@pytest.mark.parametrize(("text", "expected"), [("yes", {"qm1"}), ("y", set())])
def test_only_a_yes_in_full_is_taken_for_one(network, answer, text, expected):
    code, said = answer(text, "provision", rebuild="qm1")
    assert (code == 0) == bool(expected), said
    assert rebuilt(network) == expected


def test_with_limit_nobody_is_asked_and_nothing_is_destroyed(network, run):
    code, said = run("provision", "--limit", "qm1", rebuild="qm1")
    assert code == 2 and "nobody confirmed it. Nothing was done." in said
    assert rebuilt(network) == set()


def test_a_check_says_what_a_rebuild_would_do(network, run):
    code, said = run("provision", "--check", rebuild="qm1")
    assert code == 0, said
    assert "qm1 (guest 103 on pve) would be destroyed with its disks and made anew." in said
    assert "qm1 would be created" in said
    assert rebuilt(network) == set() and network.writes() == []


@pytest.mark.parametrize("playbook", ["validate", "provision"])
def test_a_machine_that_does_not_exist_is_named_before_anything_is_asked(network, run, playbook):
    code, said = run(playbook, rebuild="qm1,nobody", rebuild_confirmed="true")
    assert code == 2 and "-e rebuild names nobody, which is no virtual machine of the inventory" in said
    assert network.asked() == 0


def test_a_host_that_does_not_exist_cannot_be_declared_to_start_empty(network, run):
    code, said = run("validate", start_empty="qm1,nobody")
    assert code == 2 and "-e start_empty names nobody, which is no host of the inventory" in said
    assert network.asked() == 0


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({}, "No host is named. Say which one is to come back"),
        ({"host": "nobody"}, "There is no host nobody."),
        ({"host": "all"}, "There is no host all."),
        ({"host": "qm1", "rebuild": "ubuai"}, "only qm1 is recovered here, so only it can be rebuilt"),
    ],
)
def test_a_recovery_of_nobody_contacts_nobody(network, run, variables, sentence):
    code, said = run("recover", **variables)
    assert code == 2 and sentence in said
    assert network.asked() == 0


def test_a_check_of_a_recovery_foresees_that_machine_alone(network, run):
    network.remove(103)
    network.remove(100)
    code, said = run("recover", "--check", host="qm1")
    assert code == 0, said
    assert "qm1 was lost: it would be made anew on pve." in said
    assert "qm1 would be created. The check ends here" in said and "haproxy : ok=0" in said
    assert network.guest(103) is None and network.writes() == []


def test_a_recovery_needs_the_backup_servers(network, run):
    code, said = run("recover", host="qm1", network_ssh_port=9, recover_patience=1)
    assert code == 2
    assert "nas has the downloads and the backups that qm1 is made from, and does not answer" in said
    assert network.writes() == []


def test_a_host_that_is_no_machine_and_does_not_answer_is_said_to_be_installed_by_hand(network, run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        silent = taken.getsockname()[1]
    code, said = run("recover", host="nas", network_ssh_port=silent, recover_patience=1)
    assert code != 0 and "nas does not answer, and is no virtual machine" in said
    assert "Switch it on. If it is lost, install Debian or Ubuntu on it" in said
    assert "known_hosts -R 127.0.0.1`" in said
