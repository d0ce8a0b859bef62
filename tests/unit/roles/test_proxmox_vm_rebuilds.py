"""The role proxmox_vm on machines that are lost, that are to be made anew, and on their SSH host keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncssh
import pytest
import yaml
from tests.unit.ssh_server import WORD, new_key, ssh_server

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
LOG_IN = {"ansible.builtin.raw": "anything", "register": "answer", "changed_when": False}
CLOUD_INIT = {"user": "lawr", "ssh_keys": ["ssh-ed25519 AAAA"], "address": "198.18.34.103/16"}
AGREED = {"proxmox_vm_rebuild": True, "proxmox_vm_rebuild_confirmed": True}


INVENTORIES = pytest.mark.parametrize("inventory", ["lab", "production"])


def ssh_arguments(inventory: str) -> str:
    """Return how an inventory tells Ansible to treat host keys."""
    path = ROOT / "inventories" / inventory / "group_vars/managed_hosts.yml"
    arguments: str = yaml.safe_load(path.read_text())["ansible_ssh_common_args"]
    return arguments


@pytest.fixture
def known_hosts(tmp_path: Path) -> Path:
    return tmp_path / "known_hosts"


def entry(port: int, key: asyncssh.SSHKey) -> str:
    """Return the line of known_hosts for a server on loopback."""
    return f"[127.0.0.1]:{port} {key.export_public_key().decode().strip()}\n"


@pytest.fixture
def machine(provision, known_hosts, tmp_path):
    """Run the role on a machine that answers SSH with `key`, then log in to it."""

    def run(
        key: asyncssh.SSHKey,
        known: asyncssh.SSHKey | None = None,
        inventory: str = "production",
        **changes: Any,
    ) -> tuple[int, str, bool]:
        with ssh_server(key) as port:
            known_hosts.write_text(entry(port, known) if known else "")
            code, said = provision(
                tasks=[LOG_IN],
                **{
                    "ansible_port": port,
                    "ansible_user": "lawr",
                    "ansible_ssh_common_args": f"{ssh_arguments(inventory)} -F /dev/null",
                    "ansible_ssh_control_path_dir": str(tmp_path / "cp"),
                    "network_known_hosts": str(known_hosts),
                    "proxmox_vm_ssh_ports": [port],
                    "proxmox_vm_boot_timeout": 20,
                    "proxmox_vm_cloud_init": CLOUD_INIT,
                }
                | changes,
            )
            return code, " ".join(said.split()), entry(port, key) in known_hosts.read_text()

    return run


def identity(proxmox) -> str:
    uuid: str = proxmox.guest(103)["config"]["smbios1"]
    return uuid


def add(proxmox, **config: Any) -> None:
    """Let Proxmox have the machine, running."""
    proxmox.add_vm(103, "qm1", node="pve", config={"smbios1": "uuid=first"} | config, status="running")


@INVENTORIES
def test_a_lost_machine_is_made_anew_and_its_new_key_is_accepted(proxmox, machine, inventory):
    code, said, accepted = machine(new_key(), new_key(), inventory)
    assert code == 0 and accepted, said
    guest = proxmox.guest(103)
    assert (guest["name"], guest["node"], guest["status"]) == ("qm1", "pve", "running")
    assert guest["config"]["ipconfig0"] == "ip=198.18.34.103/16" and guest["config"]["ciuser"] == "lawr"


@INVENTORIES
def test_the_changed_key_of_a_machine_that_was_not_made_is_refused(proxmox, machine, inventory):
    add(proxmox)
    code, said, accepted = machine(new_key(), new_key(), inventory, proxmox_vm_adopt=True)
    assert code == 4 and not accepted
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in said and f'"stdout": "{WORD}' not in said


@INVENTORIES
def test_a_machine_known_by_its_key_is_logged_in_to(proxmox, machine, inventory):
    add(proxmox)
    key = new_key()
    code, said, accepted = machine(key, key, inventory, proxmox_vm_adopt=True)
    assert code == 0 and accepted, said


def test_a_run_that_ended_before_the_first_connection_is_no_obstacle(
    proxmox, machine, provision, known_hosts
):
    with ssh_server(new_key()) as port:
        known_hosts.write_text(entry(port, new_key()))
        proxmox.fail("POST", "/nodes/pve/qemu/103/status/start", 500, "the node is busy", times=1)
        code, said = provision(proxmox_vm_ssh_ports=[port])
        assert code == 2 and "the node is busy" in said
        assert f"[127.0.0.1]:{port}" not in known_hosts.read_text()
    assert proxmox.guest(103)["status"] == "stopped"
    code, said, accepted = machine(new_key(), proxmox_vm_adopt=True)
    assert code == 0 and accepted, said


def test_a_machine_that_was_cloned_and_not_configured_is_completed_even_where_machines_are_adopted(
    proxmox, provision, machine
):
    proxmox.fail("POST", "/nodes/pve/qemu/103/config", 500, "the storage is busy", times=1)
    assert provision(proxmox_vm_adopt=True)[0] == 2
    code, said, _ = machine(new_key(), known=new_key(), proxmox_vm_adopt=True)
    assert code == 0, said
    assert proxmox.guest(103)["config"]["ipconfig0"] == "ip=198.18.34.103/16"


def test_a_rebuilt_machine_is_another_one_and_its_new_key_is_accepted(proxmox, machine):
    add(proxmox)
    code, said, accepted = machine(new_key(), new_key(), **AGREED)
    assert code == 0 and accepted, said
    assert "qm1 (guest 103 on pve) is destroyed with its disks and made anew" in said
    assert identity(proxmox) != "uuid=first"


def test_a_rebuild_that_nobody_confirmed_destroys_nothing(proxmox, provision):
    add(proxmox)
    code, said = provision(proxmox_vm_rebuild=True)
    assert code == 2 and "nobody confirmed it. Nothing was done." in " ".join(said.split())
    assert identity(proxmox) == "uuid=first" and proxmox.writes() == []


def test_a_check_only_says_what_a_rebuild_would_do(proxmox, provision, known_hosts):
    add(proxmox)
    known_hosts.write_text(before := entry(22, new_key()))
    code, said = provision("--check", "--diff", proxmox_vm_rebuild=True)
    assert code == 0, said
    assert "would be destroyed with its disks and made anew" in " ".join(said.split())
    assert identity(proxmox) == "uuid=first" and proxmox.writes() == []
    assert known_hosts.read_text() == before


def test_a_machine_is_made_on_another_node_while_its_own_is_down(proxmox, machine):
    proxmox.guest(9000, node="pve2")
    proxmox.add_node("pve2")
    proxmox.set_node_offline("pve")
    code, said, _ = machine(new_key())
    assert code == 0, said
    assert proxmox.guest(103)["node"] == "pve2" and "qm1 is made on pve2" in said


def test_a_machine_on_a_node_that_is_down_is_not_made_twice(proxmox, provision):
    add(proxmox)
    proxmox.add_node("pve2")
    proxmox.set_node_offline("pve")
    code, said = provision(**AGREED)
    assert code == 2 and "exists on node pve, which is offline" in " ".join(said.split())
    assert identity(proxmox) == "uuid=first" and proxmox.writes() == []


@pytest.mark.parametrize(
    ("lacking", "sentence"),
    [
        (
            {"proxmox_vm_template": "debian-14"},
            "no template 'debian-14'. The cluster has: windows-server (9000)",
        ),
        ({"proxmox_vm_storage": "fast"}, "Storage 'fast' does not exist on node pve"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_destroyed_for_it(proxmox, provision, lacking, sentence):
    add(proxmox)
    code, said = provision(**AGREED, **lacking)
    assert code == 2 and sentence in " ".join(said.split()) and "hosts.yml" in said
    assert identity(proxmox) == "uuid=first" and proxmox.writes() == []
