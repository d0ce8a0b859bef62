"""The restore playbook on a simulated Windows host: what it asks, what it refuses, what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inspection import scripts
from simulator import commands
from simulator.bench import PROJECT, Bench, Run
from simulator.machine import Failure, Machine
from simulator.states import windows_server

pytestmark = pytest.mark.slow

INVENTORY = PROJECT / "tests/windows/inventory"
VARIABLES = {
    "host": "qm1",
    "backup_repository": "C:\\copies",
    "backup_restic": {"version": "1.2.3"},
    "network_backup_secret": "a secret",
}
SNAPSHOTS = [
    {"id": "a1" * 32, "time": "2026-11-20T02:00:01.1234567Z", "tags": ["hal"]},
    {"id": "a2" * 32, "time": "2026-11-21T02:00:01Z", "tags": ["hal"]},
    {"id": "c1" * 32, "time": "2026-11-21T15:00:01Z", "tags": ["conversations"]},
    {"id": "c2" * 32, "time": "2026-11-21T15:01:01Z", "tags": ["conversations"]},
]
JOURNAL = "C:\\qmsys\\conversations"
RECORD = "C:\\ProgramData\\HAL\\openqm.digest"
REPLAYED = "12 turns restored, 3 there already, 0 damaged lines left out\nloaded"


class Host:
    """A host with backups; what it was asked of restic, its services and QM, in order."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.damaged = False
        self.snapshots = SNAPSHOTS
        self.refusals = 0
        bench.machine.interpreters.insert(0, self.answer)

    def answer(self, machine: Machine, text: str) -> dict[str, Any] | None:
        """Answer what this playbook alone asks."""
        if " snapshots --json" in text and self.refusals:
            self.refusals -= 1
            return {"rc": 1, "stderr": "connection refused"}
        if " snapshots --json" in text:
            return {"stdout": json.dumps(self.snapshots)}
        if " restore " in text and ".exe" in text:
            return {"rc": 1, "stderr": "damaged"} if self.damaged else {"stdout": "restored"}
        if text.startswith("# Put a restored account"):
            return {"changed": True, "result": {"aside": "C:\\qmsys\\hal.before-20261121-153000"}}
        if text.startswith("# Put restored files"):
            return {"changed": True, "result": {"added": ["C:\\qmsys\\conversations\\20261121.5.c2c2c2c2"]}}
        if text.startswith("# Run commands of QM") and "HAL.REPLAY" in str(machine.parameters):
            if not machine.services["qmsvc"]["running"]:
                raise Failure("QM is not running")
            return {"changed": True, "result": {"output": [REPLAYED]}}
        return None

    def run(self, *arguments: str, **variables: Any) -> Run:
        """Run the playbook."""
        told = json.dumps(VARIABLES | variables)
        return self.bench.run(
            "playbooks/restore.yml", f"--inventory={INVENTORY}", "--extra-vars", told, *arguments
        )

    @property
    def done(self) -> list[str]:
        """What the host was asked that matters: restic's verbs and snapshots, scripts, and QM's commands."""
        told = []
        for call in self.bench.machine.calls:
            arguments = call["arguments"]
            if argv := arguments.get("argv"):
                told.append(
                    " ".join(word for word in argv if word in ("restore", "snapshots") or len(word) == 64)
                )
            elif call["call"].endswith("win_powershell"):
                first = arguments["script"].splitlines()[0].removeprefix("# ").split(";")[0]
                told += arguments["parameters"].get("Commands") or [first]
            elif arguments.get("path") == RECORD:
                told.append(f"record {arguments['state']}")
        return told


@pytest.fixture
def host() -> Iterator[Host]:
    machine = windows_server()
    machine.interpreters = [commands.interpret]
    with Bench("qm1", machine) as bench:
        yield Host(bench)


def test_the_conversations_are_added_to_what_is_there(host: Host) -> None:
    run = host.run(item="conversations")
    assert run.code == 0, run.output
    assert host.done == [
        "snapshots",
        f"restore {'c2' * 32}",
        "Put restored files where they are missing",
        "RUN HAL.BP HAL.REPLAY NO.PAGE",
    ]
    assert "12 turns restored" in run.output
    assert not host.bench.machine.exists("C:\\qmsys\\conversations.restored")


def test_a_server_that_does_not_answer_is_told_at_once(host: Host) -> None:
    host.refusals = 1
    run = host.run(item="conversations")
    assert run.code == 2
    assert "The backups of qm1 cannot be listed: connection refused" in run.output
    assert host.done == ["snapshots"]


def test_the_account_is_kept_unless_somebody_says_that_it_is_replaced(host: Host) -> None:
    run = host.run()
    assert run.code == 2
    assert "is there and was kept. -e overwrite=true replaces it" in run.output
    assert host.done == ["snapshots"]


def test_the_account_and_then_its_conversations_come_back(host: Host) -> None:
    run = host.run(overwrite=True)
    assert run.code == 0, run.output
    done = host.done
    replaced = next(place for place, one in enumerate(done) if one.startswith("Put a restored account"))
    installed = next(place for place, one in enumerate(done) if "HAL.START" in one)
    replays = [place for place, one in enumerate(done) if "HAL.REPLAY" in one]
    assert (
        "record absent" in done[replaced:installed]
    )  # else the programs of then would be taken for those of now
    assert done[:2] == ["snapshots", f"restore {'a2' * 32}"]
    assert "BASIC HAL.BP HAL.SETUP" in done[replaced:installed]
    assert len(replays) == 2 and installed < replays[0]
    assert "what was there is in C:\\qmsys\\hal.before-20261121-153000" in run.output.replace("\\\\", "\\")


def test_a_copy_that_cannot_be_fetched_replaces_nothing(host: Host) -> None:
    host.damaged = True
    run = host.run(overwrite=True)
    assert run.code == 2
    assert "The backup was not restored to C:\\qmsys\\hal.restored: damaged" in run.output.replace(
        "\\\\", "\\"
    )
    assert not [one for one in host.done if one.startswith("Put ")]


def test_a_check_says_what_it_would_do_and_does_nothing(host: Host) -> None:
    run = host.run("--check", at="2026-11-20T12:00")
    assert run.code == 2  # there are no conversations of then
    assert f"account: would restore the snapshot {'a1' * 4} of 2026-11-20T02:00:01+00:00" in run.output
    assert "there is no backup of conversations of 2026-11-20T12:00 or before" in run.output
    run = host.run("--check")
    assert run.code == 0, run.output
    assert f"conversations: would restore the snapshot {'c2' * 4} of 2026-11-21T15:01:01+00:00" in run.output
    assert set(host.done) == {"snapshots"}


def test_a_copy_beside_the_live_data_touches_nothing_else(host: Host) -> None:
    run = host.run(into="D:\\older", item="account", at="2026-11-20T12:00")
    assert run.code == 0, run.output
    assert host.done == ["snapshots", f"restore {'a1' * 32}"]
    (restored,) = [
        call["arguments"]["argv"]
        for call in host.bench.machine.calls
        if "restore" in str(call["arguments"].get("argv"))
    ]
    assert restored[-1] == "D:\\older\\account"
    host.bench.machine.make_directory("D:\\older\\account")
    run = host.run(into="D:\\older", item="account")
    assert run.code == 2
    assert "is there and was kept. Name another directory" in run.output


def recover(host: Host, tmp_path: Path, *arguments: str) -> Run:
    """Run the step of the role that brings back the files of a host that has lost them."""
    item = {"kind": "files", "paths": [JOURNAL], "every": 60}
    role = {"name": "backup", "tasks_from": "windows/recover"}
    told = {
        "backup_items": {"conversations": item},
        "backup_recovered": {"key": "conversations", "value": item},
    }
    play = {"hosts": "qm1", "gather_facts": False, "tasks": [{"ansible.builtin.include_role": role}]}
    (tmp_path / "recover.yml").write_text(json.dumps([play]))
    variables = json.dumps(VARIABLES | told)
    return host.bench.run(
        str(tmp_path / "recover.yml"), f"--inventory={INVENTORY}", "--extra-vars", variables, *arguments
    )


def test_a_host_that_was_made_anew_has_the_journal_back_before_its_first_backup(
    host: Host, tmp_path: Path
) -> None:
    host.refusals = 1  # the backup server is not up yet
    run = recover(host, tmp_path)
    assert run.code == 0, run.output
    assert host.done == [
        "snapshots",
        "snapshots",
        f"restore {'c2' * 32}",
        "Put restored files where they are missing",
    ]
    assert not host.bench.machine.exists(f"{JOURNAL}.restored")


@pytest.mark.parametrize(("there", "arguments"), [(True, ()), (False, ("--check",))])
def test_a_journal_that_is_there_is_left_alone_and_a_check_brings_nothing_back(
    host: Host, tmp_path: Path, there: bool, arguments: tuple[str, ...]
) -> None:
    if there:
        host.bench.machine.make_directory(JOURNAL)
    run = recover(host, tmp_path, *arguments)
    assert run.code == 0, run.output
    assert host.done == []


def test_a_new_host_gets_an_empty_journal(host: Host, tmp_path: Path) -> None:
    host.snapshots = []
    run = recover(host, tmp_path)
    assert run.code == 0, run.output
    assert host.done == ["snapshots"]
    assert host.bench.machine.exists(JOURNAL)


def test_a_journal_that_cannot_be_brought_back_stops_the_run(host: Host, tmp_path: Path) -> None:
    host.damaged = True
    run = recover(host, tmp_path)
    assert run.code == 2
    assert not host.bench.machine.exists(JOURNAL)


def test_a_copy_needs_a_directory_of_windows(host: Host) -> None:
    run = host.run(into="/srv/older", item="account")
    assert run.code == 2
    assert "names a directory of qm1" in run.output
    assert host.bench.machine.calls == []


@pytest.mark.parametrize(
    "script", ["openqm/files/windows/replace_account.ps1", "backup/files/windows/add_missing.ps1"]
)
def test_its_scripts_are_such_as_windows_reads(script: str) -> None:
    assert list(scripts.check((PROJECT / "roles" / script).read_text())) == []
