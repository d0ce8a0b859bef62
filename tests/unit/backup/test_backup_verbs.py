"""What the program says and does when there is nothing to back up, nobody to send it to, or it is late."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from .conftest import PROGRAM

ROOT = Path(__file__).parents[3]


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
        yield {
            "repository": f"rest:https://127.0.0.1:{port}/qm1/",
            "host": "qm1",
            "items": {},
            "access": {"user": "qm1", "password": "word"},
        }


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


def test_a_backup_is_late_after_three_periods_and_a_minute(verbs, settings, item, monkeypatch):
    now = 1_000_000.0
    monkeypatch.setattr(verbs.time, "time", lambda: now)
    verbs.succeeded("certificates", item, {"snapshot": "1"}, 0.1)
    assert not verbs.status(settings, "certificates", item, since=0.0)["late"]
    now += 3 * 20 + 60
    assert not verbs.status(settings, "certificates", item, since=0.0)["late"]
    now += 1
    assert verbs.status(settings, "certificates", item, since=now)["late"]


def test_the_first_backup_is_late_when_it_has_not_come_for_as_long(verbs, settings, item, monkeypatch):
    monkeypatch.setattr(verbs.time, "time", lambda: 1_000_000.0)
    assert not verbs.status(settings, "certificates", item, since=1_000_000.0 - 3 * 20 - 60)["late"]
    assert verbs.status(settings, "certificates", item, since=1_000_000.0 - 3 * 20 - 61)["late"]


def test_a_success_is_a_metric_that_prometheus_can_read(verbs, item, tmp_path):
    verbs.succeeded("certificates", item, {}, 0.25)
    file = tmp_path / "metrics" / "hal_backup_certificates.prom"
    assert file.stat().st_mode & 0o777 == 0o644
    figures = dict(line.rsplit(" ", 1) for line in file.read_text().splitlines())
    assert float(figures['hal_backup_last_duration_seconds{item="certificates"}']) == 0.25
    state = json.loads((tmp_path / "state" / "certificates" / "state.json").read_text())
    recorded = float(figures['hal_backup_last_success_timestamp_seconds{item="certificates"}'])
    assert abs(recorded - state["last_success"]) < 0.001


@pytest.fixture
def settled(verbs, local, item):
    """Return an item that was backed up and has not changed since."""
    long_ago = time.time() - 3600
    os.utime(item["paths"][0], (long_ago, long_ago))
    assert verbs.back_up(local, "certificates", item).startswith("backed up as")
    return item


def snapshots_in(repository):
    return sorted(path.name for path in (repository / "snapshots").iterdir())


def test_what_has_not_changed_is_unchanged_while_the_server_has_it(verbs, local, settled, repository):
    before = snapshots_in(repository)
    assert verbs.back_up(local, "certificates", settled).startswith("unchanged since")
    assert snapshots_in(repository) == before
    assert verbs.status(local, "certificates", settled, since=0.0)["on_server"] is True


def test_what_the_server_has_lost_is_backed_up_again(verbs, local, settled, repository, capsys):
    shutil.rmtree(repository / "snapshots")
    (repository / "snapshots").mkdir()
    status = verbs.status(local, "certificates", settled, since=time.time())
    assert status["late"] and status["on_server"] is False
    assert verbs.back_up(local, "certificates", settled).startswith("backed up as")
    assert "the backup server no longer has" in capsys.readouterr().err
    assert len(snapshots_in(repository)) == 1
    assert not verbs.status(local, "certificates", settled, since=0.0)["late"]


@pytest.fixture
def rest(local):
    """Return what a REST server was asked, what it answers, and settings for it."""
    asked, answer = [], {"status": 200}

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            asked.append((self.path, self.headers["Authorization"]))
            self.send_response(answer["status"])
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"rest:http://127.0.0.1:{server.server_port}/qm1/"
        access = {"user": "qm1", "password": "word"}
        yield asked, answer, {**local, "repository": address, "access": access}
        server.shutdown()


def test_a_rest_server_is_asked_for_the_snapshot_without_restic(program, rest, repository):
    asked, answer, settings = rest
    has_snapshot = program["repository"].has_snapshot
    assert has_snapshot(settings, "abc") is True
    answer["status"] = 404
    assert has_snapshot(settings, "abc") is False
    assert asked == [("/qm1/snapshots/abc", "Basic cW0xOndvcmQ=")] * 2
    assert not (repository / "called").exists()


def test_a_server_that_does_not_tell_has_neither_lost_the_snapshot_nor_has_it(verbs, program, rest, item):
    _, answer, settings = rest
    answer["status"] = 401
    with pytest.raises(verbs.BackupError, match="does not tell whether it has the snapshot abc: 401 Unauth"):
        program["repository"].has_snapshot(settings, "abc")
    verbs.succeeded("certificates", item, {"snapshot": "abc"}, 0.1)
    status = verbs.status(settings, "certificates", item, since=0.0)
    assert status["on_server"] is None and not status["late"]


@pytest.fixture
def full(repository):
    """Make restic say what it says of a full quota; it would try again for a quarter of an hour."""
    program = repository.parent / "bin/restic"
    target = program.readlink()
    program.unlink()
    program.write_text(
        f"#!{sys.executable}\nimport signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(130))\n"
        "print('Save(<lock/1234>) returned error, retrying after 0.6s: "
        "unexpected HTTP response (507): 507 Insufficient Storage', file=sys.stderr, flush=True)\n"
        "time.sleep(300)\n"
    )
    program.chmod(0o755)

    def emptied():
        program.unlink()
        program.symlink_to(target)

    return emptied


def test_a_full_quota_is_named_at_once_and_until_the_server_takes_more(verbs, local, item, full):
    began = time.monotonic()
    with pytest.raises(verbs.QuotaError, match=r"the quota of .* on the backup server is full"):
        verbs.back_up(local, "certificates", item)
    assert time.monotonic() - began < 250, "restic was not let go on"
    told = verbs.status(local, "certificates", item, since=0.0)["refused"]
    assert "is full. See on" in told and "raise network_backup_quotas_gib" in told
    full()
    assert verbs.back_up(local, "certificates", item).startswith("backed up as")
    assert verbs.status(local, "certificates", item, since=0.0)["refused"] is None


def test_the_lock_of_a_backup_that_was_killed_is_removed_by_the_next(verbs, local, item, repository, dead):
    (repository / "locks" / dead).write_text("exclusive")
    with pytest.raises(verbs.BackupError):
        verbs.back_up(local, "certificates", item)
    assert verbs.back_up(local, "certificates", item).startswith("backed up as")
    assert not list((repository / "locks").iterdir())


def test_a_backup_that_ended_well_looks_for_no_locks(verbs, local, item, repository):
    for _ in range(2):
        verbs.back_up(local, "certificates", item)
    assert "unlock" not in (repository / "called").read_text()


def test_the_lock_of_a_living_process_stays_and_its_holder_is_named(verbs, local, item, repository):
    lock = repository / "locks" / str(os.getpid())
    lock.write_text("exclusive")
    for _ in range(2):
        with pytest.raises(
            verbs.BackupError,
            match=rf"process: unable .* by PID {os.getpid()} on nas by root \(UID 0, GID 0\); lock was",
        ):
            verbs.back_up(local, "certificates", item)
    assert lock.exists()


@pytest.mark.parametrize("content", [None, "", "{"])
def test_settings_that_cannot_be_read_are_told_in_one_sentence(tmp_path, content):
    path = tmp_path / "backup.json"
    if content is not None:
        path.write_text(content)
    done = subprocess.run(
        [sys.executable, "-B", ROOT / PROGRAM, "status"],
        env=os.environ | {"HAL_BACKUP_SETTINGS": str(path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith(f"the settings {path} cannot be read: ")
