"""What a recovery kit takes of a controller, and what it never does to another computer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hal.network.recovery_kit import (
    VAULT_PASSWORD,
    Controller,
    Kit,
    KitError,
    Places,
    Record,
    age,
    digests,
    pack,
)

FACTS = {"made_at": "2026-11-29T00:00:00+00:00", "inventory": "project/inventory", "commit": "abc"}


@pytest.fixture
def controller(tmp_path: Path) -> Controller:
    for name in (
        "hal/inventory/group_vars/all.yml",
        "hal/common.yml",
        "home/local/disks/a.img",
        "home/local/deep/key",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "outside.yml").write_text("outside")
    (tmp_path / "hal/inventory/common.yml").symlink_to("../common.yml")
    (tmp_path / "hal/inventory/mine.yml").symlink_to(tmp_path / "outside.yml")
    places = Places(tmp_path / "hal", tmp_path / "home")
    return Controller(places, tmp_path / "hal/inventory", tmp_path / "home/local", leaves_out=("disk*",))


def test_all_is_taken_but_what_is_left_out_and_what_every_checkout_has(controller):
    assert controller.contents() == {
        "home/local/deep/key": b"home/local/deep/key",
        "project/inventory/group_vars/all.yml": b"hal/inventory/group_vars/all.yml",
        "project/inventory/mine.yml": b"outside",
    }
    assert "the private SSH key" in controller.lacks()[0]


def test_the_password_that_opens_the_vault_is_taken_and_a_file_that_holds_it_stays_as_it_is(controller):
    (controller.places.home / ".config/hal").mkdir(parents=True)
    controller = replace(
        controller, local=controller.places.home / ".config/hal", vault_password=b"the password"
    )
    assert controller.contents()[VAULT_PASSWORD] == b"the password\n"
    for there, taken in ((b"the password", b"the password"), (b"of another vault\n", b"the password\n")):
        (controller.places.home / ".config/hal/vault-password").write_bytes(there)
        assert controller.contents()[VAULT_PASSWORD] == taken


def test_no_kit_is_in_a_kit(controller):
    before = controller.contents()
    kit = controller.local / "copies/second"
    kit.parent.mkdir()
    Record(str(kit), FACTS["made_at"], digests(before)).write(controller.local)
    for path in (
        kit,
        kit.with_name("second.html"),
        controller.local / "a.kit",
        controller.local / "a.kit.html",
    ):
        path.write_text("encrypted")
    assert controller.contents() == before


def test_public_keys_that_cannot_be_read_are_passed_over(controller):
    ssh = controller.places.home / ".ssh"
    ssh.mkdir(parents=True)
    (ssh / "a.pub").symlink_to("nowhere")
    (ssh / "b.pub").mkdir()
    (ssh / "c.pub").write_bytes(b"ssh-ed25519 \xff\xfe")
    (ssh / "household").write_text("private")
    (ssh / "household.pub").write_text("ssh-ed25519 AAAA me@here\n")
    controller = replace(controller, administrator_key="ssh-ed25519 AAAA another@there")
    assert controller.contents()["home/.ssh/household"] == b"private"


def test_a_directory_that_cannot_be_meant_is_refused_with_its_largest_file(controller):
    with (controller.local / "film.mkv").open("wb") as file:
        file.truncate(30 * 2**20)
    with pytest.raises(KitError, match=r"hold 30 MiB.*film\.mkv"):
        controller.contents()


def test_a_file_outside_of_project_and_home_has_one_place_on_every_computer(tmp_path):
    places = Places(tmp_path / "hal", tmp_path / "home")
    path = Path("/etc/hal/key")
    assert places.path(places.name(path)) == path


@pytest.mark.parametrize("name", ["home/../../etc/passwd", "elsewhere/key", "home", "../key"])
def test_a_kit_writes_nowhere_but_where_its_files_belong(tmp_path, name):
    places = Places(tmp_path / "hal", tmp_path / "home")
    kit = Kit.unpack(pack({name: b"x"}, FACTS, set()))
    with pytest.raises(KitError, match="belongs nowhere"):
        kit.put(places, keep=False)
    assert list(tmp_path.rglob("*")) == []


def test_a_kit_of_another_version_names_the_commit_that_opens_it():
    with pytest.raises(KitError, match="at, abc"):
        Kit.unpack(pack({}, FACTS | {"format": 2}, set()))


def test_without_a_kit_the_controller_is_told_to_make_one():
    assert age(None, digests({"home/key": b"x"})).startswith("There is no recovery kit")
