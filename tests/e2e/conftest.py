"""The lab, as the end-to-end tests reach it. Nothing here contacts a host unless the lab is up."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab import containers, machine, network

PROJECT = Path(__file__).resolve().parents[2]


type Done = subprocess.CompletedProcess[str]

RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


@pytest.fixture(scope="session", autouse=True)
def lab() -> containers.Lab:
    """Return the running lab; without one the tests fail, for they are nothing without it."""
    machine.configure_podman(network.STATE)
    lab = network.laboratory()
    running = {container.name for container in containers.list_all(lab) if container.running}
    missing = network.addresses(
        "managed_hosts", "qm_servers", "ai_servers", "proxies", "backup_servers", "clients"
    )
    if missing.keys() - running:
        pytest.fail(
            f"The lab is not up ({', '.join(sorted(missing.keys() - running))} missing): run `make lab`."
        )
    return lab


@pytest.fixture(scope="session")
def on(lab: containers.Lab) -> Callable[..., Done]:
    """Run a shell command on a host of the lab, as root or as another user."""

    def run(host: str, command: str, user: str = "root", timeout: float = 120) -> Done:
        arguments = containers.exec_command(lab, host, user=user, command=["bash", "-lc", command])
        return subprocess.run(
            arguments, capture_output=True, text=True, errors="replace", timeout=timeout, check=False
        )

    return run


@pytest.fixture(scope="session")
def playbook() -> Callable[..., Done]:
    """Run a playbook on the lab."""

    def run(*arguments: str) -> Done:
        return subprocess.run(
            [str(PROJECT / ".venv/bin/ansible-playbook"), *arguments],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=2400,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def assert_unchanged() -> Callable[[Done], None]:
    """Check that a playbook contacted every host, and that none changed or failed."""

    def judge(done: Done) -> None:
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        recaps = RECAP.findall(done.stdout)
        assert {"qm1", "ubuai", "haproxy", "nas", "mac"} <= {host for host, *_ in recaps}
        assert {tuple(numbers) for _, *numbers in recaps} == {("0", "0", "0")}, done.stdout[-4000:]

    return judge


@pytest.fixture(scope="session")
def hal(on: Callable[..., Done]) -> Callable[..., dict[str, Any]]:
    """Run the hal command on the client and return its answer; one that fails has the status "error"."""

    def ask(*arguments: str, succeeds: bool = True) -> dict[str, Any]:
        done = on("mac", f"hal {shlex.join(arguments)}", user="lawr")
        assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return answer

    return ask
