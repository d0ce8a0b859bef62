"""The check of a host's backups, its program stood in for by scripts."""

from __future__ import annotations

import json
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


def item(last: str | None, late: bool) -> dict:
    age = 12.4 if last else None
    return {"engine": {"item": "engine", "last_success": last, "age_s": age, "every_s": 20, "late": late}}


def test_a_host_that_was_just_configured_is_not_late(check):
    result = check(item(None, late=False))
    assert (result["ok"], result["message"]) == (True, "engine not yet backed up")


def test_backups_in_time_are_told_with_their_age(check):
    result = check(item("2026-11-23T18:00:00+00:00", late=False))
    assert (result["ok"], result["message"]) == (True, "engine backed up 12 s ago")
    assert result["details"] == {"engine": 12.4}


@pytest.mark.parametrize(
    ("last", "told"),
    [("2026-11-23T18:00:00+00:00", "the last one was at 2026-11-23 18:00 UTC"), (None, "there was none")],
)
def test_a_late_backup_is_named_with_what_to_do(check, last, told):
    result = check(item(last, late=True))
    assert not result["ok"]
    assert f"the backup is late: engine: {told}" in result["message"]
    assert "journalctl -u 'hal-backup@engine'" in result["remedy"]


def test_a_host_without_the_program_backs_nothing_up(check):
    result = check()
    assert (result["ok"], result["remedy"]) == (False, "Run site.yml")


def test_a_program_that_tells_nothing_sensible_is_a_fault(check):
    result = check(text="Traceback")
    assert not result["ok"] and "does not tell how the backups are" in result["message"]
