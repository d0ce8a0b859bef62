"""The machine as Proxmox has it, and what the controller remembers of it."""

import os
from pathlib import Path

import pytest
from proxmoxer import ProxmoxAPI

EPHEMERAL = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])


@pytest.fixture(scope="module")
def guests():
    """Return what the API has of machines."""
    address = os.environ["HAL_MOLECULE_ADDRESS"].replace("198", "127", 1)
    session = {"user": "root@pam", "password": "molecule-is-no-secret", "timeout": 10}
    return ProxmoxAPI(address, verify_ssl=str(EPHEMERAL / "test.crt"), **session).nodes("pve").qemu


def test_there_is_one_machine_beside_the_templates_and_it_runs(guests):
    machines = [guest for guest in guests.get() if not guest.get("template")]
    assert [(each["vmid"], each["name"], each["status"]) for each in machines] == [(103, "qm1", "running")]


def test_it_is_as_described(guests):
    config = guests(103).config.get()
    assert (int(config["cores"]), int(config["memory"]), int(config["onboot"])) == (2, 4096, 1)
    assert config["net0"].startswith("virtio=") and config["net0"].endswith("bridge=vmbr0,tag=34")
    assert (config["ciuser"], config["ipconfig0"]) == ("lawr", "ip=198.18.34.103/16,gw=198.18.0.1")
    assert config["tags"] == "hal"


def test_it_is_a_clone_with_a_disk_of_its_own(guests):
    disk, template = guests(103).config.get()["scsi0"], guests(9000).config.get()["scsi0"]
    (volume, size), (base, base_size) = disk.split(",size="), template.split(",size=")
    assert volume != base and size == base_size
