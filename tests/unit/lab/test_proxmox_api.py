"""The lab's Proxmox API does with disks what Proxmox does."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from proxmoxer import ProxmoxAPI
from proxmoxer.core import ResourceException
from tests.unit.conftest import Fake

NODE, STORAGE = "pve", "local-lvm"


@pytest.fixture
def node(proxmox: Fake, proxmox_certificate: Any) -> Any:
    proxmox.reset()
    proxmox.add_node(NODE)
    proxmox.add_vm(103, "qm1", node=NODE, config={"scsi0": f"{STORAGE}:vm-103-disk-0,size=3G"})
    return ProxmoxAPI(
        "127.0.0.1",
        port=proxmox.port,
        user="root@pam",
        password="secret",
        verify_ssl=str(proxmox_certificate[0]),
    ).nodes(NODE)


def volumes(node: Any) -> set[str]:
    return {item["volid"].partition(":")[2] for item in node.storage(STORAGE).content.get()}


def test_a_disk_grows_to_a_size_or_by_one_and_never_shrinks(node: Any) -> None:
    node.qemu(103).resize.put(disk="scsi0", size="8G")
    node.qemu(103).resize.put(disk="scsi0", size="+512M")
    assert "size=8704M" in node.qemu(103).config.get()["scsi0"]
    with pytest.raises(ResourceException, match="shrinking disks is not supported"):
        node.qemu(103).resize.put(disk="scsi0", size="3G")


def test_a_disk_is_allocated_where_a_size_is_given(node: Any) -> None:
    node.qemu(103).config.post(scsi1=f"{STORAGE}:4,serial=records")
    drive = node.qemu(103).config.get()["scsi1"]
    assert drive.startswith(f"{STORAGE}:vm-103-disk-1,") and "size=4G" in drive and "serial=records" in drive


def test_a_machine_that_is_destroyed_takes_its_own_disks_with_it_and_no_others(node: Any) -> None:
    node.storage(STORAGE).content.post(vmid=9103, filename="vm-9103-disk-0", size="4G")
    node.qemu(103).config.post(scsi1=f"{STORAGE}:vm-9103-disk-0")
    assert volumes(node) == {"vm-103-disk-0", "vm-9103-disk-0"}
    node.qemu(103).delete()
    assert volumes(node) == {"vm-9103-disk-0"}


def test_a_machine_does_not_start_without_what_its_passed_through_devices_need(
    node: Any, proxmox: Fake
) -> None:
    node.qemu(103).config.post(hostpci0="mapping=gpu,pcie=1")
    node.qemu(103).status.start.post()
    proxmox.keep("mappings", "gpu", {"map": ["node=pve,path=0000:01:00"]})
    node.qemu(103).status.start.post()
    ends = [log[-1] for log in proxmox.logs("qmstart")]
    assert "PCI device mapping not found for 'gpu'" in ends[0]
    assert "q35 machine model is not enabled" in ends[1]
    node.qemu(103).config.post(machine="q35")
    node.qemu(103).status.start.post()
    assert node.qemu(103).status.current.get()["status"] == "running"


def ended(node: Any, upid: str) -> dict[str, Any]:
    """Wait for a task and return what it came to."""
    deadline = time.monotonic() + 10
    while (state := node.tasks(upid).status.get())["status"] == "running":
        assert "exitstatus" not in state and time.monotonic() < deadline
    return state  # type: ignore[no-any-return]


def test_a_snapshot_is_there_when_its_disks_are_copied_and_not_before(
    node: Any, proxmox: Fake, tmp_path: Path
) -> None:
    told, go_on = tmp_path / "told", tmp_path / "go on"
    script = f"cat > '{told}'; until [ -e '{go_on}' ]; do sleep 0.01; done; echo $* >> '{told}'"
    proxmox.assign(disks=["sh", "-c", script, "disks"])
    upid = node.qemu(103).snapshot.post(snapname="before")
    assert node.tasks(upid).status.get()["status"] == "running"
    assert proxmox.guest(103)["lock"] == "snapshot"
    go_on.touch()
    assert ended(node, upid)["exitstatus"] == "OK"
    assert proxmox.guest(103)["lock"] is None
    assert "vm-103-disk-0" in told.read_text() and told.read_text().endswith("take before\n")
    assert ended(node, node.qemu(103).snapshot("before").rollback.post())["exitstatus"] == "OK"
    assert told.read_text().endswith("back before\n")


def test_a_snapshot_whose_disks_cannot_be_copied_does_not_exist(node: Any, proxmox: Fake) -> None:
    proxmox.assign(disks=["sh", "-c", "cat > /dev/null; echo no room >&2; exit 1", "disks"])
    state = ended(node, node.qemu(103).snapshot.post(snapname="before"))
    assert state["exitstatus"] == "no room"
    assert [item["name"] for item in node.qemu(103).snapshot.get()] == ["current"]


def test_what_a_storage_can_is_told(node: Any, proxmox: Fake) -> None:
    assert node.qemu(103).feature.get(feature="snapshot")["hasFeature"] == 1
    proxmox.guest(103, config={"scsi0": "local:103/vm-103-disk-0.raw,size=3G"})
    assert node.qemu(103).feature.get(feature="snapshot")["hasFeature"] == 0
