"""The runs of the playbooks on simulated hosts: a first look, configuration, checks, an upgrade."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import yaml
from simulator import recording
from simulator.bench import PROJECT, Bench, Run
from simulator.machine import TEMPORARY, Machine, State
from simulator.states import windows_server, without_qm

sys.path.append(str(PROJECT))
from filter_plugins.backups import backup_access

HOST = "qm1"
CONFIGURE, VERIFY = "playbooks/configure.yml", "playbooks/verify.yml"
INVENTORY = Path(__file__).parent / "inventory"
OPTIONS = (f"--inventory={INVENTORY}", f"--limit={HOST}", "-vvv")
# By the secret's name: a pattern for the calls that are meant to hold it.
INTENDED: dict[str, str] = {
    "the backups' encryption": r'"text": \["\w{64}"\]',  # a file of nothing else
    "the backups' access": r'"text": \["rest:https://qm1:\w{64}@127\.0\.0\.70:8000/qm1/"\]',
}
SCRIPT_OPTIONS = ("script", "cmd", "_raw_params")
SCRIPT_MODULES = ("ansible.windows.win_powershell", "ansible.windows.win_shell")


@dataclass
class Play:
    """One run of the playbook on a host in some state.

    Args:
        name: What the state is called.
        run: What it came to.
        state: What the host is like after it.
        faults: What was wrong with it.
    """

    name: str
    run: Run
    state: State
    faults: list[str] = field(default_factory=list)

    def scripts(self) -> Iterator[tuple[str, str]]:
        """Yield the PowerShell that was sent or put on the host, with where it is from."""
        for call in self.run.calls:
            if call["call"] in SCRIPT_MODULES:
                for option in SCRIPT_OPTIONS:
                    if option in call["arguments"]:
                        yield f"a script of {call['call']}", call["arguments"][option]
        for path, file in self.state.files.items():
            if path.endswith((".ps1", ".psm1")) and file.content:
                yield path, file.content.decode("utf-8-sig")


class Suite:
    """All runs, two side by side.

    Args:
        scratch: A directory of the tests' own.
    """

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.secrets = {
            "the device's token": secrets.token_urlsafe(32),
            "the backups' secret": secrets.token_urlsafe(32),
        }
        derived = backup_access(HOST, self.secrets["the backups' secret"])
        self.secrets["the backups' access"] = derived["password"]
        self.secrets["the backups' encryption"] = derived["encryption"]

    def run(self) -> list[Play]:
        """Run the playbook on hosts in every state."""
        if beyond := [address for address in addresses(INVENTORY / "hosts.yml") if not address.is_loopback]:
            raise ValueError(f"{INVENTORY}/hosts.yml has addresses beyond this machine: {beyond}")
        with ThreadPoolExecutor(2) as pool:
            first_look = pool.submit(self._play, "check", windows_server(), "a", "--check", "--diff")
            fresh = self._play("fresh", windows_server(), "a")
            if fresh.faults:
                return [first_look.result(), fresh]
            later = [
                pool.submit(self._play, "converged", windows_server(fresh.state), "a"),
                pool.submit(self._play, "check_converged", windows_server(fresh.state), "a", "--check"),
                pool.submit(self._play, "upgrade", windows_server(fresh.state), "b"),
                pool.submit(
                    self._play,
                    "qm_stopped",
                    without_qm(fresh.state),
                    "a",
                    refused="QMSvc on qm1 does not run",
                ),
                pool.submit(self._play, "verify", windows_server(fresh.state), "a", playbook=VERIFY),
            ]
            plays = [first_look.result(), fresh, *(play.result() for play in later)]
        for play in plays[2:4]:
            if changes := play.run.changes():
                play.faults.append(f"these tasks change something again: {', '.join(changes)}")
        return plays

    def _play(
        self,
        name: str,
        machine: Machine,
        release: str,
        *more: str,
        playbook: str = CONFIGURE,
        refused: str = "",
    ) -> Play:
        """Run a playbook, which is meant to fail with a sentence if `refused` has one."""
        cache = self.scratch / name
        downloads(cache, release)
        before = deepcopy(machine.state)
        with Bench(HOST, machine, self._variables(cache)) as bench:
            self.secrets[f"the password of {name}"] = bench.password
            play = Play(name, bench.run(playbook, *OPTIONS, *more), machine.state)
        if not play.run.calls:
            play.faults.append(f"the host was asked nothing:\n{play.run.output[-2000:]}")
        if refused:
            if not play.run.code or refused not in play.run.output:
                play.faults.append(f"the run was to fail with: {refused}")
        elif play.run.code:
            play.faults.append(f"the run failed:\n{play.run.output[-6000:]}")
        if "--check" in more and lasting(machine.state) != lasting(before):
            play.faults.append("a run in check mode changed the host")
        return play

    def _variables(self, cache: Path) -> dict[str, Any]:
        return {
            "artifacts_cache": str(cache),
            "health_program": str(cache / "hal_checks.pyz"),
            "network_backup_secret": self.secrets["the backups' secret"],
            "network_device_tokens": {"tablet": self.secrets["the device's token"]},
        }

    def names(self) -> dict[str, str]:
        """Return what differs from run to run and machine to machine, and what it is called in recordings."""
        names = {secret: name for name, secret in self.secrets.items()}
        return names | {str(self.scratch): "scratch", str(PROJECT): "project"}

    def leaks(self, play: Play) -> Iterator[str]:
        """Yield where secrets went that they should not have gone: to the host, or to the screen."""
        yield from recording.leaks(self.secrets, play.run.calls, INTENDED)
        for name, secret in self.secrets.items():
            if any(form in play.run.output for form in recording.forms(secret)):
                yield f"{name} is in the output at -vvv"


def lasting(state: State) -> State:
    """Return a state without the directories that Ansible works in."""
    scratch = f"{TEMPORARY}\\ansible-tmp-".lower()
    own = {path for path in state.files if path.startswith(scratch)}
    return replace(
        state,
        files={path: file for path, file in state.files.items() if path not in own},
        names={path: name for path, name in state.names.items() if path not in own},
    )


def addresses(inventory: Path) -> Iterator[IPv4Address]:
    """Yield every address in an inventory."""
    entries = [yaml.safe_load(inventory.read_text())]
    while entries:
        for key, value in entries.pop().items():
            if isinstance(value, dict):
                entries.append(value)
            elif key == "address":
                yield IPv4Address(value)


def downloads(cache: Path, release: str) -> None:
    """Write what the controller knows of its downloads.

    Args:
        cache: The directory of the controller's downloads.
        release: A letter that stands for a release.
    """
    digest = release * 64
    wheelhouse = {"file": f"gateway-windows-{digest[:16]}.zip", "sha256": digest}
    for name, content in (
        ("wheels", {"wheel": {"file": "hal-0.1.0-py3-none-any.whl", "sha256": digest}}),
        ("windows", {"gateway-windows": wheelhouse}),
    ):
        (cache / name).mkdir(parents=True)
        (cache / name / "manifest.json").write_text(json.dumps(content))
