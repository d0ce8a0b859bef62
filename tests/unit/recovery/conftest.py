"""The playbooks with the lab's inventory against a fake Proxmox API that has every machine of the lab."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.conftest import Fake
from tests.unit.ssh_server import new_key, ssh_server

ROOT = Path(__file__).resolve().parents[3]
SECRET = "11111111-2222-3333-4444-555555555555"
MACHINES = {"haproxy": 100, "qm1": 103, "ubuai": 120}

type Done = tuple[int, str]


@pytest.fixture
def network(proxmox: Fake) -> Fake:
    """Proxmox with every machine of the lab, running."""
    proxmox.reset()
    proxmox.assign(apitokens={"hal@pve!ansible": SECRET})
    for vmid, template in ((9000, "debian-13-cloud"), (9001, "debian-13-ssh-socket")):
        disk = {"scsi0": "local-lvm:base,size=3G"}
        proxmox.add_vm(vmid, template, node="pve", template=True, config=disk)
    for name, vmid in MACHINES.items():
        config = {"smbios1": f"uuid={name}", "name": name}
        proxmox.add_vm(vmid, name, node="pve", status="running", config=config)
    return proxmox


@pytest.fixture
def command(network: Fake, proxmox_certificate: tuple[Path, Path], tmp_path: Path) -> Any:
    """Make the command that runs playbooks, with further variables; every host answers SSH on one port."""
    shutil.copytree(
        ROOT / "inventories/lab",
        tmp_path / "lab",
        ignore=shutil.ignore_patterns("secrets.yml", "profile.yml"),
    )
    with ssh_server(new_key()) as port:

        def make(playbook: str, *arguments: str, **variables: Any) -> list[str]:
            api = {"host": "127.0.0.1", "port": network.port, "ca_path": str(proxmox_certificate[0])}
            given = {
                "network_proxmox_api": api
                | {"user": "hal@pve", "token_id": "ansible", "token_secret": SECRET},
                "network_required_secrets": {},
                "network_administrator_key": "ssh-ed25519 AAAA",
                "network_known_hosts": str(tmp_path / "known_hosts"),
                "network_adopt_machines": True,
                "network_ssh_port": port,
                "ansible_host": "127.0.0.1",
            }
            command = [sys.executable, "-m", "ansible", "playbook", "-i", str(tmp_path / "lab"), *arguments]
            names = (f"playbooks/{name}.yml" for name in playbook.split())
            return [*command, "-e", json.dumps(given | variables), *names]

        yield make


@pytest.fixture
def run(command: Any) -> Callable[..., Done]:
    """Run a playbook with nobody at a terminal; return the exit code and what was printed."""

    def start(playbook: str, *arguments: str, **variables: Any) -> Done:
        done = subprocess.run(
            command(playbook, *arguments, **variables),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return start
