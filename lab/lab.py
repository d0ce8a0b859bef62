"""The lab: HAL's whole network on this machine, brought up, used and removed.

Usage: lab.py up [--profile NAME] | down | clear | shell HOST | client ARGUMENTS...
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import containers
import credentials
import machine
import profiles
from containers import PodmanError
from machine import LabError
from network import (
    API_ADDRESS,
    API_PORT,
    CLIENT,
    PROJECT,
    SECRETS,
    STATE,
    USER,
    addresses,
    laboratory,
    shared_address,
)
from processes import Process

ARTIFACTS = PROJECT / ".cache/artifacts"
QUESTION = "What medications am I taking?"


@dataclass
class Phases:
    """What was done, and how long each part took."""

    taken: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Announce a part and time it."""
        print(f"==> {name}", flush=True)
        begin = time.monotonic()
        yield
        self.taken.append((name, time.monotonic() - begin))

    def table(self) -> str:
        """Return one line for each part, with its seconds, and the sum."""
        rows = [*self.taken, ("altogether", sum(seconds for _, seconds in self.taken))]
        return "\n".join(f"  {name:<44} {seconds:6.0f} s" for name, seconds in rows)


def processes() -> list[Process]:
    """Return the lab's own processes, in the order of their start."""
    guests, password = STATE / "guests.json", STATE / "pve.password"
    api = Process(
        "proxmox-api",
        [
            str(PROJECT / ".venv/bin/fakepve"),
            str(guests if guests.exists() else PROJECT / "lab/hypervisor.json"),
            *("--host", API_ADDRESS, "--port", str(API_PORT), "--time-scale", "0"),
            *("--cert", str(STATE / "pve.crt"), "--key", str(STATE / "pve.key")),
        ],
        STATE,
        {"PVE_PASS": password.read_text() if password.exists() else ""},
    )
    return [api, Process("hypervisor", [sys.executable, str(PROJECT / "lab/hypervisor.py")], STATE)]


def build_ollama() -> None:
    """Make the archive that the ollama role installs, and the index of models that it pulls from."""
    archives, models = ARTIFACTS / "archives", ARTIFACTS / "models"
    for directory in (archives, models):
        directory.mkdir(parents=True, exist_ok=True)
    archive = archives / "ollama-linux-amd64.tgz"
    machine.run(sys.executable, str(PROJECT / "lab/ollama/build.py"), str(archive))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    archive.with_name(f"{archive.name}.sha256").write_text(f"{digest}\n")
    shutil.copyfile(PROJECT / "lab/ollama/models.json", models / "models.json")


def server_certificates() -> dict[str, list[str]]:
    """Return, by the variable that holds a certificate, the names and addresses that it is for."""
    servers = {
        "network_proxy_certificate": addresses("proxies") | shared_address(),
        "network_backup_certificate": addresses("backup_servers"),
    }
    return {variable: [*hosts, *hosts.values()] for variable, hosts in servers.items()}


def forget_host_key(address: str) -> None:
    """Forget the SSH host key of a host that is about to be made anew."""
    known_hosts = STATE / "known_hosts"
    if known_hosts.exists():
        machine.run("ssh-keygen", "-q", "-R", address, "-f", str(known_hosts))


def ensure_standing_hosts() -> None:
    """Create and start the hosts that stand before anything is provisioned: the NAS and the client."""
    lab = laboratory()
    there = {container.name: container for container in containers.list_all(lab)}
    user = (USER, [(STATE / "id_ed25519.pub").read_text().strip()])
    for name, address in addresses("backup_servers", "clients").items():
        if name not in there:
            forget_host_key(address)
            containers.create(lab, name, address, *user)
        elif not there[name].running:
            containers.start(lab, name, *user)
        containers.wait_booted(lab, name)


def playbook(*arguments: str) -> None:
    """Run a playbook, its output visible.

    Raises:
        LabError: it failed; its output says why.
    """
    command = [str(PROJECT / ".venv/bin/ansible-playbook"), *arguments]
    if subprocess.run(command, cwd=PROJECT, check=False).returncode:
        raise LabError(
            "The playbook failed; its last task above says why. `make lab` goes on where it stopped."
        )


def enter(host: str, *command: str, user: str = "root") -> int:
    """Run a command on a host of the lab, the terminal attached, and return its exit code."""
    arguments = containers.exec_command(
        laboratory(), host, user=user, command=command, tty=sys.stdin.isatty()
    )
    return subprocess.run(arguments, check=False).returncode


def client(*arguments: str) -> int:
    """Run the hal command on the lab's client as its user would, and return its exit code."""
    return enter(CLIENT, "bash", "-lc", 'exec hal "$@"', "hal", *arguments, user=USER)


def up(profile: str) -> None:
    """Bring the lab up from whatever state it is in, with the hosts of a profile, and ask it something."""
    phase = Phases()
    machine.check(STATE)
    profiles.choose(profile)
    credentials.create(STATE, SECRETS, ["pve", API_ADDRESS], server_certificates(), devices=[CLIENT])
    with phase("Image of the hosts, and Ollama's archive"), ThreadPoolExecutor() as pool:
        image = pool.submit(machine.ensure_image, PROJECT, STATE)
        build_ollama()
        image.result()
    with phase("Network, Proxmox API, standing hosts"):
        lab = laboratory()
        machine.ensure_network(lab.network, lab.label)
        for process in processes():
            process.start()
        ensure_standing_hosts()
        for process in processes():
            process.require()
        for sentence in profiles.remove_undescribed(lab):
            print(sentence)
    with phase("site.yml: provision, configure, verify"):
        playbook("site.yml")
    with phase("A typed and a spoken question"):
        codes = [client("ask", QUESTION), client("say", QUESTION)]
    print(phase.table())
    if any(codes):
        raise LabError("A question was not answered: see above, and `make health`.")


def stop_processes() -> None:
    """Stop the Proxmox API and the hypervisor, the last started first."""
    for process in reversed(processes()):
        process.stop()


def down() -> None:
    """Remove every container, process, network, key and secret of this lab; downloads stay."""
    stop_processes()
    lab = laboratory()
    for container in containers.list_all(lab):
        containers.remove(lab, container.name)
    machine.remove_network(lab.network)
    SECRETS.unlink(missing_ok=True)
    profiles.choose(profiles.DEFAULT)
    shutil.rmtree(STATE)


def clear() -> None:
    """Remove every lab of this machine, this checkout's and those that others have left.

    Raises:
        LabError: another checkout's hypervisor still runs, and makes its machines again.
    """
    stop_processes()  # or this checkout's hypervisor makes its machines again
    for name in containers.list_everything():
        containers.remove_container(name)
    for network in machine.lab_networks():
        try:
            machine.remove_network(network)
        except LabError as error:
            raise LabError(
                f"{error}\nIs that lab still up? `make lab-down` in its checkout ends it."
            ) from None
    down()  # last: podman's configuration goes with the state


def main() -> int:
    """Run one verb and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("up").add_argument(
        "--profile", help="which hosts there are; without it, those of before"
    )
    verbs.add_parser("down")
    verbs.add_parser("clear")
    verbs.add_parser("shell").add_argument("host")
    verbs.add_parser("client").add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        STATE.mkdir(mode=0o700, exist_ok=True)
        machine.configure_podman(STATE)
        if options.verb == "up":
            up(options.profile or profiles.current())
        elif options.verb == "down":
            down()
        elif options.verb == "clear":
            clear()
        elif options.verb == "shell":
            return enter(options.host, "bash", "-l")
        else:
            return client(*options.arguments)
    except (LabError, PodmanError, TimeoutError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
