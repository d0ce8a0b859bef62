"""What the role proxmox_host asks of the API, against a fake one that keeps it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.conftest import Fake

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
STORAGE = {"name": "copies", "type": "dir", "content": ["backup"], "options": {"path": "/srv/copies"}}
BRIDGE = {"name": "vmbr0", "ports": "eno1", "address": "127.0.0.9/24"}


class Host:
    """The role's tasks for the API, run from this machine."""

    def __init__(self, root: Path, fake: Fake, certificate: Path) -> None:
        self.root = root
        self.fake = fake
        self.secret_file = root / "token"
        self.variables: dict[str, Any] = {
            "proxmox_host_node": "pve",
            "proxmox_host_api": {
                "host": "127.0.0.1",
                "port": fake.port,
                "user": "root@pam",
                "password": "secret",
                "ca_path": str(certificate),
            },
            "proxmox_host_automation_secret_file": str(self.secret_file),
            "proxmox_host_storages": [STORAGE],
        }

    def run(self, *arguments: str, tasks: str = "api", **variables: Any) -> str:
        """Return what Ansible printed, with its exit code in front."""
        role = {"ansible.builtin.include_role": {"name": "proxmox_host", "tasks_from": tasks}}
        play = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": self.variables | variables,
            "tasks": [role],
        }
        (self.root / "play.yml").write_text(yaml.safe_dump([play]))
        done = subprocess.run(
            ["ansible-playbook", "-i", "localhost,", str(self.root / "play.yml"), *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "ANSIBLE_ROLES_PATH": str(ROOT / "roles"),
                "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
                "NO_PROXY": "127.0.0.1",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return f"{done.returncode} {done.stdout}{done.stderr}"


@pytest.fixture
def host(tmp_path: Path, proxmox: Fake, proxmox_certificate: tuple[Path, Path]) -> Host:
    proxmox.reset()
    proxmox.add_vm(9000, "debian-13-cloud", node="pve", template=True)
    return Host(tmp_path, proxmox, proxmox_certificate[0])


def test_the_automation_gets_the_least_rights_and_a_token_once(host: Host) -> None:
    said = host.run()
    assert said.startswith("0 "), said
    secret = host.secret_file.read_text().strip()
    assert len(secret) == 36
    assert host.secret_file.stat().st_mode & 0o077 == 0
    assert secret not in said
    privileges = host.fake.kept("roles")["HAL"]["privs"].split(",")
    # VM.Snapshot also lets it go back: VM.Snapshot.Rollback is for those who may do nothing else.
    assert {"VM.Clone", "VM.PowerMgmt", "VM.Snapshot"} <= set(privileges)
    assert "VM.Snapshot.Rollback" not in privileges
    assert not {"Sys.Modify", "Permissions.Modify", "User.Modify", "Sys.Console"} & set(privileges)
    assert list(host.fake.kept("users")["hal@pve"]["tokens"]) == ["ansible"]
    right = {"path": "/", "type": "user", "ugid": "hal@pve", "roleid": "HAL", "propagate": 1}
    assert host.fake.kept("rights") == [right]

    host.secret_file.unlink()
    again = host.run()
    assert again.startswith("0 ") and " changed=0 " in again, again
    assert not host.secret_file.exists()


def test_what_was_changed_by_hand_is_put_right(host: Host) -> None:
    host.run()
    role = {"privs": "Sys.Modify,VM.Audit"}
    host.fake.keep("roles", "HAL", role)
    said = host.run()
    assert " changed=1 " in said, said
    assert "Sys.Modify" not in host.fake.kept("roles")["HAL"]["privs"]


def test_a_check_writes_nothing(host: Host) -> None:
    said = host.run("--check", "--diff")
    assert said.startswith("0 ") and " changed=0 " not in said, said
    assert set(host.fake.writes()) <= {"POST /api2/json/access/ticket"}
    assert not host.secret_file.exists()


def test_a_wrong_password_is_named(host: Host) -> None:
    said = host.run(proxmox_host_api=host.variables["proxmox_host_api"] | {"password": "wrong"})
    assert not said.startswith("0 ")
    assert "authenticat" in said.lower()
    assert "Traceback" not in said


def test_storages_and_bridges_are_defined(host: Host) -> None:
    said = host.run(proxmox_host_bridges=[BRIDGE])
    assert said.startswith("0 "), said
    bridge = host.fake.kept("bridges")["vmbr0"]
    assert (bridge["bridge_ports"], bridge["cidr"], int(bridge["bridge_vlan_aware"])) == (
        "eno1",
        "127.0.0.9/24",
        1,
    )


def test_a_token_whose_secret_is_not_here_is_named_with_the_way_to_a_new_one(host: Host) -> None:
    assert host.run().startswith("0 ")
    assert host.run("--check", tasks="secret").startswith("0 ")
    assert host.run(tasks="secret").startswith("0 ")
    host.secret_file.unlink()
    said = " ".join(host.run(tasks="secret").split())
    assert not said.startswith("0 ")
    assert "The secret of hal@pve!ansible is not on this computer" in said
    assert "run this again with `-e replace_token=true`" in said
    said = " ".join(host.run(tasks="secret", proxmox_host_api={}).split())
    assert "run this with the password of root, which makes the token" in said
    assert host.run(tasks="secret", proxmox_host_automation_secret="in the vault").startswith("0 ")


def replace(host: Host, *arguments: str, secret: str) -> str:
    """Have the token replaced whose secret is this one; return what Ansible printed."""
    variables = {"proxmox_host_automation_secret": secret, "proxmox_host_automation_replace": True}
    return host.run(*arguments, **variables)


def test_a_token_whose_secret_has_become_known_is_replaced_and_the_former_one_refused(host: Host) -> None:
    host.run()
    former = host.secret_file.read_text().strip()
    said = replace(host, secret=former)
    assert said.startswith("0 "), said
    new = host.secret_file.read_text().strip()
    assert new != former and len(new) == 36
    assert not {secret for secret in (former, new) if secret in said}
    assert list(host.fake.kept("users")["hal@pve"]["tokens"]) == ["ansible"]
    assert host.fake.kept("apitokens") == {"hal@pve!ansible": new}


def test_a_check_of_the_replacement_removes_nothing(host: Host) -> None:
    host.run()
    former = host.secret_file.read_text().strip()
    said = replace(host, "--check", "--diff", secret=former)
    assert said.startswith("0 ") and " changed=0 " not in said, said
    assert host.secret_file.read_text().strip() == former
    assert host.fake.kept("apitokens") == {"hal@pve!ansible": former}


def test_a_replacement_that_was_killed_before_the_secret_was_saved_is_told_and_made_good(host: Host) -> None:
    host.run()
    former = host.secret_file.read_text().strip()
    host.secret_file.unlink()  # as the run does first
    host.fake.keep("apitokens", "hal@pve!ansible", "made, and shown to nobody")
    said = " ".join(host.run(tasks="secret").split())
    assert not said.startswith("0 ") and "run this again with `-e replace_token=true`" in said
    assert replace(host, secret=former).startswith("0 ")
    assert host.fake.kept("apitokens") == {"hal@pve!ansible": host.secret_file.read_text().strip()}
