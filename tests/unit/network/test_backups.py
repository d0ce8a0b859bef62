"""Which host backs up what, and that one secret gives each of them its own credentials."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

import pytest
import yaml

from hal.network.backups import (
    backup_access,
    backup_hosts,
    backup_items,
    backup_quotas,
    backup_repositories,
    chosen_snapshot,
    data_had,
    quota_faults,
    watched_backups,
    watched_snapshots,
)

GROUPS = {
    "all": ["qm1", "qm2", "haproxy", "mac"],
    "qm_servers": ["qm1", "qm2"],
    "windows_hosts": ["qm2"],
    "proxies": ["haproxy"],
}


@pytest.fixture
def backups(pytestconfig):
    file = pytestconfig.rootpath / "inventories/common/backups.yml"
    return yaml.safe_load(file.read_text())["network_backups"]


def test_a_host_backs_up_what_its_groups_have(backups):
    assert list(backup_items(backups, "qm1", GROUPS)) == ["engine"]
    assert list(backup_items(backups, "qm2", GROUPS)) == ["account", "conversations"]
    assert list(backup_items(backups, "haproxy", GROUPS)) == ["certificates"]
    assert backup_items(backups, "mac", GROUPS) == {}


def test_a_host_without_backups_has_no_repository(backups):
    assert backup_hosts(backups, GROUPS) == ["haproxy", "qm1", "qm2"]


def test_every_backup_is_watched_by_the_host_itself_or_by_who_keeps_it(backups):
    told = {(one["host"], one["item"]) for one in watched_backups(backups, GROUPS)}
    kept = {(host, item) for host, items in watched_snapshots(backups, GROUPS).items() for item in items}
    assert told | kept == {
        (host, item) for host in GROUPS["all"] for item in backup_items(backups, host, GROUPS)
    }
    assert kept == {("qm2", "account"), ("qm2", "conversations")}


def test_without_windows_hosts_nobody_is_watched_from_elsewhere(backups):
    assert (
        watched_snapshots(backups, {name: hosts for name, hosts in GROUPS.items() if "windows" not in name})
        == {}
    )


def test_every_host_and_every_purpose_has_another_password():
    found = [backup_access(host, secret) for host in ("qm1", "qm2") for secret in ("a", "b")]
    passwords = [access[key] for access in found for key in ("password", "encryption")]
    assert len(set(passwords)) == len(passwords) == 8
    assert backup_access("qm1", "a") == found[0]


def test_the_servers_file_knows_the_password_by_its_digest_alone():
    access = backup_access("qm1", "secret")
    assert access["password"] not in access["htpasswd"]
    user, digest = access["htpasswd"].split(":{SHA}")
    assert user == "qm1"
    assert base64.b64decode(digest) == hashlib.sha1(access["password"].encode()).digest()


def test_the_conversation_log_is_lost_for_less_than_a_minute(backups):
    assert backups["engine"]["every"] <= 30  # and the seconds that a backup takes


def test_the_conversation_log_of_windows_is_backed_up_every_minute(backups):
    assert backup_items(backups, "qm2", GROUPS)["conversations"]["every"] == 60


def result(host, **present):
    return {
        "kind": "backup",
        "host": host,
        "details": {name: {"present": there} for name, there in present.items()},
    }


def test_which_data_a_host_has_had_is_never_forgotten():
    first = data_had(
        {}, [result("qm1", engine=True), result("haproxy", certificates=False), {"kind": "flow"}]
    )
    assert first == {"qm1": ["engine"]}
    later = data_had(first, [result("qm1", engine=False), result("haproxy", certificates=True)])
    assert later == {"haproxy": ["certificates"], "qm1": ["engine"]}


def test_a_check_that_could_not_be_run_says_nothing_of_the_data():
    assert data_had({"qm1": ["engine"]}, [{"kind": "backup", "host": "qm1"}]) == {"qm1": ["engine"]}


NOW = datetime(2026, 11, 22, tzinfo=UTC).timestamp()


def made(day, tag, hour=2):
    return {"id": f"{tag}{day}", "time": f"2026-11-{day:02}T{hour:02}:00:01.123456789+01:00", "tags": [tag]}


SNAPSHOTS = [
    made(20, "hal"),
    made(21, "hal"),
    made(21, "conversations", 15),
    {"id": "x", "time": "2026-11-21T00:00:00Z"},
]


@pytest.mark.parametrize(
    ("item", "kind", "at", "chosen"),
    [
        ("account", "qm", "", "hal21"),
        ("conversations", "files", "", "conversations21"),
        ("account", "qm", "2026-11-20", ""),
        ("account", "qm", "2026-11-20T01:00:02", "hal20"),  # UTC
        ("account", "qm", "2026-11-20T02:00:02+01:00", "hal20"),
        ("account", "qm", "2026-11-20T01:59:00+01:00", ""),
        ("account", "qm", "2026-11-23T00:00", ""),
        ("account", "qm", "yesterday", ""),
    ],
)
def test_the_newest_snapshot_of_an_item_until_a_time_is_chosen(item, kind, at, chosen):
    found = chosen_snapshot(SNAPSHOTS, item, kind, at, NOW)
    assert (found["id"], bool(found["fault"])) == (chosen, not chosen)


def test_why_there_is_no_snapshot_to_restore_is_told_with_those_there_are():
    future = chosen_snapshot(SNAPSHOTS, "account", "qm", "2026-11-23T00:00", NOW)["fault"]
    assert future.startswith(
        "2026-11-23T00:00:00+00:00 is in the future. Nothing was restored. There are snapshots of: 2026"
    )
    assert "yesterday is no time" in chosen_snapshot(SNAPSHOTS, "account", "qm", "yesterday", NOW)["fault"]
    assert "There are no snapshots" in chosen_snapshot([], "account", "qm", "", NOW)["fault"]
    many = chosen_snapshot([made(day, "hal") for day in range(1, 21)], "account", "qm", "", NOW)["listed"]
    assert "… the oldest of 20 2026-11-01T01:00:01+00:00" in many


@pytest.mark.parametrize(
    ("total", "own", "quotas"),
    [
        (10, {}, {"haproxy": 4.5, "qm1": 4.5}),
        (10, {"haproxy": 1}, {"haproxy": 1, "qm1": 8}),
        (100, {"haproxy": 1, "qm1": 20}, {"haproxy": 1, "qm1": 20}),
    ],
)
def test_the_hosts_share_the_room_but_for_a_reserve(total, own, quotas):
    assert backup_quotas(["haproxy", "qm1"], total, own) == quotas
    assert quota_faults(["haproxy", "qm1"], total, own) == []


@pytest.mark.parametrize(
    ("own", "fault"),
    [
        (
            {"qm1": 9},
            "shares out 9 GiB and must leave room for every host; of network_backups_gib, 10, a tenth",
        ),
        ({"qm1": 9, "haproxy": 1}, "shares out 10 GiB"),
        ({"qm1": 0}, "shares out 0 GiB"),
        ({"qm3": 1}, "names qm3; backups have haproxy, qm1"),
    ],
)
def test_a_share_of_which_nothing_is_left_for_others_is_a_fault(own, fault):
    (said,) = quota_faults(["haproxy", "qm1"], 10, own)
    assert said.startswith("group_vars/all/backups.yml: network_backup_quotas_gib ") and fault in said


def test_the_server_knows_of_each_host_its_credentials_and_its_quota(backups):
    repositories = backup_repositories(backups, GROUPS, "secret", 10, {"haproxy": 1})
    assert repositories["haproxy"] == {**backup_access("haproxy", "secret"), "quota_gib": 1}
    assert {host: one["quota_gib"] for host, one in repositories.items()} == {
        "haproxy": 1,
        "qm1": 4,
        "qm2": 4,
    }
