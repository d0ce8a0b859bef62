"""Lose the whole house of the lab, its controller too, and bring it back with a recovery kit.

What is lost: every container with its disk, the guests of the Proxmox API, and what this checkout has as the
controller. What is left stands outside the house or is done by hand: the kit, the sheet's public key, Proxmox
and the hosts that are no machines of it, installed anew, and the disk of the backup server. The new
controller is a fresh clone of this checkout's commit in another directory, with another home.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from hal.network.recovery_kit import RECORD, Record
from lab import boot, containers, contents, disks, profiles, traffic, verbs
from lab.containers import Lab, PodmanError
from lab.contents import Contents
from lab.description import Description
from lab.drill_report import HOUSE_RTO_LIMIT_S, Report
from lab.machine import LabError, run
from lab.network import INVENTORY, PROJECT, REPORTS, STATE, addresses, laboratory
from lab.settle import SETTLE_TIMEOUT_S, settle
from lab.traffic import Traffic

BACKUPS = "/srv/backups"
# Proxmox trusts it as well: it stands for two computers' copies of one file.
PROXMOX_TOO = "ca.crt"


def controller_files(local: Path) -> list[Path]:
    """Return the files of this checkout that make it the controller, and that no clone of it has.

    Args:
        local: the controller's local directory, where the record of its last kit is.

    Raises:
        LabError: there is no such record.
    """
    record = Record.read(local)
    if record is None:
        raise LabError(f"{local / RECORD} does not say what the recovery kit holds.")
    held = {name.removeprefix("project/") for name in record.files if name.startswith("project/")}
    tracked = run("git", "-C", str(PROJECT), "ls-files").splitlines()
    return [PROJECT / name for name in sorted(held.difference(tracked))]


class KeptStore:
    """The disk of the backup server, which survives the house: a copy off site would take its place.

    With such a copy `take` takes nothing, and `put` gives the new backup server its repositories from there.
    """

    def __init__(self, lab: Lab, host: str, directory: Path) -> None:
        self._container = lab.container(host)
        self._archive = directory / f"{host}.tar"
        self.said = (
            f"There is no copy of the backups off site: the disk of {host} with {BACKUPS} is kept. "
            "Were it lost with the house, so would be the data."
        )

    def take(self) -> None:
        """Take the disk out of the machine, which is off."""
        with self._archive.open("wb") as file:
            command = ["podman", "cp", f"{self._container}:{BACKUPS}", "-"]
            subprocess.run(command, stdout=file, check=True)

    def put(self) -> None:
        """Put it into the machine that was installed in its place."""
        with self._archive.open("rb") as file:
            command = ["podman", "cp", "-", f"{self._container}:{Path(BACKUPS).parent!s}"]
            subprocess.run(command, stdin=file, check=True)


class NewController:
    """A computer that has never been the controller: a clone of the checkout, and an empty home."""

    def __init__(self, directory: Path) -> None:
        self.project = directory / "hal"
        self._home = directory / "home"

    def recover(self, kit: Path, passphrase: str, reinstalled: Iterable[str], log: Path) -> bool:
        """Do what the sheet says and return whether it succeeded; `log` gets what it prints."""
        self._home.mkdir()
        run("git", "clone", "--quiet", str(PROJECT), str(self.project))
        # The package index and the mirrors are outside the house; this computer has their files already.
        shutil.copytree(verbs.ARTIFACTS, self.project / verbs.ARTIFACTS.relative_to(PROJECT))
        caches = {"UV_CACHE_DIR": str(Path.home() / ".cache/uv")}
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ANSIBLE_", "PYTHON", "VIRTUAL_ENV", "MAKE"))
        }
        environment |= caches | {"HOME": str(self._home), "HAL_KIT_PASSPHRASE": passphrase}
        environment["PATH"] = (
            f"{sys.base_prefix}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        )
        command = ["make", "recover-house", f"KIT={kit}", f"REINSTALLED={','.join(reinstalled)}"]
        with log.open("w") as file:
            done = subprocess.run(
                command, cwd=self.project, env=environment, stdout=file, stderr=subprocess.STDOUT, check=False
            )
        return done.returncode == 0


class HouseDrill:
    """The loss and the recovery of everything.

    Args:
        description: the lab's network.
        machines: its virtual machines.
    """

    def __init__(self, description: Description, machines: list[str]) -> None:
        self._lab = laboratory()
        self._description = description
        self._machines = machines
        self._by_hand = sorted(addresses("backup_servers", "clients"))
        self._passphrase = secrets.token_urlsafe(24)
        self._backed_up: dict[str, list[str]] = {}
        self._key = (STATE / "id_ed25519.pub").read_text()
        self.report = Report("house", rto_limit_s=HOUSE_RTO_LIMIT_S)

    def run(self, arguments: list[str]) -> Report:
        """Lose the house, bring it back, and return what was measured. There are no arguments.

        Raises:
            LabError: the lab is not fit for it, or what is done by hand failed.
        """
        if arguments or profiles.current() != profiles.DEFAULT:
            raise LabError("The house is drilled with its default profile, and with no arguments.")
        with tempfile.TemporaryDirectory(prefix="hal-house-") as directory:
            outside = Path(directory)
            kit = outside / "hal.kit"
            self._make_kit(kit)
            stores = [KeptStore(self._lab, host, outside) for host in addresses("backup_servers")]
            before, turns = self._before()
            lost_at = self._lose(stores)
            self._install_by_hand(stores)
            controller = NewController(outside)
            print("A new controller: git clone, make recover-house …", flush=True)
            log = REPORTS / "drill-house.log"
            try:
                if controller.recover(kit, self._passphrase, self._by_hand, log):
                    self._after(before, turns, lost_at)
                else:
                    last = log.read_text(errors="replace").strip().splitlines()[-12:]
                    self.report.faults += [f"The recovery failed; {log} says why:", *last]
            finally:
                self._hand_back(controller)
        self.report.judge()
        return self.report

    def _make_kit(self, kit: Path) -> None:
        """Write the kit as its user does."""
        print("Writing the recovery kit …", flush=True)
        command = ["make", "recovery-kit", f"INVENTORY={INVENTORY}", f"KIT={kit}"]
        environment = os.environ | {"HAL_KIT_PASSPHRASE": self._passphrase}
        done = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise LabError(f"No recovery kit could be made:\n{done.stdout[-2000:]}{done.stderr[-1000:]}")

    def _before(self) -> tuple[Contents, list[traffic.Turn]]:
        """Have clients ask until backups hold some of it; return what the machines hold, and the turns."""
        print("Clients ask, typed and spoken …", flush=True)
        with Traffic(self._lab, traffic.streams(*self._description.ways)) as clients:
            self._backed_up = {host: settle(self._lab, host, clients) for host in self._machines}
            before = contents.read_all(self._lab, self._description, self._machines)
        self.report.turns_before = sum(turn.ok for turn in clients.turns)
        return before, clients.turns

    def _lose(self, stores: list[KeptStore]) -> float:
        """Take the whole house away at one moment, and return when that was (Unix time)."""
        print(
            *(store.said for store in stores), "Losing the house, and this controller …", sep="\n", flush=True
        )
        there = [container.name for container in containers.list_all(self._lab)]
        verbs.stop_processes()  # or the hypervisor starts again what was killed
        containers.podman(["kill", *(self._lab.container(name) for name in there)])
        lost_at = traffic.now()
        self.report.at = datetime.fromtimestamp(lost_at, UTC).isoformat(timespec="seconds")
        for store in stores:
            store.take()
        for name in there:
            containers.remove(self._lab, name)
        for directory in boot.DISKS.glob("*"):
            disks.destroy(directory)
        (STATE / "guests.json").unlink()
        for path in controller_files(STATE):
            if path.name != PROXMOX_TOO:
                path.unlink()
        return lost_at

    def _install_by_hand(self, stores: list[KeptStore]) -> None:
        """Do what hands do: install Proxmox, whose API then has the templates alone, and the other hosts."""
        print(f"By hand: Proxmox, {', '.join(self._by_hand)} …", flush=True)
        for process in verbs.processes():
            process.start()
        verbs.ensure_standing_hosts(self._key)
        for store in stores:
            store.put()
        for process in verbs.processes():
            process.require()

    def _after(self, before: Contents, turns: list[traffic.Turn], lost_at: float) -> None:
        """Note when all was well again, and compare what the machines hold with what they held."""
        verified = traffic.now()
        with Traffic(self._lab, traffic.streams(*self._description.ways)) as clients:
            if clients.wait_all_answered(verified, SETTLE_TIMEOUT_S):
                last = max(traffic.answered(clients.turns, verified).values())
                self.report.rto_s = round(last - lost_at, 1)
            else:
                self.report.faults.append(
                    "The checks passed, and yet not every kind of question was answered."
                )
        self.report.turns_after = sum(turn.ok for turn in clients.turns)
        try:
            after = contents.read_all(self._lab, self._description, self._machines)
            self.report.restored = contents.restored_all(self._lab, self._backed_up)
        except PodmanError as error:
            self.report.faults.append(f"What the machines hold cannot be read: {error}")
            return
        seen = traffic.judge([*turns, *clients.turns], lost_at, after.log)
        self.report.compare(before, after, seen, lost_at)

    def _hand_back(self, controller: NewController) -> None:
        """Give this checkout, which the lab's verbs run in, what the new controller has."""
        for path in controller_files(STATE):
            new = controller.project / path.relative_to(PROJECT)
            if new.exists():
                shutil.copy2(new, path)
        (STATE / RECORD).unlink()
