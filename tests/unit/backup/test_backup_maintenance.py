"""The maintenance on the backup server does not wait for the dead, and names the living."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest


class Refusal:
    """A function that fails, and knows whether it was called."""

    def __init__(self, error):
        self.error, self.called = error, False

    def __call__(self, *_):
        self.called = True
        raise self.error


@pytest.fixture
def server(repository, monkeypatch):
    """Return the settings of a server with one repository, and run restic as who runs this."""
    run = subprocess.run

    def as_oneself(command, *, user=None, group=None, **options):
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", as_oneself)
    directory = {
        "location": str(repository.parent),
        "user": "nobody",
        "passwords": {repository.name: "secret"},
        "former": {},
    }
    store = {"access": {"user": "", "password": ""}, "sftp_command": "", "ca_file": "", "delete": True}
    return (
        directory
        | store
        | {
            "keep": {"last": 3},
            "check_percent": 10,
            "offsite": {},
            "quotas_gib": {},
            "unit": "",
            "watched": {},
        }
    )


def test_a_lock_that_a_dead_process_left_does_not_stop_the_maintenance(maintenance, server, repository, dead):
    (repository / "locks" / dead).write_text("exclusive")
    maintenance.upkeep.maintain(server, repository.name, check=True)
    assert not list((repository / "locks").iterdir())


def test_the_lock_of_a_living_process_is_respected_and_its_holder_named(maintenance, server, repository):
    lock = repository / "locks" / str(os.getpid())
    lock.write_text("")
    with pytest.raises(maintenance.repositories.RepositoryError) as refused:
        maintenance.upkeep.maintain(server, repository.name, check=True)
    assert "waited 10m for another process: unable to create lock" in str(refused.value)
    assert f"PID {os.getpid()} on nas" in str(refused.value) and lock.exists()


def test_without_a_lock_nothing_is_unlocked(maintenance, server, repository):
    maintenance.repositories.unlock(server, repository.name)
    assert not (repository / "called").exists()


@pytest.fixture
def calls(maintenance, monkeypatch):
    """Record what restic would be asked, and where: (location, verb, location that is copied from)."""
    made = []

    def restic(settings, host, *arguments, source=None):
        made.append((settings["location"], arguments[0], source and source["location"]))
        if arguments[0] == "init":
            directory = maintenance.repositories.directory(settings, host)
            directory.mkdir(parents=True)
            (directory / "config").touch()

    monkeypatch.setattr(maintenance.repositories, "restic", restic)
    return made


@pytest.fixture
def copied(server, tmp_path):
    """Return the settings of a server whose copies go to a disk, which is there and has no copy yet."""
    disk = tmp_path / "disk"
    disk.mkdir()
    place = {"location": str(disk), "user": "root", "passwords": {"repository": "other"}, "days": 3}
    place |= {"former": {}}
    return server | {"user": getpass.getuser(), "offsite": place}


def test_a_repository_is_in_its_place_only_once_it_has_its_history(maintenance, copied, calls, tmp_path):
    shutil.rmtree(tmp_path / "repository")
    disk, new = tmp_path / "disk", f"{tmp_path}/.new"
    (disk / "repository").mkdir()
    (disk / "repository/config").touch()
    maintenance.upkeep.create(copied, "repository")
    assert calls == [(new, "init", None), (new, "copy", str(disk))]
    assert maintenance.repositories.exists(copied, "repository") and not (tmp_path / ".new").exists()


def test_without_its_history_there_is_no_repository_that_a_host_could_begin(
    maintenance, copied, calls, tmp_path, monkeypatch
):
    shutil.rmtree(tmp_path / "repository")
    monkeypatch.setattr(
        maintenance.upkeep, "recover", refuse := Refusal(maintenance.repositories.RepositoryError)
    )
    (tmp_path / "disk/repository").mkdir()
    (tmp_path / "disk/repository/config").touch()
    with pytest.raises(maintenance.repositories.RepositoryError):
        maintenance.upkeep.create(copied, "repository")
    assert refuse.called and not maintenance.repositories.exists(copied, "repository")


def test_what_another_host_has_left_keeps_no_host_from_its_repository(maintenance, copied, calls, tmp_path):
    shutil.rmtree(tmp_path / "repository")
    (tmp_path / ".new/other").mkdir(parents=True)
    maintenance.upkeep.create(copied, "repository")
    assert maintenance.repositories.exists(copied, "repository") and (tmp_path / ".new/other").is_dir()


@pytest.fixture
def run(maintenance, copied, calls, tmp_path, monkeypatch):
    """Return a function that runs the program, waiting for nobody, and returns its exit code."""
    monkeypatch.setattr(maintenance.repositories, "SETTINGS", tmp_path / "settings")
    monkeypatch.setattr(maintenance.figures, "METRICS", tmp_path / "check.prom")
    monkeypatch.setattr(maintenance.maintenance, "WAIT_S", 0, raising=False)
    (tmp_path / "settings").write_text(json.dumps(copied))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["hal-backup-maintenance", *arguments])
        return maintenance.maintenance.main()

    return run


def test_of_two_runs_one_makes_a_repository_and_the_other_says_so(
    run, maintenance, copied, tmp_path, monkeypatch, capsys
):
    shutil.rmtree(tmp_path / "repository")
    made, codes = maintenance.upkeep.create, []

    def create(settings, host):
        if not codes:  # the first one; the second begins while that is at work
            codes.append(None)
            codes[0] = run("--create")
        made(settings, host)

    monkeypatch.setattr(maintenance.upkeep, "create", create)
    assert run("--create") == 0 and codes == [1]
    said = capsys.readouterr()
    assert said.err.startswith("repository: another run of hal-backup-maintenance works on its repository")
    assert said.out.count("created") == 1 and maintenance.repositories.exists(copied, "repository")


def test_the_hourly_run_passes_over_what_another_run_works_on_and_unlocking_does_not(
    run, maintenance, calls, tmp_path
):
    repository = tmp_path / "repository"
    (repository / "config").touch()
    (repository / "locks/1").touch()
    maintenance.repositories.STATE.mkdir()
    with (maintenance.repositories.STATE / "repository.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert run() == 0 and not calls
        assert run("--check") == 1 and not calls
        assert run("--unlock") == 0 and [verb for _, verb, _ in calls] == ["unlock"]
    assert run("--check") == 0
    assert "check" in [verb for _, verb, _ in calls]


def test_a_fault_of_one_host_keeps_no_metrics_away(run, maintenance, tmp_path, monkeypatch, capsys):
    shutil.rmtree(tmp_path / "repository")
    monkeypatch.setattr(maintenance.upkeep, "create", Refusal(PermissionError("its disk is read-only")))
    assert run("--create") == 1
    assert "repository: its disk is read-only" in capsys.readouterr().err
    assert "hal_backup_offsite_age_limit_seconds" in (tmp_path / "check.prom").read_text()


@pytest.mark.parametrize("end", [KeyboardInterrupt, "RepositoryError"])
def test_what_a_broken_off_recovery_has_written_is_the_servers(
    maintenance, copied, tmp_path, monkeypatch, end
):
    error = getattr(maintenance.repositories, end) if isinstance(end, str) else end
    owners = {}

    def half_a_copy(*_, **__):
        (tmp_path / "repository/data").mkdir()
        (tmp_path / "repository/data/pack").touch()
        raise error

    monkeypatch.setattr(maintenance.repositories, "restic", half_a_copy)
    monkeypatch.setattr(
        maintenance.upkeep.shutil, "chown", lambda path, user, _group: owners.update({path: user})
    )
    with pytest.raises(error):
        maintenance.upkeep.recover(copied, maintenance.repositories.offsite(copied), "repository")
    assert owners[tmp_path / "repository/data/pack"] == copied["user"]


def test_a_file_that_goes_while_it_is_measured_has_no_size(maintenance, server, tmp_path, monkeypatch):
    there = tmp_path / "repository/config"
    there.write_text("12345")
    monkeypatch.setattr(Path, "rglob", lambda *_: [there, tmp_path / "repository/locks/gone"])
    assert maintenance.repositories.size(server, "repository") == 5


def test_a_copy_is_made_once_a_day_and_checked(maintenance, copied, calls, tmp_path):
    for _ in range(2):
        maintenance.upkeep.maintain(copied, "repository", check=False)
    disk, here = str(tmp_path / "disk"), str(tmp_path)
    offsite = [(verb, source) for location, verb, source in calls if location == disk]
    assert offsite == [("init", here), ("copy", here), ("check", None), ("forget", None)]


def test_where_nobody_may_delete_a_copy_is_made_all_the_same(maintenance, copied, calls, tmp_path):
    for _ in range(2):
        maintenance.upkeep.maintain(
            copied | {"offsite": copied["offsite"] | {"delete": False}}, "repository", check=False
        )
    verbs = [verb for location, verb, _ in calls if location == str(tmp_path / "disk")]
    assert verbs == ["init", "copy", "check"]


def test_a_copy_from_which_nothing_can_be_removed_is_a_copy(
    maintenance, copied, calls, tmp_path, monkeypatch
):
    monkeypatch.setattr(maintenance.upkeep, "forget", Refusal(maintenance.repositories.RepositoryError))
    with pytest.raises(maintenance.repositories.RepositoryError):
        maintenance.upkeep.copy_offsite(copied, maintenance.repositories.offsite(copied), "repository")
    assert maintenance.repositories.last("repository", "offsite") > 0


def test_a_disk_that_is_absent_is_passed_over(maintenance, copied, calls, tmp_path):
    (tmp_path / "disk").rmdir()
    maintenance.upkeep.maintain(copied, "repository", check=False)
    assert not [call for call in calls if call[0] == str(tmp_path / "disk")]
    assert maintenance.repositories.last("repository", "offsite") == 0


def test_metrics_tell_the_age_of_copies_and_the_size_of_repositories(
    maintenance, copied, calls, tmp_path, monkeypatch
):
    (tmp_path / "settings").touch()
    monkeypatch.setattr(maintenance.repositories, "SETTINGS", tmp_path / "settings")
    monkeypatch.setattr(maintenance.figures, "METRICS", tmp_path / "check.prom")
    os.utime(tmp_path / "settings", (1000, 1000))
    maintenance.figures.write_metrics(copied | {"quotas_gib": {"repository": 5}})
    text = (tmp_path / "check.prom").read_text()
    assert 'hal_backup_offsite_last_success_timestamp_seconds{host="repository"} 1000\n' in text
    maintenance.upkeep.maintain(copied, "repository", check=False)
    maintenance.figures.write_metrics(copied | {"quotas_gib": {"repository": 5}})
    text = (tmp_path / "check.prom").read_text()
    assert 'offsite_last_success_timestamp_seconds{host="repository"} 1000\n' not in text
    assert 'hal_backup_offsite_age_limit_seconds{host="repository"} 259200\n' in text
    assert 'hal_backup_size_limit_bytes{host="repository"} 5368709120\n' in text
    assert 'hal_backup_size_bytes{host="repository"} ' in text


def test_a_quota_that_is_full_is_freed_at_once_counted_again_and_named(
    maintenance, server, repository, monkeypatch, capsys
):
    units = repository.parent / "bin/systemctl"
    units.write_text(f'#!/bin/sh\necho "$*" >> {repository.parent}/units\n')
    units.chmod(0o755)
    maintenance.repositories.mark(repository.name, "checked")
    limited = server | {"unit": "server@{}.service", "quotas_gib": {repository.name: 1}}
    maintenance.upkeep.maintain(limited, repository.name, check=False)
    assert not (repository.parent / "units").exists() and "full" not in capsys.readouterr().err
    with (repository / "snapshots/large").open("wb") as file:
        file.truncate(980 * 2**20)
    monkeypatch.setattr(maintenance.repositories, "restic", lambda *_, **__: "")
    maintenance.upkeep.maintain(limited, repository.name, check=False)
    assert (repository.parent / "units").read_text() == "try-restart server@repository.service\n"
    said = capsys.readouterr().err
    assert (
        "repository: the quota of repository is full: 0.96 of 1.00 GiB" in said
        and "raise network_backup_quotas_gib" in said
    )


@pytest.fixture
def told(server, tmp_path):
    """Return a function that returns what restic was told last: its environment, and its arguments."""
    shown, program = tmp_path / "shown", Path(shutil.which("restic"))
    program.unlink()
    program.write_text(f'#!/bin/sh\nenv > {shown}; echo "arguments=$*" >> {shown}\n')
    program.chmod(0o755)
    return lambda: dict(line.split("=", 1) for line in shown.read_text().splitlines() if "=" in line)


STORE = {"location": "s3:https://nas/hal", "access": {"user": "key", "password": "secret key"}}


@pytest.mark.parametrize("verb", ["check", "copy"])
def test_in_a_directory_restic_is_told_no_credentials_but_to_bring_back_from_a_store(
    maintenance, server, told, verb
):
    here = server | {"access": STORE["access"]}
    maintenance.repositories.restic(
        here, "repository", verb, source={**server, **STORE} if verb == "copy" else None
    )
    assert told()["RESTIC_REPOSITORY"] == f"{server['location']}/repository"
    assert told().get("RESTIC_FROM_REPOSITORY") == (
        None if verb == "check" else "s3:https://nas/hal/repository"
    )
    assert ("secret key" in told().values()) == (verb == "copy")


def test_restic_is_told_the_credentials_of_a_store(maintenance, server, told):
    maintenance.repositories.restic(
        server | STORE | {"sftp_command": "ssh nas -s sftp"}, "repository", "check"
    )
    told = told()
    assert told["RESTIC_REPOSITORY"] == "s3:https://nas/hal/repository"
    assert (told["AWS_ACCESS_KEY_ID"], told["AWS_SECRET_ACCESS_KEY"]) == ("key", "secret key")
    assert (told["RESTIC_REST_USERNAME"], told["RESTIC_REST_PASSWORD"]) == ("key", "secret key")
    assert told["arguments"].startswith("--option sftp.command=ssh nas -s sftp --retry-lock")


@pytest.fixture
def watching(maintenance, server, repository, monkeypatch, tmp_path):
    """Ask for the ages of two items, one every minute; return what is told of them, and the metrics."""
    (tmp_path / "settings.json").touch()
    monkeypatch.setattr(maintenance.repositories, "SETTINGS", tmp_path / "settings.json")
    monkeypatch.setattr(maintenance.figures, "AGES", tmp_path / "ages.prom")
    items = {
        "conversations": {"tag": "conversations", "every": 60},
        "account": {"tag": "hal", "every": 86400},
    }

    def ask(capsys):
        maintenance.figures.tell_ages(server | {"watched": {repository.name: items}})
        told = json.loads(capsys.readouterr().out)[repository.name]
        metrics = dict(line.rsplit(" ", 1) for line in (tmp_path / "ages.prom").read_text().splitlines())
        return told, metrics

    return ask


def snapshot(repository, tag, age_s):
    """Put a snapshot into the stand-in's repository."""
    made = datetime.now(UTC) - timedelta(seconds=age_s)
    about = repository / "snapshots" / f"{tag}-{age_s}" / "about.json"
    about.parent.mkdir()
    about.write_text(json.dumps({"id": about.parent.name, "time": made.isoformat(), "tags": [tag]}))


def metric(name, repository, item):
    return f'hal_backup_{name}{{host="{repository.name}",item="{item}"}}'


def test_the_newest_snapshot_of_each_item_is_told_with_its_age(watching, repository, capsys):
    for tag, age in (("hal", 90000), ("hal", 3600), ("conversations", 50), ("conversations", 110)):
        snapshot(repository, tag, age)
    told, metrics = watching(capsys)
    assert 50 <= told["conversations"]["age_s"] < 80 and 3600 <= told["account"]["age_s"] < 3630
    assert [item["late"] for item in told.values()] == [False, False]
    since = time.time() - float(metrics[metric("snapshot_timestamp_seconds", repository, "conversations")])
    assert 49 < since < 80
    assert metrics[metric("snapshot_age_limit_seconds", repository, "conversations")] == "240"


def test_a_snapshot_that_is_too_old_is_late_though_another_item_has_a_new_one(watching, repository, capsys):
    snapshot(repository, "hal", 10)
    snapshot(repository, "conversations", 300)
    told, _ = watching(capsys)
    assert {name: item["late"] for name, item in told.items()} == {"conversations": True, "account": False}


def test_an_item_that_was_never_backed_up_is_as_old_as_the_settings(
    watching, maintenance, repository, capsys
):
    told, _ = watching(capsys)
    age_s = told["conversations"].pop("age_s")
    assert told["conversations"] == {"last": None, "late": False, "fault": None} and 0 <= age_s < 60
    os.utime(maintenance.repositories.SETTINGS, (time.time() - 300,) * 2)
    told, metrics = watching(capsys)
    assert told["conversations"]["late"] and not told["account"]["late"]
    assert metric("snapshot_timestamp_seconds", repository, "conversations") in metrics


def test_a_repository_that_does_not_answer_is_told_and_becomes_late_by_itself(
    watching, maintenance, repository, capsys, monkeypatch
):
    snapshot(repository, "conversations", 200)
    watching(capsys)

    def refuse(*_, **__):
        raise maintenance.repositories.RepositoryError("the disk is gone")

    monkeypatch.setattr(maintenance.repositories, "restic", refuse)
    told, metrics = watching(capsys)
    assert told["conversations"]["fault"] == "the disk is gone"
    assert 200 <= told["conversations"]["age_s"] < 230
    assert metric("snapshot_timestamp_seconds", repository, "conversations") in metrics


def test_settings_that_cannot_be_read_are_told_in_one_sentence(run, tmp_path, capsys):
    (tmp_path / "settings").write_text("{")
    assert run("--ages") == 2
    assert capsys.readouterr().err.startswith(f"the settings {tmp_path / 'settings'} cannot be read: ")
