"""A repository's password is replaced: the new one is added before the former one is removed."""

from __future__ import annotations

import getpass
import json
import sys

import pytest

HOST = "qm1"


class Killed(BaseException):
    """The process ended here."""


class Repositories:
    """What restic would find: the keys of each repository by their ids, each with its password.

    Attributes:
        left: calls of restic until it is killed; at the last one what it does is done or not.
    """

    def __init__(self, module):
        self.module, self.keys, self.calls, self.left, self.done = module, {}, [], None, True

    def restic(self, settings, host, *arguments, source=None, told_secretly=None):
        keys, password = self.keys[settings["location"]], settings["passwords"][host]
        current = next((name for name, known in keys.items() if known == password), None)
        if current is None:
            raise self.module.repositories.RepositoryError(
                "restic cat ended with code 12: Fatal: wrong password or no key found"
            )
        if source:  # of which the password that is used must be one
            self.restic(source, host, "cat", "config", "--no-lock")
        self.calls.append(arguments[:2])
        if self.left is not None:
            self.left -= 1
            if self.left == 0 and not self.done:
                raise Killed
        said = self._do(keys, current, arguments, told_secretly)
        if self.left == 0:
            raise Killed
        return said

    def _do(self, keys, current, arguments, told_secretly):
        match arguments:
            case ("key", "add"):
                keys[f"key-{len(keys)}-{told_secretly.strip()}"] = told_secretly.strip()
            case ("key", "remove", name):
                assert name != current, "restic removes no key that it has been opened with"
                del keys[name]
            case ("key", "list", "--json"):
                return json.dumps([{"id": name, "current": name == current} for name in keys])
            case _:
                assert arguments[0] in {"cat", "check", "copy", "forget"}
        return ""

    def passwords(self):
        return {place.rpartition("/")[2]: sorted(keys.values()) for place, keys in self.keys.items()}


@pytest.fixture
def repositories(maintenance, monkeypatch):
    found = Repositories(maintenance)
    monkeypatch.setattr(maintenance.repositories, "restic", found.restic)
    return found


@pytest.fixture
def run(maintenance, repositories, tmp_path, monkeypatch):
    """Run the program on a host's repository and its off-site copy, which the former passwords open."""
    for place, password in (("here", "old"), ("disk", "old copy")):
        (tmp_path / place / HOST).mkdir(parents=True)
        (tmp_path / place / HOST / "config").touch()
        repositories.keys[str(tmp_path / place)] = {"first": password, "household": "of the household"}
    place = {"location": str(tmp_path / "disk"), "user": "root", "passwords": {HOST: "new copy"}, "days": 3}
    place |= {"former": {HOST: "old copy"}, "delete": True}
    settings = {"location": str(tmp_path / "here"), "user": "root", "passwords": {HOST: "new"}, "unit": ""}
    settings |= {
        "user": getpass.getuser(),
        "keep": {},
        "delete": True,
        "former": {HOST: "old"},
        "offsite": place,
        "quotas_gib": {},
        "check_percent": 1,
    }
    (tmp_path / "settings.json").write_text(json.dumps(settings))

    def program(option):
        monkeypatch.setattr(sys, "argv", ["hal-backup-maintenance", option])
        return maintenance.maintenance.main()

    return program


OTHERS = {"here": "of the household", "disk": "of the household"}


def with_passwords(here, disk):
    return {"here": sorted([*here, OTHERS["here"]]), "disk": sorted([*disk, OTHERS["disk"]])}


def test_the_new_password_is_added_beside_the_former_and_the_copy_is_left_to_who_copies(run, repositories):
    assert run("--create") == 0
    assert repositories.passwords() == with_passwords(["old", "new"], ["old copy"])
    before = dict(repositories.passwords())
    assert run("--create") == 0 and repositories.passwords() == before


@pytest.mark.parametrize("option", ["--offsite", "--recover"])
def test_who_copies_adds_the_new_password_to_the_copy(run, repositories, option):
    assert run(option) == 0
    assert repositories.passwords() == with_passwords(["old", "new"], ["old copy", "new copy"])
    assert ("copy",) in repositories.calls


def test_the_former_is_removed_and_what_the_household_has_added_stays(run, repositories):
    run("--create")
    assert run("--retire") == 0
    assert repositories.passwords() == with_passwords(["new"], ["new copy"])
    repositories.calls.clear()
    assert run("--retire") == 0 and ("key", "remove") not in repositories.calls


def test_two_keys_of_the_former_password_are_both_removed(run, repositories, tmp_path):
    repositories.keys[str(tmp_path / "here")]["second"] = "old"
    assert run("--retire") == 0
    assert repositories.passwords() == with_passwords(["new"], ["new copy"])


def test_a_repository_that_only_the_former_password_opens_is_never_left_without_a_key(
    maintenance, run, repositories, tmp_path
):
    settings = json.loads((tmp_path / "settings.json").read_text())
    with pytest.raises(
        maintenance.repositories.RepositoryError, match=r"the new password does not open .*--create"
    ):
        maintenance.passwords.retire(settings, HOST)
    assert repositories.passwords()["here"] == sorted(["old", OTHERS["here"]])


def test_while_the_disk_of_the_copies_is_absent_the_former_is_not_taken_for_refused(
    run, repositories, tmp_path, capsys
):
    (tmp_path / "disk").rename(tmp_path / "away")
    assert run("--create") == 0
    assert run("--retire") == 1
    assert "Attach it, and run this again" in capsys.readouterr().err
    (tmp_path / "away").rename(tmp_path / "disk")
    assert run("--retire") == 0
    assert repositories.passwords() == with_passwords(["new"], ["new copy"])


def test_a_password_that_neither_is_ends_in_an_error(run, repositories, tmp_path, capsys):
    repositories.keys[str(tmp_path / "here")] = {"first": "a third"}
    assert run("--create") == 1
    assert "wrong password" in capsys.readouterr().err


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("calls", range(1, 14))
def test_killed_at_any_call_of_restic_it_is_never_locked_out_and_ends_alike(run, repositories, calls, done):
    repositories.left, repositories.done = calls, done
    killed = False
    for option in ("--create", "--retire"):
        try:
            run(option)
        except Killed:
            killed = True
            break
    assert killed == (calls <= 12), "the range covers every call, and one more"
    repositories.left = None
    for place, opening in (("here", {"old", "new"}), ("disk", {"old copy", "new copy"})):
        assert opening & set(repositories.passwords()[place])
    assert run("--create") == 0 and run("--retire") == 0
    assert repositories.passwords() == with_passwords(["new"], ["new copy"])
