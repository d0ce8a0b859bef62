"""The lab's hosts: podman containers that run systemd and are set up at boot as cloud-init would."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

CAPABILITIES = "SYS_ADMIN,NET_ADMIN,NET_RAW"
STOP_TIMEOUT_S = 20

# Does the part of cloud-init that the lab needs, at each boot, before anybody can log in.
FIRST_BOOT = """\
#!/bin/sh
# Set up the user, its keys, the SSH host keys and the host's own name. May run any number of times.
set -eu
seed=/var/lib/hal-lab
user=$(cat "$seed/user")
ssh-keygen -A
grep -qw "$(hostname)" /etc/hosts || printf '127.0.1.1 %s\\n' "$(hostname)" >> /etc/hosts
if [ -n "$user" ]; then
  id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$user"
  install -m 0440 /dev/null /etc/sudoers.d/90-cloud-init-users
  printf '%s ALL=(ALL) NOPASSWD:ALL\\n' "$user" > /etc/sudoers.d/90-cloud-init-users
  home=$(getent passwd "$user" | cut -d: -f6)
  install -d -o "$user" -g "$user" -m 0700 "$home/.ssh"
  install -o "$user" -g "$user" -m 0600 "$seed/authorized_keys" "$home/.ssh/authorized_keys"
fi
"""
FIRST_BOOT_UNIT = """\
[Unit]
Description=Set up the host as described by the hypervisor
Before=ssh.service ssh.socket systemd-user-sessions.service

[Service]
Type=oneshot
RemainAfterExit=true
ExecStart=/usr/local/lib/hal-lab/first-boot

[Install]
WantedBy=multi-user.target
"""
UNIT = "etc/systemd/system/hal-first-boot.service"
UNIT_LINK = "etc/systemd/system/multi-user.target.wants/hal-first-boot.service"


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


@dataclass(frozen=True)
class Container:
    """A host as podman knows it.

    Attributes:
        name: the host's name.
        running: whether it runs.
        address: its IPv4 address.
        guest: identity of the Proxmox guest it stands for, or None.
    """

    name: str
    running: bool
    address: str
    guest: str | None


def create(
    lab: Lab,
    name: str,
    address: str,
    user: str,
    ssh_keys: Sequence[str],
    *,
    memory: int | None = None,
    guest: str | None = None,
) -> None:
    """Create and start a host; one that exists is only started, one that runs is left alone.

    Args:
        lab: the lab it belongs to.
        name: its host name.
        address: its IPv4 address on the lab's network.
        user: a user to make, with sudo and without a password; empty for none.
        ssh_keys: public keys that may log in as that user.
        memory: limit in MiB; none by default.
        guest: identity of the Proxmox guest it stands for.

    Raises:
        PodmanError: podman refused.
    """
    existing = next((host for host in list_all(lab) if host.name == name), None)
    if existing is None:
        labels = [lab.label, f"hal.host={name}", f"hal.address={address}"]
        if guest is not None:
            labels.append(f"hal.guest={guest}")
        options = [f"--label={label}" for label in labels]
        options += [f"--volume={here}:{there}:ro" for here, there in lab.mounts]
        if memory is not None:
            options.append(f"--memory={memory}m")
        # podman's own /etc/hosts is a mount, which Ansible could not replace.
        options += ["--no-hosts", "--hostname", name, "--network", lab.network, "--ip", address]
        options += ["--mac-address", mac_address(address)]
        # systemd lets every user ping; in a container it cannot set that itself.
        options += ["--sysctl", "net.ipv4.ping_group_range=0 2147483647"]
        options += ["--systemd=always", "--cap-add", CAPABILITIES, "--security-opt", "apparmor=unconfined"]
        podman(["create", "--name", lab.container(name), *options, lab.image])
    if existing is None or not existing.running:
        start(lab, name, user, ssh_keys)


def mac_address(address: str) -> str:
    """Return the MAC address of a host, by its IPv4 address, so that one made anew has the same.

    A real machine announces itself when it boots. These do not, and for half a minute whoever spoke to the
    one that was would go on asking for its MAC address.
    """
    return "02:00:" + IPv4Address(address).packed.hex(":")


def start(lab: Lab, name: str, user: str, ssh_keys: Sequence[str]) -> None:
    """Start a host that exists, with this user and these keys, as a cloud-init drive would give them."""
    podman(["cp", "-", f"{lab.container(name)}:/"], first_boot_archive(user, ssh_keys))
    podman(["start", lab.container(name)])


def stop(lab: Lab, name: str) -> None:
    """Shut a host down; its files stay."""
    podman(["stop", "--time", str(STOP_TIMEOUT_S), lab.container(name)])


def remove(lab: Lab, name: str) -> None:
    """Remove a host with its files and volumes, running or not; nothing happens if there is none."""
    remove_container(lab.container(name))


def remove_container(name: str) -> None:
    """Remove a container by its podman name, as `remove` does.

    Of one whose processes were killed from outside podman first has to notice that: it then refuses once.
    """
    command = ["rm", "--force", "--ignore", "--volumes", "--time", "0", name]
    try:
        podman(command)
    except PodmanError:
        podman(command)


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
        state = _system_state(lab, name)
        if state in ("running", "degraded"):
            return state
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{name} has not booted within {timeout:g} s: {state or 'no answer'}")
        time.sleep(0.2)


def _system_state(lab: Lab, name: str) -> str:
    # The command fails for every state but `running`.
    command = ["sh", "-c", "systemctl is-system-running || true"]
    try:
        return podman(exec_command(lab, name, command=command)[1:]).strip()
    except PodmanError:
        return ""


def _container(item: dict[str, Any]) -> Container:
    labels: dict[str, str] = item["Labels"]
    return Container(
        name=labels["hal.host"],
        running=item["State"] == "running",
        address=labels["hal.address"],
        guest=labels.get("hal.guest"),
    )


def first_boot_archive(user: str, ssh_keys: Sequence[str]) -> bytes:
    """Return a tar archive with the unit that sets the host up at boot, and what it sets up."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        files = {
            "usr/local/lib/hal-lab/first-boot": (FIRST_BOOT, 0o755),
            "var/lib/hal-lab/user": (user, 0o600),
            "var/lib/hal-lab/authorized_keys": ("".join(f"{key.strip()}\n" for key in ssh_keys), 0o600),
            UNIT: (FIRST_BOOT_UNIT, 0o644),
        }
        for path, (text, mode) in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(text.encode()), mode
            archive.addfile(entry, io.BytesIO(text.encode()))
        link = tarfile.TarInfo(UNIT_LINK)
        link.type, link.linkname = tarfile.SYMTYPE, f"/{UNIT}"
        archive.addfile(link)
    return buffer.getvalue()
