"""Hosts of the lab that no hypervisor makes: somebody installed them, gave them a user, and let it in."""

from __future__ import annotations

from dataclasses import dataclass

from lab import containers, network, registry
from lab.containers import Lab

SSH_PORT = 22
# May run any number of times; the parameters are a user, its key, and where it logs in.
INSTALL = """\
set -eu
# A host that has just been started takes a moment until it can be told anything.
timeout 60 sh -c 'until busctl list > /dev/null 2>&1; do sleep 0.2; done'
sed -i "s/^#Port 22$/Port $3/" /etc/ssh/sshd_config # before its keys, for SSH starts with them
ssh-keygen -A
# Without it, a service that waits for the network waits two minutes in vain.
if [ ! -e /etc/systemd/network/10-eth0.network ]; then
  printf '[Match]\\nName=eth0\\n[Network]\\nAddress=%s\\nGateway=%s\\n' \
    "$(ip -4 -o address show eth0 | awk '{print $4}')" "$(ip -4 route show default | awk '{print $3}')" \
    > /etc/systemd/network/10-eth0.network
  networkctl reload
fi
[ -e /etc/hosts ] || printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n' "$(hostname)" > /etc/hosts
id "$1" > /dev/null 2>&1 || useradd --create-home --shell /bin/bash "$1"
printf '%s ALL=(ALL) NOPASSWD:ALL\\n' "$1" > /etc/sudoers.d/90-installer
install -d -o "$1" -g "$1" -m 0700 "/home/$1/.ssh"
[ -e "/home/$1/.ssh/authorized_keys" ] ||
  { printf '%s\\n' "$2" > "/home/$1/.ssh/authorized_keys" && chown "$1:" "/home/$1/.ssh/authorized_keys"; }
systemctl reset-failed ssh && systemctl start ssh
"""


@dataclass(frozen=True)
class Login:
    """Where a host lets its installer in before HAL comes, and as whom.

    Attributes:
        user: the user's name.
        port: the port of SSH.
    """

    user: str
    port: int


def login(name: str) -> Login:
    """Return a host's login as the inventory has it: `ssh_before`, else what HAL will have."""
    before = network.inventory().hosts[name].get("ssh_before", {})
    return Login(before.get("user", network.USER), before.get("port", SSH_PORT))


def create(lab: Lab, name: str, address: str) -> None:
    """Create a host, which is not started yet. Raises PodmanError if podman refused."""
    here, there = registry.name_server_mount(network.STATE)
    containers.create(lab, name, address, options=[f"--volume={here}:{there}:ro"])


def install(lab: Lab, name: str, how: Login, key: str) -> None:
    """Give a host that runs its keys, and a user who may do everything without a password.

    Args:
        lab: the lab it belongs to.
        name: its host name.
        how: who may log in, and where.
        key: the public key of that user.

    Raises:
        PodmanError: it failed; the text says why.
    """
    command = ["sh", "-c", INSTALL, "sh", how.user, key.strip(), str(how.port)]
    containers.podman(containers.exec_command(lab, name, command=command)[1:])
