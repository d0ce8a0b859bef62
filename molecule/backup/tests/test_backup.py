"""Backups by the clock and by hand, and every way in which data comes back or is refused."""

from __future__ import annotations

import json
import time

import pytest

pytestmark = pytest.mark.units("hal-backup@records.timer", "hal-backup@records")

DATABASE = "/var/lib/household/records.sqlite"
# A unit has started before its program listens.
LISTENS = "timeout 20 bash -c 'until (: </dev/tcp/localhost/8000); do sleep 0.1; done' 2>/dev/null"
WITHIN_S = 40  # of a change, with a period of 5 s, on a busy machine


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
    assert f"records: kept: {DATABASE} is there" in program("recover records --had records")
    assert f"{DATABASE} is there and was kept" in program("restore records", code=1)
    assert rows() == wanted


def test_every_week_the_backups_are_proven_to_be_restorable(host):
    timer = host.service("hal-backup-proof.timer")
    assert timer.is_running and timer.is_enabled
    host.check_output("systemctl start hal-backup-proof")
    for item in ("records", "certificates"):
        figure = host.file(f"/var/lib/prometheus/node-exporter/hal_backup_proof_{item}.prom").content_string
        name, value = figure.split()
        assert name == f'hal_backup_proven_timestamp_seconds{{item="{item}"}}' and float(value) > 1e9


@pytest.fixture
def no_other_backup(host):
    """Let no timer make a backup for as long as a test."""
    listed = host.check_output("systemctl list-units --plain --no-legend 'hal-backup@*.timer'")
    timers = [line.split()[0] for line in listed.splitlines()]
    services = [timer.replace(".timer", ".service") for timer in timers]
    host.check_output(f"systemctl stop {' '.join(timers + services)}")
    yield
    host.check_output(f"systemctl start {' '.join(timers)}")


@pytest.mark.usefixtures("no_other_backup")
def test_a_damaged_database_is_told_and_replaced_only_when_that_is_asked(host, program, rows):
    program("backup records")
    wanted = rows()
    host.check_output(f"dd if=/dev/urandom of={DATABASE} bs=4096 count=1 conv=notrunc status=none")
    assert "is damaged" in json.loads(program("status records"))["records"]["fault"]
    said = program("backup records", code=1)
    assert "is damaged" in said and "hal-backup restore records --overwrite" in said
    assert f"records: kept: {DATABASE} is there" in program("recover records --had records")
    assert "what was there is in /var/lib/hal/backup" in program("restore records --overwrite")
    assert rows() == wanted
    assert json.loads(program("status records"))["records"]["fault"] == ""


@pytest.mark.usefixtures("no_other_backup")
def test_a_restore_can_be_looked_at_beforehand_and_put_beside_the_live_data(host, program, add, rows):
    program("backup records")
    before, newest = rows(), json.loads(program("snapshots records"))["records"][0]["id"][:8]
    add()
    assert f"would restore the snapshot {newest} " in program("restore records --check")
    host.check_output("rm -rf /tmp/beside")
    assert f"record {before}; the digest is equal" in program("restore records --into /tmp/beside")
    assert rows() == before + 1
    assert host.file(f"/tmp/beside{DATABASE}").exists


@pytest.fixture
def new_server(host):
    """Give the host an empty repository, as that of a backup server made anew, for as long as a test."""

    def replace():
        host.check_output("mv /srv/backups/qm1 /srv/backups/lost && hal-backup-maintenance --create")

    yield replace
    host.check_output("rm -r /srv/backups/qm1 && mv /srv/backups/lost /srv/backups/qm1")


@pytest.mark.usefixtures("no_other_backup")
def test_a_backup_that_the_server_has_lost_is_made_anew(program, new_server):
    program("backup certificates")
    time.sleep(2.5)  # what was just written to counts as changed for two seconds
    program("backup certificates")
    assert "certificates: unchanged since" in program("backup certificates")
    new_server()
    assert json.loads(program("status certificates", code=1))["certificates"]["on_server"] is False
    assert "certificates: backed up as" in program("backup certificates")
    assert len(json.loads(program("snapshots certificates"))["certificates"]) == 1


@pytest.mark.usefixtures("no_other_backup")
def test_a_host_that_had_data_is_not_started_without(host, program, new_server):
    program("backup certificates")
    new_server()
    host.check_output("mv /etc/household /etc/household.lost")
    try:
        assert "-e start_empty=" in program("recover certificates --had certificates", code=1)
        assert "starts empty, as declared" in program("recover certificates --had certificates --empty")
    finally:
        host.check_output("mv /etc/household.lost /etc/household")


def test_the_lock_of_a_backup_that_was_killed_goes_with_the_next(host, program, add):
    """Kill restic while it holds its lock: it is stopped as soon as the lock is there."""
    host.check_output("systemctl stop hal-backup@records.timer")
    try:
        add()
        kill = (
            "rm -f /srv/backups/qm1/locks/*; hal-backup backup records & "
            'for n in $(seq 3000); do [ -n "$(ls /srv/backups/qm1/locks)" ] && break; sleep 0.01; done; '
            "pkill -KILL -P $!; kill -KILL $!; wait $!; ls /srv/backups/qm1/locks | wc -l"
        )
        assert host.check_output("bash -c %s", kill).endswith("1")
        add()
        assert "records: backed up as" in program("backup records")
        assert host.file("/srv/backups/qm1/locks").listdir() == []
    finally:
        host.check_output("systemctl start hal-backup@records.timer")


@pytest.mark.usefixtures("no_other_backup")
def test_a_restore_does_not_wait_for_a_lock(host, program, add):
    """Another process, which lives, holds the repository for itself."""
    add()
    program("backup records")
    before = json.loads(program("digest records"))["records"]
    hold = (
        "systemctl start --no-block hal-backup-maintenance; "
        'for n in $(seq 3000); do [ -n "$(ls /srv/backups/qm1/locks)" ] && break; sleep 0.01; done; '
        "pkill -STOP -x restic"
    )
    host.check_output("bash -c %s", hold)
    try:
        host.check_output(f"rm {DATABASE}*")
        began = time.monotonic()
        assert "restored the snapshot" in program("recover records --had records")
        assert time.monotonic() - began < 60
    finally:
        host.run("pkill -CONT -x restic")
    assert json.loads(program("digest records"))["records"] == before


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
    for never in ("2001-01-01T00:00", "2999-01-01T00:00"):
        refused = program(f"restore records --at {never} --overwrite", code=1)
        assert "Nothing was restored. There are snapshots of: 20" in refused
    assert rows() == before


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
        "subprocess.run(['/usr/bin/restic', 'backup', '--host', s['host'], '--tag', 'records',"
        " '/var/lib/hal/backup/records/stage'], check=True)",
    )
    host.check_output(f"systemctl stop hal-backup@records.timer; rm {DATABASE}*")
    try:
        said = program("restore records")
    finally:
        host.check_output("systemctl start hal-backup@records.timer")
    assert "passed over the snapshot" in said and "restored the snapshot" in said
    assert json.loads(program("digest records"))["records"] == good


def test_a_full_quota_is_said_at_once_and_the_host_can_still_restore(host, program, add):
    program("backup records")
    add()
    limit, server = "/etc/restic-rest-server/qm1.conf", "restic-rest-server@qm1"
    before = host.file(limit).content_string
    host.check_output("systemctl stop hal-backup@records.timer")
    host.check_output(f"echo LIMIT=--max-size=1 > {limit}; systemctl restart {server}")
    try:
        began = time.monotonic()
        said = program("backup records", code=1)
        assert time.monotonic() - began < 120
        assert "on the backup server is full" in said and "network_backup_quotas_gib" in said
        assert "is full" in json.loads(host.run("hal-backup status records").stdout)["records"]["refused"]
        assert "proven" in program("prove records")
    finally:
        host.run(f"cat > {limit} <<'END'\n{before}END\n")
        host.check_output(f"systemctl restart {server}; systemctl start hal-backup@records.timer")
        host.check_output(LISTENS)
    assert "backed up as" in program("backup records")


def test_without_the_server_a_backup_fails_at_once_and_says_why(host, program, add):
    add()
    host.check_output("systemctl stop restic-rest-server")
    try:
        began = time.monotonic()
        said = program("backup", code=1)
        assert time.monotonic() - began < 30
        host.check_output(f"systemctl stop hal-backup@records.timer; mv {DATABASE} {DATABASE}.lost")
        refused = program("recover records", code=1)
    finally:
        host.check_output(
            f"mv {DATABASE}.lost {DATABASE}; systemctl start restic-rest-server hal-backup@records.timer"
        )
        host.check_output(LISTENS)
    assert "the backup server localhost:8000 does not answer" in said
    assert "does not answer" in refused
    assert "records: backed up" in program("backup records")


def test_an_unknown_item_or_time_is_named(program):
    assert "no item nix; there are: certificates, records" in program("backup nix", code=2)
    assert "soon is no time" in program("restore --at soon", code=2)


def test_secrets_are_private(host):
    assert host.file("/etc/hal/backup.json").mode == 0o600
    assert host.file("/var/lib/hal/backup").mode & 0o077 == 0
    assert host.file("/var/lib/prometheus/node-exporter").mode == 0o755
