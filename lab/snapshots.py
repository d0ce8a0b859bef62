"""Copies of the disks of a lab's guest, as Proxmox has them in a snapshot.

The lab's Proxmox API runs it: python -m lab.snapshots take|back|drop NAME, with the guest as JSON on its
standard input: vmid, status, and the config that has the disks.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

from lab import boot, containers, disks
from lab.containers import Lab, PodmanError
from lab.guests import Drive, Guest
from lab.machine import LabError, run
from lab.network import laboratory

STOP_TIMEOUT_S = 60


def copy_of(disk: Path, name: str) -> Path:
    """Return where the copy of a disk is."""
    return disk.parent / "snapshots" / name / disk.name


def disk_of(drive: Drive) -> Path:
    """Return the file of a disk."""
    return boot.DISKS / drive.owner / f"{drive.volume}.img"


def _copy(source: Path, target: Path) -> None:
    run("cp", "--sparse=always", "--reflink=auto", str(source), str(target))


def take(lab: Lab, guest: Guest, name: str) -> None:
    """Copy the disks of a guest. One that runs stands still meanwhile: its copy is that of a power cut."""
    container = lab.container(guest.name)
    if guest.running:
        containers.podman(["pause", container])
    try:
        run("sync")
        for disk in map(disk_of, guest.drives):
            if disk.exists():  # it gets its disks when it is first switched on
                copy_of(disk, name).parent.mkdir(parents=True, exist_ok=True)
                _copy(disk, copy_of(disk, name))
    except (LabError, OSError):
        drop(lab, guest, name)  # one of half the disks is none
        raise
    finally:
        if guest.running:
            containers.podman(["unpause", container])


def back(lab: Lab, guest: Guest, name: str) -> None:
    """Give a guest, which the hypervisor switches off, the disks that it had.

    Raises:
        LabError: it is not off in time, or a copy is missing.
    """
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while any(host.name == guest.name and host.running for host in containers.list_all(lab)):
        if time.monotonic() > deadline:
            raise LabError(f"{guest.name} has not stopped within {STOP_TIMEOUT_S} s.")
        time.sleep(0.2)
    containers.discard_container(lab.container(guest.name))
    found = [disk for disk in map(disk_of, guest.drives) if copy_of(disk, name).exists()]
    if len(found) < len(guest.drives):
        raise LabError(f"The snapshot {name} of {guest.name} lacks a disk.")
    for directory in {disk.parent for disk in found}:
        disks.detach(directory)
    for disk in found:
        _copy(copy_of(disk, name), disk)


def drop(_lab: Lab, guest: Guest, name: str) -> None:
    """Remove the copies."""
    for disk in map(disk_of, guest.drives):
        shutil.rmtree(copy_of(disk, name).parent, ignore_errors=True)


def main() -> int:
    """Do one of the three, and return the exit code; a failure is told on standard error."""
    action, name = sys.argv[1:]
    guest = Guest.from_machine(json.load(sys.stdin))
    try:
        {"take": take, "back": back, "drop": drop}[action](laboratory(), guest, name)
    except (LabError, PodmanError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
