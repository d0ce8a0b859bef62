"""The runs of the playbooks on simulated hosts: a first look, configuration, checks, an upgrade."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import yaml
from simulator.bench import PROJECT, Bench, Run
from simulator.machine import TEMPORARY, Machine, State
from simulator.secret import Secret
from simulator.states import windows_server, with_own_gateway, without_qm

from hal.network.backups import backup_access
from hal.network.store import store_ssh_key

HOST = "qm1"
CONFIGURE, VERIFY = "playbooks/configure.yml", "playbooks/verify.yml"
INVENTORY = Path(__file__).parent / "inventory"
OPTIONS = (f"--inventory={INVENTORY}", f"--limit={HOST}", "-vvv")
CHECK = "--check"
SCRIPT_OPTIONS = ("script", "cmd", "_raw_params")
SCRIPT_MODULES = ("ansible.windows.win_powershell", "ansible.windows.win_shell")


@dataclass
class Play:
    """One run of a playbook on a host in some state.

    Args:
        name: What the state is called.
        playbook: The playbook.
        check: Whether it ran in check mode.
        run: What it came to.
        before: What the host was like before it.
        state: What the host is like after it.
        secrets: The secrets of the household.
        faults: What kept it from its end.
    """

    name: str
    playbook: str
    check: bool
    run: Run
    before: State
    state: State
    secrets: list[Secret]
    faults: list[str] = field(default_factory=list)

    def asked(self, *modules: str) -> Iterator[dict[str, Any]]:
        """Yield the calls of modules, which are given by the last part of their names."""
        return (call for call in self.run.calls if call["call"].rpartition(".")[2] in modules)

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
    """All runs, side by side where one does not begin with the state that another ended with.

    Args:
        scratch: A directory of the tests' own.
    """

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        token, backups, login, key, self.password = (secrets.token_urlsafe(32) for _ in range(5))
        certificate = f"a certificate and its PRIVATE KEY {key}"
        digest, access = hashlib.sha256(token.encode()).hexdigest(), backup_access(HOST, backups)
        self.variables: dict[str, Any] = {
            "network_windows_password": self.password,
            "network_backup_secret": backups,
            "network_device_tokens": {"tablet": token},
            "network_gateway_certificate": certificate,
            "openqm_windows_login": f"hal ENCR:{login}",
        }
        self.secrets = [
            Secret("the administrator's password", self.password),
            Secret(
                "the device's token", token, ("gateway_tokens", "openqm_tokens"), "", ("the token's digest",)
            ),
            Secret(
                "the token's digest", digest, ("python_service_secrets",), rf'"text": "tablet {digest}\\n"'
            ),
            Secret(
                "the gateway's key",
                certificate,
                ("gateway_certificate", "python_service_secrets"),
                rf'"text": "{certificate}"',
            ),
            Secret(
                "the backups' secret", backups, (), "", ("the backups' access", "the backups' encryption")
            ),
            Secret(
                "the backups' access",
                access["password"],
                ("backup_access.password",),
                r'RESTIC_REST_PASSWORD(=|": ")\w{64}',
            ),
            Secret(
                "the backups' encryption", access["encryption"], ("backup_password",), r'"text": "\w{64}"'
            ),
            Secret(
                "the key for a store by SFTP", store_ssh_key(HOST, backups)["private"], ("backup_ssh.key",)
            ),
            Secret("QM's login", login, ("openqm_windows_login",), r'"line": "STARTUP=[^"]*; HAL hal ENCR:'),
        ]

    def run(self) -> list[Play]:
        """Run the playbooks on hosts in every state."""
        if beyond := [address for address in addresses(INVENTORY / "hosts.yml") if not address.is_loopback]:
            raise ValueError(f"{INVENTORY}/hosts.yml has addresses beyond this machine: {beyond}")
        no_login = {"openqm_windows_login": ""}
        with ThreadPoolExecutor() as pool:
            first_look = pool.submit(self._play, "check", windows_server(), "a", CHECK, "--diff", **no_login)
            port_taken = pool.submit(
                self._play,
                "port_taken",
                with_own_gateway(),
                "a",
                refused="python.exe voice_gateway.py (process 4321) on port 8768, where HAL's gateway",
            )
            fresh = self._play("fresh", windows_server(), "a")
            if fresh.faults:
                return [first_look.result(), port_taken.result(), fresh]
            later = [
                pool.submit(self._play, "converged", windows_server(fresh.state), "a"),
                pool.submit(self._play, "check_converged", windows_server(fresh.state), "a", CHECK),
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
            return [first_look.result(), port_taken.result(), fresh, *(play.result() for play in later)]

    def _play(
        self,
        name: str,
        machine: Machine,
        release: str,
        *more: str,
        playbook: str = CONFIGURE,
        refused: str = "",
        **changes: Any,
    ) -> Play:
        """Run a playbook, which is meant to fail with a sentence if `refused` has one."""
        cache = self.scratch / name
        downloads(cache, release)
        before = deepcopy(machine.state)
        variables = {
            **self.variables,
            "artifacts_cache": str(cache),
            "health_program": str(cache / "hal_checks.pyz"),
        }
        with Bench(HOST, machine, variables | changes, self.password) as bench:
            run = bench.run(playbook, *OPTIONS, *more, ansible_password="{{ network_windows_password }}")
        play = Play(name, playbook, CHECK in more, run, before, machine.state, self.secrets)
        if not run.calls:
            play.faults.append(f"the host was asked nothing:\n{run.output[-2000:]}")
        if refused:
            if not run.code or refused not in run.output:
                play.faults.append(f"the run was to fail with: {refused}")
        elif run.code:
            play.faults.append(f"the run failed:\n{run.output[-6000:]}")
        return play

    def names(self) -> dict[str, str]:
        """Return what differs from run to run and machine to machine, and what it is called in recordings.

        A script that is sent as it stands in a file is called by the file's name, with a digest.
        """
        places = ("roles/*/files/windows/*.ps1", "playbooks/files/*.ps1")
        scripts = {path.read_text(): path for place in places for path in PROJECT.glob(place)}
        return {
            **{
                script: f"{path.relative_to(PROJECT)} {hashlib.sha256(script.encode()).hexdigest()[:8]}"
                for script, path in scripts.items()
            },
            **{secret.value: secret.name for secret in self.secrets},
            str(self.scratch): "scratch",
            str(PROJECT): "project",
        }


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
