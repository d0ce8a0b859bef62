"""The role proxmox_vm on machines that exist, and on Windows, against a fake Proxmox API."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.conftest import Fake

ROOT = Path(__file__).parents[3]
SECRET = "11111111-2222-3333-4444-555555555555"
CONFIG = {"cores": 6, "memory": "16384", "net0": "e1000=BC:24:11:00:00:01,bridge=vmbr1,tag=34"}

type Provision = Callable[..., tuple[int, str]]


@pytest.fixture
def remoting() -> Iterator[int]:
    """Return a port that answers as PowerShell remoting would: by taking connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture
def provision(
    tmp_path: Path, proxmox: Fake, proxmox_certificate: tuple[Path, Path], remoting: int
) -> Provision:
    """Run the role for the host qm1, which has number 103; return the exit code and what was printed."""
    proxmox.reset()
    proxmox.assign(apitokens={"hal@pve!ansible": SECRET})
    proxmox.add_vm(9000, "windows-server", node="pve", template=True, config={"scsi0": "local:base,size=32G"})
    variables = {
        "ansible_host": "127.0.0.1",
        "proxmox_vm_api": {
            "host": "127.0.0.1",
            "port": proxmox.port,
            "user": "hal@pve",
            "token_id": "ansible",
            "token_secret": SECRET,
            "ca_path": str(proxmox_certificate[0]),
        },
        "proxmox_vm_id": 103,
        "proxmox_vm_template": "windows-server",
        "proxmox_vm_cores": 2,
        "proxmox_vm_memory": 4096,
        "proxmox_vm_answers": "psrp",
        "proxmox_vm_psrp_port": remoting,
        "proxmox_vm_known_hosts": str(tmp_path / "known_hosts"),
    }

    def run(*arguments: str, **changes: Any) -> tuple[int, str]:
        play = {
            "hosts": "qm1",
            "gather_facts": False,
            "vars": variables | changes,
            "tasks": [{"ansible.builtin.include_role": {"name": "proxmox_vm"}}],
        }
        (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
        done = subprocess.run(
            ["ansible-playbook", "-i", "qm1,", str(tmp_path / "play.yml"), *arguments],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_ROLES_PATH": str(ROOT / "roles"), "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_machine_that_exists_is_started_and_otherwise_left_as_it_is(proxmox, provision):
    proxmox.add_vm(103, "qm1", node="pve", config=CONFIG)
    code, said = provision(proxmox_vm_adopt=True)
    assert code == 0, said
    machine = proxmox.guest(103)
    assert machine["status"] == "running"
    assert {key: machine["config"][key] for key in CONFIG} == CONFIG
    assert [request for request in proxmox.writes() if "clone" in request or "config" in request] == []


def test_without_adoption_it_is_brought_to_its_description(proxmox, provision):
    proxmox.add_vm(103, "qm1", node="pve", config=CONFIG)
    code, said = provision()
    assert code == 0, said
    assert str(proxmox.guest(103)["config"]["cores"]) == "2"


def test_one_that_is_missing_is_made_as_described_even_so(proxmox, provision):
    code, said = provision(proxmox_vm_adopt=True)
    assert code == 0, said
    machine = proxmox.guest(103)
    assert (machine["name"], str(machine["config"]["cores"])) == ("qm1", "2")


def test_another_machine_of_that_number_is_left_alone(proxmox, provision):
    proxmox.add_vm(103, "somebody-elses", node="pve", config=CONFIG)
    code, said = provision(proxmox_vm_adopt=True)
    assert code == 2 and "somebody-elses" in said
    assert proxmox.guest(103)["status"] != "running"


def test_a_windows_machine_that_does_not_come_up_is_named(proxmox, provision):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        code, said = provision(proxmox_vm_psrp_port=port, proxmox_vm_boot_timeout=1)
    assert code == 2
    assert f"qm1 did not answer at 127.0.0.1:{port} within 1 s" in " ".join(said.split())
