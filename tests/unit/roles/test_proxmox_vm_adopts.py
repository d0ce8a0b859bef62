"""The role proxmox_vm on machines that exist, and on Windows, against a fake Proxmox API."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.slow

CONFIG = {"cores": 6, "memory": "16384", "net0": "e1000=BC:24:11:00:00:01,bridge=vmbr1,tag=34"}

type Provision = Callable[..., tuple[int, str]]


@pytest.fixture
def remoting() -> Iterator[int]:
    """Return a port that answers as PowerShell remoting would: by taking connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture
def windows(provision: Provision, remoting: int) -> Provision:
    """Run the role for a machine that is up when PowerShell remoting answers."""

    def run(*arguments: str, **changes: Any) -> tuple[int, str]:
        return provision(
            *arguments, **{"proxmox_vm_answers": "psrp", "proxmox_vm_psrp_port": remoting} | changes
        )

    return run


def test_a_machine_that_exists_is_started_and_otherwise_left_as_it_is(proxmox, windows):
    proxmox.add_vm(103, "qm1", node="pve", config=CONFIG)
    code, said = windows(proxmox_vm_adopt=True)
    assert code == 0, said
    machine = proxmox.guest(103)
    assert machine["status"] == "running"
    assert {key: machine["config"][key] for key in CONFIG} == CONFIG
    assert [request for request in proxmox.writes() if "clone" in request or "config" in request] == []


def test_without_adoption_it_is_brought_to_its_description(proxmox, windows):
    proxmox.add_vm(103, "qm1", node="pve", config=CONFIG)
    code, said = windows()
    assert code == 0, said
    assert str(proxmox.guest(103)["config"]["cores"]) == "2"


def test_one_that_is_missing_is_made_as_described_even_so(proxmox, windows):
    code, said = windows(proxmox_vm_adopt=True)
    assert code == 0, said
    machine = proxmox.guest(103)
    assert (machine["name"], str(machine["config"]["cores"])) == ("qm1", "2")


def test_another_machine_of_that_number_is_left_alone(proxmox, windows):
    proxmox.add_vm(103, "somebody-elses", node="pve", config=CONFIG)
    code, said = windows(proxmox_vm_adopt=True)
    assert code == 2 and "somebody-elses" in said
    assert proxmox.guest(103)["status"] != "running"


def test_a_windows_machine_that_does_not_come_up_is_named(proxmox, windows):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        code, said = windows(proxmox_vm_psrp_port=port, proxmox_vm_boot_timeout=1)
    assert code == 2
    said = " ".join(said.split())
    assert f"qm1 did not answer at 127.0.0.1:{port} within 1 s" in said
    assert "qm1 (guest 103) runs and does not answer" in said and "-e rebuild=qm1" in said
