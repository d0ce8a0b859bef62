"""The server as a host sees it: its own repository, to add to and to read, and nothing else."""

from __future__ import annotations

import json

import pytest

from hal.network.backups import backup_access

pytestmark = pytest.mark.units("restic-rest-server", "hal-backup-maintenance")

CERTIFICATE = "/etc/restic-rest-server/tls.crt"
# A lock that is half written has another name, and restic passes over it.
LOCKS = "find /srv/backups/{name}/locks -type f ! -name '*-tmp-*'"


@pytest.fixture(scope="module")
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
        return host.run(f"{environment} /usr/bin/restic --no-cache {arguments}")

    return run


@pytest.fixture(scope="module", autouse=True)
def repository(restic):
    """Give the tests a repository with a snapshot, which each of them leaves there."""
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


@pytest.mark.parametrize("kind", ["snapshots", "data", "index", "keys"])
def test_a_host_cannot_delete_what_it_has_backed_up(host, restic, kind):
    # By the server's own protocol: restic repeats what is refused, for half a minute.
    access = f"--cacert {CERTIFICATE} --user qm1:{backup_access('qm1', 'secret of the scenario')['password']}"
    url = f"https://localhost:8000/qm1/{kind}/"
    there = json.loads(host.check_output(f"curl --silent --fail {access} {url}"))
    assert there
    answer = host.check_output(f"curl --silent --include --request DELETE {access} {url}{there[0]}")
    assert answer.splitlines()[0].split()[1] == "403"
    assert json.loads(host.check_output(f"curl --silent --fail {access} {url}")) == there


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


# More than its quota, and nothing that restic could make smaller.
GREEDY = "head -c 80M /dev/urandom > /var/tmp/greedy"


# Restic itself would try again for a quarter of an hour; it ends when nobody reads what it says any more.
REFUSED = "2>&1 | grep --max-count 20 '507 Insufficient Storage'"


@pytest.fixture
def filled(host, restic):
    """Let a host write as fast as it can until its quota is full; empty its repository at the end."""
    assert restic("greedy", "backup --tag small /etc/hostname").rc == 0
    host.check_output(GREEDY)
    fast = "--option rest.connections=20 --pack-size 4"
    yield restic("greedy", f"{fast} backup --tag large /var/tmp/greedy {REFUSED}")
    host.check_output("rm -r /var/tmp/greedy /srv/backups/greedy")
    assert "greedy: created" in host.check_output("hal-backup-maintenance --create")


def test_a_host_that_fills_its_quota_is_refused_and_nobody_else_is(host, restic, filled):
    assert filled.rc == 0, filled.stdout
    held = int(host.check_output("du --bytes --summarize /srv/backups/greedy").split()[0])
    assert held <= 0.05 * 1024**3 + 20 * 64 * 1024, "each connection may be one write over it"
    other = restic("qm1", "backup --tag test /etc/hostname")
    assert other.rc == 0, other.stderr
    restored = restic("greedy", "restore --no-lock latest --tag small --target /var/tmp/restored")
    assert restored.rc == 0, restored.stderr
    assert host.file("/var/tmp/restored/etc/hostname").exists
    told = host.run("hal-backup-maintenance --check")
    assert (
        "greedy: the quota of greedy is full: " in told.stderr and "network_backup_quotas_gib" in told.stderr
    )


def test_what_the_maintenance_frees_a_host_may_fill_again(host, restic, filled):
    host.check_output("rm -r /srv/backups/greedy")
    assert "greedy: created" in host.check_output("hal-backup-maintenance --create")
    again = restic("greedy", "backup --tag small /etc/hostname")
    assert again.rc == 0, again.stderr


def test_a_host_makes_no_repository_but_its_own(host):
    access = f"--cacert {CERTIFICATE} --user qm1:{backup_access('qm1', 'secret of the scenario')['password']}"
    for path in ("second/?create=true", "qm1/second/?create=true", "qm1/?create=true", "qm1/second/config"):
        answer = host.check_output(
            f"curl --silent --include {access} --request POST --data x 'https://localhost:8000/{path}'"
        )
        assert answer.splitlines()[0].split()[1] == "401", path
    assert host.run("ls -d /srv/backups/second /srv/backups/qm1/second /srv/backups/*/second").rc != 0


def test_plain_http_is_not_spoken(host):
    done = host.run("curl --silent --fail http://localhost:8000/qm1/config")
    assert done.rc != 0


def test_the_age_of_what_a_host_backs_up_is_told_by_item(host, restic):
    assert host.service("hal-backup-ages.timer").is_running
    assert restic("qm1", "backup --tag test /etc/hostname").rc == 0
    told = json.loads(host.check_output("hal-backup-maintenance --ages"))["qm1"]
    assert told["test"]["last"] and not told["test"]["late"] and told["test"]["fault"] is None
    assert told["never"]["last"] is None
    metrics = host.file("/var/lib/prometheus/node-exporter/hal_backup_ages.prom").content_string
    assert (
        f'hal_backup_snapshot_timestamp_seconds{{host="qm1",item="test"}} {told["test"]["last"]:.0f}\n'
        in metrics
    )
    assert 'hal_backup_snapshot_age_limit_seconds{host="qm1",item="test"} 240\n' in metrics


@pytest.fixture
def no_old_snapshots(host):
    """Remove what an earlier run left, which the host itself may not."""
    password = backup_access("qm1", "secret of the scenario")["encryption"]
    restic = f"env RESTIC_PASSWORD={password} /usr/bin/restic --no-cache --repo /srv/backups/qm1"
    as_server = f"runuser --user restic-rest-server -- {restic}"
    old = json.loads(host.check_output(f"{as_server} snapshots --json --tag old")) or []
    if old:
        host.check_output(f"{as_server} forget {' '.join(snapshot['id'] for snapshot in old)}")


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


@pytest.fixture
def killed_maintenance(host):
    """Kill a maintenance, with all that it started, while it holds a repository for itself."""

    def kill():
        host.check_output("bash -c %s", (
            "systemctl start --no-block hal-backup-maintenance; "
            f"for n in $(seq 3000); do {LOCKS.format(name='*')} | grep . && break; sleep 0.01; done; "
            "systemctl kill --signal=KILL hal-backup-maintenance"
        ))  # fmt: skip

    return kill


def test_a_maintenance_that_was_killed_leaves_no_lock(host, restic, killed_maintenance):
    killed_maintenance()
    done = restic("qm1", "backup --retry-lock 30s /etc/hostname")
    assert done.rc == 0, done.stderr
    state = "systemctl show --property ActiveState --value hal-backup-maintenance"
    host.check_output("bash -c %s", f"while {state} | grep activating; do sleep 0.2; done")
    host.check_output("systemctl reset-failed hal-backup-maintenance")
    assert host.run(LOCKS.format(name="*")).stdout == ""


def test_locks_of_dead_processes_are_gone_once_the_server_has_started(host, restic):
    locks = LOCKS.format(name="qm1")
    script = (
        "/usr/bin/restic --no-cache --repo /srv/backups/qm1 backup --stdin < <(exec sleep 60 2>/dev/null) & "
        f"for n in $(seq 3000); do {locks} | grep --quiet . && break; sleep 0.01; done; "
        "kill -KILL $!"
    )
    password = backup_access("qm1", "secret of the scenario")["encryption"]
    user = f"runuser --user restic-rest-server -- env RESTIC_PASSWORD={password}"
    host.check_output(f"{user} bash -c %s", script)
    assert host.check_output(locks) != ""
    host.check_output("systemctl restart restic-rest-server")
    assert host.check_output(locks) == ""


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


DISK = "/mnt/disk/hal"


@pytest.fixture
def disk(host):
    """Attach the disk that off-site copies go to, for as long as a test."""
    host.check_output(f"mkdir -p {DISK}")
    yield
    host.check_output("rm -r /mnt/disk")


def test_a_disk_that_is_absent_is_no_fault_until_its_copies_are_too_old(host):
    assert host.run("hal-backup-maintenance").rc == 0
    assert not host.file("/mnt/disk").exists
    metrics = host.file("/var/lib/prometheus/node-exporter/hal_backup_check.prom").content_string
    assert 'hal_backup_offsite_age_limit_seconds{host="qm1"} 259200' in metrics
    assert host.run("hal-backup-maintenance --offsite").rc == 1


@pytest.mark.usefixtures("disk")
def test_the_history_of_a_server_that_was_emptied_comes_back_from_the_off_site_copy(host, restic):
    said = host.check_output("hal-backup-maintenance --offsite")
    assert "qm1: copied off-site" in said and "haproxy: copied off-site" in said
    access = backup_access("qm1", "secret of the scenario")
    opened = f"/usr/bin/restic --no-cache --no-lock --repo {DISK}/qm1 snapshots --json"
    assert host.run(f"RESTIC_PASSWORD={access['encryption']} {opened}").rc != 0
    copied = json.loads(host.check_output(f"RESTIC_PASSWORD={access['offsite_encryption']} {opened}"))
    before = json.loads(restic("qm1", "snapshots --json").stdout)
    assert [one["time"] for one in copied] == [one["time"] for one in before]
    host.check_output("rm -r /srv/backups/qm1")
    assert "qm1: its history was brought back" in host.check_output("hal-backup-maintenance --create")
    after = json.loads(restic("qm1", "snapshots --json").stdout)
    assert [one["time"] for one in after] == [one["time"] for one in before]
    assert restic("qm1", "backup --tag test /etc/hostname").rc == 0
    assert "qm1: checked" in host.check_output("hal-backup-maintenance --check")
