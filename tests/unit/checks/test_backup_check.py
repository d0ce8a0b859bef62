"""The check of a host's backups, its program stood in for by scripts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible.module_utils.hal_checks import runner


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the check beside a program that prints something."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def run(status: object = None, text: str = "") -> dict:
        if status or text:
            (tmp_path / "answer").write_text(text or json.dumps(status))
            (tmp_path / "hal-backup").write_text(f'#!/bin/sh\n[ "$1" = status ] && cat {tmp_path}/answer\n')
            (tmp_path / "hal-backup").chmod(0o755)
        order = [{"name": "backups", "kind": "backup", "host": "qm1"}]
        assert runner.fault_in(order) == ""
        return runner.run_checks(runner.targets(order), "qm1")[0]

    return run


def item(last: str | None, late: bool, on_server: bool | None = True, origin: dict | None = None) -> dict:
    told = {
        "item": "engine",
        "last_success": last,
        "age_s": 12.4 if last else None,
        "every_s": 20,
        "late": late,
    }
    return {"engine": told | {"present": True, "on_server": on_server, "origin": origin}}


def test_a_host_that_was_just_configured_is_not_late(check):
    result = check(item(None, late=False))
    assert (result["ok"], result["message"]) == (True, "engine not yet backed up")


def test_backups_in_time_are_told_with_their_age(check):
    result = check(item("2026-11-23T18:00:00+00:00", late=False))
    assert (result["ok"], result["message"]) == (True, "engine backed up 12 s ago")
    assert result["details"] == {"engine": {"present": True, "age_s": 12.4, "proven_s": None}}


def test_the_age_of_the_last_proof_is_told_and_one_that_is_too_old_fails(check):
    told = item("2026-11-23T18:00:00+00:00", late=False)["engine"]
    result = check({"engine": told | {"proven_s": 3 * 86400}})
    assert (result["ok"], result["message"]) == (
        True,
        "engine backed up 12 s ago, proven restorable 3 days ago",
    )
    result = check({"engine": told | {"proven_s": 16 * 86400}})
    assert not result["ok"] and "proven restorable 16 days ago" in result["message"]
    assert "`hal-backup prove engine`" in result["remedy"]


@pytest.mark.parametrize(
    ("last", "told"),
    [("2026-11-23T18:00:00+00:00", "the last one was at 2026-11-23 18:00 UTC"), (None, "there was none")],
)
def test_a_late_backup_is_named_with_what_to_do(check, last, told):
    result = check(item(last, late=True))
    assert not result["ok"]
    assert f"the backup is late: engine: {told}" in result["message"]
    assert "journalctl -u 'hal-backup@engine'" in result["remedy"]


def test_a_full_quota_is_a_fault_with_what_to_type(check):
    told = item("2026-11-23T18:00:00+00:00", late=False)["engine"]
    full = "the quota of qm1 on the backup server is full. Raise it, and run site.yml"
    result = check({"engine": told | {"refused": full}})
    assert not result["ok"] and result["message"].startswith("the quota of qm1 on the backup server is full")
    assert result["remedy"] == "Raise it, and run site.yml"


def test_a_backup_that_the_server_no_longer_has_is_a_fault(check):
    result = check(item("2026-11-23T18:00:00+00:00", late=True, on_server=False))
    assert not result["ok"]
    assert "the backup server no longer has the last backup of engine" in result["message"]
    assert "`hal-backup backup` on qm1" in result["remedy"]
    assert result["details"]["engine"]["present"] is True


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat(timespec="seconds")


def test_how_a_host_got_its_data_is_told_for_a_day(check):
    taken = "2026-11-23T18:00:00+00:00"
    restored = {"snapshot": "1a2b3c4d5e6f", "taken_at": taken, "rows": {"a": 2000, "b": 327}, "files": 1}
    told = f"engine backed up 12 s ago (restored from 1a2b3c4d of {taken}, 2327 rows)"
    assert check(item(taken, False, origin=restored | {"restored_at": ago(hours=1)}))["message"] == told
    later = check(item(taken, False, origin=restored | {"restored_at": ago(hours=25)}))
    assert later["message"] == "engine backed up 12 s ago"


def test_a_host_that_started_empty_says_so(check):
    result = check(item(None, False, None, origin={"item": "engine", "started_empty_at": ago(minutes=1)}))
    assert result["message"] == "engine not yet backed up (started empty, as declared)"


def test_a_host_without_the_program_backs_nothing_up(check):
    result = check()
    assert (result["ok"], result["remedy"]) == (False, "Run site.yml")


def test_a_program_that_tells_nothing_sensible_is_a_fault(check):
    result = check(text="Traceback")
    assert not result["ok"] and "does not tell how the backups are" in result["message"]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the check of the backups that a host keeps, beside a program that tells their ages."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def run(text: str = "") -> dict:
        if text:
            (tmp_path / "answer").write_text(text)
            program = tmp_path / "hal-backup-maintenance"
            program.write_text(f'#!/bin/sh\n[ "$1" = --ages ] && cat {tmp_path}/answer\n')
            program.chmod(0o755)
        order = [{"name": "backups on Windows", "kind": "snapshots", "host": "nas"}]
        assert runner.fault_in(order) == ""
        return runner.run_checks(runner.targets(order), "nas")[0]

    return run


def aged(age_s: int, late: bool = False, last: float | None = 1.0, fault: str | None = None) -> dict:
    return {"last": last, "age_s": age_s, "late": late, "fault": fault}


def test_what_is_kept_of_a_host_that_tells_nothing_is_told_with_its_age(kept):
    result = kept(json.dumps({"qm1": {"account": aged(4000), "conversations": aged(31)}}))
    told = "qm1: account backed up 4000 s ago, qm1: conversations backed up 31 s ago"
    assert (result["ok"], result["message"]) == (True, told)


def test_a_late_backup_of_such_a_host_fails_and_says_where_to_look(kept):
    result = kept(json.dumps({"qm1": {"account": aged(4000), "conversations": aged(300, late=True)}}))
    assert not result["ok"]
    assert "the backup is late: conversations of qm1: backed up 300 s ago" in result["message"]
    assert "events 201" in result["remedy"]
    result = kept(json.dumps({"qm1": {"conversations": aged(300, late=True, last=None)}}))
    assert "conversations of qm1: not yet backed up" in result["message"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (json.dumps({"qm1": {"conversations": aged(30, fault="the disk is gone")}}), "the disk is gone"),
        ("Traceback", "does not tell how old the backups are"),
        ("", "there is no hal-backup-maintenance"),
    ],
)
def test_what_cannot_be_told_of_them_is_a_fault(kept, text, said):
    result = kept(text)
    assert not result["ok"] and said in result["message"]
