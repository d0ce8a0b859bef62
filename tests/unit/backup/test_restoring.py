"""A host that had data never starts without it; a restore by hand does what was asked for, or says why."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path):
    """Return the path of the item, in which "one" was backed up."""
    return tmp_path / "live" / "certificate.pem"


@pytest.fixture
def item(path):
    path.parent.mkdir()
    path.write_text("one")
    return {"kind": "files", "paths": [str(path)], "every": 20}


@pytest.fixture
def backed_up(verbs, local, item):
    verbs.back_up(local, "certificates", item)
    return item


@pytest.fixture
def recover(restoring, local):
    """Bring back what is missing, as the role does."""

    def run(item, settings=None, *, had=False, empty=False):
        return restoring.recover(settings or local, "certificates", item, had=had, empty=empty)

    return run


@pytest.fixture
def restore(restoring, local):
    """Restore by hand."""

    def run(item, **wish):
        return restoring.restore(local, "certificates", item, restoring.Wish(**wish))

    return run


def records(verbs):
    return json.loads((verbs.STATE / "restored.json").read_text())


def test_what_is_there_is_kept_without_asking_the_server(recover, item, path, repository):
    assert recover(item, had=True).startswith("kept: ")
    assert path.read_text() == "one" and not (repository / "called").exists()


def test_what_is_there_is_kept_although_the_backup_is_another(recover, backed_up, path):
    path.write_text("two")
    assert recover(backed_up, had=True) == f"kept: {path} is there"
    assert path.read_text() == "two"


def test_an_empty_host_does_not_go_on_without_the_server(recover, restoring, local, item, path):
    path.unlink()
    silent = {**local, "repository": "rest:https://127.0.0.1:1/qm1/"}
    with pytest.raises(restoring.BackupError, match="does not answer"):
        recover(item, silent)


def test_what_was_lost_comes_back_and_the_record_says_from_what(recover, verbs, backed_up, path):
    path.unlink()
    assert "restored the snapshot" in recover(backed_up, had=True)
    assert path.read_text() == "one"
    (record,) = records(verbs)
    assert record["digest_equal"] is True and record["replaced"] is False and record["files"] == 1


def test_a_first_installation_has_nothing_to_restore(recover, item, path):
    path.unlink()
    assert recover(item).startswith("nothing to restore")


def test_a_host_that_had_data_is_not_started_without(recover, restoring, item, path):
    path.unlink()
    with pytest.raises(restoring.BackupError, match=r"qm1 has had this data.*-e start_empty=qm1"):
        recover(item, had=True)


def test_a_host_that_has_backed_up_before_is_not_started_without(
    recover, restoring, backed_up, path, repository
):
    path.unlink()
    shutil.rmtree(repository / "snapshots")
    with pytest.raises(restoring.BackupError, match="has had this data"):
        recover(backed_up)


def test_a_host_starts_without_its_data_when_that_was_declared(recover, verbs, item, path):
    path.unlink()
    assert recover(item, had=True, empty=True) == "starts empty, as declared"
    assert records(verbs)[-1].keys() == {"item", "started_empty_at"}
    path.write_text("new")
    assert verbs.status({}, "certificates", item, since=time.time())["origin"] == records(verbs)[-1]


def test_what_is_declared_to_start_empty_and_has_data_keeps_it(recover, item, path):
    assert recover(item, empty=True).startswith("kept: ")
    assert path.read_text() == "one"


def test_a_snapshot_that_differs_from_its_manifest_is_passed_over(
    recover, verbs, local, backed_up, path, repository
):
    path.write_text("two")
    verbs.back_up(local, "certificates", backed_up)
    newest = max(
        (repository / "snapshots").iterdir(),
        key=lambda one: json.loads((one / "about.json").read_text())["time"],
    )
    (newest / "tree/data" / str(path).lstrip("/")).write_text("three")
    path.unlink()
    recover(backed_up)
    assert path.read_text() == "one"


def test_what_differs_once_it_is_in_place_is_a_failure(
    recover, restoring, verbs, backed_up, path, monkeypatch
):
    def place(item, stage, aside):
        path.write_text("other")

    monkeypatch.setattr(restoring, "place", place)
    path.unlink()
    with pytest.raises(restoring.BackupError, match="differs from its manifest"):
        recover(backed_up)
    assert records(verbs)[-1]["digest_equal"] is False


def test_locks_do_not_keep_a_restore_waiting(recover, backed_up, path, repository):
    (repository / "locks" / str(os.getpid())).write_text("exclusive")
    path.unlink()
    recover(backed_up)
    assert path.read_text() == "one"


def test_a_time_in_the_future_restores_nothing_and_tells_the_snapshots(restore, restoring, backed_up, path):
    path.write_text("two")
    with pytest.raises(restoring.BackupError, match=r"is in the future.*There are snapshots of: 20\d\d-"):
        restore(backed_up, at=time.time() + 3600, overwrite=True)
    assert path.read_text() == "two"


def test_no_snapshot_that_old_is_a_failure_and_tells_those_there_are(restore, restoring, backed_up):
    with pytest.raises(
        restoring.BackupError, match=r"no backup of 2001-.* or before.*There are snapshots of: 20"
    ):
        restore(backed_up, at=1_000_000_000.0, overwrite=True)


def test_no_snapshot_at_all_is_a_failure(restore, restoring, item):
    with pytest.raises(restoring.BackupError, match="There are no snapshots"):
        restore(item)


def test_data_that_is_there_is_a_failure_unless_it_is_to_be_replaced(
    restore, restoring, verbs, backed_up, path
):
    path.write_text("two")
    with pytest.raises(restoring.BackupError, match=r"is there and was kept. -e overwrite=true"):
        restore(backed_up)
    assert path.read_text() == "two"
    said = restore(backed_up, overwrite=True)
    assert path.read_text() == "one" and records(verbs)[-1]["replaced"] is True
    aside = Path(said.split("what was there is in ")[1])
    assert (aside / str(path).lstrip("/")).read_text() == "two"


@pytest.mark.parametrize("state", ["active", "failed", "activating", "inactive"])
def test_the_service_that_uses_the_data_is_stopped_meanwhile_if_it_runs_or_has_failed(
    restore, backed_up, path, tmp_path, state
):
    called = tmp_path / "called"
    program = tmp_path / "bin/systemctl"
    program.write_text(
        f'#!/bin/sh\necho "$1 $(cat {path})" >> {called}\n[ "$1" != is-active ] || echo {state}\n'
    )
    program.chmod(0o755)
    path.write_text("two")
    restore({**backed_up, "unit": "hal.service"}, overwrite=True)
    calls = ["is-active two", "stop two", "reset-failed one", "start one"]
    assert called.read_text().splitlines() == (calls if state != "inactive" else calls[:1])


def test_an_item_of_which_a_part_is_there_is_kept(recover, backed_up, path):
    item = {**backed_up, "paths": [str(path.with_name("gone")), str(path)]}
    assert recover(item) == f"kept: {path} is there"


def test_a_check_says_what_would_be_restored_and_does_nothing(restore, backed_up, path, verbs):
    path.write_text("two")
    said = restore(backed_up, check=True, overwrite=True)
    assert "would restore the snapshot" in said and "1 file(s)" in said and f"{path} is there" in said
    assert path.read_text() == "two" and not (verbs.STATE / "restored.json").exists()


def test_a_restore_into_a_directory_leaves_the_live_data(restore, restoring, backed_up, path, tmp_path):
    path.write_text("two")
    said = restore(backed_up, into=tmp_path / "beside")
    assert "restored the snapshot" in said
    assert path.read_text() == "two"
    assert (tmp_path / "beside" / str(path).lstrip("/")).read_text() == "one"
    with pytest.raises(restoring.BackupError, match="Name another directory"):
        restore(backed_up, into=tmp_path / "beside", overwrite=True)


def test_of_many_snapshots_the_newest_and_the_oldest_are_told(restoring):
    found = [{"time": float(time_)} for time_ in range(100, 0, -1)]
    said = restoring.listed(found)
    assert "00:01:40" in said and "the oldest of 100 1970-01-01T00:00:01" in said and "00:00:50" not in said
