"""A damaged database is called so, is told to be restored, and the restore keeps it aside."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from ansible.module_utils.hal_checks import backups
from ansible.module_utils.hal_checks.result import CheckFailed
from ansible.module_utils.hal_checks.target import Target

ROWS = 2000


@pytest.fixture
def path(tmp_path):
    """Return a database of many pages."""
    path = tmp_path / "live" / "household.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE log (id INTEGER PRIMARY KEY, text TEXT)")
        connection.executemany("INSERT INTO log (text) VALUES (?)", [("x" * 50,)] * ROWS)
        connection.commit()
    return path


@pytest.fixture
def item(path):
    return {"kind": "sqlite", "paths": [str(path)], "every": 20}


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(os.urandom(4096))


DAMAGE = [garbage, truncated, overwritten]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_database_is_not_backed_up_and_is_told_to_be_restored(verbs, local, item, path, damage):
    verbs.back_up(local, "engine", item)
    damage(path)
    with pytest.raises(verbs.BackupError, match=r"is damaged.*hal-backup restore engine --overwrite"):
        verbs.back_up(local, "engine", item)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_restore_replaces_it_only_when_asked_and_keeps_it_aside(
    verbs, restoring, local, item, path, damage
):
    verbs.back_up(local, "engine", item)
    damage(path)
    broken = path.read_bytes()
    assert restoring.recover(local, "engine", item, had=True, empty=False).startswith("kept")
    with pytest.raises(verbs.BackupError, match="overwrite"):
        restoring.restore(local, "engine", item, restoring.Wish())
    assert path.read_bytes() == broken
    said = restoring.restore(local, "engine", item, restoring.Wish(overwrite=True))
    kept = Path(said.rpartition(" is in ")[2]) / str(path).lstrip("/")
    assert kept.read_bytes() == broken
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM log").fetchone() == (ROWS,)
    assert verbs.fault_of(item, 0) == ""


def checked(monkeypatch: pytest.MonkeyPatch, verbs, local, item) -> CheckFailed:
    """Return how the check of the backups fails with what `hal-backup status` tells."""
    told = {"engine": verbs.status(local, "engine", item, since=0)}
    answer = backups.subprocess.CompletedProcess([], 0, backups.json.dumps(told), "")
    monkeypatch.setattr(backups.subprocess, "run", lambda *_, **__: answer)
    with pytest.raises(CheckFailed) as failure:
        backups.backup(Target("backups", "backup", "qm1"))
    return failure.value


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_check_names_the_damage_and_the_restore(monkeypatch, verbs, local, item, path, damage):
    verbs.back_up(local, "engine", item)
    damage(path)
    failure = checked(monkeypatch, verbs, local, item)
    assert f"{path} is damaged" in failure.message
    assert "playbooks/restore.yml -e host=qm1 -e item=engine -e overwrite=true" in failure.remedy


def test_a_locked_database_is_not_called_damaged(monkeypatch, verbs, local, item, path):
    verbs.back_up(local, "engine", item)
    monkeypatch.setattr(verbs, "ASKED_S", 0.1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        failure = checked(monkeypatch, verbs, local, item)
    assert "database is locked" in failure.message and "damaged" not in failure.message
    assert "fuser -v" in failure.remedy and "restore" not in failure.remedy


def test_a_proof_restores_the_newest_backup_elsewhere_and_is_told(verbs, proving, local, item, path):
    verbs.back_up(local, "engine", item)
    assert verbs.status(local, "engine", item, since=0)["proven_s"] is None
    path.unlink()
    said = proving.prove(local, "engine", item)
    assert said.startswith("proven restorable") and f"log {ROWS}" in said
    assert not path.exists() and not list((verbs.STATE / "engine").glob("proof-*"))
    assert verbs.status(local, "engine", item, since=0)["proven_s"] < 60
    name, value = (verbs.METRICS / "hal_backup_proof_engine.prom").read_text().split()
    assert name == 'hal_backup_proven_timestamp_seconds{item="engine"}' and float(value) > 1e9


def test_a_backup_that_cannot_be_restored_is_no_proof(verbs, proving, local, item, repository):
    verbs.back_up(local, "engine", item)
    for file in (repository / "snapshots").rglob("household.sqlite"):
        truncated(file)
    with pytest.raises(verbs.BackupError, match="none of 1 snapshots is sound"):
        proving.prove(local, "engine", item)
    assert (verbs.METRICS / "hal_backup_proof_engine.prom").read_text().endswith(" 0\n")


def test_without_a_backup_that_is_known_of_there_is_nothing_to_prove(verbs, proving, local, item):
    assert proving.prove(local, "engine", item).startswith("nothing to prove")
