"""A store that exists takes the place of a backup server, or is refused with what to change."""

from __future__ import annotations

import subprocess

import pytest

from hal.network.model import Network
from hal.network.store import sftp_address, sftp_command, store_faults, store_keys, store_ssh_key

GROUPS = {"backup_servers": [], "monitoring_servers": ["ubuai"], "qm_servers": ["qm1"]}
HOST_KEY = "ssh-ed25519 " + "A" * 68
ACCESS = {"user": "hal", "password": "a secret key"}


def faults(store, groups=GROUPS, **declared):
    given = {"host_key": "", "access": {}, "maintenance_access": {}}
    given |= {"offsite": "", "offsite_host_key": "", "offsite_access": {}} | declared
    return store_faults({"store": store, "groups": groups} | given)


@pytest.mark.parametrize(
    ("store", "declared"),
    [
        ("sftp:hal@nas:/volume/hal", {"host_key": HOST_KEY}),
        ("sftp://hal@192.0.2.70:2222//volume/hal", {"host_key": HOST_KEY}),
        ("s3:https://nas:9000/hal", {"access": ACCESS}),
        ("rest:https://nas:8000/hal/", {"access": ACCESS, "maintenance_access": ACCESS}),
    ],
)
def test_a_store_of_each_kind_is_accepted(store, declared):
    assert faults(store, **declared) == []


@pytest.mark.parametrize(
    ("store", "sentence"),
    [
        ("/srv/backups", "begins with none of sftp:, s3: and rest:"),
        ("sftp:nas:/volume", "write sftp:user@host:/path"),
        ("sftp:hal@nas:/vol ume", "write sftp:user@host:/path"),
        ("sftp:hal@nas:/volume,-oProxyCommand=x", "write sftp:user@host:/path"),
        ("s3:https://nas:9000", "without a bucket"),
        ("s3:http://nas:9000/hal", "with TLS"),
        ("rest:https://nas:port/hal", "write rest:https://host:8000/path"),
        ("rest:https://hal:secret@nas:8000/hal", "belong into network_backup_store_access, in the vault"),
        ("sftp:hal@nas:/volume/hal", "network_backup_store_host_key is no public host key"),
    ],
)
def test_what_is_no_store_is_refused_with_what_to_write(store, sentence):
    (fault,) = faults(store)
    assert fault.startswith("group_vars/all/network.yml: ") and sentence in fault
    assert "secret@" not in fault


def test_half_of_the_credentials_are_refused():
    (fault,) = faults("s3:https://nas/hal", access={"user": "hal"})
    assert "network_backup_store_access must be {user: …, password: …}" in fault


def test_backups_go_to_one_place():
    both = GROUPS | {"backup_servers": ["nas"]}
    (fault,) = faults("sftp:hal@nas:/volume/hal", both, host_key=HOST_KEY)
    assert "network_backup_store is set, and the group backup_servers has nas" in fault
    (fault,) = faults("")
    assert "backup_servers has no host, and network_backup_store names no store" in fault
    assert faults("", both) == []


def test_without_a_backup_server_somebody_else_has_the_downloads(catalogue):
    (fault,) = faults("sftp:hal@nas:/volume/hal", {"backup_servers": []}, host_key=HOST_KEY)
    assert "the group monitoring_servers has no host" in fault
    network = Network.parse(catalogue, GROUPS)
    assert network.hosts(network.services["artifacts"]) == ["ubuai"]
    assert network.hosts(network.services["backups"]) == []
    network = Network.parse(catalogue, GROUPS | {"backup_servers": ["nas"]})
    assert network.hosts(network.services["artifacts"]) == ["nas"]


@pytest.mark.parametrize(
    ("offsite", "sentence"),
    [
        ("/srv/backups/copy", "is lost with the backups themselves"),
        ("/home/hal/disk", "sees nothing below /home: mount the disk elsewhere"),
        ("/run/user/1000/disk", "sees nothing below /run/user: mount the disk elsewhere"),
        ("/tmp/disk", "sees nothing below /tmp: mount the disk elsewhere"),
        ("disk", "network_backup_offsite is 'disk', which begins with none of sftp:, s3: and rest:"),
        ("sftp:hal@away:/hal", "network_backup_offsite_host_key is no public host key"),
        ("s3:https://away", "network_backup_offsite is 's3:https://away', without a bucket"),
    ],
)
def test_where_no_off_site_copy_can_go_is_refused(offsite, sentence):
    (fault,) = faults("", GROUPS | {"backup_servers": ["nas"]}, offsite=offsite)
    assert sentence in fault


def test_off_site_copies_are_those_of_a_backup_server():
    servers = GROUPS | {"backup_servers": ["nas"]}
    assert faults("", servers, offsite="/media/disk/hal") == []
    assert faults("", servers, offsite="sftp:hal@away:/hal", offsite_host_key=HOST_KEY) == []
    (fault,) = faults("s3:https://nas/hal", access=ACCESS, offsite="/media/disk/hal")
    assert "copies what a backup server has" in fault


def test_each_host_has_a_key_of_its_own_that_openssh_reads(tmp_path):
    lines = store_keys(["qm1", "haproxy"], GROUPS, "a secret")
    assert [line.split()[2] for line in lines] == ["qm1", "haproxy", "ubuai"]
    assert len({line.split()[1] for line in lines}) == 3
    key = store_ssh_key("qm1", "a secret")
    assert key == store_ssh_key("qm1", "a secret") != store_ssh_key("qm1", "another")
    file = tmp_path / "key"
    file.touch(0o600)
    file.write_text(key["private"])
    shown = subprocess.run(
        ["ssh-keygen", "-y", "-f", file], capture_output=True, text=True, check=True
    ).stdout
    assert shown.split()[:2] == key["public"].split()[:2] == lines[0].split()[:2]


def test_a_store_is_never_trusted_silently():
    address = sftp_address("sftp://hal@nas:2222//volume")
    command = sftp_command(address, "/etc/hal/key", "/etc/hal/known")
    assert command.startswith("ssh -F none -i /etc/hal/key ") and command.endswith(
        " -p 2222 -l hal nas -s sftp"
    )
    for option in (
        "StrictHostKeyChecking=yes",
        "UserKnownHostsFile=/etc/hal/known",
        "GlobalKnownHostsFile=none",
    ):
        assert f"-o {option} " in command
    assert "," not in command  # at which restic would split it
    on_windows = sftp_command(address, "C:\\HAL/ssh.key", "C:\\HAL/known", "C:/ssh.exe")
    assert on_windows.startswith("C:/ssh.exe -F none -i C:/HAL/ssh.key ")
    assert sftp_command(sftp_address("s3:https://nas/hal"), "", "") == ""
