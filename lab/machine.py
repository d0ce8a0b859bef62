"""What the lab needs to know of the machine it runs on: cgroups, disk, the image and the network."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from lab import registry

IMAGE_INPUTS = ("build.sh", "packages.txt", "90-lab.cfg", "unmatched.conf")
DEFAULT_IMAGE = "trixie"
# One whose SSH server is started by its socket, as Ubuntu's is; made from the default one.
SSH_SOCKET = "trixie-ssh-socket"
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


def image_name(project: Path, kind: str = DEFAULT_IMAGE) -> str:
    """Return the name of an image of the lab's hosts, which carries the digest of what it is made of.

    Args:
        project: the checkout.
        kind: a release of Debian or Ubuntu by its code name, or `trixie-ssh-socket`.
    """
    digest = hashlib.sha256(registry.package_sources(kind.partition("-")[0]).encode())
    directory = project / "lab/image"
    inputs = [directory / name for name in IMAGE_INPUTS]
    if kind == SSH_SOCKET:
        inputs += sorted((directory / "ssh-socket").iterdir())
    for path in inputs:
        digest.update(path.read_bytes())
    return f"localhost/hal-lab:{kind}-{digest.hexdigest()[:12]}"


def ensure_image(project: Path, state: Path, kind: str = DEFAULT_IMAGE) -> None:
    """Build an image of the lab's hosts, unless one of the same inputs is there."""
    name, directory = image_name(project, kind), project / "lab/image"
    if subprocess.run(["podman", "image", "exists", name], check=False).returncode == 0:
        return
    if kind == SSH_SOCKET:
        ensure_image(project, state)
        run("podman", "build", "--quiet", "--isolation=chroot", "--pull=never", f"--tag={name}",
            f"--build-arg=base={image_name(project)}", str(directory / "ssh-socket"))  # fmt: skip
    else:
        sources = state / f"{kind}.sources"
        sources.write_text(registry.package_sources(kind))
        try:
            keyring = registry.keyring(kind, state)
        except (OSError, ValueError) as error:
            raise LabError(
                f"Ubuntu's keys cannot be had: {error}. Install the package ubuntu-keyring."
            ) from error
        run(str(directory / "build.sh"), kind, str(sources), str(keyring), name)


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
