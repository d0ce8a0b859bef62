"""Run the roles' Molecule scenarios, some side by side, on containers that cloud-init has set up as a guest.

A scenario's vars.yml may say by `scenario_role` which role it applies, if it has not that role's name, and by
`scenario_image` which image it needs (lab/machine.py), and by
`scenario_disk_gib` how large a blank disk it gets.

Usage: python -m tests.molecule [ROLE ...]    Without a role: every scenario.
HAL_MOLECULE_IMAGE names another image for all of them: `make molecule ROLE=haproxy IMAGE=noble`.
HAL_LAB_NETWORK names a podman network to use, such as that of another checkout whose lab is up.
HAL_TESTS_END says when, in seconds since 1970, all must be over; scenarios that would not be are left out.
Which come first changes with every commit. reports/molecule.json tells which passed, failed or were left out.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import yaml
from lab import boot, cloud_init, containers, disks, machine, registry
from lab.network import PROJECT, STATE, USER, laboratory
from lab.verbs import ARTIFACTS, TASK_TIMEOUT_S, build_ollama

SIDE_BY_SIDE = (os.cpu_count() or 1) + 1  # each now and then waits
BOOT_S = 600  # cloud-init upgrades what the image has, on a busy machine
# They take longest, and begin first: the last to begin would run alone, with a processor free.
LONGEST = ("backup_server", "gpu_driver", "backup", "gateway", "haproxy", "base")
END = float(os.environ.get("HAL_TESTS_END", "inf"))
FIRST_TAKES_S = 300.0  # until one has ended and shows how fast this machine is
TRIED_AGAIN = 2  # a busy mirror or machine fails so many; more that fail are no chance
ADDRESSES = "198.18.255.{}"  # at the end of the lab's network, where no host of an inventory is
PREFIX = machine.NETWORK.partition("/")[2]


def scenarios() -> list[str]:
    """Return the names of all scenarios."""
    return sorted(path.parent.name for path in (PROJECT / "molecule").glob("*/molecule.yml"))


def setting(scenario: str, name: str, default: str) -> str:
    """Return what a scenario's variables say of the host that it needs."""
    variables = yaml.safe_load((PROJECT / "molecule" / scenario / "vars.yml").read_text()) or {}
    return str(variables.get(f"scenario_{name}", default))


def image(scenario: str) -> str:
    """Return the kind of image that a scenario's host is made from."""
    return os.environ.get("HAL_MOLECULE_IMAGE") or setting(scenario, "image", machine.DEFAULT_IMAGE)


def seed(scenario: str, mac: str, address: str) -> Path:
    """Write a host's cloud-init data as Proxmox does, and return the directory."""
    config = {
        "name": scenario.replace("_", "-"),
        "ciuser": USER,
        "net0": f"virtio={mac}",
        "ipconfig0": f"ip={address}/{PREFIX},gw={machine.GATEWAY}",
    }
    directory = STATE / "molecule" / scenario
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in cloud_init.seed(config, 100, registry.name_servers()).items():
        (directory / name).write_text(text)
    return directory


@contextmanager
def host(scenario: str, address: str, mac: str, device: str) -> Iterator[str]:
    """Start a scenario's host, and return its container's name once it has booted; afterwards it is removed.

    What an interrupted run has left goes first: it counts as created, and may be anything.
    """
    lab = laboratory()
    name = f"molecule-{scenario}"
    container = lab.container(name)
    mounts = [*lab.mounts, (seed(scenario, mac, address), f"/{boot.SEED}"), (ARTIFACTS, "/srv/artifacts")]
    # podman's own files of names and name servers are mounts, which nothing in the host could replace.
    options = ["--detach", "--pull=never", "--no-hosts", "--dns=none", f"--label=hal.molecule={scenario}"]
    options += [
        "--systemd=always",
        f"--cap-add={containers.CAPABILITIES}",
        "--security-opt=apparmor=unconfined",
    ]
    options += ["--network", os.environ.get("HAL_LAB_NETWORK") or lab.network]
    options += ["--ip", address, "--mac-address", mac, *([f"--device={device}"] if device else [])]
    options += [f"--volume={here}:{there}:ro" for here, there in mounts]
    containers.remove_container(container)
    try:
        containers.podman(
            ["run", "--name", container, *options, machine.image_name(PROJECT, image(scenario))]
        )
        containers.wait_booted(lab, name, BOOT_S)
        yield container
    finally:
        containers.remove_container(container)


def run(scenario: str) -> tuple[int, float]:
    """Run one scenario to its end, its host removed even when it failed, and its output in reports/.

    Returns its exit code, and how many seconds it took.
    """
    number = scenarios().index(scenario) + 1
    address, mac = ADDRESSES.format(number), f"bc:24:11:ff:ff:{number:02x}"
    blank, size = STATE / "molecule" / f"{scenario}-disks", float(setting(scenario, "disk_gib", "0"))
    device = disks.attach(blank / "disk.img", size) if size else ""
    command = ["molecule", "test", "--destroy=never", "--scenario-name", scenario]
    begin, code = time.monotonic(), 1
    log = PROJECT / "reports" / f"molecule-{scenario}.log"
    with log.open("wb") as output, tempfile.TemporaryDirectory(prefix=f"hal-{scenario}-") as state:
        environment = {
            **os.environ,
            "HAL_MOLECULE_DISK": device,
            "HAL_MOLECULE_ROLE": setting(scenario, "role", scenario),
            "HAL_MOLECULE_ADDRESS": address,
            # Of a directory that was kept, Molecule would believe that this host is prepared.
            "MOLECULE_EPHEMERAL_DIRECTORY": state,
            "ANSIBLE_TASK_TIMEOUT": str(TASK_TIMEOUT_S),
            "PY_COLORS": "0",
            "ANSIBLE_FORCE_COLOR": "0",
        }
        try:
            with host(scenario, address, mac, device) as container:
                environment["HAL_MOLECULE_CONTAINER"] = container
                done = subprocess.run(
                    command, cwd=PROJECT, env=environment, stdout=output, stderr=output, check=False
                )
                code = done.returncode
        except (containers.PodmanError, TimeoutError) as error:
            output.write(f"{error}\n".encode())
            code = code or 1  # a host that could not be removed is a failure, too
    if size:
        disks.destroy(blank)
    return code, time.monotonic() - begin


def fetch_wheels() -> None:
    """Fetch the wheels that the roles install.

    Raises:
        LabError: it failed; the playbook's output says why.
    """
    wheels = ["ansible-playbook", "molecule/shared/wheels.yml"]
    if subprocess.run(wheels, cwd=PROJECT, check=False).returncode:
        raise machine.LabError("The wheels that the roles install could not be fetched: see above.")


def ensure_images(kinds: Iterable[str]) -> None:
    """Build images of one release, one after the other: one of them may be made from another."""
    for kind in kinds:
        machine.ensure_image(PROJECT, STATE, kind)


def prepare(wanted: list[str]) -> None:
    """Bring what the scenarios need, side by side: most of it is downloaded.

    Raises:
        LabError: something cannot be had; the text says what.
    """
    with ThreadPoolExecutor() as pool:
        jobs = [
            pool.submit(ensure_images, list(kinds))
            for _, kinds in groupby(sorted(set(map(image, wanted))), lambda kind: kind.partition("-")[0])
        ]
        jobs.append(pool.submit(fetch_wheels))
        if "ollama" in wanted:
            jobs.append(pool.submit(build_ollama))
        if not os.environ.get("HAL_LAB_NETWORK"):
            lab = laboratory()
            machine.ensure_network(lab.network, lab.label)
        for job in jobs:
            job.result()


class Results:
    """What scenarios came to: those that passed, failed, and were left out for want of time."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.failed: list[str] = []
        self.left_out: list[str] = []
        self._takes_s = FIRST_TAKES_S

    def run(self, scenario: str) -> None:
        """Run a scenario if there is time for it and, once more, for those that failed; say how it went."""
        minutes = (END - time.time()) / 60
        if minutes * 60 < self._takes_s * (1 + min(len(self.failed), TRIED_AGAIN)):
            self.left_out.append(scenario)
            print(f"molecule {scenario}: left out, {minutes:.0f} min are left", flush=True)
            return
        code, seconds = run(scenario)
        self._takes_s = max(self._takes_s, seconds)
        (self.failed if code else self.passed).append(scenario)
        result = "FAILED" if code else "passed"
        print(f"molecule {scenario}: {result} in {seconds:.0f} s", flush=True)
        if code:
            print((PROJECT / "reports" / f"molecule-{scenario}.log").read_text(errors="replace")[-6000:])

    def run_all(self, wanted: Iterable[str], side_by_side: int) -> None:
        """Run scenarios, so many at a time."""
        with ThreadPoolExecutor(side_by_side) as pool:
            list(pool.map(self.run, wanted))

    def run_again(self) -> None:
        """Run once more, alone, those that failed; of which there was no time for has failed."""
        print(f"molecule: once more, alone: {', '.join(self.failed)}", flush=True)
        again, self.failed = self.failed, []
        self.run_all(again, 1)
        untried = [scenario for scenario in again if scenario in self.left_out]
        self.left_out = [scenario for scenario in self.left_out if scenario not in untried]
        self.failed += untried


def in_order(wanted: list[str]) -> list[str]:
    """Return scenarios in the order in which they begin."""
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=False
    ).stdout
    shuffled = random.Random(commit).sample(wanted, len(wanted))
    return sorted(shuffled, key=lambda scenario: scenario not in LONGEST)


def main() -> int:
    """Run what was asked for, print a line for each, and the log of those that failed."""
    wanted = sys.argv[1:] or scenarios()
    unknown = sorted(set(wanted) - set(scenarios()))
    if unknown:
        print(f"No scenario {', '.join(unknown)}; there are: {', '.join(scenarios())}", file=sys.stderr)
        return 2
    STATE.mkdir(mode=0o700, exist_ok=True)
    (PROJECT / "reports").mkdir(exist_ok=True)
    machine.configure_podman(STATE)
    prepare(wanted)
    results = Results()
    results.run_all(in_order(wanted), SIDE_BY_SIDE)
    if 0 < len(results.failed) <= TRIED_AGAIN:
        results.run_again()
    told = {name: getattr(results, name) for name in ("passed", "failed", "left_out")}
    (PROJECT / "reports/molecule.json").write_text(json.dumps(told))
    print(f"molecule: {', '.join(f'{len(those)} {name.replace("_", " ")}' for name, those in told.items())}")
    return 1 if results.failed or not results.passed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except machine.LabError as error:
        sys.exit(str(error))
