"""Backups by the clock and by hand, and every way in which data comes back or is refused."""

from __future__ import annotations

import json
import time

import pytest

pytestmark = pytest.mark.units("hal-backup@records.timer", "hal-backup@records")

DATABASE = "/var/lib/household/records.sqlite"
WITHIN_S = 40  # of a change, with a period of 5 s, on a busy machine


@pytest.fixture
def program(host):
    """Run hal-backup; it succeeds unless told otherwise."""

    def run(arguments, code=0):
        done = host.run(f"hal-backup {arguments}")
        assert done.rc == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture
def rows(host):
    def count():
        query = f"sqlite3.connect('{DATABASE}').execute('SELECT count(*) FROM record').fetchone()"
        return int(host.check_output(f'python3 -c "import sqlite3; print(*{query})"'))

    return count


@pytest.fixture
def add(host):
    def add_row():
        statement = "INSERT INTO record (text) VALUES ('more')"
        program = (
            f"import sqlite3; d = sqlite3.connect('{DATABASE}'); d.execute(\\\"{statement}\\\"); d.commit()"
        )
        host.check_output(f'python3 -c "{program}"')

    return add_row


def restored(host):
    return json.loads(host.file("/var/lib/hal/backup/restored.json").content_string)[-1]


def test_a_change_is_backed_up_by_the_timer(host, program, add, rows):
    add()
    wanted, deadline = rows(), time.monotonic() + WITHIN_S
    backed_up = f"records: backed up as [0-9a-f]*: record {wanted}$"
    while host.run(f"journalctl --unit hal-backup@records --grep '{backed_up}' --quiet").rc:
        assert time.monotonic() < deadline
        time.sleep(1)
    assert not json.loads(program("status"))["records"]["late"]


def test_nothing_is_sent_while_nothing_changes(program):
    program("backup certificates")
    time.sleep(2.5)  # what was just written to counts as changed for two seconds
    program("backup certificates")
    assert "certificates: unchanged since" in program("backup certificates")


def test_a_lost_database_comes_back_as_it_was(host, program, add):
    add()
    program("backup records")
    before = json.loads(program("digest records"))["records"]
    host.check_output(f"rm {DATABASE}*")
    assert "records: restored the snapshot" in program("restore records")
    assert json.loads(program("digest records"))["records"] == before
    assert restored(host)["digest_equal"] and restored(host)["rows"] == before["rows"]


def test_lost_files_come_back(host, program):
    program("backup certificates")
    host.check_output("rm -r /etc/household")
    program("restore certificates")
    assert host.file("/etc/household/one.pem").content_string == "one\n"


def test_what_is_there_is_kept(host, program, add, rows):
    program("backup records")
    add()
    wanted = rows()
    assert f"records: kept: {DATABASE} is there" in program("restore records")
    assert rows() == wanted


def test_an_older_state_replaces_what_is_there_only_when_told_to_and_it_is_kept_aside(
    host, program, add, rows
):
    program("backup records")
    before = rows()
    at = host.check_output("date --utc +%FT%T")
    time.sleep(1.1)  # the time above is in whole seconds
    add()
    program("backup records")
    said = program(f"restore records --at {at} --overwrite")
    assert rows() == before
    aside = said.split("what was there is in ")[1].strip()
    assert host.file(f"{aside}{DATABASE}").exists
    assert "no backup as old as that" in program("restore records --at 2001-01-01T00:00 --overwrite")


def test_a_snapshot_that_differs_from_its_manifest_is_passed_over(host, program, add):
    program("backup records")
    good = json.loads(program("digest records"))["records"]
    host.check_output(
        "mkdir -p /var/lib/hal/backup/records/stage/data && cd /var/lib/hal/backup/records/stage"
        """ && echo '{"digest": "wrong"}' > manifest.json && echo nothing > data/nothing"""
        " && python3 -c %s",
        "import json, os, subprocess\n"
        "s = json.load(open('/etc/hal/backup.json'))\n"
        "os.environ |= {'RESTIC_REPOSITORY': s['repository'], 'RESTIC_PASSWORD': s['password'],"
        " 'RESTIC_REST_USERNAME': s['access']['user'], 'RESTIC_REST_PASSWORD': s['access']['password'],"
        " 'RESTIC_CACERT': s['ca_file']}\n"
        "subprocess.run(['restic', 'backup', '--host', s['host'], '--tag', 'records',"
        " '/var/lib/hal/backup/records/stage'], check=True)",
    )
    host.check_output(f"systemctl stop hal-backup@records.timer; rm {DATABASE}*")
    try:
        said = program("restore records")
    finally:
        host.check_output("systemctl start hal-backup@records.timer")
    assert "passed over the snapshot" in said and "restored the snapshot" in said
    assert json.loads(program("digest records"))["records"] == good


def test_without_the_server_a_backup_fails_at_once_and_says_why(host, program, add):
    add()
    host.check_output("systemctl stop restic-rest-server")
    try:
        began = time.monotonic()
        said = program("backup", code=1)
        assert time.monotonic() - began < 30
        host.check_output(f"systemctl stop hal-backup@records.timer; mv {DATABASE} {DATABASE}.lost")
        refused = program("restore records", code=1)
    finally:
        host.check_output(
            f"mv {DATABASE}.lost {DATABASE}; systemctl start restic-rest-server hal-backup@records.timer"
        )
    assert "the backup server localhost:8000 does not answer" in said
    assert "does not answer" in refused
    assert "records: backed up" in program("backup records")


def test_an_unknown_item_or_time_is_named(program):
    assert "no item nix; there are: certificates, records" in program("backup nix", code=2)
    assert "--at soon is no time" in program("restore --at soon", code=2)


def test_secrets_are_private(host):
    assert host.file("/etc/hal/backup.json").mode == 0o600
    assert host.file("/var/lib/hal/backup").mode & 0o077 == 0
    assert host.file("/var/lib/prometheus/node-exporter").mode == 0o755
