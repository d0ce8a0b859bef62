"""What the lab needs to know of the machine it runs on: cgroups, disk, the image and the network."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import registry

IMAGE_INPUTS = ("image/build.sh", "image/packages.txt")
NETWORK = "198.18.0.0/16"
GATEWAY = "198.18.0.1"
FREE_DISK_MIB = 3000

# crun refuses cgroups of version 1, and without CAP_SYS_RESOURCE podman's own limits cannot be set.
LEGACY_CONFIGURATION = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=10000:10000"]
[engine]
runtime = "runc"
"""


class LabError(RuntimeError):
    """Something the user can mend; the text says what and how."""


def run(*command: str) -> str:
    """Run a command and return what it prints.

    Raises:
        LabError: it failed; the text has its last lines.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise LabError(f"`{' '.join(command[:3])} …` failed: {said}")
    return done.stdout.strip()


def configure_podman(state: Path) -> None:
    """Lower podman's demands on a machine with old cgroups; elsewhere its defaults are used."""
    configuration = state / "containers.conf"
    if Path("/sys/fs/cgroup/cgroup.controllers").exists():
        configuration.unlink(missing_ok=True)
        return
    configuration.write_text(LEGACY_CONFIGURATION)
    os.environ.setdefault("CONTAINERS_CONF", str(configuration))


def check(state: Path) -> None:
    """Refuse a machine on which the lab cannot come up.

    Raises:
        LabError: the disk is full, or the lab's network is already used by something else.
    """
    free = shutil.disk_usage(state).free // 2**20
    if free < FREE_DISK_MIB:
        raise LabError(
            f"The lab needs {FREE_DISK_MIB} MiB of free disk; there are {free}. Make room and run again."
        )
    if os.geteuid() != 0:
        raise LabError("The lab's containers need root: run `sudo make lab`.")


def image_name(project: Path) -> str:
    """Return the name of the image of the lab's hosts, which carries the digest of what it is made of."""
    digest = hashlib.sha256(registry.debian_sources().encode())
    for name in IMAGE_INPUTS:
        digest.update((project / "lab" / name).read_bytes())
    return f"localhost/hal-lab:{digest.hexdigest()[:12]}"


def ensure_image(project: Path, state: Path) -> None:
    """Build the image of the lab's hosts, unless one of the same inputs is there."""
    name = image_name(project)
    if subprocess.run(["podman", "image", "exists", name], check=False).returncode:
        sources = state / "debian.sources"
        sources.write_text(registry.debian_sources())
        run(str(project / "lab/image/build.sh"), str(sources), name)


def ensure_network(name: str, label: str) -> None:
    """Create the lab's network.

    Raises:
        LabError: another network holds the lab's addresses.
    """
    networks = json.loads(run("podman", "network", "ls", "--format", "json") or "[]")
    for network in networks:
        if network["name"] == name:
            return
        if any(subnet["subnet"] == NETWORK for subnet in network.get("subnets") or []):
            raise LabError(
                f"The podman network {network['name']} already holds {NETWORK}; "
                "if it is another checkout's lab, run `make lab-down` there first; "
                "`make lab-clear` removes every lab of this machine."
            )
    run("podman", "network", "create", "--disable-dns", "--label", label,
        "--subnet", NETWORK, "--gateway", GATEWAY, name)  # fmt: skip


def lab_networks() -> list[str]:
    """Return the names of the networks of every lab on this machine."""
    return run("podman", "network", "ls", "--filter=label=hal.lab", "--format={{.Name}}").split()


def remove_network(name: str) -> None:
    """Remove the lab's network, if it is there."""
    if subprocess.run(["podman", "network", "exists", name], check=False).returncode == 0:
        run("podman", "network", "rm", name)
