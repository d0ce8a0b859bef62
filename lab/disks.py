"""Disks of the lab's machines: sparse files of this machine, each a block device of the disk's size."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

from lab.machine import LabError, run

# What a machine's directory holds beside its disks.
ROOT, SYSTEM = "root", "system"
DETACH_TIMEOUT_S = 20


def attach(disk: Path, size_gib: float) -> str:
    """Return the block device that is a disk, made blank if there is none, and grown if it was smaller.

    Raises:
        LabError: this machine has no room, or no loop devices.
    """
    disk.parent.mkdir(parents=True, exist_ok=True)
    with disk.open("ab") as file:
        if file.tell() < size_gib * 2**30:
            file.truncate(round(size_gib * 2**30))
    attached = devices(disk)
    if attached:
        run("losetup", "--set-capacity", attached[0])
        return attached[0]
    return run("losetup", "--find", "--show", str(disk))


def devices(disk: Path) -> list[str]:
    """Return the block devices that a disk is attached as: one, or none."""
    return run("losetup", "--noheadings", "--output", "NAME", "--associated", str(disk)).split()


def mount_system(directory: Path, device: str, image: Path, image_bytes: int) -> Path:
    """Return the root of the files of a machine that is off: the image's, and over them what its disk holds.

    A disk that has grown is taken over whole, as `growpart` and `x-systemd.growfs` do at a machine's boot.

    Args:
        directory: where the machine's disks are.
        device: its system disk.
        image: the files of the image.
        image_bytes: how much of the disk they take.

    Raises:
        LabError: the image does not fit, or this machine cannot mount.
    """
    root, system = directory / ROOT, directory / SYSTEM
    _unmount(directory)
    if subprocess.run(["blkid", "--probe", device], capture_output=True, check=False).returncode:
        run("mke2fs", "-q", "-t", "ext4", device)
    subprocess.run(["e2fsck", "-f", "-p", device], capture_output=True, check=False)  # it may have lost power
    run("resize2fs", device)
    system.mkdir(exist_ok=True)
    run("mount", device, str(system))
    run("fallocate", "--length", str(image_bytes), str(system / "image"))
    layers = {"lowerdir": image, "upperdir": system / "changes", "workdir": system / "work"}
    for path in (layers["upperdir"], layers["workdir"], root):
        path.mkdir(exist_ok=True)
    options = ",".join(f"{key}={path}" for key, path in layers.items())
    run("mount", "-t", "overlay", "overlay", "-o", options, str(root))
    return root


def _unmount(directory: Path) -> None:
    for mounted in (directory / ROOT, directory / SYSTEM):
        if mounted.is_mount():
            run("umount", str(mounted))


def detach(directory: Path) -> None:
    """Let go of the disks of a machine, which runs no more.

    Raises:
        LabError: something still uses them.
    """
    _unmount(directory)
    for disk in directory.glob("*.img"):
        for device in devices(disk):
            run("losetup", "--detach", device)
        deadline = time.monotonic() + DETACH_TIMEOUT_S
        while devices(disk):  # it stays while a process that ends has the file system, and what it read of it
            if time.monotonic() > deadline:
                raise LabError(f"{disk} is still in use after {DETACH_TIMEOUT_S} s.")
            time.sleep(0.1)


def destroy(directory: Path) -> None:
    """Destroy the disks of a machine, which runs no more, with all that they hold.

    Raises:
        LabError: something still uses them.
    """
    detach(directory)
    shutil.rmtree(directory, ignore_errors=True)
