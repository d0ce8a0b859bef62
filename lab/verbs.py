"""The verbs of the lab: it is brought up, used and removed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from hal.network.certificates import certificate_names
from lab import boot, by_hand, containers, credentials, disks, household, machine, profiles
from lab.machine import LabError
from lab.network import (
    API_PORT,
    CLIENT,
    PROJECT,
    SECRETS,
    STATE,
    USER,
    addresses,
    api_address,
    inventory,
    laboratory,
    shared_address,
)
from lab.processes import Process

ARTIFACTS = PROJECT / ".cache/artifacts"
PROXMOX = PROJECT / "lab/proxmox"
# No task takes as long in the lab: one that hangs, on a mirror that sends nothing, is ended and named.
TASK_TIMEOUT_S = 600
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
            *(sys.executable, str(PROXMOX / "api.py")),
            str(guests if guests.exists() else PROXMOX / "guests.json"),
            *("--host", api_address(), "--port", str(API_PORT), "--time-scale", "0"),
            *("--cert", str(STATE / "pve.crt"), "--key", str(STATE / "pve.key")),
        ],
        STATE,
        {"PVE_PASS": password.read_text() if password.exists() else "", "HAL_LAB_DISKS": "yes"},
    )
    return [api, Process("hypervisor", [sys.executable, "-m", "lab.hypervisor"], STATE)]


def ensure_images() -> None:
    """Build the images of the lab's hosts that are not there."""
    for kind in (machine.DEFAULT_IMAGE, machine.SSH_SOCKET):
        machine.ensure_image(PROJECT, STATE, kind)


def build_ollama() -> None:
    """Make the archive that the ollama role installs, and the index of models that it pulls from."""
    archives, models = ARTIFACTS / "archives", ARTIFACTS / "models"
    for directory in (archives, models):
        directory.mkdir(parents=True, exist_ok=True)
    archive = archives / "ollama-linux-amd64.tar.zst"
    machine.run(sys.executable, str(PROJECT / "lab/ollama/build.py"), str(archive))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    archive.with_name(f"{archive.name}.sha256").write_text(f"{digest}\n")
    shutil.copyfile(PROJECT / "lab/ollama/models.json", models / "models.json")


def server_certificates() -> dict[str, list[str]]:
    """Return, by the variable that holds a certificate, the names and addresses that it is for."""
    return certificate_names(inventory().groups, addresses() | shared_address())


def forget_host_key(address: str, port: int) -> None:
    """Forget the SSH host key of a host that is about to be made anew, at 22 and at another port."""
    known_hosts = STATE / "known_hosts"
    if known_hosts.exists():
        for name in (address, f"[{address}]:{port}"):
            machine.run("ssh-keygen", "-q", "-R", name, "-f", str(known_hosts))


def forget_removed_hosts() -> None:
    """Forget host keys, and what hosts have had, where none is left, as after another `make lab-clear`."""
    if not containers.list_all(laboratory()):
        for name in ("known_hosts", "data.json"):
            (STATE / name).unlink(missing_ok=True)


def ensure_standing_hosts(key: str = "") -> None:
    """Create and start the hosts that stand before anything is provisioned: the NAS and the client.

    `key` is the public key that may log in; by default the one that the lab has made.
    """
    lab = laboratory()
    key = key or (STATE / "id_ed25519.pub").read_text()
    there = {container.name: container for container in containers.list_all(lab)}
    for name, address in addresses("backup_servers", "clients").items():
        login = by_hand.login(name)
        if name not in there:
            forget_host_key(address, login.port)
            by_hand.create(lab, name, address)
        if name not in there or not there[name].running:
            containers.start(lab, name)
        by_hand.install(lab, name, login, key)
        containers.wait_booted(lab, name)
        containers.wait_port(address, login.port)


def playbook(*arguments: str) -> None:
    """Run a playbook, its output visible.

    Raises:
        LabError: it failed; its output says why.
    """
    command = [str(PROJECT / ".venv/bin/ansible-playbook"), *arguments]
    environment = os.environ | {"ANSIBLE_TASK_TIMEOUT": str(TASK_TIMEOUT_S)}
    if subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode:
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
    before = profiles.current()
    if profile != before and household.PROFILE in (profile, before) and containers.list_all(laboratory()):
        raise LabError(
            "A household's hosts begin without HAL, and do not become others: `make lab-down` first."
        )
    profiles.choose(profile)
    credentials.create(STATE, SECRETS, ["pve", api_address()], server_certificates(), devices=[CLIENT])
    with phase("Images of the hosts, and Ollama's archive"), ThreadPoolExecutor() as pool:
        images = pool.submit(ensure_images)
        build_ollama()
        images.result()
    with phase("Network, Proxmox API, standing hosts"):
        lab = laboratory()
        machine.ensure_network(lab.network, lab.label)
        forget_removed_hosts()
        for process in processes():
            process.start()
        ensure_standing_hosts()
        for process in processes():
            process.require()
        for sentence in profiles.remove_undescribed(lab):
            print(sentence)
    if profile == household.PROFILE:
        with phase("Virtual machines"):
            playbook("playbooks/provision.yml")
        with phase("What somebody sets up by hand"):
            told = household.set_up(lab, ARTIFACTS)
        if told:
            print(phase.table(), *told, household.NEXT, sep="\n")
            return
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
    for directory in boot.DISKS.glob("*"):  # those without a machine, such as one that was kept
        disks.destroy(directory)
    machine.remove_network(lab.network)
    SECRETS.unlink(missing_ok=True)
    profiles.choose(profiles.DEFAULT)
    household.forget()
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
