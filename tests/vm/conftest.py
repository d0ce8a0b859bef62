"""One virtual machine, taken once through the stages of a host's life; the tests look at what was seen."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.ports import free_port
from tests.vm.machine import ADDRESS, GATEWAY, VirtualMachine

PROJECT = Path(__file__).resolve().parents[2]
NAME, USER, ADMINISTRATOR = "vm1", "hal", "lawr"
HOSTS = {NAME: ADDRESS, "qm1": "198.18.34.103"}
METRICS_PORT, CLOSED_PORT = 9100, 8099
SECONDS: dict[str, float] = {}

# What is asked of the machine at each stage.
LOOKS = {
    "boot": "cat /proc/sys/kernel/random/boot_id",
    "state": "systemctl is-system-running; systemctl --failed --no-legend --plain",
    "cloud-init": "sudo cloud-init status --long",
    "hosts": "cat /etc/hosts",
    "root": "df --output=size -B1 / | tail -1",
    "address": "ip -brief -4 address show eth0; hostname --fqdn",
    "clock": "systemctl is-active systemd-timesyncd; date +%s",
    "ufw": "sudo ufw status verbose",
    "sshd": "sudo ss -Hltnp",
    "revert": "systemctl is-active hal-firewall-revert.timer",
    "journal": "journalctl --list-boots --quiet --no-pager",
    "exporter": f"curl -sS --max-time 60 http://127.0.0.1:{METRICS_PORT}/metrics",
    "upgrades": "systemctl is-active apt-daily.timer apt-daily-upgrade.timer; apt-config dump APT::Periodic",
}

type Seen = dict[str, str]


class Host:
    """The machine as a host of the network: how Ansible reaches it, and what is seen of it.

    Attributes:
        machine: the machine.
        ssh_port: where its SSH listens by now.
        new_ssh_port: where the role base lets it listen: the same number here and there, for a run goes on
            over it.
        ports: the port of 127.0.0.1 that leads to each of the machine's.
    """

    def __init__(self, directory: Path) -> None:
        key = directory / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        self.public_key = key.with_suffix(".pub").read_text()
        self.ssh_port, self.new_ssh_port = 22, free_port()
        self.ports = {port: free_port() for port in (22, METRICS_PORT, CLOSED_PORT)}
        self.ports[self.new_ssh_port] = self.new_ssh_port
        config = {
            "name": NAME,
            "ciuser": USER,
            "sshkeys": quote(self.public_key, safe=""),
            "net0": "virtio=BC:24:11:00:00:10,bridge=vmbr0",
            "ipconfig0": f"ip={ADDRESS}/24,gw={GATEWAY}",
            "nameserver": GATEWAY,
            "searchdomain": "hal.internal",
        }
        self.machine = VirtualMachine(config, directory, key, self.ports)
        self._inventory = directory / "inventory.json"

    def look(self) -> Seen:
        """Ask the machine everything, over one connection."""
        done = self.machine.ssh(
            "; ".join(f"echo '=== {name}'; {{ {command}; }} 2>&1" for name, command in LOOKS.items()),
            self.ssh_port,
        )
        seen = {"asked": f"{time.time():.0f}"} | {
            name: text.strip()
            for name, _, text in (part.partition("\n") for part in done.stdout.split("=== "))
        }
        assert seen.keys() >= LOOKS.keys(), done.stdout + done.stderr
        return seen

    def ansible(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of Ansible's on the machine."""
        self._inventory.write_text(json.dumps({"all": {"hosts": {NAME: self._variables()}}}))
        return subprocess.run(
            [program, "-i", str(self._inventory), *arguments],
            cwd=PROJECT,
            env=os.environ | {"ANSIBLE_TIMEOUT": "60"},
            capture_output=True,
            text=True,
            check=False,
        )

    def _variables(self) -> dict[str, object]:
        return {
            "ansible_host": "127.0.0.1",
            "ansible_port": self.ports[self.ssh_port],
            "ansible_user": USER,
            "ansible_ssh_common_args": shlex.join(self.machine.ssh_options),
            "base_hosts": HOSTS,
            "base_users": [{"name": ADMINISTRATOR, "ssh_keys": [self.public_key.strip()]}],
            "base_ssh_port": self.new_ssh_port,
            "base_guest_agent": True,
            "firewall_ssh_port": self.new_ssh_port,
            "firewall_revert_after": 300,  # emulated on a busy computer, the machine is slow
            "firewall_rules": [
                {"port": port, "from": GATEWAY, "comment": what}
                for port, what in ((self.new_ssh_port, "ssh"), (METRICS_PORT, "metrics"))
            ],
        }

    def answers(self, port: int) -> bool:
        """Tell whether a web server at a port of the machine answers from here, which is not the machine."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[port]}/", timeout=30) as answer:
                return answer.status == 200
        except OSError:
            return False

    def play(self) -> str:
        """Run the roles and return what Ansible printed."""
        done = self.ansible("ansible-playbook", "tests/vm/site.yml")
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        self.ssh_port = self.new_ssh_port
        return done.stdout


@contextlib.contextmanager
def timed(what: str) -> Iterator[None]:
    """Note how long something takes, for the summary."""
    begin = time.monotonic()
    yield
    SECONDS[what] = time.monotonic() - begin


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what, seconds in SECONDS.items():
        terminalreporter.write_line(f"  {seconds:5.0f} s  {what}")


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """A machine that was just switched on, without an operating system that answers yet."""
    with tempfile.TemporaryDirectory(prefix="hal-vm-") as directory:
        host = Host(Path(directory))
        try:
            with timed("the image, and the kernel's first words"):
                host.machine.start()
            yield host
        finally:
            host.machine.stop()


@pytest.fixture(scope="session")
def fresh(host: Host) -> Seen:
    """The machine once cloud-init has really ended."""
    with timed(f"SSH answers ({host.machine.accelerator})"):
        host.machine.wait_for_ssh(22)
    with timed("cloud-init has ended"):
        done = host.machine.ssh("sudo cloud-init status --wait --long", 22)
    # 2: it has ended, and has warned of keys that Proxmox writes and that it would rather see no more.
    assert done.returncode in {0, 2} and "status: done" in done.stdout, done.stdout + done.stderr
    return host.look()


@pytest.fixture(scope="session")
def configured(host: Host, fresh: Seen) -> Seen:
    """The machine after the first run of the roles."""
    with timed("first run of the roles"):
        play = host.play()
    return host.look() | {"play": play}


@pytest.fixture(scope="session")
def restarted(host: Host, configured: Seen) -> Seen:
    """The machine after a restart, once systemd says that it is up."""
    with timed("restart"):
        done = host.ansible(
            "ansible", "all", "--become", "-m", "ansible.builtin.reboot", "-a", "reboot_timeout=900"
        )
        assert done.returncode == 0, done.stdout + done.stderr
        host.machine.ssh("systemctl is-system-running --wait; sudo cloud-init status --wait", host.ssh_port)
    return host.look()


@pytest.fixture(scope="session")
def again(host: Host, restarted: Seen) -> Seen:
    """The machine after a second run of the roles."""
    with timed("second run of the roles"):
        play = host.play()
    return host.look() | {"play": play}


@pytest.fixture(scope="session")
def asked_from_outside(host: Host, again: Seen) -> dict[str, bool]:
    """Whether a port with a rule answers from outside, and one without a rule from there and from inside."""
    listen = f"sudo systemd-run --unit=listener python3 -m http.server --directory=/etc/ufw {CLOSED_PORT}"
    ask = (
        f"curl --retry 60 --retry-connrefused --retry-delay 1 -fsSo /dev/null http://{ADDRESS}:{CLOSED_PORT}"
    )
    try:
        inside = host.machine.ssh(f"{listen} && {ask}", host.ssh_port)
        return {
            "open": host.answers(METRICS_PORT),
            "closed": host.answers(CLOSED_PORT),
            "closed, from inside": inside.returncode == 0,
        }
    finally:
        host.machine.ssh("sudo systemctl stop listener", host.ssh_port)


@pytest.fixture(scope="session")
def locked_out(host: Host, asked_from_outside: object) -> Seen:
    """The machine after a change of its firewall that shut the controller out, and that nobody confirmed."""
    change = {"rules": [{"port": "1", "from": "192.0.2.1"}], "revert_after": 90}
    with timed("a change of the firewall that undoes itself"):
        done = host.ansible("ansible", "all", "--become", "-m", "ufw_ruleset", "-a", json.dumps(change))
        assert "CHANGED" in done.stdout, done.stdout + done.stderr
        closed = host.machine.ssh("true", host.ssh_port, limit_s=120).returncode != 0
        host.machine.wait_for_ssh(host.ssh_port)
    return host.look() | {"closed": str(closed)}


@pytest.fixture(scope="session")
def shut_down(host: Host, locked_out: object) -> str:
    """What the machine has said on its console until it was off, shut down through its agent."""
    with timed("shut down through the guest agent"):
        host.machine.shut_down()
    return host.machine.said()
