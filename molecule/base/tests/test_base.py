"""What every host has in common, as sshd, sudo, journald and apt themselves say it is."""

import pytest

pytestmark = pytest.mark.units("ssh", "systemd-journald")


def test_ssh_answers_on_its_port_alone_and_lets_nobody_in_by_password(host):
    assert host.socket("tcp://0.0.0.0:2222").is_listening
    assert not host.socket("tcp://0.0.0.0:22").is_listening
    settings = dict(line.split(" ", 1) for line in host.check_output("sshd -T").splitlines())
    assert settings["port"] == "2222"
    assert [settings[name] for name in ("passwordauthentication", "permitrootlogin")] == ["no", "no"]
    offered = host.run(
        "ssh -p 2222 -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        " -o PreferredAuthentications=none lawr@127.0.0.1"
    )
    assert "Permission denied (publickey)" in offered.stderr


def test_a_key_lets_the_administrator_in_and_sudo_asks_for_nothing(host):
    host.check_output("rm -f /tmp/key /tmp/key.pub; ssh-keygen -q -t ed25519 -N '' -f /tmp/key")
    keys = host.file("/home/lawr/.ssh/authorized_keys")
    assert (keys.user, keys.mode) == ("lawr", 0o600)
    assert len([line for line in keys.content_string.splitlines() if line.endswith(" test")]) == 1
    login = (
        "ssh -i /tmp/key -p 2222 -o BatchMode=yes -o StrictHostKeyChecking=no"
        " -o UserKnownHostsFile=/dev/null lawr@127.0.0.1 sudo -n id -u"
    )
    assert host.run(login).rc == 255
    host.check_output("cat /tmp/key.pub >> /home/lawr/.ssh/authorized_keys")
    try:
        assert host.check_output(login) == "0"
    finally:
        host.check_output("sed -i '$d' /home/lawr/.ssh/authorized_keys")


def test_the_networks_hosts_are_known_by_name(host):
    for name, address in (("qm1", "198.18.34.103"), ("ubuai", "198.18.10.20"), ("localhost", "127.0.0.1")):
        assert address in host.check_output(f"getent ahosts {name}").split()


def test_the_journal_is_kept_and_bounded(host):
    journal = host.check_output("journalctl --no-pager --header | grep 'File path'")
    assert "/var/log/journal/" in journal
    assert "max 50M" in host.check_output("journalctl --no-pager -u systemd-journald").replace("50.0M", "50M")
    assert host.service("systemd-journald").is_running


def test_updates_come_by_themselves_and_are_fetched_for_the_cache(host):
    settings = host.check_output("apt-config dump APT::Periodic")
    for name in ("Update-Package-Lists", "Download-Upgradeable-Packages", "Unattended-Upgrade"):
        assert f'APT::Periodic::{name} "1";' in settings


def test_apt_goes_its_usual_way_while_the_cache_does_not_answer(host):
    said = host.run("/usr/local/sbin/hal-apt-proxy http://127.0.0.1/debian/dists/stable/InRelease")
    assert (said.rc, said.stdout) == (0, "")
    assert "is not used" in said.stderr
    updated = host.run("apt-get update --error-on=any")
    assert updated.rc == 0, updated.stdout + updated.stderr


def test_apt_takes_packages_from_the_cache_once_it_answers(host):
    host.check_output(
        "mkdir -p /srv/packages/http:/archive.test/debian"
    )  # a proxy is asked for whole addresses
    server = "python3 -m http.server --bind 127.0.0.1 --directory /srv/packages 3142"
    host.check_output(f"systemd-run --quiet --unit packages {server}")
    asked = "/usr/local/sbin/hal-apt-proxy http://archive.test/debian/"
    try:
        said = host.check_output(f"for i in $(seq 100); do {asked} | grep . && break; sleep 0.1; done")
    finally:
        host.check_output("systemctl stop packages")
    assert said == "http://127.0.0.1:3142"
