"""proxmox_snapshots against a fake Proxmox API that runs as its own process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.conftest import Fake
from tests.unit.modules.conftest import TOKENS

NAME = "hal-before-20261129T052046Z"
GUESTS = {"qm1": 103, "ubuai": 120}
RIGHTS = ("VM.Audit", "VM.PowerMgmt", "VM.Snapshot")

type Ensure = Callable[..., dict[str, Any]]


@pytest.fixture
def fake(proxmox: Fake) -> Fake:
    """The fake with two guests on a storage that takes snapshots, and a token with just enough rights."""
    proxmox.reset()
    proxmox.assign(apitokens=TOKENS)
    proxmox.grant("ansible@pve", "/", *RIGHTS)
    for name, vmid in GUESTS.items():
        config = {"name": name, "memory": 1024, "scsi0": f"local-lvm:vm-{vmid}-disk-0,size=3G"}
        proxmox.add_vm(vmid, name, node="pve", config=config)
        proxmox.guest(vmid, status="running")
    return proxmox


@pytest.fixture
def ensure(fake: Fake, connection: dict[str, Any], run_module: Ensure) -> Ensure:
    def run(check: bool = False, **changes: Any) -> dict[str, Any]:
        params = connection | {"guests": GUESTS, "name": NAME} | changes
        return run_module("proxmox_snapshots", params, check=check)

    return run


@pytest.fixture
def names(ensure: Ensure) -> Callable[[], dict[str, list[str]]]:
    """Return this project's snapshots of each guest."""
    return lambda: ensure(state="listed", name=None)["snapshots"]  # type: ignore[no-any-return]


def test_a_snapshot_is_taken_of_every_guest_once(fake: Fake, ensure: Ensure, names: Any) -> None:
    result = ensure()
    assert result["changed"] and result["guests"] == ["qm1", "ubuai"]
    assert names() == {"qm1": [NAME], "ubuai": [NAME]}
    before = fake.writes()
    assert not ensure()["changed"]
    assert fake.writes() == before


def test_going_back_brings_the_configuration_back_and_starts_the_guest(fake: Fake, ensure: Ensure) -> None:
    ensure()
    config = fake.guest(103)["config"]
    fake.guest(103, config=config | {"memory": 4096})
    assert ensure(state="rolled_back")["changed"]
    guest = fake.guest(103)
    assert (guest["config"]["memory"], guest["status"]) == (1024, "running")


def test_only_the_named_snapshot_is_removed(fake: Fake, ensure: Ensure, names: Any) -> None:
    ensure(name="hal-before-older")
    ensure()
    assert ensure(state="absent")["guests"] == ["qm1", "ubuai"]
    assert names() == {"qm1": ["hal-before-older"], "ubuai": ["hal-before-older"]}
    assert not ensure(state="absent")["changed"]


@pytest.mark.parametrize("state", ["present", "rolled_back", "absent"])
def test_a_persons_snapshot_is_never_touched(fake: Fake, refused: Any, state: str) -> None:
    assert "'before-the-party' is no snapshot of this project" in refused(
        name="before-the-party", state=state
    )
    assert not fake.writes()


def test_a_storage_that_cannot_is_named_before_any_snapshot_is_taken(
    fake: Fake, refused: Any, names: Any
) -> None:
    config = fake.guest(120)["config"]
    fake.guest(120, config=config | {"scsi1": "local:120/vm-120-disk-1.raw,size=3G"})
    said = refused()
    assert "No snapshot can be taken of ubuai (local, local-lvm)" in said
    assert names() == {}


def test_without_the_right_nothing_is_taken_and_the_play_that_gives_it_is_named(
    fake: Fake, refused: Any, names: Any
) -> None:
    fake.assign(acl=None)
    fake.grant("ansible@pve", "/", "VM.Audit")
    fake.grant("ansible@pve", "/vms/103", "VM.Snapshot")
    said = refused()
    assert "No snapshot was taken of ubuai" in said and "VM.Snapshot" in said
    assert "playbooks/hypervisor.yml" in said
    assert names() == {}


def test_a_guest_that_does_not_exist_yet_has_nothing_to_go_back_to(ensure: Ensure, names: Any) -> None:
    result = ensure(guests={**GUESTS, "nas": 110})
    assert result["missing"] == ["nas"]
    assert list(names()) == ["qm1", "ubuai"]


def test_only_guests_that_have_the_snapshot_go_back(fake: Fake, ensure: Ensure) -> None:
    ensure(guests={"qm1": 103})
    assert ensure(state="rolled_back")["guests"] == ["qm1"]
    assert len(fake.logs("qmrollback")) == 1


def test_a_snapshot_that_no_guest_has_is_refused_with_those_there_are(
    fake: Fake, ensure: Ensure, refused: Any
) -> None:
    ensure(guests={"qm1": 103})
    before = fake.writes()
    said = refused(state="rolled_back", name="hal-before-typo")
    assert f"There is no snapshot hal-before-typo: qm1 has {NAME}; ubuai has none. Nothing was done." in said
    assert fake.writes() == before


def test_a_check_changes_nothing(fake: Fake, ensure: Ensure) -> None:
    assert ensure(check=True)["changed"]
    assert not fake.writes()


def test_a_guest_that_is_locked_is_waited_for(fake: Fake, ensure: Ensure, names: Any) -> None:
    fake.snapshot_lock(103, "backup")
    fake.unlock_later(103)
    ensure()
    assert list(names()) == ["qm1", "ubuai"]


def test_a_guest_that_stays_locked_is_named_with_what_holds_it(fake: Fake, refused: Any, names: Any) -> None:
    fake.snapshot_lock(120, "backup")
    said = refused(timeout=1)
    assert "No snapshot was taken of ubuai" in said and "VM is locked (backup)" in said
    assert names() == {}
