"""Bring the hosts to the new pins, one after the other, each with a way back.

Usage: python -m production.upgrade [--inventory PATH] [--host HOST]

The network must be well before it begins. Each host is backed up, gets a snapshot where it is a machine of
Proxmox, is configured, and the network is verified from every host. If that fails, the host goes back to its
snapshot, the network is verified again, and the upgrade ends; the hosts before it stay upgraded.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

from hal.network.upgrade import upgrade_order

PROJECT = Path(__file__).resolve().parent.parent
REPORT = PROJECT / "reports/upgrade.json"

# Runs a playbook with variables and returns why it failed, or nothing if it did not.
type Play = Callable[..., str]


class UpgradeError(Exception):
    """The upgrade ended early; the text says at which host, why, what became of it, and what to do."""


class Upgrade:
    """The upgrade of some hosts.

    Attributes:
        done: the hosts that are upgraded.
    """

    def __init__(self, machines: Sequence[str], play: Play, name: str) -> None:
        """Prepare it.

        Args:
            machines: the hosts that are machines of Proxmox, which can go back.
            play: runs a playbook.
            name: name of the snapshots.
        """
        self._machines = machines
        self._play = play
        self._name = name
        self.done: list[str] = []

    def run(self, hosts: Sequence[str]) -> None:
        """Upgrade hosts in this order. Raises UpgradeError at the first that cannot be."""
        for playbook in ("validate", "verify"):
            if why := self._play(playbook):
                raise UpgradeError(
                    f"Nothing was upgraded, since the network is not well: {why} "
                    "Bring it in order first; `make health` says how."
                )
        for host in hosts:
            self._upgrade(host)
            self.done.append(host)

    def _upgrade(self, host: str) -> None:
        is_machine = host in self._machines
        if is_machine:
            why = self._play("snapshot", recover_host=host, snapshot="true", snapshot_name=self._name)
        else:
            why = self._play("backup", host=host)
        if why:
            raise UpgradeError(f"{host} was not upgraded, and nothing was changed on it: {why}")
        if why := self._play("recover", host=host):
            raise UpgradeError(f"{host} could not be upgraded: {why} {self._go_back(host, is_machine)}")
        if is_machine and (why := self._play("snapshots", host=host, drop=self._name)):
            raise UpgradeError(
                f"{host} is upgraded and well, but its snapshot {self._name} could not be removed: {why} "
                f"Remove it with playbooks/snapshots.yml -e drop={self._name}."
            )

    def _go_back(self, host: str, is_machine: bool) -> str:
        """Take a host back if it can be, and return what became of it and what to do."""
        if not is_machine:
            return (
                "It is no machine of Proxmox, so it stays as it is: `git checkout` the pins of before and "
                f"run playbooks/recover.yml -e host={host}, or mend what is named and `make upgrade` again."
            )
        if why := self._play("snapshots", host=host, back_to=self._name):
            return (
                f"It was to go back to the snapshot {self._name}, and then not all was well either: {why} "
                f"The snapshot is still there: playbooks/snapshots.yml -e host={host} -e back_to={self._name}"
            )
        return (
            "It went back to what it was, with its data, and every check passes. Mend what is named, or "
            "`git checkout` the pins of before; then run `make upgrade` again."
        )


def player(inventory: str) -> Play:
    """Return what runs a playbook on an inventory; its output is shown as it comes."""

    def play(playbook: str, **variables: str) -> str:
        print(f"\n=== {playbook} {' '.join(variables.values())}", flush=True)
        command = [sys.executable, "-m", "ansible", "playbook", "-i", inventory, f"playbooks/{playbook}.yml"]
        command += [part for item in variables.items() for part in ("-e", "=".join(item))]
        REPORT.unlink(missing_ok=True)
        environment = os.environ | {"ANSIBLE_CALLBACKS_ENABLED": "drift", "HAL_DRIFT_REPORT": str(REPORT)}
        code = subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode
        if code == 0:
            return ""
        failures = json.loads(REPORT.read_text())["failures"] if REPORT.exists() else []
        told = [f"{failure['host']}: {failure['message']}" for failure in failures]
        return " ".join(told) or f"ansible-playbook ended with {code}, as shown above."

    return play


def main() -> int:
    """Parse the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inventory", default="inventories/production", help="the inventory")
    parser.add_argument("--host", help="upgrade this one alone")
    options = parser.parse_args()
    groups = InventoryManager(
        loader=DataLoader(), sources=[str(PROJECT / options.inventory)]
    ).get_groups_dict()
    hosts = upgrade_order(groups)
    if options.host and options.host not in hosts:
        print(f"upgrade: there is no host {options.host}; there are {', '.join(hosts)}.", file=sys.stderr)
        return 1
    hosts = [options.host] if options.host else hosts
    name = f"hal-before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    upgrade = Upgrade(groups.get("virtual_machines", []), player(options.inventory), name)
    said = ""
    try:
        upgrade.run(hosts)
    except UpgradeError as error:
        said = str(error)
    except KeyboardInterrupt:
        said = (
            f"Interrupted. If a machine has the snapshot {name}, playbooks/snapshots.yml says so, goes back "
            f"to it (-e back_to={name}) or removes it (-e drop={name})."
        )
    left = [host for host in hosts if host not in upgrade.done]
    print(f"\nUpgraded: {', '.join(upgrade.done) or 'none'}. Not upgraded: {', '.join(left) or 'none'}.")
    if said:
        print(said, file=sys.stderr)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
