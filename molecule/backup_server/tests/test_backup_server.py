"""The server as a host sees it: its own repository, to add to and to read, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[3]))
from filter_plugins.backups import backup_access

pytestmark = pytest.mark.units("restic-rest-server", "hal-backup-maintenance")

CERTIFICATE = "/etc/restic-rest-server/tls.crt"


@pytest.fixture
def restic(host):
    """Run restic with a host's credentials."""

    def run(name, arguments, *, at=None):
        access = backup_access(name, "secret of the scenario")
        settings = {
            "RESTIC_REPOSITORY": f"rest:https://localhost:8000/{at or name}/",
            "RESTIC_PASSWORD": access["encryption"],
            "RESTIC_REST_USERNAME": name,
            "RESTIC_REST_PASSWORD": access["password"],
            "RESTIC_CACERT": CERTIFICATE,
        }
        environment = " ".join(f"{key}={value}" for key, value in settings.items())
        return host.run(f"{environment} restic --no-cache {arguments}")

    return run


@pytest.fixture(autouse=True)
def repository(restic):
    """Give each test a repository with a snapshot."""
    done = restic("qm1", "backup --tag test /etc/hostname")
    assert done.rc == 0, done.stderr


def test_the_server_runs_for_its_user_alone(host):
    service = host.service("restic-rest-server")
    assert service.is_running and service.is_enabled
    assert host.service("hal-backup-maintenance.timer").is_running
    assert host.file("/srv/backups").mode == 0o750
    assert host.file(CERTIFICATE).mode == 0o640


def test_a_host_reads_its_snapshots(restic):
    done = restic("qm1", "snapshots --json --latest 1")
    assert done.rc == 0, done.stderr
    assert "/etc/hostname" in done.stdout


def test_a_host_cannot_delete_a_snapshot(restic):
    before = restic("qm1", "snapshots --json").stdout
    done = restic("qm1", "forget --tag test --keep-last 1 --prune")
    latest = restic("qm1", "forget latest")
    assert "403" in latest.stderr + done.stderr
    assert restic("qm1", "snapshots --json").stdout == before


def test_a_host_has_no_business_in_anothers_repository(restic):
    for verb in ("backup /etc/hostname", "snapshots"):
        done = restic("haproxy", verb, at="qm1")
        assert done.rc != 0
        assert "401" in done.stderr or "403" in done.stderr, done.stderr


def test_nobody_comes_in_without_a_password(host):
    for path in ("qm1/config", "qm1/snapshots/", ""):
        url = f"https://localhost:8000/{path}"
        answer = host.run(f"curl --silent --include --cacert {CERTIFICATE} {url}").stdout
        assert answer.splitlines()[0].split()[1] == "401"


def test_plain_http_is_not_spoken(host):
    done = host.run("curl --silent --fail http://localhost:8000/qm1/config")
    assert done.rc != 0


@pytest.fixture
def no_old_snapshots(host):
    """Remove what an earlier run left, which the host itself may not."""
    password = backup_access("qm1", "secret of the scenario")["encryption"]
    restic = f"env RESTIC_PASSWORD={password} restic --no-cache --repo /srv/backups/qm1"
    forget = f"{restic} forget --tag old --unsafe-allow-remove-all"
    host.check_output(f"runuser --user restic-rest-server -- {forget}")


def test_maintenance_forgets_old_snapshots_and_checks_the_rest(host, restic, no_old_snapshots):
    for at in ("03 04:01", "03 04:02", "03 04:03", "03 04:04", "03 04:05", "04 12:00"):
        assert restic("qm1", f"backup --tag old --time '2001-02-{at}:00' /etc/hostname").rc == 0
    done = host.run("hal-backup-maintenance --check")
    assert done.rc == 0, done.stderr
    assert "qm1: checked" in done.stdout
    kept = restic("qm1", "snapshots --json --tag old").stdout
    # The oldest of all stays while there are fewer days than are kept.
    assert [kept.count(f"T04:0{minute}:00") for minute in range(1, 6)] == [1, 0, 0, 1, 1]
    metrics = host.file("/var/lib/prometheus/node-exporter/hal_backup_check.prom")
    assert metrics.mode == 0o644
    assert 'hal_backup_check_last_success_timestamp_seconds{host="qm1"} ' in metrics.content_string
    foreign = host.check_output("find /srv/backups ! -user restic-rest-server")
    assert foreign == "", "what maintenance writes must be the server's"


def test_maintenance_names_a_damaged_repository(host, restic):
    pack = host.check_output("find /srv/backups/qm1/data -type f").splitlines()[0]
    host.check_output(f"cp --preserve=all {pack} /tmp/pack && truncate --size=-1 {pack}")
    try:
        done = host.run("hal-backup-maintenance --check")
        assert done.rc == 1
        assert "qm1: restic check ended with code" in done.stderr
    finally:
        host.check_output(f"cp --preserve=all /tmp/pack {pack}")


def test_a_repository_that_was_never_finished_is_made_again(host, restic):
    host.check_output("find /srv/backups/haproxy/data /srv/backups/haproxy/snapshots -type f -delete")
    host.check_output("rm /srv/backups/haproxy/config")
    assert "haproxy: created" in host.check_output("hal-backup-maintenance --create")
    done = restic("haproxy", "backup /etc/hostname")
    assert done.rc == 0, done.stderr
    host.check_output("mv /srv/backups/haproxy/config /srv/backups/haproxy.config")
    try:
        refused = host.run("hal-backup-maintenance --create")
        assert refused.rc == 1 and "has backups, but its file `config` is missing" in refused.stderr
    finally:
        host.check_output("mv /srv/backups/haproxy.config /srv/backups/haproxy/config")
    assert host.check_output("hal-backup-maintenance --create") == ""
