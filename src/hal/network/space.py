"""What the disks of each machine must hold, and which of them are described too small."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from hal.network.backups import quota_faults
from hal.network.catalogue import WATCHERS, WINDOWS
from hal.network.inventory import HOSTS, Groups

# GiB of what stands in no inventory, rounded up from what the roles install.
SYSTEM = 6.0  # Debian with its packages, journal and a year of updates
OLLAMA = 8.0  # two releases and their archive, with the CUDA libraries
SPEECH = 8.0  # two releases with the CUDA libraries, recognition model and voice
DOWNLOADS = 6.0  # Ollama's archive, wheels, speech models, installers for Windows
PACKAGES = 20.0  # artifacts_packages_max_size of the role artifacts
MEASUREMENTS = 4.0  # Prometheus' history
FULL = 0.9  # of a disk; a file system needs some of it, and a full one is slow


@dataclass(frozen=True)
class Need:
    """Something that a host must hold.

    Attributes:
        what: what it is, in words.
        path: where it stands.
        gib: how large it is.
    """

    what: str
    path: str
    gib: float


def needs(host: str, groups: Groups, models_gib: float, backups_gib: float) -> list[Need]:
    """Return what a host must hold because of its groups.

    Args:
        host: the inventory's name of the host.
        groups: the inventory's groups.
        models_gib: GiB of all language models.
        backups_gib: GiB of all backups.
    """
    downloads = [
        Need("copies of the language models", "/srv/artifacts", models_gib),
        Need("wheels and other downloads", "/srv/artifacts", DOWNLOADS),
        Need("Debian packages", "/var/cache/hal-packages", PACKAGES),
    ]
    by_group = {
        "ai_servers": [
            Need("language models", "/var/lib/ollama", models_gib),
            Need("Ollama", "/opt/ollama", OLLAMA),
            Need("speech recognition", "/opt/hal", SPEECH),
        ],
        "backup_servers": [
            *downloads,
            Need("backups", "/srv/backups", backups_gib),
        ],
        WATCHERS: [
            Need("measurements", "/var/lib/prometheus", MEASUREMENTS),
            *([] if groups.get("backup_servers") else downloads),
        ],
    }
    found = [Need("the system", "/", SYSTEM)]
    for group, held in by_group.items():
        found += held if host in groups.get(group, ()) else []
    return found


def _disk_of(path: str, disks: Mapping[str, str]) -> str:
    """Return the disk that a path is on; `disks` are their mount points."""
    place = PurePosixPath(path)
    on = [disk for disk, mount in disks.items() if place.is_relative_to(mount)]
    return max(on, key=lambda disk: len(disks[disk]))


def _disk_faults(host: str, machine: Mapping[str, Any]) -> Iterator[str]:
    """Find data disks that cannot be mounted where they are to be."""
    paths: dict[str, str] = {}
    for disk in machine.get("data_disks", []):
        name, path = disk.get("name"), str(disk.get("path", ""))
        if not PurePosixPath(path).is_absolute() or path == "/":
            yield f"the data disk {name} of {host} has the path {path!r}; name the directory it is mounted at"
        elif paths.setdefault(path, name) != name:
            yield f"{path} of {host} is the path of the data disks {paths[path]} and {name}"


def _size_faults(host: str, machine: Mapping[str, Any], held: Iterable[Need]) -> Iterator[str]:
    mounts = {"": "/"} | {disk["name"]: disk["path"] for disk in machine.get("data_disks", [])}
    sizes = {"": machine.get("disk_gib")} | {
        disk["name"]: disk["gib"] for disk in machine.get("data_disks", [])
    }
    on_disk: dict[str, list[Need]] = {name: [] for name in mounts}
    for need in held:
        on_disk[_disk_of(need.path, mounts)].append(need)
    for name, content in on_disk.items():
        size, needed = sizes[name], sum(need.gib for need in content) / FULL
        if not size or needed <= size:  # without disk_gib nobody says how large it is
            continue
        parts = ", ".join(f"{need.what} {need.gib:g}" for need in content)
        which, key = (
            (f"the data disk {name} of {host}", "gib in machine.data_disks")
            if name
            else (f"the system disk of {host}", "machine.disk_gib")
        )
        yield (
            f"{which} has {size:g} GiB and must hold {needed:.0f} ({parts}, and a tenth free): raise {key}"
            + ("" if name else ", or put some of it on a disk in machine.data_disks")
        )


def space_faults(description: Mapping[str, Any]) -> list[str]:
    """Return every disk that is described wrongly or too small, each after the file to edit.

    Args:
        description: what to look at, with
            machines: `machine` of each virtual machine, as hosts.yml has it;
            groups: Ansible's groups;
            models: network_language_models; the size of one without `gib` is not known, and not counted;
            backups_gib: GiB of all backups;
            backup_hosts: the hosts that have backups;
            quotas_gib: network_backup_quotas_gib, GiB of some of them.
    """
    groups = description["groups"]
    models_gib = sum(float(model.get("gib", 0)) for model in description["models"])
    total_gib = float(description["backups_gib"])
    found: list[str] = []
    for host, machine in description["machines"].items():
        if host in groups.get(WINDOWS, ()):
            if machine.get("data_disks"):
                found.append(f"{host} runs Windows, where disks are formatted by hand: leave data_disks out")
            continue
        faults = [*_disk_faults(host, machine)]
        held = needs(host, groups, models_gib, total_gib)
        found += faults or _size_faults(host, machine, held)
    quotas = (description.get("backup_hosts", []), total_gib, description.get("quotas_gib", {}))
    unshared = quota_faults(*quotas) if groups.get("backup_servers") else []
    return [f"{HOSTS}: {fault}" for fault in found] + unshared
