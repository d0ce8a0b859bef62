"""Run the roles' Molecule scenarios, some side by side, on containers that cloud-init has set up as a guest.

A scenario's vars.yml may say by `scenario_role` which role it applies, if it has not that role's name, and by
`scenario_image` which image it needs (lab/machine.py), and by
`scenario_disk_gib` how large a blank disk it gets.

Usage: python -m tests.molecule [ROLE ...]    Without a role: every scenario.
HAL_MOLECULE_IMAGE names another image for all of them: `make molecule ROLE=haproxy IMAGE=noble`.
HAL_LAB_NETWORK names a podman network to use, such as that of another checkout whose lab is up.
"""

from __future__ import annotations

import os
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
LONGEST = ("speech", "haproxy", "gateway", "base")
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


def run(scenario: str) -> tuple[str, int, float]:
    """Run one scenario to its end, its host removed even when it failed; its output goes to reports/."""
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
    return scenario, code, time.monotonic() - begin


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
    failed = [scenario for scenario, code in run_all(wanted, SIDE_BY_SIDE).items() if code]
    if 0 < len(failed) <= TRIED_AGAIN:
        print(f"molecule: once more, alone: {', '.join(failed)}", flush=True)
        failed = [scenario for scenario, code in run_all(failed, 1).items() if code]
    print(f"molecule: {len(wanted) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def run_all(wanted: list[str], side_by_side: int) -> dict[str, int]:
    """Run scenarios, print a line for each and the log of those that failed; return their exit codes."""
    codes = {}
    longest_first = sorted(wanted, key=lambda scenario: scenario not in LONGEST)
    with ThreadPoolExecutor(side_by_side) as pool:
        for scenario, code, seconds in pool.map(run, longest_first):
            codes[scenario] = code
            result = "FAILED" if code else "passed"
            print(f"molecule {scenario}: {result} in {seconds:.0f} s", flush=True)
            if code:
                print((PROJECT / "reports" / f"molecule-{scenario}.log").read_text(errors="replace")[-6000:])
    return codes


if __name__ == "__main__":
    try:
        sys.exit(main())
    except machine.LabError as error:
        sys.exit(str(error))
