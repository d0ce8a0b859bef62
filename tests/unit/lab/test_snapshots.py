"""A guest of the lab that goes back to a snapshot has the disks that it had."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import boot, containers, disks, machine, snapshots
from lab.containers import Lab
from lab.guests import Guest

LAB = Lab("test", "image", "network")
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root attaches block devices")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return what podman was told; there is no container."""
    told: list[list[str]] = []

    def podman(arguments: list[str]) -> str:
        told.append(arguments)
        return "[]"

    monkeypatch.setattr(containers, "podman", podman)
    return told


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[list[str]]) -> Iterator[Path]:
    monkeypatch.setattr(boot, "DISKS", tmp_path)
    yield tmp_path / "vm-103"
    disks.destroy(tmp_path / "vm-103")


def guest(status: str) -> Guest:
    config = {"name": "qm1", "scsi0": "local-lvm:vm-103-disk-0,size=64M", "boot": "order=scsi0"}
    return Guest.from_machine({"vmid": 103, "status": status, "config": config})


def start(directory: Path) -> Path:
    """Return the files of the guest, which is switched on."""
    image = directory.parent / "image"
    image.mkdir(exist_ok=True)
    device = disks.attach(directory / "vm-103-disk-0.img", 64 / 1024)
    return disks.mount_system(directory, device, image, 2**20)


def test_what_was_written_since_is_gone_and_what_was_removed_is_back(
    directory: Path, said: list[list[str]]
) -> None:
    files = start(directory)
    (files / "records").write_text("of before")
    snapshots.take(LAB, guest("running"), "hal-before-x")
    assert said == [["pause", "hal-test-qm1"], ["unpause", "hal-test-qm1"]]
    (files / "records").unlink()
    (files / "since").touch()

    snapshots.back(LAB, guest("stopped"), "hal-before-x")
    files = start(directory)
    assert (files / "records").read_text() == "of before"
    assert not (files / "since").exists()


def test_a_snapshot_that_was_dropped_takes_no_room_and_nobody_back(directory: Path) -> None:
    start(directory)
    snapshots.take(LAB, guest("stopped"), "hal-before-x")
    snapshots.drop(LAB, guest("stopped"), "hal-before-x")
    assert [path.name for path in directory.rglob("*.img")] == ["vm-103-disk-0.img"]
    with pytest.raises(machine.LabError, match="lacks a disk"):
        snapshots.back(LAB, guest("stopped"), "hal-before-x")
