"""proxmox_guest: disks of their size, data disks that outlive the guest, and devices passed through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.conftest import Fake
from tests.unit.modules.conftest import TOKENS

TEMPLATE = {
    "boot": "order=scsi0;net0",
    "scsi0": "local-lvm:base-9000-disk-0,size=3G",
    "ide2": "local-lvm:vm-9000-cloudinit,media=cdrom",
}
MODELS = "local-lvm:vm-900000120-models"
GPU = {"mapping": "gpu", "pcie": True}

type Ensure = Callable[..., dict[str, Any]]


@pytest.fixture
def fake(proxmox: Fake) -> Fake:
    proxmox.reset()
    proxmox.assign(apitokens=TOKENS)
    proxmox.add_vm(9000, "debian-13-cloud", node="pve", template=True, config=TEMPLATE)
    proxmox.keep("mappings", "gpu", {"map": ["node=pve,path=0000:01:00"]})
    return proxmox


@pytest.fixture
def ensure(fake: Fake, connection: dict[str, Any], run_module: Ensure) -> Ensure:
    """Run the module for guest 120, with further parameters."""

    def run(check: bool = False, **changes: Any) -> dict[str, Any]:
        described = {
            "node": "pve",
            "vmid": 120,
            "name": "ubuai",
            "template": "debian-13-cloud",
            "state": "started",
        }
        return run_module("proxmox_guest", connection | described | changes, check=check, diff=True)

    return run


def volumes(fake: Fake) -> dict[str, Any]:
    """Return the sizes in GiB of the volumes of data disks."""
    held = fake.storage_volumes("local-lvm")
    return {name: int(volume["size"]) / 2**30 for name, volume in held.items() if "-9000" in name}


def test_the_system_disk_grows_to_its_size_right_after_the_clone(fake: Fake, ensure: Ensure) -> None:
    result = ensure(disk_gib=40)
    assert result["actions"] == ["clone", "configure", "resize", "start"]
    assert fake.guest(120)["config"]["scsi0"].endswith("size=40G")
    assert ensure(disk_gib=40)["actions"] == []


def test_the_system_disk_is_the_one_that_the_guest_starts_from(fake: Fake, ensure: Ensure) -> None:
    other = {"boot": "order=ide2;virtio1", "virtio1": "local-lvm:base-9001-disk-0,size=3G"}
    fake.add_vm(9001, "other", node="pve", template=True, config=TEMPLATE | other)
    ensure(template="other", disk_gib=40)
    config = fake.guest(120)["config"]
    assert config["virtio1"].endswith("size=40G") and config["scsi0"].endswith("size=3G")


def test_a_disk_is_never_shrunk_and_nothing_is_made_or_destroyed_before_that_is_said(
    fake: Fake, ensure: Ensure, refused: Callable[..., str]
) -> None:
    message = refused(disk_gib=2)
    assert "has 3 GiB, and Proxmox cannot shrink" in message and "machine.disk_gib" in message
    assert fake.guest(120) is None
    ensure(disk_gib=8)
    assert "has 8 GiB" in refused(disk_gib=4)


def test_a_data_disk_is_made_once_with_a_number_that_no_guest_has(fake: Fake, ensure: Ensure) -> None:
    data = {"storage": "local-lvm", "data_disks": [{"name": "models", "gib": 100}]}
    planned = ensure(check=True, **data)
    assert planned["actions"] == ["clone", "allocate", "configure", "start"] and volumes(fake) == {}
    assert ensure(**data)["actions"] == planned["actions"]
    assert fake.guest(120)["config"]["scsi1"] == f"{MODELS},serial=models,size=100G"
    assert ensure(**data)["actions"] == []


def test_a_data_disk_outlives_the_guest_and_is_given_to_the_next_one(fake: Fake, ensure: Ensure) -> None:
    data = {"data_disks": [{"name": "models", "gib": 100}]}
    ensure(**data)
    fake.destroy(120)
    assert fake.guest(120) is None and volumes(fake) == {"vm-900000120-models": 100}
    result = ensure(**data)
    assert result["created"] and "allocate" not in result["actions"]
    assert fake.guest(120)["config"]["scsi1"].startswith(f"{MODELS},")
    rebuilt = ensure(rebuild=True, force=True, **data)
    assert "remove" in rebuilt["actions"] and "allocate" not in rebuilt["actions"]
    assert volumes(fake) == {"vm-900000120-models": 100}


def test_a_data_disk_that_is_kept_grows_and_never_shrinks(
    fake: Fake, ensure: Ensure, refused: Callable[..., str]
) -> None:
    ensure(data_disks=[{"name": "models", "gib": 100}])
    fake.destroy(120)
    assert "has 100 GiB" in refused(data_disks=[{"name": "models", "gib": 50}])
    assert fake.guest(120) is None
    ensure(data_disks=[{"name": "models", "gib": 150}])
    assert "size=150G" in fake.guest(120)["config"]["scsi1"]


def test_a_data_disk_on_a_storage_of_files_has_the_name_of_a_file(fake: Fake, ensure: Ensure) -> None:
    storage = {"type": "dir", "active": 1, "content": "images", "avail": 2**40, "volumes": {}, "files": []}
    fake.keep("storages", "files", storage)
    data = {"data_disks": [{"name": "models", "gib": 10, "storage": "files"}]}
    ensure(**data)
    fake.destroy(120)
    assert "allocate" not in ensure(**data)["actions"]
    assert fake.guest(120)["config"]["scsi1"].startswith("files:900000120/vm-900000120-models.raw,")


def test_an_interrupted_run_leaves_no_second_volume(fake: Fake, ensure: Ensure) -> None:
    data = {"data_disks": [{"name": "models", "gib": 100}]}
    fake.fail("POST", "/nodes/pve/qemu/120/config", 500, "the power went", times=1)
    with pytest.raises(Exception, match=r"."):
        ensure(**data)
    assert "allocate" not in ensure(**data)["actions"]
    assert volumes(fake) == {"vm-900000120-models": 100}


@pytest.mark.parametrize(
    ("disks", "fault"),
    [
        ([{"name": "Models", "gib": 1}], "'Models' is no name"),
        ([{"name": "models-of-the-household", "gib": 1}], "up to 20"),
        ([{"name": "a", "gib": 1}, {"name": "a", "gib": 2}], "two of the name 'a'"),
        ([{"name": "a", "gib": 0}], "1 or more"),
    ],
)
def test_a_data_disk_that_cannot_be_is_refused(refused: Callable[..., str], disks: Any, fault: str) -> None:
    assert fault in refused(data_disks=disks)


def test_a_new_guest_with_a_device_on_pci_express_gets_the_machine_type_q35(
    fake: Fake, ensure: Ensure
) -> None:
    assert ensure(check=True, hostpci=[GPU])["config"]["machine"] == "q35"
    assert ensure(hostpci=[GPU])["status"] == "running"
    assert fake.guest(120)["config"]["machine"] == "q35"
    assert ensure(hostpci=[GPU])["actions"] == []


def test_a_guest_that_exists_keeps_its_machine_type_and_the_device_is_refused(
    fake: Fake, ensure: Ensure, refused: Callable[..., str]
) -> None:
    ensure()
    message = refused(hostpci=[GPU])
    assert "needs the machine type q35" in message and "rebuild" in message
    assert "hostpci0" not in fake.guest(120)["config"]
    ensure(hostpci=[{"mapping": "gpu", "pcie": False}])


def test_a_mapping_that_does_not_exist_is_named_before_anything_is_made(
    fake: Fake, refused: Callable[..., str]
) -> None:
    message = refused(hostpci=[{"mapping": "gpu9"}])
    assert "no PCI resource mapping 'gpu9'" in message and "There are: gpu." in message
    assert fake.guest(120) is None


def test_a_running_guest_is_restarted_for_a_setting_only_with_consent(fake: Fake, ensure: Ensure) -> None:
    ensure(memory=2048)
    assert ensure(memory=4096)["pending"] == ["memory"]
    assert fake.guest(120)["pending"] == {"memory": "4096"}
    result = ensure(memory=4096, restart=True)
    assert result["actions"] == ["stop", "start"] and result["pending"] == []
    assert fake.guest(120)["config"]["memory"] == "4096" and fake.guest(120)["status"] == "running"
    assert ensure(memory=4096, restart=True)["actions"] == []
