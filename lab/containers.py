"""The lab's hosts: podman containers that run systemd."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import disks

CAPABILITIES = "SYS_ADMIN,NET_ADMIN,NET_RAW"
STOP_TIMEOUT_S = 20
IMAGE_SETTINGS = ("--stop-signal=SIGRTMIN+3", "--env=LANG=C.UTF-8")  # as the image has them
INIT = "/lib/systemd/systemd"


class PodmanError(RuntimeError):
    """A podman command failed; the text is what it said."""


def podman(arguments: Sequence[str], standard_input: bytes = b"") -> str:
    """Run podman and return what it prints. Raises PodmanError with its last line if it fails."""
    try:
        done = subprocess.run(["podman", *arguments], input=standard_input, capture_output=True, check=False)
    except FileNotFoundError:
        raise PodmanError("podman is not installed: install the package podman") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise PodmanError(said[-1] if said else f"podman {arguments[0]} ended with {done.returncode}")
    return done.stdout.decode()


@dataclass(frozen=True)
class Lab:
    """What all hosts of a lab share.

    Attributes:
        identity: names the checkout: two checkouts' labs do not touch each other's hosts.
        image: name of the image.
        network: name of the podman network.
        mounts: files of this machine that each host sees, read-only: (path here, path there).
    """

    identity: str
    image: str
    network: str
    mounts: tuple[tuple[Path, str], ...] = ()

    @property
    def label(self) -> str:
        """The label that marks everything of this lab."""
        return f"hal.lab={self.identity}"

    def container(self, name: str) -> str:
        """Return the name of a host's container."""
        return f"hal-{self.identity}-{name}"


# It stands still while its disks are copied, and has them until it has stopped.
ON = ("running", "paused", "stopping")


@dataclass(frozen=True)
class Container:
    """A host as podman knows it.

    Attributes:
        name: the host's name.
        running: whether it is switched on; one that stands still for a snapshot is.
        address: its IPv4 address.
        guest: identity of the Proxmox guest it stands for, or None.
    """

    name: str
    running: bool
    address: str
    guest: str | None


def create(
    lab: Lab, name: str, address: str, *, files: Path | None = None, options: Sequence[str] = ()
) -> None:
    """Create a host, which is not started yet.

    Args:
        lab: the lab it belongs to.
        name: its host name.
        address: its IPv4 address on the lab's network.
        files: a directory with its files; by default it begins with those of the lab's image.
        options: further options of `podman create`.

    Raises:
        PodmanError: podman refused.
    """
    given = [f"--label={label}" for label in (lab.label, f"hal.host={name}", f"hal.address={address}")]
    given += [f"--volume={here}:{there}:ro" for here, there in lab.mounts]
    # podman's own files of names and name servers are mounts, which nothing in the host could replace.
    given += ["--no-hosts", "--dns=none", "--hostname", name, "--network", lab.network, "--ip", address]
    # systemd lets every user ping; in a container it cannot set that itself.
    given += ["--sysctl", "net.ipv4.ping_group_range=0 2147483647"]
    given += ["--systemd=always", "--cap-add", CAPABILITIES, "--security-opt", "apparmor=unconfined"]
    image = [lab.image] if files is None else [*IMAGE_SETTINGS, "--rootfs", str(files), INIT]
    podman(["create", "--name", lab.container(name), *given, *options, *image])


def start(lab: Lab, name: str) -> None:
    """Start a host that exists."""
    podman(["start", lab.container(name)])


def stop(lab: Lab, name: str) -> None:
    """Shut a host down; its files stay."""
    podman(["stop", "--time", str(STOP_TIMEOUT_S), lab.container(name)])


def remove(lab: Lab, name: str) -> None:
    """Remove a host with its files, volumes and disks, running or not; nothing happens if there is none."""
    remove_container(lab.container(name))


def remove_container(name: str) -> None:
    """Remove a container by its podman name, as `remove` does."""
    listing = ["ps", "--all", f"--filter=name=^{name}$", '--format={{index .Labels "hal.disks"}}']
    directory = podman(listing).strip()
    discard_container(name)
    if directory:
        disks.destroy(Path(directory))


def discard_container(name: str) -> None:
    """Remove a container by its podman name, but no disk that was given to it.

    Of one whose processes were killed from outside podman first has to notice that: it then refuses once.
    """
    command = ["rm", "--force", "--ignore", "--volumes", "--time", "0", name]
    try:
        podman(command)
    except PodmanError:
        podman(command)


def image_files(image: str) -> Path:
    """Return the directory in which this machine sees the files of an image."""
    return Path(podman(["image", "mount", image]).strip())


def image_size(image: str) -> int:
    """Return the size of an image in bytes."""
    return int(podman(["image", "inspect", "--format={{.Size}}", image]))


def list_all(lab: Lab) -> list[Container]:
    """Return the lab's hosts, running or not."""
    listing = podman(["ps", "--all", "--filter", f"label={lab.label}", "--format", "json"])
    return [_container(item) for item in json.loads(listing or "[]")]


def list_everything() -> list[str]:
    """Return the containers of every lab on this machine and of its roles' tests, by their podman names."""
    listing = ["ps", "--all", "--format={{.Names}}"]
    return [
        name
        for label in ("hal.lab", "hal.molecule")
        for name in podman([*listing, f"--filter=label={label}"]).split()
    ]


def exec_command(
    lab: Lab, name: str, *, user: str = "root", command: Sequence[str] = ("bash", "-l"), tty: bool = False
) -> list[str]:
    """Return the command line that runs a command in a host, by default a shell, as a user of it."""
    terminal = ["--interactive", "--tty"] if tty else []
    return ["podman", "exec", *terminal, "--user", user, "--workdir", "/", lab.container(name), *command]


def wait_booted(lab: Lab, name: str, timeout: float = 60) -> str:
    """Wait until systemd has started everything; returns `running`, or `degraded` if a unit failed.

    `timeout` is in seconds. Raises TimeoutError with systemd's last word.
    """
    deadline = time.monotonic() + timeout
    while True:
        state = _system_state(lab, name, max(deadline - time.monotonic(), 1))
        if state in ("running", "degraded"):
            return state
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{name} has not booted within {timeout:g} s: {state or 'no answer'}")
        time.sleep(0.2)


def wait_port(address: str, port: int, timeout: float = 60) -> None:
    """Wait until a port answers: one that was started again may be looked for at its former hardware address.

    `timeout` is in seconds. Raises TimeoutError with what does not answer.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=2):
            return
        time.sleep(0.2)
    raise TimeoutError(f"{address}:{port} has not answered within {timeout:g} s")


def _system_state(lab: Lab, name: str, wait_s: float) -> str:
    # systemd itself waits: asked again and again, a booting host would lose half a processor to it.
    # Before it listens it cannot be asked. The last command fails for every state but `running`.
    wait = f"timeout {wait_s:.0f} systemctl is-system-running --wait > /dev/null 2>&1"
    command = ["sh", "-c", f"{wait}; systemctl is-system-running || true"]
    try:
        return podman(exec_command(lab, name, command=command)[1:]).strip()
    except PodmanError:
        return ""


def _container(item: dict[str, Any]) -> Container:
    labels: dict[str, str] = item["Labels"]
    return Container(
        name=labels["hal.host"],
        running=item["State"] in ON,
        address=labels["hal.address"],
        guest=labels.get("hal.guest"),
    )
