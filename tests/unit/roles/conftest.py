"""The role proxmox_vm against a fake Proxmox API."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.conftest import Fake

ROOT = Path(__file__).parents[3]
SECRET = "11111111-2222-3333-4444-555555555555"

type Provision = Callable[..., tuple[int, str]]


@pytest.fixture
def provision(tmp_path: Path, proxmox: Fake, proxmox_certificate: tuple[Path, Path]) -> Provision:
    """Run the role for the host qm1, which has number 103; return the exit code and what was printed.

    `tasks` follow the role. The further keywords are variables.
    """
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
        "proxmox_vm_known_hosts": str(tmp_path / "known_hosts"),
    }

    def run(*arguments: str, tasks: list[dict[str, Any]] | None = None, **changes: Any) -> tuple[int, str]:
        play = {
            "hosts": "qm1",
            "gather_facts": False,
            "strategy": "ansible.builtin.free",
            "vars": variables | changes,
            "tasks": [{"ansible.builtin.include_role": {"name": "proxmox_vm"}}, *(tasks or [])],
        }
        (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
        done = subprocess.run(
            ["ansible-playbook", "-i", "qm1,", str(tmp_path / "play.yml"), *arguments],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_ROLES_PATH": str(ROOT / "roles"), "NO_PROXY": "127.0.0.1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run
