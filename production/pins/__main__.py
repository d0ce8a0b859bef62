"""Look up newer versions of everything that the repository pins.

Usage: python -m production.pins [--inventory PATH] [--apply true]
Exit code: 0 nothing is newer; 1 something is, or was left to a person; 3 something is unknown.

Without --apply nothing is written. With it, what is newer and has a published checksum is: into the
inventory's files, whose comments and order stay, and into the locks, all of them or none. What is unknown
stays as it is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from production.pins.finding import Finding, State
from production.pins.inventory import Pins
from production.pins.locks import Locks
from production.pins.web import Web

PROJECT = Path(__file__).resolve().parents[2]
NEWER, UNKNOWN = 1, 3


def tell(finding: Finding, changes: Iterable[str] = ()) -> None:
    """Print what is known of a pin, and what would be changed for it."""
    print(f"{finding.state + ':':<15}{finding.name}: {finding.told}")
    for change in changes:
        print(f"{'':<15}  {change}")
    sys.stdout.flush()


def report(findings: list[Finding], written: list[str], apply: bool) -> int:
    """Print the last lines, and return the exit code.

    Args:
        findings: all of them.
        written: names of the files that were written.
        apply: whether writing was asked for.
    """
    unknown = sum(finding.state == State.UNKNOWN for finding in findings)
    newer = sum(finding.state == State.NEWER for finding in findings)
    left = [one for one in findings if one.state == State.NEWER and (one.by_hand or not apply)]
    print(f"\nNewer: {newer}. Unknown: {unknown}.")
    if apply:
        print(f"Written: {', '.join(written) or 'nothing'}.")
    elif newer:
        print("Nothing was written; `make upgrade-pins APPLY=true` writes what no person has to change.")
    return UNKNOWN if unknown else NEWER if left else 0


def main(inventory: Path, apply: bool = False, project: Path = PROJECT, web: Web | None = None) -> int:
    """Look everything up, write it if asked to, and return the exit code."""
    pins = Pins(inventory, web or Web())
    findings = []
    for variable, finding in pins.look_up():
        tell(finding, pins.put(variable, finding))
        findings.append(finding)
    with tempfile.TemporaryDirectory() as directory:
        locks = Locks(project, Path(directory))
        print("The locks are compiled anew, which takes some minutes.", flush=True)
        for finding in locks.look_up():
            tell(finding)
            findings.append(finding)
        if apply and not locks.whole:
            print("The locks stay as they are. If they are to change so: requirements/lock.sh --upgrade")
        written = [*pins.write(), *locks.write()] if apply else []
    return report(findings, written, apply)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inventory", default="inventories/production", help="the inventory")
    parser.add_argument("--apply", choices=("true", "false"), default="false", help="write what is newer")
    options = parser.parse_args()
    sys.exit(main(PROJECT / options.inventory, options.apply == "true"))
