"""A machine's disks hold as much as they are large, survive its end, and are gone when they are destroyed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import disks, machine

MIB = 2**20
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root attaches block devices")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "vm-103"
    disks.destroy(tmp_path / "vm-103")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    (tmp_path / "image").mkdir()
    (tmp_path / "image/os-release").write_text("ID=debian\n")
    return tmp_path / "image"


def start(directory: Path, image: Path, mib: int) -> Path:
    """Return the files of a machine that was switched on with a disk of a size, its image a quarter of it."""
    device = disks.attach(directory / "vm-103-disk-0.img", mib / 1024)
    return disks.mount_system(directory, device, image, mib * MIB // 4)


def fill(path: Path) -> int:
    """Write until the disk is full and return how many MiB it took."""
    written = 0
    with path.open("wb", buffering=0) as file:
        while True:
            try:
                written += file.write(b"x" * MIB)
            except OSError as error:
                assert error.errno == errno.ENOSPC
                return written // MIB


def test_a_disk_is_full_when_it_holds_what_it_can(directory: Path, image: Path) -> None:
    files = start(directory, image, 64)
    assert (files / "os-release").read_text() == "ID=debian\n"
    assert 24 <= fill(files / "much") <= 48, "64 MiB less what the image and the file system take"


def test_a_disk_that_grew_is_taken_over_with_what_it_holds(directory: Path, image: Path) -> None:
    files = start(directory, image, 64)
    (files / "kept").write_text("here")
    files = start(directory, image, 128)
    assert (files / "kept").read_text() == "here"
    assert fill(files / "much") > 64
    # Proxmox cannot shrink one, and neither is it shrunk here.
    assert (start(directory, image, 64) / "kept").read_text() == "here"


def test_an_image_that_does_not_fit_is_refused(directory: Path, image: Path) -> None:
    device = disks.attach(directory / "vm-103-disk-0.img", 64 / 1024)
    with pytest.raises(machine.LabError, match="No space left"):
        disks.mount_system(directory, device, image, 80 * MIB)


def test_a_disk_that_is_destroyed_leaves_nothing(directory: Path, image: Path) -> None:
    files = start(directory, image, 64)
    disk = directory / "vm-103-disk-0.img"
    (files / "secret").write_text("of the machine before")
    assert len(disks.devices(disk)) == 1
    disks.destroy(directory)
    assert not directory.exists() and disks.devices(disk) == []
    assert not (start(directory, image, 64) / "secret").exists()
