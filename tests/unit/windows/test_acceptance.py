"""The acceptance playbook on a simulated host: what it asks of it, what it refuses, what it finds wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from simulator import commands
from simulator.bench import PROJECT, Bench, Run
from simulator.states import windows_server

pytestmark = pytest.mark.slow

INVENTORY = PROJECT / "tests/windows/inventory"
BACKUP = {
    "backup_repository": "C:\\copies",
    "backup_paths": ["C:\\qmsys\\hal"],
    "backup_restic": {"version": "1.2.3"},
}


class Host:
    """A host on which everything runs; `differing` is what a restored copy has that differs."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.boots = 1
        self.differing: list[str] = []
        service = {"running": True, "start_mode": "auto"}
        bench.machine.services["halgateway"] = service
        bench.machine.interpreters.insert(0, self.answer)
        self._answers: dict[str, Callable[[], dict[str, Any]]] = {
            "# End a process of a service": lambda: {"result": {"before": 10, "after": 11}},
            "# Run a scheduled task now": lambda: {"result": {"begun": "2026-01-15T12:00:00Z", "seconds": 7}},
            "# Compare restored files": lambda: {"result": {"equal": 40, "faults": self.differing}},
            "restore latest --tag hal ": lambda: {"stdout": "restored"},
            "LastBootUpTime": lambda: {"stdout": str(self.boots)},
            "shutdown.exe": self.restart,
        }

    def restart(self) -> dict[str, Any]:
        """Boot, as the boot time shows afterwards."""
        self.boots += 1
        return {"stdout": json.dumps({"rc": 0, "stdout": "", "stderr": ""})}

    def answer(self, _machine: object, text: str) -> dict[str, Any] | None:
        """Answer what this playbook alone asks."""
        for pattern, answer in self._answers.items():
            if pattern in text:
                return answer()
        # The reboot's own test of whether one can log on wants its last word repeated.
        return {"stdout": text.rsplit("'", 2)[1]} if "AutoLogonChecked" in text else None

    def run(self, *arguments: str, tags: str = "kill,reboot,restore", **variables: Any) -> Run:
        """Run steps of the playbook on this host."""
        return self.bench.run(
            "playbooks/windows_acceptance.yml",
            f"--inventory={INVENTORY}",
            "--limit=qm1",
            f"--tags={tags}",
            "--extra-vars",
            json.dumps(BACKUP | variables),
            *arguments,
        )

    def asked(self, module: str) -> list[dict[str, Any]]:
        """Return the arguments of every call of a module."""
        return [call["arguments"] for call in self.bench.machine.calls if call["call"].endswith(module)]


@pytest.fixture
def host() -> Iterator[Host]:
    machine = windows_server()
    machine.interpreters = [commands.interpret]
    with Bench("qm1", machine) as bench:
        yield Host(bench)


def test_it_ends_restarts_and_restores_and_says_what_that_proves(host: Host) -> None:
    run = host.run(acceptance_agreed=True)
    assert run.code == 0, run.output
    assert run.output.count("Proven:") == 3
    ended = [
        call["parameters"]["Which"] for call in host.asked("win_powershell") if "Which" in call["parameters"]
    ]
    assert ended == ["program", "wrapper"]
    assert host.boots == 2
    (restored,) = host.asked("win_command")
    scratch = restored["argv"][-1]
    assert not host.bench.machine.exists(scratch)
    assert not scratch.lower().startswith("c:\\qmsys")


@pytest.mark.parametrize(
    ("repository", "told"),
    [
        ("rest:https://127.0.0.1:8000/qm1/", ("RESTIC_REST_USERNAME", "RESTIC_REST_PASSWORD")),
        ("s3:https://127.0.0.1:9000/hal/qm1", ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
        ("sftp:hal@127.0.0.1:/hal/qm1", ()),
    ],
)
def test_the_restore_logs_in_as_the_backup_does(host: Host, repository: str, told: tuple[str, ...]) -> None:
    access = {"user": "qm1", "password": "a password"}
    run = host.run(tags="restore", acceptance_agreed=True, backup_repository=repository, backup_access=access)
    assert run.code == 0, run.output
    (restored,) = [call for call in host.bench.machine.calls if call["call"].endswith("win_command")]
    assert restored.get("environment", {}) == dict(zip(told, access.values(), strict=False))


def test_a_copy_that_differs_is_named_and_removed(host: Host) -> None:
    host.differing = [r"C:\qmsys\hal\MEDICATION\%0 differs"]
    run = host.run(tags="restore", acceptance_agreed=True)
    assert run.code == 2
    assert r"MEDICATION\%0 differs" in run.output.replace("\\\\", "\\")
    assert not host.bench.machine.exists(host.asked("win_command")[0]["argv"][-1])


def test_a_second_run_that_changes_something_is_named(host: Host, tmp_path: Path) -> None:
    task = {"name": "Make a directory", "ansible.windows.win_file": {"path": "C:\\new", "state": "directory"}}
    play = {"hosts": "qm1", "gather_facts": False, "tasks": [task]}
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks/configure.yml").write_text(json.dumps([play]))

    first = host.run(tags="second_run", acceptance_agreed=True, project_directory=str(tmp_path))
    assert first.code == 2
    assert "changed 1 things" in first.output
    assert "Changed: Make a directory" in first.output
    second = host.run(tags="second_run", acceptance_agreed=True, project_directory=str(tmp_path))
    assert second.code == 0, second.output
    assert "a second run changed nothing (1 tasks)" in second.output


@pytest.mark.parametrize(("arguments", "agreed"), [((), False), (("--check",), True)])
def test_it_does_nothing_unasked_or_in_a_check(host: Host, arguments: tuple[str, ...], agreed: bool) -> None:
    run = host.run(*arguments, acceptance_agreed=agreed)
    assert run.code == 2
    assert "acceptance_agreed=true" in run.output
    assert host.bench.machine.calls == []


def test_its_scripts_are_there() -> None:
    tasks = "".join(path.read_text() for path in (PROJECT / "playbooks").rglob("*.yml"))
    scripts = {path.name for path in Path(PROJECT / "playbooks/files").glob("*.ps1")}
    assert scripts == {name for name in scripts if f"path: {name}" in tasks}
