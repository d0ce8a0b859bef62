"""Which host backs up what, and that one secret gives each of them its own credentials."""

from __future__ import annotations

import base64
import hashlib

import pytest
import yaml
from filter_plugins.backups import backup_access, backup_hosts, backup_items

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
    assert list(backup_items(backups, "qm2", GROUPS)) == ["account"]
    assert list(backup_items(backups, "haproxy", GROUPS)) == ["certificates"]
    assert backup_items(backups, "mac", GROUPS) == {}


def test_a_host_without_backups_has_no_repository(backups):
    assert backup_hosts(backups, GROUPS) == ["haproxy", "qm1", "qm2"]


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
