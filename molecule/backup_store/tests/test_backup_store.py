"""Backups into a store by SFTP: a host adds, another clears and checks, and the data comes back."""

from __future__ import annotations

import json
import time

import pytest

pytestmark = pytest.mark.units("hal-backup@records", "store", "hal-backup-maintenance")

DATABASE = "/var/lib/household/records.sqlite"
KNOWN_HOSTS = "/etc/hal/backup-known-hosts"


@pytest.fixture(autouse=True)
def by_hand(host):
    """Let no timer make a backup for as long as a test."""
    host.check_output("systemctl stop hal-backup@records.timer hal-backup@records.service")
    yield
    host.check_output("systemctl start hal-backup@records.timer")


def add_row(host):
    statement = "d.execute(\\\"INSERT INTO record (text) VALUES ('more')\\\"); d.commit()"
    host.check_output(f"python3 -c \"import sqlite3; d = sqlite3.connect('{DATABASE}'); {statement}\"")


def test_a_lost_database_comes_back_from_the_store(host, program):
    add_row(host)
    assert "records: backed up as" in program("backup")
    before = json.loads(program("digest records"))["records"]
    host.check_output(f"rm {DATABASE}*")
    assert "records: restored the snapshot" in program("recover --had records")
    assert json.loads(program("digest records"))["records"] == before


def test_nothing_is_sent_while_nothing_changes_and_the_store_is_asked_now_and_then(host, program):
    add_row(host)
    time.sleep(2.5)  # what was just written to counts as changed for two seconds
    program("backup")
    assert "unchanged since" in program("backup")
    state = "/var/lib/hal/backup/records/state.json"
    asked = json.loads(host.file(state).content_string)["asked"]
    assert "unchanged since" in program("backup")
    assert json.loads(host.file(state).content_string)["asked"] == asked
    assert json.loads(program("status"))["records"]["on_server"] is True


@pytest.fixture
def only_the_last(host):
    """Let the maintenance keep the last snapshot alone, for as long as a test."""
    settings = "/etc/hal/backup-server.json"
    kept = host.file(settings).content_string
    changed = json.dumps(json.loads(kept) | {"keep": {"last": 1}})
    host.check_output(f"cp -p {settings} {settings}.before && echo %s > {settings}", changed)
    yield
    host.check_output(f"mv {settings}.before {settings}")


@pytest.mark.usefixtures("only_the_last")
def test_what_is_old_is_removed_and_the_rest_checked_by_the_host_that_maintains_the_store(host, program):
    for _ in range(2):
        add_row(host)
        program("backup")
    assert "qm1: checked" in host.check_output("hal-backup-maintenance --check")
    assert len(json.loads(program("snapshots"))["records"]) == 1
    metrics = host.file("/var/lib/prometheus/node-exporter/hal_backup_check.prom").content_string
    assert metrics.startswith('hal_backup_check_last_success_timestamp_seconds{host="qm1"} ')


def test_a_store_with_another_host_key_gets_nothing(host, program):
    add_row(host)
    host.check_output(f"cp {KNOWN_HOSTS} /tmp/known && ssh-keygen -q -t ed25519 -N '' -f /tmp/other")
    host.check_output(f"echo backup-store $(cut -d' ' -f1,2 /tmp/other.pub) > {KNOWN_HOSTS}")
    try:
        said = program("backup", code=1)
    finally:
        host.check_output(f"cp /tmp/known {KNOWN_HOSTS} && rm /tmp/other*")
    assert "host key" in said.lower(), said
    assert "records: backed up as" in program("backup")


def test_without_the_store_a_backup_fails_at_once_and_says_why(host, program):
    add_row(host)
    host.check_output("systemctl stop store")
    try:
        began = time.monotonic()
        said = program("backup", code=1)
        assert time.monotonic() - began < 30
        faults = host.run("hal-backup-maintenance")
    finally:
        host.check_output("systemctl start store")
    assert "the backup server 127.0.0.1:2022 does not answer" in said
    assert faults.rc == 1 and "qm1: restic" in faults.stderr
    assert "records: backed up as" in program("backup")


def test_keys_are_private(host):
    for name in ("backup-ssh.key", "backup-server-ssh.key", "backup.json", "backup-server.json"):
        assert host.file(f"/etc/hal/{name}").mode == 0o600
