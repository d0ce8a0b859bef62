"""The advice that a failed run gives, taken: what it names is executed, and the next run succeeds."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tests.unit.ssh_server import WORD, new_key, ssh_server

from hal.network.failures import failure_explanation

from .conftest import Run, run_play

pytestmark = pytest.mark.slow


def known(name: str, key: str) -> str:
    """Return a line of known_hosts."""
    return f"{name} {key}\n"


def test_a_changed_host_key_is_forgotten_by_the_command_that_is_named(tmp_path: Path) -> None:
    kept, file = tmp_path / "of the household", "known_hosts"
    kept.mkdir()
    old, new = new_key(), new_key()
    with ssh_server(new) as port:
        (kept / file).write_text(known(f"[127.0.0.1]:{port}", old.export_public_key().decode().strip()))
        options = "-o StrictHostKeyChecking=accept-new -o ControlPath=none"
        options += f" -o UserKnownHostsFile='\"{kept / file}\"' -o GlobalKnownHostsFile=/dev/null"

        def run() -> Run:
            host = {
                "ansible_connection": "ssh",
                "ansible_host": "127.0.0.1",
                "ansible_port": port,
                "ansible_ssh_common_args": options,
            }
            task = {"name": "Ask", "ansible.builtin.raw": "anything"}
            return run_play(tmp_path, [task], "-v", hosts={"away": host})

        step = run().failures["away"]["next"]
        (command,) = re.findall(r"`(ssh-keygen [^`]+)`", step)
        subprocess.run(command, shell=True, check=True, capture_output=True)
        done = run()
    assert done.code == 0 and WORD in done.output


@pytest.mark.parametrize(
    ("action", "said", "advised"),
    [
        ("proxmox_guest", "lvcreate 'pve/vm-120-disk-0' error: out of space", "`pvesm status`"),
        ("managed_files", "[Errno 28] No space left on device: '/etc/x'", "A disk of ubuai is full"),
        ("command", "hal-engine: database or disk is full", "A disk of ubuai is full"),
        ("command", "hal-engine: database disk image is malformed", "playbooks/restore.yml -e host=ubuai"),
        ("command", "hal-engine: file is not a database", "playbooks/restore.yml -e host=ubuai"),
    ],
)
def test_what_is_full_or_damaged_is_told_with_what_helps(action: str, said: str, advised: str) -> None:
    assert advised in failure_explanation({"msg": said}, "ubuai", action, {})["next"]
