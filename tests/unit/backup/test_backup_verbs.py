"""What the program says and does when there is nothing to back up, nobody to send it to, or it is late."""

from __future__ import annotations

import json
import socket

import pytest


@pytest.fixture
def item(tmp_path):
    path = tmp_path / "certificate.pem"
    path.write_text("one")
    return {"kind": "files", "paths": [str(path)], "every": 20}


@pytest.fixture
def settings():
    """Return settings of which the backup server does not listen."""
    with (
        socket.socket() as bound
    ):  # bound and not listening: connections are refused, and nobody else gets the port
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        yield {"repository": f"rest:https://127.0.0.1:{port}/qm1/", "host": "qm1", "items": {}}


def test_a_host_that_never_had_the_data_has_nothing_to_back_up(verbs, settings, tmp_path):
    item = {"kind": "files", "paths": [str(tmp_path / "none")], "every": 20}
    assert verbs.back_up(settings, "certificates", item) == "nothing to back up yet"


def test_data_that_is_gone_is_a_fault_and_says_how_it_comes_back(verbs, settings, item, tmp_path):
    verbs.succeeded("certificates", item, {"snapshot": "1", "taken": 0, "signature": None}, 0.1)
    (tmp_path / "certificate.pem").unlink()
    with pytest.raises(verbs.BackupError, match=r"is gone; `hal-backup restore certificates` brings it back"):
        verbs.back_up(settings, "certificates", item)


def test_a_server_that_does_not_answer_is_named(verbs, settings, item):
    with pytest.raises(verbs.BackupError, match=r"the backup server 127\.0\.0\.1:\d+ does not answer"):
        verbs.back_up(settings, "certificates", item)
    assert verbs.read_state("certificates") == {}


def test_what_is_there_is_kept_without_asking_the_server(verbs, settings, item, tmp_path):
    assert verbs.restore(settings, "certificates", item, 0.0, overwrite=False).startswith("kept: ")
    assert (tmp_path / "certificate.pem").read_text() == "one"


def test_an_empty_host_does_not_go_on_without_the_server(verbs, settings, tmp_path):
    item = {"kind": "files", "paths": [str(tmp_path / "none")], "every": 20}
    with pytest.raises(verbs.BackupError, match="does not answer"):
        verbs.restore(settings, "certificates", item, 0.0, overwrite=False)


def test_a_backup_is_late_after_three_periods_and_a_minute(verbs, item, monkeypatch):
    now = 1_000_000.0
    monkeypatch.setattr(verbs.time, "time", lambda: now)
    verbs.succeeded("certificates", item, {}, 0.1)
    assert not verbs.status("certificates", item, since=0.0)["late"]
    now += 3 * 20 + 60
    assert not verbs.status("certificates", item, since=0.0)["late"]
    now += 1
    assert verbs.status("certificates", item, since=now)["late"]


def test_the_first_backup_is_late_when_it_has_not_come_for_as_long(verbs, item, monkeypatch):
    monkeypatch.setattr(verbs.time, "time", lambda: 1_000_000.0)
    assert not verbs.status("certificates", item, since=1_000_000.0 - 3 * 20 - 60)["late"]
    assert verbs.status("certificates", item, since=1_000_000.0 - 3 * 20 - 61)["late"]


def test_a_success_is_a_metric_that_prometheus_can_read(verbs, item, tmp_path):
    verbs.succeeded("certificates", item, {}, 0.25)
    file = tmp_path / "metrics" / "hal_backup_certificates.prom"
    assert file.stat().st_mode & 0o777 == 0o644
    figures = dict(line.rsplit(" ", 1) for line in file.read_text().splitlines())
    assert float(figures['hal_backup_last_duration_seconds{item="certificates"}']) == 0.25
    state = json.loads((tmp_path / "state" / "certificates" / "state.json").read_text())
    recorded = float(figures['hal_backup_last_success_timestamp_seconds{item="certificates"}'])
    assert abs(recorded - state["last_success"]) < 0.001
