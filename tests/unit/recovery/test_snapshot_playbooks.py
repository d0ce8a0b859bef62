"""snapshot.yml and snapshots.yml with the lab's inventory against a fake Proxmox API."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

NAME = "hal-before-20261129T052046Z"
NO_DATA: dict[str, list[str]] = {"backup_items": []}


@pytest.fixture
def machines(network):
    """The machines, each with a disk on a storage that takes snapshots."""
    for vmid in (100, 103, 120):
        guest = network.guest(vmid)
        network.guest(vmid, config=guest["config"] | {"scsi0": f"local-lvm:vm-{vmid}-disk-0,size=3G"})
    return network


def taken(network):
    return len(network.logs("qmsnapshot"))


def test_nothing_is_taken_unless_it_is_asked_for(machines, run):
    code, said = run("snapshot")
    assert code == 0, said
    assert machines.asked() == 0


def test_every_machine_gets_a_snapshot_and_who_gets_none_is_named(machines, run):
    code, said = run("snapshot", snapshot=True, **NO_DATA)
    assert code == 0, said
    assert taken(machines) == 3
    assert "of haproxy, qm1, ubuai." in said
    assert "mac, nas: no machine of Proxmox, so not taken back." in said


def test_a_run_that_fails_afterwards_ends_with_the_command_that_goes_back(machines, run):
    code, said = run("snapshot restore", snapshot=True, snapshot_name=NAME, **NO_DATA)
    assert code == 2
    assert "To take haproxy, qm1, ubuai back to the time before this run, with the data:" in said
    assert f"playbooks/snapshots.yml -e back_to={NAME}" in said


def test_a_snapshot_that_cannot_be_had_ends_the_run_before_anything_is_changed(machines, run):
    guest = machines.guest(120)
    machines.guest(120, config=guest["config"] | {"scsi0": "local:120/vm-120-disk-0.raw,size=3G"})
    code, said = run("snapshot restore", snapshot=True, **NO_DATA)
    assert code == 2 and "No snapshot can be taken of ubuai (local)" in said
    assert "Name a Linux host" not in said, "the run went on to the next playbook"
    assert machines.writes() == []


def test_data_that_cannot_be_backed_up_ends_the_run_before_a_snapshot_is_taken(machines, run):
    code, said = run("snapshot", "--limit", "qm1", snapshot=True)
    assert code != 0 and "Back up" in said
    assert machines.writes() == []


@pytest.mark.parametrize(
    ("arguments", "variables", "sentence"),
    [
        ([], {"rebuild": "qm1"}, "destroys a machine with its snapshots"),
        (["--tags", "haproxy"], {}, "-e snapshot=true goes without --tags"),
    ],
)
def test_what_no_snapshot_could_bring_back_is_refused(machines, run, arguments, variables, sentence):
    code, said = run("snapshot", *arguments, snapshot=True, **NO_DATA, **variables)
    assert code == 2 and sentence in said
    assert machines.writes() == []


def test_a_machine_that_is_not_there_yet_has_nothing_to_go_back_to(machines, run):
    machines.remove(120)
    code, said = run("snapshot", snapshot=True, **NO_DATA)
    assert code == 0 and taken(machines) == 2
    assert "ubuai: not there yet, so nothing to go back to." in said


def test_a_check_takes_none(machines, run):
    code, said = run("snapshot", "--check", snapshot=True, **NO_DATA)
    assert code == 0, said
    assert machines.writes() == []


def test_the_snapshots_are_listed_and_removed_by_name(machines, run):
    assert run("snapshot", snapshot=True, snapshot_name=NAME, **NO_DATA)[0] == 0
    code, said = run("snapshots")
    assert code == 0 and NAME in said
    assert run("snapshots", drop=NAME, host="qm1")[0] == 0
    assert len(machines.logs("qmdelsnapshot")) == 1
    code, said = run("snapshot", snapshot=True, **NO_DATA)
    assert code == 0 and "Snapshots of earlier runs are left on haproxy, ubuai" in said


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"back_to": "typo"}, "'typo' is no snapshot of this project"),
        ({"back_to": NAME}, f"There is no snapshot {NAME}: haproxy has none"),
        ({"back_to": NAME, "drop": NAME}, "either -e back_to or -e drop"),
        ({"host": "nas"}, "-e host names one of"),
    ],
)
def test_what_cannot_be_gone_back_to_is_named_and_nothing_done(machines, run, variables, sentence):
    code, said = run("snapshots", **variables)
    assert code == 2 and sentence in said
    assert machines.writes() == []


def test_only_the_named_host_goes_back_and_is_verified(machines, run):
    assert run("snapshot", snapshot=True, snapshot_name=NAME, **NO_DATA)[0] == 0
    code, said = run("snapshots", host="qm1", back_to=NAME, **NO_DATA)
    assert len(machines.logs("qmrollback")) == 1
    assert machines.guest(103)["status"] == "running"
    # Here are no hosts that could be checked, so the snapshot stays and the command says so.
    assert code == 2 and "Fail if a check failed" in said
    assert machines.logs("qmdelsnapshot") == []
