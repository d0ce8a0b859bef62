"""Switch a guest on as Proxmox would, with its disks and its cloud-init data as they are described."""

from __future__ import annotations

from pathlib import Path

from lab import cloud_init, containers, disks, machine, registry
from lab.containers import Lab
from lab.guests import Guest
from lab.network import PROJECT, STATE

DISKS = STATE / "disks"
SEED = "var/lib/cloud/seed/nocloud"
LINKS = "etc/tmpfiles.d/lab-disks.conf"


def switch_on(lab: Lab, guest: Guest, *, limit_memory: bool = False) -> None:
    """Start a guest's container on the guest's disks; it takes over what has changed.

    `limit_memory` gives the container the guest's memory as a limit.

    Raises:
        PodmanError, LabError: podman refused, or this machine cannot have such disks.
        ValueError: the configuration has no address, or no disk.
    """
    if not guest.address:
        raise ValueError("its cloud-init data has no fixed IPv4 address (ipconfig0)")
    if not guest.drives:
        raise ValueError("it has no disk")
    # All of it but the disks is made anew, so that nothing is left of what an earlier start had.
    containers.discard_container(lab.container(guest.name))
    directory = DISKS / f"vm-{guest.vmid}"
    _forget_another(directory, guest.identity)
    system, *others = [
        disks.attach(DISKS / drive.owner / f"{drive.volume}.img", drive.size_gib) for drive in guest.drives
    ]
    image = machine.image_name(PROJECT, guest.image)
    files = disks.mount_system(directory, system, containers.image_files(image), containers.image_size(image))
    for name, text in cloud_init.seed(guest.config, guest.vmid, registry.name_servers()).items():
        _write(files / SEED / name, text)
    links = ""
    for drive, device in zip(guest.drives[1:], others, strict=True):
        links += f"L /dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_{drive.serial} - - - - {device}\n"
    _write(files / LINKS, links)  # a real machine's udev makes them
    options = [f"--label=hal.guest={guest.identity}", f"--label=hal.disks={directory}"]
    options += ["--mac-address", guest.mac, *(f"--device={device}" for device in others)]
    options += [f"--memory={guest.memory}m"] if limit_memory else []
    containers.create(lab, guest.name, guest.address, files=files, options=options)
    containers.start(lab, guest.name)


def _forget_another(directory: Path, identity: str) -> None:
    """Destroy what is left of the disks of a guest that had this one's number before it."""
    mark = directory / "guest"
    if not mark.exists() or mark.read_text() != identity:
        disks.destroy(directory)
        _write(mark, identity)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
