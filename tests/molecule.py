"""Run the roles' Molecule scenarios, some side by side, on containers of the lab's image.

Usage: molecule.py [ROLE ...]    Without a role: every scenario.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "lab"))

import machine  # noqa: E402 - found through the line above
from lab import build_ollama  # noqa: E402
from network import STATE, laboratory  # noqa: E402

SIDE_BY_SIDE = (os.cpu_count() or 1) + 1  # each now and then waits
ADDRESSES = "198.18.255.{}"  # at the end of the lab's network, where no host of an inventory is


def scenarios() -> list[str]:
    """Return the names of all scenarios."""
    return sorted(path.parent.name for path in (PROJECT / "molecule").glob("*/molecule.yml"))


def run(scenario: str) -> tuple[str, int, float]:
    """Run one scenario to its end, destroyed even when it failed; its output goes to reports/."""
    lab = laboratory()
    environment = {
        **os.environ,
        "HAL_MOLECULE_CONTAINER": f"hal-{lab.identity}-molecule-{scenario}",
        "HAL_MOLECULE_ADDRESS": ADDRESSES.format(scenarios().index(scenario) + 1),
        "HAL_LAB_IMAGE": lab.image,
        "HAL_LAB_NETWORK": lab.network,
        "HAL_LAB_MOUNTS": " ".join(f"{here}:{there}:ro" for here, there in lab.mounts),
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
    machine.ensure_image(PROJECT, STATE)
    lab = laboratory()
    machine.ensure_network(lab.network, lab.label)
    wheels = ["ansible-playbook", "molecule/shared/wheels.yml"]
    if subprocess.run(wheels, cwd=PROJECT, check=False).returncode:
        return 1
    if "ollama" in wanted:
        build_ollama()
    failed = 0
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for scenario, code, seconds in pool.map(run, wanted):
            print(
                f"molecule {scenario}: {'passed' if code == 0 else 'FAILED'} in {seconds:.0f} s", flush=True
            )
            if code:
                failed += 1
                print((PROJECT / "reports" / f"molecule-{scenario}.log").read_text(errors="replace")[-6000:])
    print(f"molecule: {len(wanted) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except machine.LabError as error:
        sys.exit(str(error))
