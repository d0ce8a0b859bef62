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
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from lab import boot, cloud_init, disks, machine, registry
from lab.network import PROJECT, STATE, USER, laboratory
from lab.verbs import TASK_TIMEOUT_S, build_ollama

SIDE_BY_SIDE = (os.cpu_count() or 1) + 1  # each now and then waits
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


def run(scenario: str) -> tuple[str, int, float]:
    """Run one scenario to its end, destroyed even when it failed; its output goes to reports/."""
    lab = laboratory()
    number = scenarios().index(scenario) + 1
    address, mac = ADDRESSES.format(number), f"bc:24:11:ff:ff:{number:02x}"
    mounts = [*lab.mounts, (seed(scenario, mac, address), f"/{boot.SEED}")]
    blank, size = STATE / "molecule" / f"{scenario}-disks", float(setting(scenario, "disk_gib", "0"))
    environment = {
        **os.environ,
        "HAL_MOLECULE_DISK": disks.attach(blank / "disk.img", size) if size else "",
        "HAL_MOLECULE_CONTAINER": f"hal-{lab.identity}-molecule-{scenario}",
        "HAL_MOLECULE_ROLE": setting(scenario, "role", scenario),
        "HAL_MOLECULE_ADDRESS": address,
        "HAL_MOLECULE_MAC": mac,
        "HAL_LAB_IMAGE": machine.image_name(PROJECT, image(scenario)),
        "HAL_LAB_NETWORK": os.environ.get("HAL_LAB_NETWORK") or lab.network,
        "HAL_LAB_MOUNTS": " ".join(f"{here}:{there}:ro" for here, there in mounts),
        "ANSIBLE_TASK_TIMEOUT": str(TASK_TIMEOUT_S),
        "PY_COLORS": "0",
        "ANSIBLE_FORCE_COLOR": "0",
    }
    begin = time.monotonic()
    log = PROJECT / "reports" / f"molecule-{scenario}.log"
    with log.open("wb") as output:
        code = subprocess.run(
            ["molecule", "test", "--scenario-name", scenario],
            cwd=PROJECT,
            env=environment,
            stdout=output,
            stderr=output,
            check=False,
        ).returncode
    if size:
        disks.destroy(blank)
    return scenario, code, time.monotonic() - begin


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
    for kind in sorted(set(map(image, wanted))):
        machine.ensure_image(PROJECT, STATE, kind)
    if not os.environ.get("HAL_LAB_NETWORK"):
        lab = laboratory()
        machine.ensure_network(lab.network, lab.label)
    wheels = ["ansible-playbook", "molecule/shared/wheels.yml"]
    if subprocess.run(wheels, cwd=PROJECT, check=False).returncode:
        return 1
    if "ollama" in wanted:
        build_ollama()
    failed = [scenario for scenario, code in run_all(wanted, SIDE_BY_SIDE).items() if code]
    if 0 < len(failed) <= TRIED_AGAIN:
        print(f"molecule: once more, alone: {', '.join(failed)}", flush=True)
        failed = [scenario for scenario, code in run_all(failed, 1).items() if code]
    print(f"molecule: {len(wanted) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def run_all(wanted: list[str], side_by_side: int) -> dict[str, int]:
    """Run scenarios, print a line for each and the log of those that failed; return their exit codes."""
    codes = {}
    with ThreadPoolExecutor(side_by_side) as pool:
        for scenario, code, seconds in pool.map(run, wanted):
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
